//! Days and months of the platform's zone.

use std::fmt;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use kernel::{Timestamp, Zone};

/// The zone in which days begin.
pub const ZONE: Zone = Zone::SHANGHAI;

/// The day of a moment.
#[must_use]
pub fn day_of(now: Timestamp) -> NaiveDate {
    ZONE.local(now).date
}

/// The first moment of a day.
#[must_use]
pub fn start_of(day: NaiveDate) -> Timestamp {
    ZONE.moment(day, 0)
}

/// So many days later.
#[must_use]
pub fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

/// The days from one (included) to another (excluded).
pub fn days(from: NaiveDate, until: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    from.iter_days().take_while(move |day| *day < until)
}

/// How many days there are from one to another; 0 when the other is not later.
#[must_use]
pub fn count(from: NaiveDate, until: NaiveDate) -> i64 {
    (until - from).num_days().max(0)
}

/// A month of the calendar, written `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(NaiveDate);

impl Month {
    /// The month that a day is in.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self(day.with_day(1).unwrap_or(day))
    }

    /// The month written so; none for another text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 7 {
            return None;
        }
        NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d")
            .ok()
            .map(Self)
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> NaiveDate {
        self.0
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add_months(Months::new(1)).unwrap_or(self.0))
    }

    /// Its last moment: what is charged for a month is of that month, however late.
    #[must_use]
    pub fn last_moment(self) -> Timestamp {
        start_of(self.next().0).plus_millis(-1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.format("%Y-%m"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let month = Month::parse("2026-12").unwrap();
        assert_eq!(month.next().to_string(), "2027-01");
        assert_eq!(
            month.last_moment(),
            Timestamp::parse("2026-12-31T15:59:59.999Z").unwrap()
        );
        assert_eq!(Month::of(day_of(month.last_moment())), month);
        for wrong in ["2026-13", "2026-1", "", "2026-12-01"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }
}
