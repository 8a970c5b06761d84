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

    /// The month so many later.
    #[must_use]
    pub fn plus(self, months: u32) -> Self {
        Self(
            self.0
                .checked_add_months(Months::new(months))
                .unwrap_or(self.0),
        )
    }

    /// The month so many earlier.
    #[must_use]
    pub fn minus(self, months: u32) -> Self {
        Self(
            self.0
                .checked_sub_months(Months::new(months))
                .unwrap_or(self.0),
        )
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

/// Months in a row: what a bill is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first of them.
    pub first: Month,
    /// How many, at least one.
    pub months: u32,
}

impl Span {
    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = Month> {
        (0..self.months).map(move |number| self.first.plus(number))
    }

    /// The first day after them.
    #[must_use]
    pub fn until(self) -> NaiveDate {
        self.first.plus(self.months).first()
    }
}

impl From<Month> for Span {
    fn from(first: Month) -> Self {
        Self { first, months: 1 }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.months > 1 {
            let last = self.first.plus(self.months - 1);
            return write!(formatter, "{} – {last}", self.first);
        }
        self.first.fmt(formatter)
    }
}

/// Every how many months a rule bills.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Each month.
    #[default]
    Month,
    /// Three months.
    Quarter,
    /// Six months.
    HalfYear,
    /// Twelve months.
    Year,
}

impl Every {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::HalfYear, Self::Year];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half_year",
            Self::Year => "year",
        }
    }

    /// How many months.
    #[must_use]
    pub fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
        }
    }
}

/// When a rule bills: in the first month of each period, for what comes, or in the last, for what was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Billing {
    /// Every how many months.
    pub every: Every,
    /// In which month of the year a period begins, 1 to 12; January unless it says otherwise.
    #[serde(default = "january")]
    pub from_month: u32,
    /// Whether ahead.
    #[serde(default)]
    pub in_advance: bool,
}

fn january() -> u32 {
    1
}

impl Default for Billing {
    /// Each month.
    fn default() -> Self {
        Self {
            every: Every::Month,
            from_month: 1,
            in_advance: false,
        }
    }
}

impl Billing {
    /// Whether there are such periods.
    #[must_use]
    pub fn is_valid(self) -> bool {
        (1..=12).contains(&self.from_month)
    }

    /// What the run of a month bills, if anything.
    #[must_use]
    pub fn span(self, run: Month) -> Option<Span> {
        let months = self.every.months();
        // The month of the period that the run is of, from 0.
        let place = (run.0.month0() + 13 - self.from_month.clamp(1, 12)) % months;
        let first = if self.in_advance || months == 1 {
            (place == 0).then_some(run)
        } else {
            (place == months - 1).then(|| run.minus(months - 1))
        };
        first.map(|first| Span { first, months })
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
    fn a_period_is_billed_in_its_first_month_or_in_its_last() {
        let check = |every, from_month, in_advance, run: &str, expected: Option<&str>| {
            let billing = Billing {
                every,
                from_month,
                in_advance,
            };
            let span = billing.span(Month::parse(run).unwrap());
            assert_eq!(span.map(|span| span.to_string()).as_deref(), expected);
        };
        check(Every::Month, 1, false, "2026-10", Some("2026-10"));
        check(
            Every::Quarter,
            1,
            false,
            "2026-12",
            Some("2026-10 – 2026-12"),
        );
        check(Every::Quarter, 1, false, "2026-11", None);
        check(
            Every::Quarter,
            1,
            true,
            "2026-10",
            Some("2026-10 – 2026-12"),
        );
        check(
            Every::Quarter,
            2,
            true,
            "2026-11",
            Some("2026-11 – 2027-01"),
        );
        check(
            Every::HalfYear,
            4,
            false,
            "2027-03",
            Some("2026-10 – 2027-03"),
        );
        check(Every::Year, 4, true, "2026-04", Some("2026-04 – 2027-03"));
        check(Every::Year, 1, false, "2026-12", Some("2026-01 – 2026-12"));
        check(Every::Year, 1, false, "2026-01", None);
    }

    #[test]
    fn what_lies_outside_of_a_month_is_no_part_of_it() {
        let month = Month::parse("2026-10").unwrap();
        assert_eq!(month.part(Some(day("2026-11-01")), None), None);
        assert_eq!(month.part(None, Some(day("2026-10-01"))), None);
    }
}
