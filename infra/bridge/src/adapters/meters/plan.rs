//! What is owed to which meter of a bus, and when the next thing is. Pure: the moments come in as arguments.
//!
//! The freeze of the last midnight comes first, for every meter; then the registers as they stand; then freezes that
//! were missed on earlier days, newest first. A meter that does not answer is left alone for a while that grows, so
//! that it costs its neighbours one time-out now and then; one that gives no freezes is still read.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use kernel::{Timestamp, Zone};

/// A meter is asked for the last midnight's freeze this long after it: its clock may be behind ours.
pub const FREEZE_SETTLES_MS: i64 = 5 * 60_000;
/// A meter that failed is asked again after this time at the earliest, in milliseconds.
pub const RETRY_MS_MIN: i64 = 1_000;
/// The longest that a meter is left alone, in milliseconds.
pub const RETRY_MS_MAX: i64 = 15 * 60_000;
/// The longest that a meter is not asked for freezes that it did not give, in milliseconds.
pub const FREEZE_RETRY_MS_MAX: i64 = 3_600_000;

/// What is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The freeze of the midnight at which that day began.
    Freeze(NaiveDate),
    /// The registers as they stand.
    Now,
}

/// What every meter of a bus is owed.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The pause between two readings, in milliseconds.
    pub interval_ms: i64,
    /// Where the days begin.
    pub zone: Zone,
}

/// Where one meter stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How many of the last midnights its freezes are asked for.
    pub freeze_days: u8,
    /// The midnights, by the day they begin, whose freeze is there or will never be.
    pub settled: BTreeSet<NaiveDate>,
    /// When its registers are to be read.
    pub reading_due: Timestamp,
    /// Before this moment it is left alone.
    pub not_before: Timestamp,
    /// How often in a row it did not answer.
    pub failures: u32,
    /// Before this moment it is not asked for freezes.
    freeze_not_before: Timestamp,
    /// How often in a row it did not give a freeze.
    freeze_failures: u32,
}

impl Standing {
    /// A meter that was never asked.
    #[must_use]
    pub fn new(freeze_days: u8, settled: BTreeSet<NaiveDate>, now: Timestamp) -> Self {
        Self {
            freeze_days,
            settled,
            reading_due: now,
            not_before: now,
            failures: 0,
            freeze_not_before: now,
            freeze_failures: 0,
        }
    }

    /// Whether it did not answer lately: then it is tried once only.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.failures >= 2
    }

    /// It answered, whatever it was.
    pub fn answered(&mut self) {
        self.failures = 0;
    }

    /// It did not answer: it is left alone for a while that doubles, less up to a quarter, by `jitter` of 0 to 255.
    pub fn failed(&mut self, now: Timestamp, jitter: u8) {
        let pause = doubled(self.failures, RETRY_MS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.plus_millis(pause - pause / 4 * i64::from(jitter) / 255);
    }

    /// It gave no freeze, whether it answered or not: it is not asked for one for a while, twice as long as it is left
    /// alone, so that its registers are read in between.
    pub fn gave_no_freeze(&mut self, now: Timestamp) {
        let pause = doubled(self.freeze_failures + 1, FREEZE_RETRY_MS_MAX);
        self.freeze_failures = self.freeze_failures.saturating_add(1).min(20);
        self.freeze_not_before = now.plus_millis(pause);
    }

    /// Its registers were read, or cannot be: the next time is when the clock shows a whole number of intervals, so
    /// that readings of an hour stand at the hour.
    pub fn was_read(&mut self, terms: &Terms, now: Timestamp) {
        let since = now.millis().rem_euclid(terms.interval_ms);
        self.reading_due = now.plus_millis(terms.interval_ms - since);
    }

    /// The freeze of that midnight is there, or will never be.
    pub fn settle(&mut self, midnight: NaiveDate, today: NaiveDate) {
        self.freeze_failures = 0;
        self.settled.insert(midnight);
        let oldest = today - Days::new(u64::from(self.freeze_days));
        self.settled.retain(|day| *day > oldest);
    }

    /// The midnights whose freeze is still to be asked for, newest first.
    fn missed(&self, today: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let days = (0..u64::from(self.freeze_days)).map(move |ago| today - Days::new(ago));
        days.filter(|day| !self.settled.contains(day))
    }
}

fn doubled(times: u32, max: i64) -> i64 {
    RETRY_MS_MIN.saturating_mul(1 << times.min(20)).min(max)
}

