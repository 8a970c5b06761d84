//! Laws and examples of prices.

use kernel::{CouponId, MerchantId, ProductId, PromotionId};
use proptest::prelude::*;

use super::pricing::*;

fn merchant(id: &str) -> MerchantId {
    MerchantId::parse(id).unwrap()
}

fn line(of: &str, product: &str, quantity: u32, unit_minor: i64) -> Line {
    Line {
        merchant: merchant(of),
        product: ProductId::parse(product).unwrap(),
        quantity,
        unit_minor,
        brought: true,
        special: None,
    }
}

fn reduction(of: &str, id: &str, tiers: &[(i64, i64)], subsidy_bps: u32) -> Reduction {
    Reduction {
        promotion: PromotionId::parse(id).unwrap(),
        merchant: merchant(of),
        tiers: tiers.to_vec(),
        scope: vec![],
        subsidy_bps,
    }
}

fn voucher(of: &str, least_minor: i64, off: Off, subsidy_bps: u32) -> Voucher {
    Voucher {
        coupon: CouponId::parse(&format!("coupon-{of}")).unwrap(),
        promotion: PromotionId::parse(&format!("issue-{of}")).unwrap(),
        merchant: merchant(of),
        least_minor,
        off,
        scope: vec![],
        subsidy_bps,
    }
}

fn amounts(priced: &[Priced]) -> Vec<(i64, i64, i64)> {
    let shown = |line: &Priced| (line.payable_minor, line.discount_minor, line.subsidy_minor);
    priced.iter().map(shown).collect()
}

#[test]
fn a_reduction_is_split_over_the_lines_by_largest_remainder() {
    let lines = [
        line("a", "p1", 1, 3_334),
        line("a", "p2", 1, 3_333),
        line("a", "p3", 1, 3_333),
    ];
    let off = [reduction("a", "r", &[(10_000, 100), (20_000, 500)], 3_000)];
    let priced = price(&lines, &off, &[], &[]).unwrap();
    assert_eq!(
        amounts(&priced),
        [(3_300, 34, 10), (3_300, 33, 10), (3_300, 33, 10)]
    );
    // One fen less, and nothing is off.
    let less = [line("a", "p1", 1, 9_999)];
    assert_eq!(
        amounts(&price(&less, &off, &[], &[]).unwrap()),
        [(9_999, 0, 0)]
    );
}

#[test]
fn the_reduction_that_takes_most_off_counts_and_a_coupon_counts_on_what_is_left() {
    let lines = [line("a", "p1", 2, 5_000), line("b", "p9", 1, 500)];
    let off = [
        reduction("a", "r1", &[(5_000, 500)], 0),
        reduction("a", "r2", &[(5_000, 1_000)], 0),
    ];
    let share = Off::Share {
        bps: 1_000,
        minor_max: 800,
    };
    let priced = price(&lines, &off, &[voucher("a", 9_000, share, 10_000)], &[]).unwrap();
    assert_eq!(amounts(&priced), [(8_200, 1_800, 800), (500, 0, 0)]);
    assert_eq!(priced[0].discounts[0].promotion.as_str(), "r2");
    let unfit = price(&lines, &off, &[voucher("a", 9_001, share, 0)], &[]);
    assert!(matches!(unfit, Err(PriceError::CouponUnfit(_))));
}

#[test]
fn nothing_more_is_taken_off_a_special_price() {
    let mut flash = line("a", "p1", 1, 5_000);
    flash.special = Some(Special {
        promotion: PromotionId::parse("flash").unwrap(),
        unit_minor: 990,
        subsidy_bps: 5_000,
    });
    let lines = [flash, line("a", "p2", 1, 1_000)];
    let off = [reduction("a", "r", &[(1_000, 100)], 0)];
    let priced = price(&lines, &off, &[], &[]).unwrap();
    assert_eq!(amounts(&priced), [(990, 4_010, 2_005), (900, 100, 0)]);
}

#[test]
fn freight_is_free_from_its_sum_on_and_split_otherwise() {
    let lines = [line("a", "p1", 1, 1_000), line("a", "p2", 1, 2_000)];
    let freight = |free_from_minor| Freight {
        merchant: merchant("a"),
        minor: 100,
        free_from_minor,
    };
    let of = |freight| {
        let priced = price(&lines, &[], &[], &[freight]).unwrap();
        priced
            .iter()
            .map(|line| line.freight_minor)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(freight(None)), [33, 67]);
    assert_eq!(of(freight(Some(3_001))), [33, 67]);
    assert_eq!(of(freight(Some(3_000))), [0, 0]);
}

