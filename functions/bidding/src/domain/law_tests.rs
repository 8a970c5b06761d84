//! What holds of every budget, every invoice and every place.

use advertising::MICROS_PER_MINOR;
use kernel::{BidCampaignId, CreativeId, MerchantId, Timestamp};
use proptest::prelude::*;

use super::*;

fn campaign(kind: Kind, bid_minor: i64, budget_minor: i64) -> Campaign {
    Campaign {
        id: BidCampaignId::parse("c1").unwrap(),
        merchant: MerchantId::parse("m1").unwrap(),
        name: "x".to_owned(),
        kind,
        creative: CreativeId::parse("k1").unwrap(),
        bid_minor,
        ratio_bps: None,
        bid_version: 1,
        budget_micros: budget_minor * MICROS_PER_MINOR,
        daily_micros: budget_minor * MICROS_PER_MINOR,
        reserved_micros: 0,
        spent_micros: 0,
        starts_at: Timestamp::EPOCH,
        ends_at: None,
        state: CampaignState::Active,
        views: 0,
        clicks: 0,
        version: 1,
        made_at: Timestamp::EPOCH,
    }
}

/// What becomes of an offer: clicked at some share of the bid, or let go.
fn fates() -> impl Strategy<Value = Vec<Option<u8>>> {
    prop::collection::vec(prop::option::of(0_u8..=100), 0..60)
}

proptest! {
    #[test]
    fn spend_never_exceeds_the_budget_whatever_becomes_of_offers(
        bid in 1_i64..500,
        budget in 1_i64..2_000,
        is_rank in any::<bool>(),
        fates in fates(),
        at_once in 1_usize..8,
    ) {
        let kind = if is_rank { Kind::Rank } else { Kind::Display };
        let mut campaign = campaign(kind, bid, budget);
        let most = campaign.bid_micros();
        for batch in fates.chunks(at_once) {
            let mut open = Vec::new();
            for fate in batch {
                let used = campaign.reserved_micros + campaign.spent_micros;
                if campaign.bears(most, used) {
                    campaign.reserved_micros += most;
                    open.push(*fate);
                }
                prop_assert!(campaign.reserved_micros + campaign.spent_micros <= campaign.budget_micros);
            }
            for fate in open {
                campaign.reserved_micros -= most;
                campaign.spent_micros += fate.map_or(0, |share| most * i64::from(share) / 100);
            }
            prop_assert!(campaign.spent_micros <= campaign.budget_micros);
        }
    }

    #[test]
    fn all_invoices_together_are_the_sum_rounded_down(months in prop::collection::vec(-500_000_i64..1_000_000, 0..24)) {
        let (mut accrued, mut invoiced) = (0_i64, 0);
        for micros in months {
            // No more is given back than was charged.
            let before = accrued;
            accrued = (accrued + micros).max(0);
            let now = whole_fen(accrued, invoiced);
            prop_assert!(now >= 0 || accrued < before);
            invoiced += now;
            prop_assert_eq!(invoiced, accrued / MICROS_PER_MINOR);
        }
    }

    #[test]
    fn a_click_more_never_lowers_a_quality_and_a_view_more_never_raises_it(
        views in 0_i64..100_000,
        clicks in 0_i64..10_000,
    ) {
        let reckon = |views, clicks| {
            let counted = Counted { views, clicks };
            Quality::reckon(counted, ("fish", ""), ("fish", "https://a.example")).quality_bps
        };
        prop_assert!(reckon(views, clicks + 1) >= reckon(views, clicks));
        prop_assert!(reckon(views + 1, clicks) <= reckon(views, clicks));
        prop_assert!((1..=auction::QUALITY_BPS_MAX).contains(&reckon(views, clicks)));
    }

    #[test]
    fn a_view_is_a_thousandth_of_its_bid_exactly(minor in 1_i64..BID_MAX) {
        prop_assert_eq!(Kind::Display.micros(minor).unwrap() * 1_000, minor * MICROS_PER_MINOR);
    }

    #[test]
    fn a_place_is_found_by_its_own_name(text in "\\PC{1,70}") {
        for kind in [TargetKind::Keyword, TargetKind::Board, TargetKind::Exchange] {
            if let Ok(target) = Target::parse(kind, &text) {
                prop_assert_eq!(Target::parse(kind, &target.value), Ok(target.clone()));
                prop_assert!(target.looked_up().contains(&target.value));
            }
        }
    }
}