/// The newest day whose midnight can be asked for.
#[must_use]
pub fn today(terms: &Terms, now: Timestamp) -> NaiveDate {
    terms.zone.local(now.plus_millis(-FREEZE_SETTLES_MS)).date
}

/// Which meter is to be asked now, and what for.
#[must_use]
pub fn due(meters: &[Standing], terms: &Terms, now: Timestamp) -> Option<(usize, Task)> {
    let today = today(terms, now);
    let free = || {
        let all = meters.iter().enumerate();
        all.filter(|(_, meter)| meter.not_before <= now)
    };
    let freezing = || free().filter(|(_, meter)| meter.freeze_not_before <= now);
    let newest = freezing().filter(|(_, meter)| meter.missed(today).next() == Some(today));
    let reading = free().filter(|(_, meter)| meter.reading_due <= now);
    let older = freezing().filter_map(|(index, meter)| Some((meter.missed(today).next()?, index)));
    let longest = |(_, meter): &(usize, &Standing)| meter.not_before;
    newest
        .min_by_key(longest)
        .map(|(index, _)| (index, Task::Freeze(today)))
        .or_else(|| {
            let longest = reading.min_by_key(|(_, meter)| meter.reading_due);
            longest.map(|(index, _)| (index, Task::Now))
        })
        .or_else(|| {
            // The newest day of all that are missing; among meters that miss it the first.
            let newest = older.max_by_key(|(day, index)| (*day, std::cmp::Reverse(*index)));
            newest.map(|(day, index)| (index, Task::Freeze(day)))
        })
}

