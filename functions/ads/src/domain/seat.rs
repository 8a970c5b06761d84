//! Seats of a placement: which are free on which days.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::{Message, Refusal};

use super::day::{after, count, days};

/// How far ahead free days are looked for, in days.
pub const LOOK_DAYS: u64 = 366;

/// The bits of the seats that are taken, by day; a day that is not named has none.
pub type Taken = BTreeMap<NaiveDate, i64>;

/// The lowest seat that is free on a day, of so many.
#[must_use]
pub fn free_seat(taken: i64, capacity: i64) -> Option<i64> {
    (0..capacity).find(|seat| taken >> seat & 1 == 0)
}

/// How many seats are free on a day.
#[must_use]
pub fn free_count(taken: i64, capacity: i64) -> i64 {
    (capacity - i64::from(taken.count_ones())).max(0)
}

/// A seat for each day of a flight.
///
/// # Errors
/// 409 when a day has none left, naming it and the next days that would do.
pub fn seats(
    taken: &Taken,
    capacity: i64,
    (from, until): (NaiveDate, NaiveDate),
) -> Result<Vec<(NaiveDate, i64)>, Refusal> {
    let on = |day: &NaiveDate| taken.get(day).copied().unwrap_or(0);
    let mut found = Vec::new();
    for day in days(from, until) {
        match free_seat(on(&day), capacity) {
            Some(seat) => found.push((day, seat)),
            None => {
                return Err(full(
                    day,
                    first_free(taken, capacity, (from, until)),
                    (from, until),
                ));
            }
        }
    }
    Ok(found)
}

/// The first day from which the same number of days is free, as far as is looked ahead.
fn first_free(
    taken: &Taken,
    capacity: i64,
    (from, until): (NaiveDate, NaiveDate),
) -> Option<NaiveDate> {
    let wanted = count(from, until);
    let (mut begins, mut free) = (from, 0);
    for day in days(from, after(until, LOOK_DAYS)) {
        let bits = taken.get(&day).copied().unwrap_or(0);
        if free_seat(bits, capacity).is_none() {
            begins = after(day, 1);
            free = 0;
        } else {
            free += 1;
        }
        if free == wanted {
            return Some(begins);
        }
    }
    None
}

fn full(day: NaiveDate, next: Option<NaiveDate>, (from, until): (NaiveDate, NaiveDate)) -> Refusal {
    let days = count(from, until);
    let (english, chinese) = match next {
        Some(next) => (
            format!("What is free: {days} days from {next} on."),
            format!("可选：自 {next} 起连续 {days} 天。"),
        ),
        None => (
            "There is no such time within a year: choose fewer days or another placement."
                .to_owned(),
            "一年内没有可用档期，请缩短天数或选择其他广告位。".to_owned(),
        ),
    };
    Refusal::conflict(
        "slot_taken",
        Message::new(
            format!("The placement is taken on {day}. {english}"),
            format!("该广告位在 {day} 已被占用。{chinese}"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_naming_that_overlaps_is_told_when_it_could_be() {
        let taken: Taken = days(day("2026-11-05"), day("2026-11-10"))
            .map(|day| (day, 1))
            .collect();
        let wanted = (day("2026-11-08"), day("2026-11-11"));
        let refused = seats(&taken, 1, wanted).unwrap_err();
        assert_eq!(refused.code, "slot_taken");
        assert!(
            refused.message.english.contains("3 days from 2026-11-10"),
            "{refused:?}"
        );
        assert_eq!(
            seats(&taken, 1, (day("2026-11-10"), day("2026-11-12")))
                .unwrap()
                .len(),
            2
        );
        let second = seats(&taken, 2, wanted).unwrap();
        assert_eq!(
            second,
            vec![
                (day("2026-11-08"), 1),
                (day("2026-11-09"), 1),
                (day("2026-11-10"), 0)
            ]
        );
        assert_eq!(free_count(0b101, 3), 1);
    }

    proptest! {
        #[test]
        fn a_free_seat_is_never_a_taken_one(taken in 0_i64..(1 << 50), capacity in 1_i64..=50) {
            match free_seat(taken, capacity) {
                Some(seat) => prop_assert!(seat < capacity && taken >> seat & 1 == 0),
                None => prop_assert_eq!(taken & ((1_i64 << capacity) - 1), (1_i64 << capacity) - 1),
            }
        }
    }
}
