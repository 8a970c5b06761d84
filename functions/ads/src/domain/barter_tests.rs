//! Laws and examples of exchanges.

use super::*;
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn terms(day_minor: i64, units: i64, unit_minor: i64, boot_minor: i64) -> Terms {
    Terms {
        slots: vec![Slot {
            placement: PlacementId::parse("weather").unwrap(),
            starts_on: day("2026-12-01"),
            ends_on: day("2026-12-11"),
            day_minor,
        }],
        goods: vec![Goods {
            name: Name::parse("电影票").unwrap(),
            product: None,
            units,
            list_minor: unit_minor,
            evidence: None,
            unit_minor,
        }],
        boot_minor,
        limit_minor: 10_000,
    }
}

fn barter() -> Barter {
    Barter {
        id: BarterId::parse("b1").unwrap(),
        merchant: MerchantId::parse("cinema").unwrap(),
        state: BarterState::Draft,
        terms: terms(5_000, 10, 4_000, 10_000),
        said_by: Side::Merchant,
        platform_signed_by: None,
        merchant_signed_by: None,
        legs: Legs::default(),
        created_by: ActorId::parse("mei").unwrap(),
        version: 1,
    }
}

#[test]
fn both_legs_are_even_to_the_fen() {
    let today = day("2026-11-02");
    assert!(terms(5_000, 10, 4_000, 10_000).check(today).is_ok());
    assert!(terms(3_000, 10, 4_000, -10_000).check(today).is_ok());
    let off = terms(5_000, 10, 4_000, 9_999).check(today).unwrap_err();
    assert_eq!(off.code, "barter_uneven");
    assert!(off.message.english.contains("10000"));
    let past = terms(5_000, 10, 4_000, 10_000).check(day("2026-12-02"));
    assert_eq!(past.unwrap_err().code, "barter_invalid");
    assert!(terms(5_000, 0, 4_000, 50_000).check(today).is_err());
}

#[test]
fn nobody_agrees_with_themselves_and_both_sign() {
    let proposed = barter().proposed(Side::Merchant).unwrap();
    assert_eq!(
        proposed.clone().agreed(Side::Merchant).unwrap_err().code,
        "barter_turn"
    );
    let countered = proposed
        .countered(Side::Platform, terms(4_000, 10, 4_000, 0))
        .unwrap();
    assert_eq!(countered.state, BarterState::Countered);
    assert_eq!(
        countered.clone().agreed(Side::Platform).unwrap_err().code,
        "barter_turn"
    );
    let agreed = countered.agreed(Side::Merchant).unwrap();
    assert_eq!(
        agreed
            .clone()
            .moved(BarterVerb::Activate, BarterState::Active)
            .unwrap_err()
            .code,
        "barter_state"
    );
    let by = |id: &str| ActorId::parse(id).unwrap();
    let once = agreed.signed(Side::Platform, by("wang")).unwrap();
    assert_eq!(once.state, BarterState::Agreed);
    assert_eq!(
        once.clone()
            .signed(Side::Platform, by("wang"))
            .unwrap_err()
            .code,
        "barter_turn"
    );
    let signed = once.signed(Side::Merchant, by("mei")).unwrap();
    assert_eq!(signed.state, BarterState::Signed);
    assert!(
        signed
            .moved(BarterVerb::Activate, BarterState::Active)
            .is_ok()
    );
}

#[test]
fn advertising_is_worth_what_others_paid_and_goods_the_lower_price() {
    assert_eq!(worth_of_day(&[10, 20, 30, 40]), Ok(20));
    assert_eq!(worth_of_day(&[]).unwrap_err().code, "barter_no_deals");
    assert_eq!(worth_of_unit(4_000, Some(3_500), Some(1)), Ok(3_500));
    assert_eq!(worth_of_unit(3_000, Some(3_500), None), Ok(3_000));
    assert_eq!(worth_of_unit(4_000, None, Some(3_900)), Ok(3_900));
    assert_eq!(
        worth_of_unit(4_000, None, None).unwrap_err().code,
        "barter_evidence_missing"
    );
}

#[test]
fn too_far_ahead_holds_it_back_until_goods_come() {
    let running = Barter {
        state: BarterState::Active,
        ..barter()
    };
    let legs = |delivered_minor, received_minor| Legs {
        delivered_minor,
        received_minor,
        settled_minor: 0,
    };
    let at = |legs| {
        Barter {
            legs,
            ..running.clone()
        }
        .balanced()
    };
    assert_eq!(at(legs(10_000, 0)).state, BarterState::Active);
    let held = at(legs(10_001, 0));
    assert_eq!(held.state, BarterState::Suspended);
    assert_eq!(
        Barter {
            legs: legs(10_001, 1),
            ..held
        }
        .balanced()
        .state,
        BarterState::Active
    );
    assert_eq!(at(legs(0, 50_000)).state, BarterState::Active);
}

proptest! {
    #[test]
    fn an_exchange_that_is_even_ends_even(day_minor in 0_i64..100_000, units in 1_i64..100, unit_minor in 0_i64..100_000) {
        let even = terms(day_minor, units, unit_minor, day_minor * 10 - units * unit_minor);
        prop_assert!(even.check(day("2026-11-02")).is_ok());
        let legs = Legs {
            delivered_minor: even.advertising_minor(),
            received_minor: even.goods_minor(),
            settled_minor: even.boot_minor,
        };
        prop_assert_eq!(legs.imbalance(), 0);
    }

    #[test]
    fn the_middle_is_one_of_them(mut prices in prop::collection::vec(0_i64..1_000, 1..50)) {
        prices.sort_unstable();
        let middle = middle(&prices).unwrap();
        let below = prices.iter().filter(|price| **price < middle).count();
        let above = prices.iter().filter(|price| **price > middle).count();
        prop_assert!(below * 2 <= prices.len() && above * 2 <= prices.len());
    }
}