/// When something may be due next, if nothing is now.
#[must_use]
pub fn next_due(meters: &[Standing], terms: &Terms, now: Timestamp) -> Timestamp {
    let today = today(terms, now);
    let midnight = terms
        .zone
        .moment(today, 1_440)
        .plus_millis(FREEZE_SETTLES_MS);
    let moments = meters.iter().map(|meter| {
        let freeze = meter.missed(today).next();
        let freeze = freeze.map(|_| meter.freeze_not_before);
        let owed = freeze.map_or(meter.reading_due, |freeze| freeze.min(meter.reading_due));
        owed.max(meter.not_before)
    });
    moments.fold(midnight, Timestamp::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn terms() -> Terms {
        Terms {
            interval_ms: HOUR,
            zone: Zone::SHANGHAI,
        }
    }

    fn fresh(freeze_days: u8, now: Timestamp) -> Standing {
        Standing::new(freeze_days, BTreeSet::new(), now)
    }

    #[test]
    fn the_last_midnight_comes_first_then_the_registers_then_what_was_missed() {
        let now = at("2026-11-22T04:00:00Z");
        let mut meters = vec![fresh(3, now), fresh(3, now)];
        let mut done = Vec::new();
        while let Some((index, task)) = due(&meters, &terms(), now) {
            let meter = &mut meters[index];
            meter.answered();
            match task {
                Task::Freeze(midnight) => meter.settle(midnight, day("2026-11-22")),
                Task::Now => meter.was_read(&terms(), now),
            }
            done.push((index, task));
        }
        let freeze = |index, text| (index, Task::Freeze(day(text)));
        let today = "2026-11-22";
        let expected = [
            freeze(0, today),
            freeze(1, today),
            (0, Task::Now),
            (1, Task::Now),
            freeze(0, "2026-11-21"),
            freeze(1, "2026-11-21"),
            freeze(0, "2026-11-20"),
            freeze(1, "2026-11-20"),
        ];
        assert_eq!(done, expected);
        assert_eq!(next_due(&meters, &terms(), now), now.plus_millis(HOUR));
    }

    #[test]
    fn a_day_begins_in_the_zone_of_the_meters_and_a_little_later() {
        // Midnight in Shanghai is 16:00 UTC.
        assert_eq!(
            today(&terms(), at("2026-11-22T16:04:59Z")),
            day("2026-11-22")
        );
        assert_eq!(
            today(&terms(), at("2026-11-22T16:05:00Z")),
            day("2026-11-23")
        );
        let now = at("2026-11-22T16:01:00Z");
        let mut meter = fresh(1, now);
        meter.settle(day("2026-11-22"), day("2026-11-22"));
        meter.was_read(&terms(), now);
        assert_eq!(
            next_due(&[meter], &terms(), now),
            at("2026-11-22T16:05:00Z")
        );
    }

    #[test]
    fn every_missed_day_of_the_last_62_is_asked_for_and_no_older_one() {
        let (now, today) = (at("2026-11-22T04:00:00Z"), day("2026-11-22"));
        let mut meter = fresh(62, now);
        meter.was_read(&terms(), now);
        let mut asked = Vec::new();
        while let Some((_, Task::Freeze(midnight))) = due(&[meter.clone()], &terms(), now) {
            meter.settle(midnight, today);
            asked.push(midnight);
        }
        assert_eq!(asked.len(), 62);
        assert_eq!(asked.last(), Some(&day("2026-09-22")));
        // Two days later two are missing, and what is too old is forgotten.
        let later = at("2026-11-24T04:00:00Z");
        meter.reading_due = later.plus_millis(HOUR);
        let next = due(&[meter.clone()], &terms(), later);
        assert_eq!(next, Some((0, Task::Freeze(day("2026-11-24")))));
        meter.settle(day("2026-11-24"), day("2026-11-24"));
        let next = due(&[meter.clone()], &terms(), later);
        assert_eq!(next, Some((0, Task::Freeze(day("2026-11-23")))));
        assert!(!meter.settled.contains(&day("2026-09-23")));
    }

    #[test]
    fn a_meter_that_does_not_answer_is_left_alone_for_longer_and_longer() {
        let mut now = at("2026-11-22T04:00:00Z");
        let mut meter = fresh(0, now);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            meter.failed(now, 0);
            assert_eq!(due(&[meter.clone()], &terms(), now), None);
            let next = next_due(&[meter.clone()], &terms(), now);
            pauses.push(next.millis_since(now) / 1_000);
            now = next;
            assert_eq!(due(&[meter.clone()], &terms(), now), Some((0, Task::Now)));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert!(meter.is_silent());
        meter.failed(now, 255);
        assert_eq!(
            meter.not_before.millis_since(now),
            675_000,
            "jitter takes a quarter"
        );
        meter.answered();
        assert!(!meter.is_silent());
    }

    #[test]
    fn a_dead_meter_does_not_keep_the_others_waiting() {
        let mut now = at("2026-11-22T04:00:00Z");
        let mut meters: Vec<_> = (0..5).map(|_| fresh(2, now)).collect();
        let (mut dead, mut alive) = (0, 0);
        // Every try takes a second; the first meter never answers.
        for _ in 0..60 {
            match due(&meters, &terms(), now) {
                Some((0, _)) => {
                    dead += 1;
                    now = now.plus_millis(1_000);
                    meters[0].failed(now, 0);
                }
                Some((index, task)) => {
                    alive += 1;
                    now = now.plus_millis(1_000);
                    match task {
                        Task::Freeze(midnight) => meters[index].settle(midnight, day("2026-11-22")),
                        Task::Now => meters[index].was_read(&terms(), now),
                    }
                }
                None => now = next_due(&meters, &terms(), now),
            }
            if alive == 12 {
                break;
            }
        }
        assert_eq!(
            alive, 12,
            "two freezes and a reading of each of the four others"
        );
        assert!(dead <= 4, "the dead one cost {dead} time-outs");
    }

    #[test]
    fn a_meter_that_gives_no_freezes_is_still_read() {
        let mut now = at("2026-11-22T04:00:00Z");
        let mut meters = vec![fresh(2, now)];
        let (mut read, mut asked) = (0, 0);
        let end = now.plus_millis(6 * HOUR);
        while now < end {
            match due(&meters, &terms(), now) {
                Some((_, Task::Now)) => {
                    read += 1;
                    meters[0].answered();
                    meters[0].was_read(&terms(), now);
                }
                Some((_, Task::Freeze(_))) => {
                    asked += 1;
                    meters[0].failed(now, 0);
                    meters[0].gave_no_freeze(now);
                }
                None => {
                    let next = next_due(&meters, &terms(), now);
                    assert!(next > now, "the bus rests until something is due");
                    now = next;
                }
            }
        }
        assert_eq!(read, 6);
        assert!(
            (10..=18).contains(&asked),
            "asked {asked} times in six hours"
        );
    }

    #[test]
    fn readings_stand_at_the_hour() {
        let now = at("2026-11-22T04:00:00Z");
        let mut meter = fresh(0, now);
        meter.was_read(&terms(), now.plus_millis(7_000));
        assert_eq!(meter.reading_due, now.plus_millis(HOUR));
        meter.was_read(&terms(), now.plus_millis(5 * HOUR + 7_000));
        assert_eq!(meter.reading_due, now.plus_millis(6 * HOUR));
    }
}
