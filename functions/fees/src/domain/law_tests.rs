//! What holds of every amount, every month and every way to pay.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use kernel::{BillId, CommunityId, FeeRuleId, RoomId};
use proptest::prelude::*;
use serde_json::json;
use tariff::Rounding;

use super::*;

fn month(number: u32) -> Month {
    Month::parse(&format!("20{:02}-{:02}", 20 + number / 12, number % 12 + 1)).unwrap()
}

fn bill(number: usize, amount_fen: i64, paid_fen: i64) -> Bill {
    Bill {
        id: BillId::parse(&format!("b{number}")).unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        room: RoomId::parse("r1").unwrap(),
        rule: "rule".to_owned(),
        rule_version: 1,
        title: "x".to_owned(),
        period: month(80),
        months: 1,
        version: 1,
        run: None,
        state: BillState::Published,
        amount_fen,
        discount_fen: 0,
        paid_fen: paid_fen.min(amount_fen).max(0),
        late: Late::default(),
        due_on: "2026-10-31".parse().ok(),
        published_at: None,
        basis: json!({}),
        mark: String::new(),
    }
}

fn rule(charge: serde_json::Value) -> Rule {
    Rule {
        id: FeeRuleId::parse("rule").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        name: "x".to_owned(),
        charge: serde_json::from_value(charge).unwrap(),
        scope: Scope::default(),
        billing: Billing::default(),
        rounding: Rounding::default(),
        first_day: "2020-01-01".parse().unwrap(),
        until_day: None,
        version: 1,
    }
}

fn household(area_dm2: i64) -> Household {
    Household {
        room: RoomId::parse("r1").unwrap(),
        area_dm2,
        usage: "residential".to_owned(),
        persons: 1,
        moved_in: None,
    }
}

const TERMS: LateTerms = LateTerms {
    rate_per_100k: 50,
    grace_days: 3,
    cap_percent: 100,
    due_days: 30,
};

proptest! {
    #[test]
    fn the_parts_of_a_month_sum_to_the_month(amount in 0_i64..1_000_000_000, number in 0_u32..500, cut in 1_u64..28) {
        let month = month(number);
        let at = month.first() + Days::new(cut);
        let (before, after) = (month.part(None, Some(at)).unwrap(), month.part(Some(at), None).unwrap());
        let (left, days) = prorated(i128::from(amount), before);
        let (right, same) = prorated(i128::from(amount), after);
        prop_assert_eq!(days, same);
        prop_assert_eq!(left + right, i128::from(amount) * days);
    }

    #[test]
    fn a_shared_cost_is_borne_exactly_and_nobody_without_weight_bears_any(
        cost in -1_000_000_000_i64..1_000_000_000,
        rooms in prop::collection::vec((0_i64..100_000, any::<bool>()), 1..40),
        percent in 0_u32..=100,
    ) {
        let ids: Vec<RoomId> = (0..rooms.len()).map(|n| RoomId::parse(&format!("r{n}")).unwrap()).collect();
        let sharers: Vec<Sharer<'_>> = ids.iter().zip(&rooms)
            .map(|(room, (area_dm2, vacant))| Sharer { room, area_dm2: *area_dm2, usage_milli: 0, vacant: *vacant })
            .collect();
        if let Ok(parts) = share(cost, &ShareBy::Area, percent, &sharers) {
            prop_assert_eq!(parts.iter().map(|(_, part)| part).sum::<i64>(), cost);
            prop_assert!(parts.iter().all(|(weight, part)| *weight > 0 || *part == 0));
            let mirrored = share(-cost, &ShareBy::Area, percent, &sharers).unwrap();
            prop_assert!(parts.iter().zip(&mirrored).all(|((_, part), (_, mirror))| *part == -*mirror));
        }
    }

    #[test]
    fn money_is_put_against_bills_without_losing_a_fen_and_the_oldest_come_first(
        money in 0_i64..2_000_000,
        bills in prop::collection::vec((-50_000_i64..500_000, 0_i64..100_000), 1..12),
        late_days in 0_u64..400,
    ) {
        let bills: Vec<Bill> = bills.into_iter().enumerate().map(|(n, (amount, paid))| bill(n, amount, paid)).collect();
        let today = "2026-10-31".parse::<NaiveDate>().unwrap() + Days::new(late_days);
        let owed = quote(&bills, TERMS, today);
        let (paid, over) = settle(money, &bills, &owed, today);
        let put: i64 = paid.iter().map(|paid| paid.principal_fen + paid.late_fen).sum();
        prop_assert_eq!(put + over, money);
        prop_assert!(over >= 0);
        for after in &paid {
            let before = bills.iter().find(|bill| bill.id == after.bill.id).unwrap();
            prop_assert!(after.principal_fen.abs() <= before.unpaid_fen().abs());
            prop_assert!(after.late_fen >= 0);
        }
        // Unless everything is paid, nothing is over.
        let total: i64 = owed.iter().map(|owed| owed.principal_fen + owed.late_fen).sum();
        prop_assert_eq!(over, (money - total).max(0));
        prop_assert_eq!(over > 0 || money == total, paid.iter().all(|paid| paid.bill.state == BillState::Paid)
            && bills.iter().all(|bill| bill.unpaid_fen() == 0 || paid.iter().any(|paid| paid.bill.id == bill.id)));
    }

    #[test]
    fn a_late_fee_grows_by_the_day_and_never_beyond_the_bill(amount in 0_i64..10_000_000, days in 0_u64..30_000) {
        let bills = [bill(0, amount, 0)];
        let day = |days: u64| "2026-10-31".parse::<NaiveDate>().unwrap() + Days::new(days);
        let late = |days| late_of(&bills[0], TERMS, day(days));
        prop_assert!(late(days) <= late(days + 1));
        prop_assert!(late(days) <= amount);
        prop_assert_eq!(late(3), 0);
    }

    #[test]
    fn more_area_never_costs_less_and_one_bill_is_rounded_once(area in 1_i64..1_000_000, price in 0_i64..1_000_000) {
        let rule = rule(json!({"kind": "area", "price": price}));
        let charge = |area| rule.charge_plain(&household(area), month(80)).map_or(0, |charged| charged.amount_fen);
        prop_assert!(charge(area) <= charge(area + 1));
        prop_assert!((i128::from(charge(area)) * 10_000 - i128::from(area) * i128::from(price)).abs() <= 5_000);
    }
}

