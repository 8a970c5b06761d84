//! Months and parts of them.
//!
//! Proration is by day: amount x days / days in that month. The days in a month are its own, 28 to 31, so that 29
//! February is a day like any other (1/29), 30 of the 31 days of a month are 30/31, and the parts of a month always
//! sum to it. An anniversary on a day that a month lacks (29, 30, 31) falls on that month's last day.

use std::fmt;

use chrono::{Datelike, Months, NaiveDate};

/// A month of the community's calendar: `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Month(NaiveDate);

/// Why a text is no month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthError;

impl fmt::Display for MonthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a month is written as 2026-10, from 2000 to 2199")
    }
}

impl std::error::Error for MonthError {}

impl Month {
    /// Parses `2026-10`.
    ///
    /// # Errors
    /// When it is no month of the years 2000 to 2199.
    pub fn parse(text: &str) -> Result<Self, MonthError> {
        let date = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
        let date = date.map_err(|_| MonthError)?;
        if text.len() != 7 || !(2000..2200).contains(&date.year()) {
            return Err(MonthError);
        }
        Ok(Self(date))
    }

    /// The month around a date.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        Self(date.with_day(1).unwrap_or(date))
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> NaiveDate {
        self.0
    }

    /// The first day after it.
    #[must_use]
    pub fn until(self) -> NaiveDate {
        self.0.checked_add_months(Months::new(1)).unwrap_or(self.0)
    }

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> i64 {
        (self.until() - self.first()).num_days()
    }

    /// The part of it from `first` until `until`, if there is one.
    #[must_use]
    pub fn part(self, first: Option<NaiveDate>, until: Option<NaiveDate>) -> Option<Stretch> {
        let first = first.map_or(self.first(), |day| day.max(self.first()));
        let until = until.map_or(self.until(), |day| day.min(self.until()));
        (first < until).then_some(Stretch {
            month: self,
            first,
            until,
        })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.format("%Y-%m"))
    }
}

impl TryFrom<String> for Month {
    type Error = MonthError;
    fn try_from(text: String) -> Result<Self, MonthError> {
        Self::parse(&text)
    }
}

/// Days of one month, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The month.
    pub month: Month,
    /// The first day.
    pub first: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
}

impl Stretch {
    /// How many days.
    #[must_use]
    pub fn days(self) -> i64 {
        (self.until - self.first).num_days()
    }
}

/// The exact share of a month's `amount` for these days, as numerator and denominator.
#[must_use]
pub fn prorated(amount: i128, stretch: Stretch) -> (i128, i128) {
    if stretch.days() == stretch.month.days() {
        return (amount, 1);
    }
    (
        amount * i128::from(stretch.days()),
        i128::from(stretch.month.days()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn check(month: &str, first: &str, amount: i128, numerator: i128, denominator: i128) {
        let part = Month::parse(month)
            .unwrap()
            .part(Some(day(first)), None)
            .unwrap();
        assert_eq!(prorated(amount, part), (numerator, denominator));
    }

    #[test]
    fn a_part_of_a_month_is_its_days_of_the_days_of_that_month() {
        check("2026-10", "2026-10-02", 3_100, 93_000, 31);
        check("2028-02", "2028-02-29", 2_900, 2_900, 29);
        check("2026-02", "2026-02-28", 2_800, 2_800, 28);
        check("2026-04", "2026-04-01", 100, 100, 1);
    }

    #[test]
    fn a_month_is_written_one_way() {
        for text in ["", "2026", "2026-13", "2026-1", "1999-12", "2026-10-01"] {
            assert_eq!(Month::parse(text), Err(MonthError), "{text:?}");
        }
        assert_eq!(Month::parse("2026-10").unwrap().to_string(), "2026-10");
    }

    #[test]
    fn what_lies_outside_of_a_month_is_no_part_of_it() {
        let month = Month::parse("2026-10").unwrap();
        assert_eq!(month.part(Some(day("2026-11-01")), None), None);
        assert_eq!(month.part(None, Some(day("2026-10-01"))), None);
    }
}
