//! Passes that come again (周期通行): on these days of the week, at this time of day, until a date. Each day is a
//! visit of its own, with a pass of its own, made a little ahead.

use chrono::{Datelike, Days as Span, NaiveDate};
use kernel::{ActorId, CommunityId, Message, Refusal, Timestamp, VisitId, Zone};

use super::{End, Room, Signed, UsesMax, Visitor, Window};

/// How far ahead the days' visits are made, in milliseconds: two days, so that every gate has them in its snapshot.
pub const PLAN_AHEAD_MS: i64 = 48 * 60 * 60 * 1_000;
/// The longest time from the first to the last day, in days.
pub const SPAN_DAYS_MAX: i64 = 366;

/// Days of the week; never none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// The names on the wire, from Monday.
    pub const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// The days of these names.
    ///
    /// # Errors
    /// 422 for none, or for a name that is no day.
    pub fn of_names(names: &[String]) -> Result<Self, Refusal> {
        let mut mask = 0;
        for name in names {
            let day = Self::NAMES.iter().position(|known| known == name);
            mask |= 1 << day.ok_or_else(days_invalid)?;
        }
        Self::of_mask(mask).ok_or_else(days_invalid)
    }

    /// The days of a mask whose bit 0 is Monday; nothing for none.
    #[must_use]
    pub fn of_mask(mask: i64) -> Option<Self> {
        let mask = u8::try_from(mask).ok()?;
        (1..=127).contains(&mask).then_some(Self(mask))
    }

    /// Bit 0 is Monday.
    #[must_use]
    pub fn mask(self) -> i64 {
        i64::from(self.0)
    }

    /// The names, from Monday.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let named = Self::NAMES.into_iter().enumerate();
        named
            .filter(|(day, _)| self.0 & (1 << day) != 0)
            .map(|(_, name)| name)
            .collect()
    }

    fn has(self, date: NaiveDate) -> bool {
        self.0 & (1 << date.weekday().num_days_from_monday()) != 0
    }
}

/// When somebody comes, by the clocks of the community.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekly {
    /// On these days.
    pub days: Days,
    /// From this minute of the day.
    pub minute_from: u16,
    /// Until this minute of the day, at most 1440.
    pub minute_until: u16,
    /// From this date.
    pub first: NaiveDate,
    /// To this date, inclusive.
    pub last: NaiveDate,
}

impl Weekly {
    /// Checks it.
    ///
    /// # Errors
    /// 422 when the time of day is empty or passes midnight, or the dates are none or span more than a year.
    pub fn checked(self) -> Result<Self, Refusal> {
        let span = self.last.signed_duration_since(self.first).num_days();
        let fits = self.minute_from < self.minute_until
            && self.minute_until <= 1_440
            && (0..SPAN_DAYS_MAX).contains(&span);
        fits.then_some(self).ok_or_else(weekly_invalid)
    }

    /// The window of that day.
    ///
    /// # Errors
    /// 422 when the clocks skip the whole of it.
    pub fn window(self, date: NaiveDate, zone: Zone) -> Result<Window, Refusal> {
        Window::new(
            zone.moment(date, self.minute_from),
            zone.moment(date, self.minute_until),
        )
    }
}

/// A pass that comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurring {
    /// The pass.
    pub id: VisitId,
    /// Where.
    pub community: CommunityId,
    /// Where in it.
    pub room: Room,
    /// Who comes; absent once the personal data is deleted.
    pub visitor: Option<Visitor>,
    /// Who made it.
    pub signed: Signed,
    /// When they come.
    pub weekly: Weekly,
    /// How often each door opens on one day.
    pub uses_max: UsesMax,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it holds.
    pub state: RecurringState,
    /// The last day whose visit is made already.
    pub planned_through: NaiveDate,
}

/// Whether a pass that comes again holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecurringState {
    /// Until its last day.
    Active,
    /// Not any more.
    Revoked(End),
}

impl Recurring {
    /// `active`, `revoked`, or `ended` once the last day is over.
    #[must_use]
    pub fn state_name(&self, today: NaiveDate) -> &'static str {
        match &self.state {
            RecurringState::Revoked(_) => "revoked",
            RecurringState::Active if today > self.weekly.last => "ended",
            RecurringState::Active => "active",
        }
    }

    /// Who answers for it.
    #[must_use]
    pub fn host(&self) -> &ActorId {
        &self.signed.by
    }
}

