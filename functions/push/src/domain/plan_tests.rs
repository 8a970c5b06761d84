//! When plans are due.

use chrono::NaiveDate;
use kernel::{Timestamp, Zone};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn rhythm(value: serde_json::Value) -> Rhythm {
    Rhythm::parse(&value, today()).unwrap()
}

fn times(rhythm: &Rhythm, zone: Zone, from: &str, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut moment = at(from);
    while let Some(next) = rhythm
        .next_after(moment, zone)
        .filter(|_| found.len() < count)
    {
        found.push(next.to_string());
        moment = next;
    }
    found
}

#[test]
fn each_turn_comes_by_the_clocks_of_its_zone() {
    let zone = Zone::SHANGHAI;
    let from = "2026-11-22T16:00:00Z";
    let daily = rhythm(json!({"day": 2, "points": ["08:30", "20:00"]}));
    assert_eq!(
        times(&daily, zone, from, 3),
        [
            "2026-11-23T00:30:00.000Z",
            "2026-11-23T12:00:00.000Z",
            "2026-11-25T00:30:00.000Z"
        ]
    );
    let weekly = rhythm(json!({"week": 2, "weekdays": [1, 7], "points": ["08:00"]}));
    assert_eq!(
        times(&weekly, zone, from, 3),
        [
            "2026-11-23T00:00:00.000Z",
            "2026-11-29T00:00:00.000Z",
            "2026-12-07T00:00:00.000Z"
        ]
    );
    let monthly =
        rhythm(json!({"month": 1, "days": [31], "points": ["08:00"], "until": "2027-02-28"}));
    assert_eq!(
        times(&monthly, zone, from, 9),
        [
            "2026-11-30T00:00:00.000Z",
            "2026-12-31T00:00:00.000Z",
            "2027-01-31T00:00:00.000Z",
            "2027-02-28T00:00:00.000Z"
        ]
    );
    let once = rhythm(json!({"once": "2026-11-24T00:00:00Z"}));
    assert_eq!(times(&once, zone, from, 9), ["2026-11-24T00:00:00.000Z"]);
}

#[test]
fn a_time_that_the_clocks_skip_or_repeat_comes_once() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let daily = Rhythm::parse(
        &json!({"day": 1, "points": ["02:30"], "from": "2027-03-27"}),
        today(),
    )
    .unwrap();
    assert_eq!(
        times(&daily, berlin, "2027-03-27T00:00:00Z", 3),
        [
            "2027-03-27T01:30:00.000Z",
            "2027-03-28T01:00:00.000Z",
            "2027-03-29T00:30:00.000Z"
        ]
    );
}

#[test]
fn what_is_no_rhythm_is_refused() {
    for value in [
        json!({}),
        json!({"once": "tomorrow"}),
        json!({"once": "2026-11-24T00:00:00Z", "day": 1}),
        json!({"day": 0, "points": ["08:00"]}),
        json!({"day": 1, "points": []}),
        json!({"day": 1, "points": ["24:00"]}),
        json!({"day": 1, "week": 1, "points": ["08:00"]}),
        json!({"week": 1, "points": ["08:00"]}),
        json!({"week": 1, "weekdays": [8], "points": ["08:00"]}),
        json!({"month": 1, "days": [0], "points": ["08:00"]}),
        json!({"day": 1, "points": ["08:00"], "from": "2026-12-01", "until": "2026-11-30"}),
        json!({"day": 1, "points": ["08:00"], "hour": 2}),
    ] {
        assert!(Rhythm::parse(&value, today()).is_err(), "{value}");
    }
}

#[test]
fn about_as_many_are_held_out_as_was_said_and_always_the_same() {
    let held = |plan: &str| {
        (0..10_000)
            .filter(|person| is_held_out(plan, &format!("p{person}"), 500))
            .count()
    };
    assert!((400..600).contains(&held("a")), "{}", held("a"));
    assert_eq!(held("a"), held("a"));
    assert!(!(0..10_000).any(|person| is_held_out("a", &format!("p{person}"), 0)));
}

proptest! {
    #[test]
    fn the_next_time_is_later_and_its_own_rhythm_is_read_again(
        every in 1_u32..10, points in prop::collection::btree_set(0_u16..1_440, 1..5), unit in 0_u8..3,
        days in prop::collection::btree_set(1_u32..8, 1..4), offset in 0_i64..400 * 86_400_000,
    ) {
        let points: Vec<String> = points.iter().map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60)).collect();
        let value = match unit {
            0 => json!({"day": every, "points": points}),
            1 => json!({"week": every, "weekdays": days, "points": points}),
            _ => json!({"month": every, "days": days, "points": points}),
        };
        let rhythm = rhythm(value);
        prop_assert_eq!(&Rhythm::parse(&rhythm.to_json(), today()).unwrap(), &rhythm);
        let moment = at("2026-11-23T00:00:00Z").plus_millis(offset);
        let next = rhythm.next_after(moment, Zone::SHANGHAI).unwrap();
        prop_assert!(next > moment);
        // Nothing lies between.
        let before = next.plus_millis(-1);
        prop_assert_eq!(rhythm.next_after(before, Zone::SHANGHAI), Some(next));
    }
}
