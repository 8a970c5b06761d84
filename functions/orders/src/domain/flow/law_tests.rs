//! Laws of what goes back: whatever is asked in whatever order, the sums close and nothing goes back twice.

use kernel::{CategoryId, CommissionRuleId, OrderId, OrderLineId, ProductId, VariantId};
use proptest::prelude::*;
use wire::mall::SaleKind;

use super::{Back, Frozen, Line, Wanted, share};

fn line(quantity: i64, goods: i64, subsidy: i64, rate_bps: i64) -> Line {
    let base = goods + subsidy;
    Line {
        id: OrderLineId::parse("l").unwrap(),
        order: OrderId::parse("o").unwrap(),
        product: ProductId::parse("p").unwrap(),
        variant: VariantId::parse("v").unwrap(),
        slot: None,
        promotion: None,
        category: CategoryId::parse("c").unwrap(),
        kind: SaleKind::Goods,
        title: "x".to_owned(),
        quantity,
        unit_minor: goods,
        merchant_discount_minor: 0,
        subsidy_minor: subsidy,
        goods_minor: goods,
        freight_minor: 300,
        commission: Frozen {
            rule: CommissionRuleId::parse("r").ok().map(|rule| (rule, 1)),
            rate_bps: u32::try_from(rate_bps).unwrap(),
            includes_freight: false,
            base_minor: base,
            amount_minor: share(base, rate_bps, 10_000),
        },
        back: Back::default(),
    }
}

fn units(quantity: i64) -> Wanted {
    Wanted {
        quantity,
        goods_minor: None,
        with_freight: false,
    }
}

#[test]
fn three_single_refunds_of_ten_yuan_over_three_units_close_exactly() {
    // A commission of 10.00 on a base of 30.00, so that both are split over three.
    let mut line = line(3, 1_000, 0, 10_000);
    let mut parts = Vec::new();
    for _ in 0..3 {
        let back = line.give_back(units(1)).unwrap();
        parts.push((back.goods_minor, back.commission_minor));
        line.back = line.back.plus(back);
    }
    assert_eq!(parts, [(333, 333), (334, 334), (333, 333)]);
    assert_eq!(
        line.give_back(units(1)).unwrap_err().code,
        "refund_quantity"
    );
    let more = Wanted {
        quantity: 0,
        goods_minor: Some(1),
        with_freight: false,
    };
    assert_eq!(line.give_back(more).unwrap_err().code, "refund_too_large");
}

#[test]
fn two_equal_amounts_may_both_go_back_and_not_more_than_was_paid() {
    let mut line = line(1, 100, 0, 500);
    let sixty = |minor| Wanted {
        quantity: 0,
        goods_minor: Some(minor),
        with_freight: false,
    };
    line.back = line.back.plus(line.give_back(sixty(40)).unwrap());
    line.back = line.back.plus(line.give_back(sixty(40)).unwrap());
    assert_eq!(
        line.give_back(sixty(40)).unwrap_err().code,
        "refund_too_large"
    );
    line.back = line.back.plus(line.give_back(sixty(20)).unwrap());
    assert_eq!(line.left_minor(), 0);
}

proptest! {
    #[test]
    fn whatever_goes_back_in_parts_the_last_part_closes_every_sum(
        quantity in 1_i64..20, goods in 0_i64..1_000_000, subsidy in 0_i64..10_000, rate in 0_i64..10_000,
        wishes in prop::collection::vec((0_i64..5, prop::option::of(0_i64..500_000), any::<bool>()), 0..12),
    ) {
        let mut line = line(quantity, goods, subsidy, rate);
        for (quantity, goods_minor, with_freight) in wishes {
            if let Ok(back) = line.give_back(Wanted { quantity, goods_minor, with_freight }) {
                prop_assert!(back.goods_minor >= 0 && back.subsidy_minor >= 0 && back.commission_minor >= 0);
                line.back = line.back.plus(back);
            }
            prop_assert!(line.back.goods_minor <= line.goods_minor);
            prop_assert!(line.back.commission_minor <= line.commission.amount_minor);
        }
        line.back = line.back.plus(line.give_back_all());
        let all = Back {
            quantity: line.quantity,
            goods_minor: line.goods_minor,
            freight_minor: line.freight_minor,
            subsidy_minor: line.subsidy_minor,
            base_minor: line.commission.base_minor,
            commission_minor: line.commission.amount_minor,
        };
        prop_assert_eq!(line.back, all);
    }

    #[test]
    fn what_did_not_go_back_after_all_leaves_no_trace(goods in 1_i64..1_000_000, first in 1_i64..1_000, second in 1_i64..1_000) {
        let mut line = line(1, goods, 7, 1_234);
        let amount = |minor: i64| Wanted { quantity: 0, goods_minor: Some(minor.min(goods)), with_freight: false };
        let failed = line.give_back(amount(first)).unwrap();
        line.back = line.back.plus(failed);
        if let Ok(kept) = line.give_back(amount(second)) {
            line.back = line.back.plus(kept);
        }
        line.back = line.back.minus(failed);
        line.back = line.back.plus(line.give_back_all());
        prop_assert_eq!(line.back.commission_minor, line.commission.amount_minor);
        prop_assert_eq!(line.back.goods_minor, line.goods_minor);
    }
}
