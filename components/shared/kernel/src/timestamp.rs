//! A moment in UTC, to the millisecond: stored as epoch milliseconds, written as RFC 3339.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// Why a text or a number is not a moment between the years 1 and 9999.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampError;

impl fmt::Display for TimestampError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a time is written as RFC 3339, for example 2026-03-01T08:00:00Z")
    }
}

impl std::error::Error for TimestampError {}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z in epoch milliseconds.
const MILLIS_RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The moment that many milliseconds after the epoch.
    ///
    /// # Errors
    /// When it lies outside the years 1 to 9999.
    pub fn from_millis(millis: i64) -> Result<Self, TimestampError> {
        if MILLIS_RANGE.contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(TimestampError)
        }
    }

    /// Parses RFC 3339 with any offset; what is finer than a millisecond is cut off.
    ///
    /// # Errors
    /// When the text is not RFC 3339, or lies outside the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError)?;
        Self::from_millis(moment.timestamp_millis())
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This moment moved by `millis`, held inside the years 1 to 9999.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(
            self.0
                .saturating_add(millis)
                .clamp(*MILLIS_RANGE.start(), *MILLIS_RANGE.end()),
        )
    }

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(moment) => {
                formatter.write_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
            }
            None => Err(fmt::Error),
        }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;
    fn try_from(text: String) -> Result<Self, TimestampError> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> Self {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_offset_is_only_another_way_to_write_the_same_moment() {
        assert_eq!(
            Timestamp::parse("2026-03-01T08:00:00+08:00").unwrap(),
            Timestamp::parse("2026-03-01T00:00:00.0009Z").unwrap()
        );
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for text in [
            "",
            "2026-03-01",
            "2026-03-01 08:00",
            "1700000000",
            "2026-02-30T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimestampError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_moment(millis in MILLIS_RANGE) {
            let moment = Timestamp::from_millis(millis).unwrap();
            prop_assert_eq!(Timestamp::parse(&moment.to_string()).unwrap(), moment);
        }
    }
}
