//! Months of a community: half-open, from the first midnight to the next month's, by its own clocks.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use kernel::{Timestamp, Zone};

/// A month of the calendar: `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

/// Why a text is no month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthError;

impl fmt::Display for MonthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a month is written as 2026-10")
    }
}

impl std::error::Error for MonthError {}

impl Month {
    /// Parses `2026-10`.
    ///
    /// # Errors
    /// When it is no month from 2000 to 2199.
    pub fn parse(text: &str) -> Result<Self, MonthError> {
        let (year, month) = text.split_once('-').ok_or(MonthError)?;
        let are_digits = year.len() == 4
            && month.len() == 2
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
        let year: i32 = year.parse().map_err(|_| MonthError)?;
        let month: u32 = month.parse().map_err(|_| MonthError)?;
        if !are_digits || !(2000..2200).contains(&year) || !(1..=12).contains(&month) {
            return Err(MonthError);
        }
        Ok(Self { year, month })
    }

    /// The month in which a moment lies by the clocks of the zone.
    #[must_use]
    pub fn of(at: Timestamp, zone: Zone) -> Self {
        let date = zone.local(at).date;
        Self {
            year: date.year(),
            month: date.month(),
        }
    }

    /// The month before.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self {
                year: self.year - 1,
                month: 12,
            },
            month => Self {
                month: month - 1,
                ..self
            },
        }
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                month: month + 1,
                ..self
            },
        }
    }

    /// The first month of its year.
    #[must_use]
    pub fn january(self) -> Self {
        Self { month: 1, ..self }
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self, zone: Zone) -> Timestamp {
        let date = NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default();
        zone.moment(date, 0)
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(self, zone: Zone) -> Timestamp {
        self.next().start(zone)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_that_of_the_community() {
        let october = Month::parse("2026-10").unwrap();
        let first = Timestamp::parse("2026-09-30T16:00:00Z").unwrap();
        assert_eq!(october.start(Zone::SHANGHAI), first);
        assert_eq!(Month::of(first, Zone::SHANGHAI), october);
        assert_eq!(
            Month::of(first.plus_millis(-1), Zone::SHANGHAI),
            october.previous()
        );
        assert_eq!(october.next().next().next().to_string(), "2027-01");
        assert_eq!(
            Month::parse("2027-01").unwrap().previous().to_string(),
            "2026-12"
        );
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1",
            "2026-13",
            "2026-00",
            "26-10",
            "2026-10-01",
            "+026-10",
            "1999-12",
        ] {
            assert_eq!(Month::parse(text), Err(MonthError), "{text:?}");
        }
    }
}