/// Through which day visits have to be made at `now`, wherever on earth the community is.
#[must_use]
pub fn plan_through(now: Timestamp) -> NaiveDate {
    let ahead = now.plus_millis(PLAN_AHEAD_MS).millis();
    chrono::DateTime::<chrono::Utc>::from_timestamp_millis(ahead)
        .unwrap_or_default()
        .date_naive()
}

/// The days after the planned ones, through `through`, whose visits have to be made.
#[must_use]
pub fn days_to_plan(recurring: &Recurring, through: NaiveDate) -> Vec<NaiveDate> {
    let Weekly {
        days, first, last, ..
    } = recurring.weekly;
    let next = recurring.planned_through.checked_add_days(Span::new(1));
    let start = next.unwrap_or(first).max(first);
    let end = through.min(last);
    start
        .iter_days()
        .take_while(|date| *date <= end)
        .filter(|date| days.has(*date))
        .collect()
}

/// Takes it back; nothing when that was done already.
#[must_use]
pub fn revoke_recurring(recurring: &Recurring, end: End) -> Option<Recurring> {
    let active = recurring.state == RecurringState::Active;
    active.then(|| Recurring {
        state: RecurringState::Revoked(end),
        ..recurring.clone()
    })
}

fn days_invalid() -> Refusal {
    Refusal::invalid(
        "days_invalid",
        Message::new(
            "Name at least one day of mon, tue, wed, thu, fri, sat, sun.",
            "请至少选择一天：mon、tue、wed、thu、fri、sat、sun。",
        ),
    )
}

fn weekly_invalid() -> Refusal {
    Refusal::invalid(
        "weekly_invalid",
        Message::new(
            "The time of day ends after it begins and by midnight, and the last day is within a year of the first.",
            "每日结束时间须晚于开始时间且不跨零点，结束日期须在开始日期起一年内。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::visit_tests::sample;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn mondays_and_fridays() -> Recurring {
        Recurring {
            weekly: Weekly {
                days: Days::of_names(&["mon".into(), "fri".into()]).unwrap(),
                minute_from: 540,
                minute_until: 720,
                first: day("2026-03-02"),
                last: day("2026-03-31"),
            },
            planned_through: day("2026-03-01"),
            ..sample::recurring()
        }
    }

    #[test]
    fn a_day_is_planned_once_and_only_on_its_days() {
        let pass = mondays_and_fridays();
        let planned = days_to_plan(&pass, day("2026-03-10"));
        assert_eq!(
            planned,
            [day("2026-03-02"), day("2026-03-06"), day("2026-03-09")]
        );
        let later = Recurring {
            planned_through: day("2026-03-10"),
            ..pass
        };
        assert_eq!(days_to_plan(&later, day("2026-03-13")), [day("2026-03-13")]);
        assert!(days_to_plan(&later, day("2026-03-10")).is_empty());
    }

    #[test]
    fn the_window_is_by_the_communitys_clocks() {
        let window = mondays_and_fridays()
            .weekly
            .window(day("2026-03-02"), Zone::SHANGHAI)
            .unwrap();
        assert_eq!(
            window.from(),
            Timestamp::parse("2026-03-02T09:00:00+08:00").unwrap()
        );
        assert_eq!(
            window.until(),
            Timestamp::parse("2026-03-02T12:00:00+08:00").unwrap()
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let weekly = mondays_and_fridays().weekly;
        assert!(
            Weekly {
                minute_until: 540,
                ..weekly
            }
            .checked()
            .is_err()
        );
        assert!(
            Weekly {
                minute_until: 1_441,
                ..weekly
            }
            .checked()
            .is_err()
        );
        assert!(
            Weekly {
                last: day("2026-03-01"),
                ..weekly
            }
            .checked()
            .is_err()
        );
        assert!(
            Weekly {
                last: day("2027-03-03"),
                ..weekly
            }
            .checked()
            .is_err()
        );
        assert!(Days::of_names(&[]).is_err() && Days::of_names(&["monday".into()]).is_err());
    }

    proptest! {
        #[test]
        fn planning_step_by_step_plans_what_planning_at_once_does(mask in 1_i64..128, steps in prop::collection::vec(1_u64..9, 1..9)) {
            let mut pass = mondays_and_fridays();
            pass.weekly.days = Days::of_mask(mask).unwrap();
            let (mut through, mut planned) = (pass.planned_through, Vec::new());
            let whole = pass.clone();
            for step in steps {
                through = through + Span::new(step);
                planned.extend(days_to_plan(&pass, through));
                pass.planned_through = through;
            }
            prop_assert_eq!(planned, days_to_plan(&whole, through));
        }
    }
}
