//! Months of the calendar that invoices go by, half-open: from the first at 00:00 to the next first at 00:00.

use std::fmt;

use chrono::{Datelike, Months, NaiveDate};
use kernel::{Timestamp, Zone};

/// A month: `2026-10`.
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

    /// The month around a moment.
    #[must_use]
    pub fn at(zone: Zone, moment: Timestamp) -> Self {
        let date = zone.local(moment).date;
        Self(date.with_day(1).unwrap_or(date))
    }

    /// The first moment in it.
    #[must_use]
    pub fn start(self, zone: Zone) -> Timestamp {
        zone.moment(self.0, 0)
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(self, zone: Zone) -> Timestamp {
        self.next().start(zone)
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add_months(Months::new(1)).unwrap_or(self.0))
    }

    /// The month before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.checked_sub_months(Months::new(1)).unwrap_or(self.0))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_one_starts_on_the_clocks_of_the_zone() {
        let zone = Zone::SHANGHAI;
        let check = |text: &str, month: &str| {
            let at = Timestamp::parse(text).unwrap();
            assert_eq!(Month::at(zone, at).to_string(), month, "{text}");
        };
        check("2026-02-28T15:59:59.999Z", "2026-02");
        check("2026-02-28T16:00:00.000Z", "2026-03");
        check("2028-02-29T15:59:59.999Z", "2028-02");
        check("2028-02-29T16:00:00.000Z", "2028-03");
        check("2026-12-31T16:00:00.000Z", "2027-01");
        let february = Month::parse("2026-02").unwrap();
        assert_eq!(february.end(zone).to_string(), "2026-02-28T16:00:00.000Z");
        assert_eq!(february.next().previous(), february);
        assert_eq!(february.previous().to_string(), "2026-01");
    }

    #[test]
    fn a_month_is_written_one_way() {
        for text in ["", "2026", "2026-13", "2026-1", "1999-12", "2026-10-01"] {
            assert_eq!(Month::parse(text), Err(MonthError), "{text:?}");
        }
    }
}
