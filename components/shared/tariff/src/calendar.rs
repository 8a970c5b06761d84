//! Days as numbers, and the cycles after which tiers begin anew.

use chrono::{Datelike, Months, NaiveDate};

use crate::Cycle;

/// A day, counted from 1970-01-01.
pub type Day = i32;

const EPOCH_FROM_COMMON_ERA: i32 = 719_163;

/// The number of a date.
#[must_use]
pub fn day_of(date: NaiveDate) -> Day {
    date.num_days_from_ce() - EPOCH_FROM_COMMON_ERA
}

/// The date of a number; nothing far outside of the calendar.
#[must_use]
pub fn date_of(day: Day) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(day.checked_add(EPOCH_FROM_COMMON_ERA)?)
}

impl Cycle {
    /// The cycle around a day: its first day and the first day after.
    /// The first day of the cycle around a day.
    #[must_use]
    pub fn start(self, day: Day) -> Option<Day> {
        self.around(day).map(|(start, _)| start)
    }

    pub(crate) fn around(self, day: Day) -> Option<(Day, Day)> {
        let date = date_of(day)?;
        let (start, months) = match self {
            Self::Month(first) => (date.with_day(u32::from(first))?, 1),
            Self::Year(month, first) => {
                let (month, first) = (u32::from(month), u32::from(first));
                (NaiveDate::from_ymd_opt(date.year(), month, first)?, 12)
            }
        };
        let months = Months::new(months);
        let start = if start > date {
            start.checked_sub_months(months)?
        } else {
            start
        };
        Some((day_of(start), day_of(start.checked_add_months(months)?)))
    }
}