#[test]
fn fifteen_hundredths_of_130_70_m2_is_19_61() {
    let rule = rule(json!({"kind": "area", "price": 1_500}));
    let charged = rule.charge_plain(&household(13_070), month(80)).unwrap();
    assert_eq!(charged.amount_fen, 1_961);
}

#[test]
fn an_area_that_is_none_is_a_reason_and_never_an_amount() {
    let rule = rule(json!({"kind": "area", "price": 1_500}));
    let code = |area| {
        rule.charge_plain(&household(area), month(80))
            .unwrap_err()
            .0
    };
    assert_eq!(code(-1), "area_negative");
    assert_eq!(code(0), "area_missing");
}

#[test]
fn a_rule_that_ends_or_begins_in_a_month_charges_its_days() {
    let mut part = rule(json!({"kind": "fixed", "amount_minor": 3_100}));
    part.first_day = "2026-10-11".parse().unwrap();
    let october = Month::parse("2026-10").unwrap();
    let charged = part.charge_plain(&household(1), october).unwrap();
    assert_eq!(
        (charged.amount_fen, &charged.basis["days"]),
        (2_100, &json!(21))
    );
    part.until_day = "2026-10-11".parse().ok();
    assert_eq!(part.clone().checked().unwrap_err().code, "fee_rule_invalid");
    part.first_day = "2026-01-01".parse().unwrap();
    assert_eq!(
        part.charge_plain(&household(1), october)
            .unwrap()
            .amount_fen,
        1_000
    );
}

#[test]
fn a_later_revision_of_usage_is_billed_by_its_difference() {
    let charged = |amount_fen, mark: &str| Charged {
        amount_fen,
        basis: json!({}),
        mark: mark.to_owned(),
    };
    let known = |live, live_fen, mark: &str| Versions {
        latest: 2,
        live,
        live_fen,
        mark: mark.to_owned(),
    };
    assert_eq!(next_version(None, &charged(100, "")), Ok((1, 100)));
    assert_eq!(
        next_version(Some(&known(false, 0, "")), &charged(100, "")),
        Ok((3, 100))
    );
    assert_eq!(
        next_version(Some(&known(true, 90, "u.1")), &charged(100, "u.2")),
        Ok((3, 10))
    );
    assert_eq!(
        next_version(Some(&known(true, 110, "u.1")), &charged(100, "u.2")),
        Ok((3, -10))
    );
    let again = next_version(Some(&known(true, 90, "u.1")), &charged(100, "u.1"));
    assert_eq!(again, Err(skip("already_billed")));
}

#[test]
fn weights_share_by_room() {
    let ids = ["a", "b"].map(|id| RoomId::parse(id).unwrap());
    let by = ShareBy::Weights(BTreeMap::from([(ids[1].clone(), 3)]));
    let sharers = [0, 1].map(|n: usize| Sharer {
        room: &ids[n],
        area_dm2: 1,
        usage_milli: 1,
        vacant: false,
    });
    let parts = share(7, &by, 100, &sharers).unwrap();
    assert_eq!(parts, [(0, 0), (300, 7)]);
}
