//! The published prices of Beijing, to the fen, and what is refused.

use chrono::NaiveDate;

use crate::*;

pub(crate) fn day(text: &str) -> Day {
    day_of(text.parse::<NaiveDate>().unwrap())
}

pub(crate) fn tier(above: i64, up_to: Option<i64>, price: i64) -> Tier {
    Tier {
        above_milli: above * 1_000,
        up_to_milli: up_to.map(|bound| bound * 1_000),
        price,
    }
}

pub(crate) fn schedule(cycle: Cycle, prices: Prices) -> Schedule {
    Schedule {
        rounding: Rounding::default(),
        cycle,
        uplift: None,
        prorate_move_in: false,
        periods: vec![PricePeriod {
            first: day("2020-01-01"),
            until: None,
            prices,
        }],
    }
}

fn electricity(cycle: Cycle, first: i64, second: i64) -> Schedule {
    let tiers = vec![
        tier(0, Some(first), 4_883),
        tier(first, Some(second), 5_383),
        tier(second, None, 7_883),
    ];
    schedule(cycle, Prices::Tiered(tiers))
}

fn water() -> Schedule {
    let tiers = vec![
        tier(0, Some(180), 50_000),
        tier(180, Some(260), 70_000),
        tier(260, None, 90_000),
    ];
    schedule(Cycle::Year(1, 1), Prices::Tiered(tiers))
}

pub(crate) fn october(quantity: i64) -> Line {
    Line {
        first: day("2026-10-01"),
        until: day("2026-11-01"),
        quantity_milli: quantity * 1_000,
        bands: vec![],
        used_milli: 0,
        persons: 3,
        moved_in: None,
    }
}

pub(crate) fn one(schedule: &Schedule, line: Line) -> Outcome {
    rate(Kinds::All, schedule, &[line]).unwrap().remove(0)
}

fn fen(schedule: &Schedule, line: Line) -> i64 {
    one(schedule, line).unwrap().amount_fen
}

fn code(result: Result<impl std::fmt::Debug, Problem>) -> String {
    result.unwrap_err().code
}

#[test]
fn beijing_electricity_by_month_comes_out_to_the_fen() {
    let monthly = electricity(Cycle::Month(1), 240, 400);
    for (quantity, amount) in [
        (0, 0),
        (240, 11_719),
        (241, 11_773),
        (350, 17_641),
        (400, 20_332),
        (500, 28_215),
    ] {
        assert_eq!(fen(&monthly, october(quantity)), amount, "{quantity} kWh");
    }
    let exact = one(&monthly, october(350)).unwrap();
    assert_eq!(exact.exact, 1_764_050_000);
    assert_eq!(exact.parts.len(), 2);
}

#[test]
fn beijing_electricity_by_year_comes_out_to_the_fen() {
    let yearly = electricity(Cycle::Year(1, 1), 2_880, 4_800);
    let year = |quantity| Line {
        first: day("2026-01-01"),
        until: day("2027-01-01"),
        ..october(quantity)
    };
    assert_eq!(fen(&yearly, year(3_000)), 147_090);
    assert_eq!(fen(&yearly, year(5_000)), 259_750);
}

#[test]
fn beijing_water_by_year_comes_out_to_the_fen() {
    assert_eq!(fen(&water(), october(181)), 90_700);
    assert_eq!(fen(&water(), october(300)), 182_000);
    let further = Line {
        used_milli: 170_000,
        ..october(20)
    };
    let charge = one(&water(), further).unwrap();
    assert_eq!(charge.amount_fen, 12_000);
    let quantities: Vec<i64> = charge
        .parts
        .iter()
        .map(|part| part.quantity_milli)
        .collect();
    assert_eq!(quantities, [10_000, 10_000]);
}

#[test]
fn a_line_over_new_year_begins_its_tiers_anew() {
    let line = Line {
        first: day("2026-12-01"),
        until: day("2027-02-01"),
        used_milli: 200_000,
        ..october(62)
    };
    // 31 m3 in December at the second price, 31 m3 in January at the first.
    assert_eq!(fen(&water(), line), 31 * 700 + 31 * 500);
}

#[test]
fn prices_that_change_within_a_line_rate_its_days_apart() {
    let mut changing = schedule(Cycle::Month(1), Prices::Flat(10_000));
    changing.periods[0].until = Some(day("2026-10-11"));
    changing.periods.push(PricePeriod {
        first: day("2026-10-11"),
        until: None,
        prices: Prices::Flat(20_000),
    });
    assert_eq!(fen(&changing, october(31)), 10 * 100 + 21 * 200);
}

#[test]
fn a_large_household_has_wider_tiers() {
    let mut tiers = water();
    tiers.uplift = Some(Uplift {
        above_persons: 5,
        per_person_milli: 30_000,
    });
    let seven = Line {
        persons: 7,
        ..october(240)
    };
    assert_eq!(fen(&tiers, seven), 240 * 500);
    assert_eq!(fen(&tiers, october(240)), 180 * 500 + 60 * 700);
}

