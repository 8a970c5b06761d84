//! Time zones: business dates and times of day are those of the community.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;

use crate::Timestamp;

/// An IANA time zone, for example `Asia/Shanghai`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// Why a text is no time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneError;

impl fmt::Display for ZoneError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a time zone is an IANA name, for example Asia/Shanghai")
    }
}

impl std::error::Error for ZoneError {}

/// A moment as the clocks of a zone show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The date.
    pub date: NaiveDate,
    /// The day of the week.
    pub weekday: Weekday,
    /// Minutes since midnight as the clock shows them, 0 to 1439.
    pub minute: u16,
}

impl Zone {
    /// The zone of mainland China, the default of every community.
    pub const SHANGHAI: Self = Self(Tz::Asia__Shanghai);

    /// The zone of that IANA name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        text.parse().map(Self).map_err(|_| ZoneError)
    }

    /// The IANA name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// The moment as the zone's clocks show it.
    #[must_use]
    pub fn local(self, at: Timestamp) -> Local {
        let utc = DateTime::<Utc>::from_timestamp_millis(at.millis()).unwrap_or_default();
        let local = utc.with_timezone(&self.0);
        let minute = local.hour() * 60 + local.minute();
        Local {
            date: local.date_naive(),
            weekday: local.weekday(),
            minute: u16::try_from(minute).unwrap_or_default(),
        }
    }

    /// The moment at which the zone's clocks show this minute of that date (1440 is the next midnight). A time that
    /// the clocks skip is the first moment after the gap; of one that they show twice it is the first.
    #[must_use]
    pub fn moment(self, date: NaiveDate, minute: u16) -> Timestamp {
        let days = chrono::Days::new(u64::from(minute / 1_440));
        let date = date.checked_add_days(days).unwrap_or(date);
        let minute = u32::from(minute % 1_440);
        let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap_or_default();
        let wanted = date.and_time(time);
        // No gap in the database is longer than a day.
        let found = (0..=1_440).find_map(|skipped| {
            let shifted = wanted.checked_add_signed(chrono::TimeDelta::minutes(skipped))?;
            self.0.from_local_datetime(&shifted).earliest()
        });
        let millis = found.map_or_else(
            || wanted.and_utc().timestamp_millis(),
            |at| at.timestamp_millis(),
        );
        Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;
    fn try_from(text: String) -> Result<Self, ZoneError> {
        Self::parse(&text)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_date_is_that_of_the_community() {
        let local = Zone::SHANGHAI.local(at("2026-02-28T16:00:00Z"));
        assert_eq!(local.date, NaiveDate::from_ymd_opt(2026, 3, 1).unwrap());
        assert_eq!((local.weekday, local.minute), (Weekday::Sun, 0));
    }

    #[test]
    fn a_time_that_the_clocks_skip_or_repeat_is_one_moment() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let spring = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        assert_eq!(berlin.moment(spring, 150), at("2026-03-29T01:00:00Z"));
        let autumn = NaiveDate::from_ymd_opt(2026, 10, 25).unwrap();
        assert_eq!(berlin.moment(autumn, 150), at("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        for text in ["", "Asia/Atlantis", "CST+8", "asia/shanghai/x"] {
            assert_eq!(Zone::parse(text), Err(ZoneError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_read_is_the_moment_written(day in 0_u64..20_000, minute in 0_u16..1_440) {
            let date = NaiveDate::from_ymd_opt(1992, 1, 1).unwrap() + chrono::Days::new(day);
            let local = Zone::SHANGHAI.local(Zone::SHANGHAI.moment(date, minute));
            prop_assert_eq!((local.date, local.minute), (date, minute));
        }
    }
}
