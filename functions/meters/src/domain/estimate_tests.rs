//! What is missing between readings: the methods by example, the sums by property.

use kernel::{Period, Timestamp, Zone};
use proptest::prelude::*;

use super::curve::{Bracket, Reader, Step, Used};
use super::estimate::*;
use super::*;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const START_MS: i64 = 1_800_000_000_000;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_millis(START_MS + hours * HOUR_MS).unwrap()
}

fn point(hours: i64, total_milli: i64) -> Point {
    Point {
        at: at(hours),
        register_milli: total_milli,
        total_milli,
        bands: None,
    }
}

fn gap<'a>(from: &'a Point, until: &'a Point) -> Gap<'a> {
    Gap {
        from,
        until,
        interval_ms: HOUR_MS,
    }
}

#[test]
fn the_length_of_a_gap_chooses_its_method() {
    let from = point(0, 0);
    for (hours, method) in [
        (1, Method::Measured),
        (2, Method::Linear),
        (4, Method::Linear),
        (5, Method::Profile),
        (72, Method::Profile),
        (73, Method::Average),
    ] {
        let until = point(hours, 100);
        assert_eq!(gap(&from, &until).method(), method, "{hours}");
        assert_eq!(method.is_estimate(), hours > 1);
    }
    // A meter whose clock jitters misses nothing.
    let late = Point {
        at: at(1).plus_millis(HOUR_MS / 3),
        ..point(1, 5)
    };
    assert_eq!(gap(&from, &late).method(), Method::Measured);
}

#[test]
fn a_profile_puts_usage_where_it_was_a_week_before() {
    let (from, until) = (point(0, 1_000), point(6, 1_100));
    let filled = gap(&from, &until).fill(&[0, 0, 3, 1, 0, 0]);
    let quantities: Vec<i64> = filled.iter().map(|slot| slot.quantity_milli).collect();
    assert_eq!(quantities, [0, 0, 75, 25, 0, 0]);
    // Without one it is even.
    let filled = gap(&from, &until).fill(&[0; 6]);
    let quantities: Vec<i64> = filled.iter().map(|slot| slot.quantity_milli).collect();
    assert_eq!(quantities, [17, 17, 17, 17, 16, 16]);
}

#[test]
fn beyond_the_last_reading_the_average_goes_on() {
    assert_eq!(projected(&point(0, 0), &point(10, 100), at(15)), 150);
    assert_eq!(projected(&point(0, 7), &point(0, 7), at(15)), 7);
}

fn reader() -> Reader {
    Reader {
        interval_ms: HOUR_MS,
        register: Register {
            seq: 1,
            digits: 5,
            multiplier: 1,
        },
    }
}

#[test]
fn a_month_by_hand_ends_with_its_last_reading() {
    let (month, reader) = ((at(0), at(720)), reader());
    let read_inside = Bracket {
        before: Some(point(700, 50)),
        after: Some(point(1_400, 90)),
        ..Bracket::default()
    };
    let reached = read_inside.reached_by_hand(month, &reader).unwrap();
    assert_eq!((reached.at, reached.total_milli), (at(700), 50));
    // Nobody came that month: the midnight is estimated between the readings around it.
    let read_before = Bracket {
        before: Some(point(-80, 0)),
        after: Some(point(1_520, 1_600)),
        ..Bracket::default()
    };
    let reached = read_before.reached_by_hand(month, &reader).unwrap();
    assert_eq!((reached.at, reached.total_milli), (at(720), 800));
    assert!(reached.method.is_estimate());
}

#[test]
fn a_day_has_as_many_hours_as_the_clocks_show() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let spring = Timestamp::parse("2026-03-28T23:00:00Z").unwrap();
    let day = Step::Day.moments((spring, spring.plus_millis(1)), berlin);
    let hours = day[1].millis_since(day[0]) / HOUR_MS;
    assert_eq!(hours, 23);
}

proptest! {
    #[test]
    fn estimates_sum_to_the_difference_of_the_registers(
        hours in 1_i64..400,
        from in 0_i64..1_000_000_000,
        used in 0_i64..1_000_000_000_000,
        weights in prop::collection::vec(0_u64..1_000_000, 0..400),
    ) {
        let (from, until) = (point(0, from), point(hours, from + used));
        let gap = gap(&from, &until);
        for weights in [&weights[..], &weights[..weights.len().min(usize::try_from(hours).unwrap())]] {
            let filled = gap.fill(weights);
            prop_assert_eq!(filled.iter().map(|slot| slot.quantity_milli).sum::<i64>(), used);
            prop_assert!(filled.iter().all(|slot| slot.quantity_milli >= 0));
            prop_assert_eq!(filled.first().unwrap().from, from.at);
            prop_assert_eq!(filled.last().unwrap().until, until.at);
        }
    }

    #[test]
    fn usage_over_any_split_of_a_period_sums_to_the_whole(
        hours in 1_i64..400,
        used in 0_i64..1_000_000_000,
        mut cuts in prop::collection::vec(0_i64..400 * 3_600_000, 0..10),
        weights in prop::collection::vec(0_u64..100, 72),
    ) {
        let end_ms = hours * HOUR_MS;
        let (from, until) = (point(0, 5), point(hours, 5 + used));
        let weights = &weights[..usize::try_from(hours).unwrap().min(72)];
        let bracket = Bracket {
            before: Some(from),
            after: Some(until),
            older: None,
            weights: weights.to_vec(),
        };
        cuts.retain(|cut| *cut <= end_ms);
        cuts.extend([0, end_ms]);
        cuts.sort_unstable();
        let reached: Vec<_> = cuts
            .iter()
            .map(|cut| bracket.reached(at(0).plus_millis(*cut), &reader()).unwrap())
            .collect();
        let parts: Vec<i64> = reached
            .iter()
            .zip(reached.iter().skip(1))
            .map(|(from, until)| Used { from: from.clone(), until: until.clone() }.quantity_milli())
            .collect();
        prop_assert!(parts.iter().all(|part| *part >= 0), "{:?}", parts);
        prop_assert_eq!(parts.iter().sum::<i64>(), used);
    }

    #[test]
    fn bands_sum_to_the_quantity(
        before in prop::array::uniform4(0_i64..1_000_000),
        moved in prop::array::uniform4(0_i64..1_000_000),
        total in 0_i64..4_000_000,
        hour in 0_i64..=10,
    ) {
        let mut after = before;
        for (band, moved) in after.iter_mut().zip(moved) {
            *band += moved;
        }
        let bracket = Bracket {
            before: Some(Point { bands: Some(before), ..point(0, 0) }),
            after: Some(Point { bands: Some(after), ..point(10, total) }),
            ..Bracket::default()
        };
        let used = Used {
            from: bracket.reached(at(0), &reader()).unwrap(),
            until: bracket.reached(at(hour), &reader()).unwrap(),
        };
        if let Some(bands) = used.bands() {
            prop_assert_eq!(bands.iter().sum::<i64>(), used.quantity_milli());
        }
    }

    #[test]
    fn months_follow_each_other_without_a_gap(millis in 946_684_800_000_i64..4_000_000_000_000) {
        let moment = Timestamp::from_millis(millis).unwrap();
        let month = Month::of(moment, Zone::SHANGHAI);
        let period = Period::new(month.start(Zone::SHANGHAI), month.end(Zone::SHANGHAI)).unwrap();
        prop_assert!(period.contains(moment));
        prop_assert_eq!(month.end(Zone::SHANGHAI), month.next().start(Zone::SHANGHAI));
    }
}