#[test]
fn who_moves_in_late_in_a_cycle_has_its_share_of_the_tiers() {
    let mut tiers = water();
    tiers.prorate_move_in = true;
    let late = Line {
        moved_in: Some(day("2026-10-01")),
        ..october(50)
    };
    // 92 of 365 days: 180 m3 become 45.369, 260 become 65.534.
    let charge = one(&tiers, late.clone()).unwrap();
    let quantities: Vec<i64> = charge
        .parts
        .iter()
        .map(|part| part.quantity_milli)
        .collect();
    assert_eq!(quantities, [45_369, 4_631]);
    tiers.prorate_move_in = false;
    assert_eq!(fen(&tiers, late), 25_000);
}

#[test]
fn the_time_of_day_has_its_price() {
    let price = |name: &str, price| BandPrice {
        name: name.to_owned(),
        price,
    };
    let prices = Prices::TimeOfUse(vec![price("peak", 8_000), price("valley", 3_000)]);
    let schedule = schedule(Cycle::Month(1), prices);
    let band = |name: &str, quantity_milli| Band {
        name: name.to_owned(),
        quantity_milli,
    };
    let line = Line {
        bands: vec![band("peak", 60_000), band("valley", 40_000)],
        ..october(100)
    };
    assert_eq!(fen(&schedule, line.clone()), 6_000);
    let short = Line {
        bands: vec![band("peak", 60_000)],
        ..line.clone()
    };
    assert_eq!(code(one(&schedule, short)), "bands_do_not_sum");
    let strange = Line {
        bands: vec![band("dusk", 100_000)],
        ..line
    };
    assert_eq!(code(one(&schedule, strange)), "band_unknown");
    assert_eq!(code(one(&schedule, october(1))), "bands_missing");
    assert_eq!(fen(&schedule, october(0)), 0);
}

#[test]
fn fifteen_hundredths_of_130_70_is_19_61() {
    let flat = schedule(Cycle::Month(1), Prices::Flat(1_500));
    let line = Line {
        quantity_milli: 130_700,
        ..october(0)
    };
    assert_eq!(fen(&flat, line), 1_961);
}

#[test]
fn a_gap_or_an_overlap_between_tiers_is_refused_with_its_place() {
    let check_tiers = |tiers: Vec<Tier>| {
        let schedule = schedule(Cycle::Month(1), Prices::Tiered(tiers));
        check(Kinds::All, &schedule).unwrap_err()
    };
    let gap = check_tiers(vec![tier(0, Some(240), 1), tier(250, None, 2)]);
    assert_eq!(gap.code, "tier_gap");
    assert!(gap.english.contains("tier 2") && gap.english.contains("250000"));
    let overlap = check_tiers(vec![tier(0, Some(240), 1), tier(230, None, 2)]);
    assert_eq!(overlap.code, "tier_overlap");
    assert_eq!(check_tiers(vec![tier(5, None, 1)]).code, "tier_gap");
    assert_eq!(check_tiers(vec![tier(0, Some(5), 1)]).code, "tier_gap");
    assert_eq!(check_tiers(vec![tier(0, None, -1)]).code, "price_invalid");
    let after_the_end = check_tiers(vec![tier(0, None, 1), tier(5, None, 2)]);
    assert_eq!(after_the_end.code, "tier_overlap");
}

#[test]
fn overlapping_price_periods_and_days_without_a_price_are_refused() {
    let mut twice = water();
    twice.periods.push(twice.periods[0].clone());
    assert_eq!(code(check(Kinds::All, &twice)), "price_period_overlap");
    let mut ended = water();
    ended.periods[0].until = Some(day("2026-10-15"));
    assert_eq!(code(one(&ended, october(1))), "price_missing");
    let problem = one(&ended, october(1)).unwrap_err();
    assert!(problem.english.contains("2026-10-15"));
    let negative = Line {
        quantity_milli: -1,
        ..october(0)
    };
    assert_eq!(code(one(&water(), negative)), "usage_negative");
}

#[test]
fn a_plugin_refuses_the_kinds_of_others() {
    assert_eq!(code(check(Kinds::Flat, &water())), "kind_not_rated");
    assert_eq!(code(check(Kinds::TimeOfUse, &water())), "kind_not_rated");
    assert_eq!(check(Kinds::Tiered, &water()), Ok(()));
    let mut mixed = water();
    mixed.periods[0].until = Some(day("2026-01-01"));
    mixed.periods.push(PricePeriod {
        first: day("2026-01-01"),
        until: None,
        prices: Prices::Flat(1),
    });
    assert_eq!(code(check(Kinds::All, &mixed)), "kinds_mixed");
}