fn any_line() -> impl Strategy<Value = Line> {
    let special = prop::option::weighted(0.2, (0_i64..20_000, 0_u32..=10_000));
    (
        0_usize..3,
        0_usize..4,
        1_u32..50,
        0_i64..10_000_000,
        special,
    )
        .prop_map(|(of, product, quantity, unit_minor, special)| Line {
            special: special.map(|(unit_minor, subsidy_bps)| Special {
                promotion: PromotionId::parse("special").unwrap(),
                unit_minor,
                subsidy_bps,
            }),
            ..line(
                ["a", "b", "c"][of],
                ["p1", "p2", "p3", "p4"][product],
                quantity,
                unit_minor,
            )
        })
}

fn any_reduction() -> impl Strategy<Value = Reduction> {
    let tiers = prop::collection::vec((0_i64..50_000, 0_i64..60_000), 1..4);
    (0_usize..3, 0_usize..9, tiers, 0_u32..=10_000, any::<bool>()).prop_map(
        |(of, id, tiers, bps, some)| Reduction {
            scope: if some {
                vec![ProductId::parse("p1").unwrap()]
            } else {
                vec![]
            },
            ..reduction(["a", "b", "c"][of], &format!("r{id}"), &tiers, bps)
        },
    )
}

fn any_off() -> impl Strategy<Value = Off> {
    prop_oneof![
        (0_i64..100_000).prop_map(Off::Minor),
        (0_u32..=10_000, 0_i64..100_000).prop_map(|(bps, minor_max)| Off::Share { bps, minor_max }),
    ]
}

proptest! {
    #[test]
    fn the_sums_of_prices_close(
        lines in prop::collection::vec(any_line(), 1..12),
        reductions in prop::collection::vec(any_reduction(), 0..5),
        (off, bps, freight) in (any_off(), 0_u32..=10_000, 0_i64..5_000),
    ) {
        let freights = [Freight { merchant: merchant("a"), minor: freight, free_from_minor: Some(5_000_000) }];
        let coupons = [voucher("a", 1, off, bps)];
        let priced = match price(&lines, &reductions, &coupons, &freights) {
            Err(PriceError::CouponUnfit(_)) => price(&lines, &reductions, &[], &freights).unwrap(),
            other => other.unwrap(),
        };
        prop_assert_eq!(priced.len(), lines.len());
        for (priced, line) in priced.iter().zip(&lines) {
            prop_assert_eq!(priced.list_minor, line.unit_minor * i64::from(line.quantity));
            prop_assert_eq!(priced.list_minor, priced.discount_minor + priced.payable_minor);
            prop_assert!(priced.payable_minor >= 0 && priced.freight_minor >= 0);
            prop_assert_eq!(priced.discounts.iter().map(|part| part.minor).sum::<i64>(), priced.discount_minor);
            prop_assert_eq!(priced.discounts.iter().map(|part| part.subsidy_minor).sum::<i64>(), priced.subsidy_minor);
            for part in &priced.discounts {
                prop_assert!((0..=part.minor).contains(&part.subsidy_minor));
            }
        }
        let own: Vec<&Priced> = priced.iter().zip(&lines).filter(|(_, line)| line.merchant.as_str() == "a").map(|(priced, _)| priced).collect();
        let carried: i64 = own.iter().map(|line| line.freight_minor).sum();
        let payable: i64 = own.iter().map(|line| line.payable_minor).sum();
        let expected = if own.is_empty() || payable >= 5_000_000 { 0 } else { freight };
        prop_assert_eq!(carried, expected);
    }

    #[test]
    fn the_platforms_share_of_a_discount_is_its_share_of_the_whole(
        units in prop::collection::vec(1_i64..100_000, 1..9),
        (off, bps) in (1_i64..100_000, 0_u32..=10_000),
    ) {
        let lines: Vec<Line> = units.iter().map(|unit| line("a", "p1", 1, *unit)).collect();
        let priced = price(&lines, &[reduction("a", "r", &[(0, off)], bps)], &[], &[]).unwrap();
        let off = off.min(units.iter().sum());
        let discount: i64 = priced.iter().map(|line| line.discount_minor).sum();
        let subsidy: i64 = priced.iter().map(|line| line.subsidy_minor).sum();
        prop_assert_eq!(discount, off);
        prop_assert_eq!(subsidy, (off * i64::from(bps) + 5_000) / 10_000);
    }
}
