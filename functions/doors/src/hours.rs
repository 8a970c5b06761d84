//! Hours as people write them: of days of the week, and of days that differ.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// Hours of a day, as the clock shows them; an end at or before the start is on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The first minute inside, `HH:MM`.
    #[serde(with = "clock")]
    pub from: u16,
    /// The first minute after, `HH:MM`, up to `24:00`.
    #[serde(with = "clock")]
    pub until: u16,
}

/// Hours of some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyHours {
    /// The days, `mon` to `sun`.
    pub days: Vec<Day>,
    /// From when.
    #[serde(with = "clock")]
    pub from: u16,
    /// Until when.
    #[serde(with = "clock")]
    pub until: u16,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A day that differs: a holiday, a festival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The date.
    pub date: NaiveDate,
    /// What people call it.
    pub name: String,
    /// Its hours; none when closed all day.
    #[serde(default)]
    pub hours: Vec<Hours>,
}

/// Why a text is no time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoursError;

impl fmt::Display for HoursError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a time of day is written HH:MM, from 00:00 to 24:00")
    }
}

impl std::error::Error for HoursError {}

mod clock {
    //! A minute of the day as `HH:MM`.
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::{DAY_MINUTES, HoursError};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(minute: &u16, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{:02}:{:02}", minute / 60, minute % 60))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).ok_or_else(|| D::Error::custom(HoursError))
    }

    fn parse(text: &str) -> Option<u16> {
        let (hour, minute) = text.split_once(':')?;
        let two = |digits: &str| digits.len() == 2 && digits.bytes().all(|d| d.is_ascii_digit());
        if !two(hour) || !two(minute) {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let total = hour * 60 + minute;
        (minute < 60 && total <= DAY_MINUTES).then_some(total)
    }
}
