//! Schedules: when a door group is open to its people, by the week and by named days, in the community's zone.

use crate::hours::{DAY_MINUTES, Day, Exception, Hours, WeeklyHours};
use chrono::{Datelike as _, NaiveDate, Weekday};
use kernel::{Actor, CommunityId, Message, Refusal, ScheduleId, Timestamp, Zone};
use wire::snapshot::Window;

use super::{Name, run_it};

/// The most weekly hours of a schedule.
pub const WEEKLY_MAX: usize = 50;
/// The most days that differ.
pub const EXCEPTIONS_MAX: usize = 200;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id, made by the caller.
    pub id: ScheduleId,
    /// The community.
    pub community: CommunityId,
    /// What people call it.
    pub name: Name,
    /// The hours of each week.
    pub weekly: Vec<WeeklyHours>,
    /// The days that differ.
    pub exceptions: Vec<Exception>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// What is changed about a schedule; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScheduleChange {
    /// What people call it.
    pub name: Option<Name>,
    /// The hours of each week.
    pub weekly: Option<Vec<WeeklyHours>>,
    /// The days that differ.
    pub exceptions: Option<Vec<Exception>>,
}

/// Makes a schedule: those who run the community.
///
/// # Errors
/// 404 or 403 for others; 409 when the id is taken; 422 when it has too many hours.
pub fn make_schedule(
    actor: &Actor,
    schedule: Schedule,
    existing: Option<&Schedule>,
) -> Result<Schedule, Refusal> {
    run_it(actor, &schedule.community)?;
    if existing.is_some() {
        return Err(Refusal::conflict(
            "schedule_exists",
            Message::new(
                "Another schedule has this id. Change that one, or choose another id.",
                "该编号已被另一个时段使用，请修改原时段或更换编号。",
            ),
        ));
    }
    bounded(schedule)
}

/// Changes a schedule: those who run the community.
///
/// # Errors
/// 403 for others; 422 when it has too many hours.
pub fn change_schedule(
    actor: &Actor,
    schedule: &Schedule,
    change: ScheduleChange,
) -> Result<Schedule, Refusal> {
    run_it(actor, &schedule.community)?;
    bounded(Schedule {
        name: change.name.unwrap_or_else(|| schedule.name.clone()),
        weekly: change.weekly.unwrap_or_else(|| schedule.weekly.clone()),
        exceptions: change
            .exceptions
            .unwrap_or_else(|| schedule.exceptions.clone()),
        version: schedule.version + 1,
        ..schedule.clone()
    })
}

/// The schedule, for a caller who reaches its community.
///
/// # Errors
/// 404 for everybody else.
pub fn known_schedule(actor: &Actor, schedule: Option<Schedule>) -> Result<Schedule, Refusal> {
    schedule
        .filter(|schedule| actor.reaches(&schedule.community))
        .ok_or_else(unknown_schedule)
}

/// No such schedule, or none that the caller may know.
#[must_use]
pub fn unknown_schedule() -> Refusal {
    Refusal::not_found(
        "schedule_unknown",
        Message::new(
            "There is no such schedule that you can see.",
            "没有您可见的这个时段。",
        ),
    )
}

fn bounded(schedule: Schedule) -> Result<Schedule, Refusal> {
    let hours: usize = schedule.exceptions.iter().map(|day| day.hours.len()).sum();
    if schedule.weekly.len() <= WEEKLY_MAX
        && schedule.exceptions.len() <= EXCEPTIONS_MAX
        && hours <= EXCEPTIONS_MAX * 2
        && schedule
            .exceptions
            .iter()
            .all(|day| Name::parse(&day.name).is_ok())
    {
        return Ok(schedule);
    }
    Err(Refusal::invalid(
        "schedule_too_long",
        Message::new(
            format!(
                "A schedule has at most {WEEKLY_MAX} weekly hours and {EXCEPTIONS_MAX} days that differ, each with a name."
            ),
            format!(
                "一个时段最多包含 {WEEKLY_MAX} 条每周时间和 {EXCEPTIONS_MAX} 个特殊日期，且每个日期须有名称。"
            ),
        ),
    ))
}

/// The windows of a schedule that touch the time from one moment until another, in order, those that meet made one.
#[must_use]
pub fn windows(schedule: &Schedule, zone: Zone, from: Timestamp, until: Timestamp) -> Vec<Window> {
    // A window may have begun on the day before.
    let mut date = zone.local(from.plus_millis(-DAY_MS)).date;
    let last = zone.local(until).date;
    let mut found = Vec::new();
    while date <= last {
        for hours in of_date(schedule, date) {
            let end = if hours.until <= hours.from {
                hours.until + DAY_MINUTES
            } else {
                hours.until
            };
            let window = Window {
                from: zone.moment(date, hours.from).millis(),
                until: zone.moment(date, end).millis(),
            };
            if from.millis() < window.until && window.from < until.millis() {
                found.push(window);
            }
        }
        let Some(next) = date.succ_opt() else { break };
        date = next;
    }
    joined(found)
}

fn of_date(schedule: &Schedule, date: NaiveDate) -> Vec<Hours> {
    let exception = schedule.exceptions.iter().find(|day| day.date == date);
    if let Some(exception) = exception {
        return exception.hours.clone();
    }
    let today = day(date.weekday());
    let weekly = schedule.weekly.iter();
    weekly
        .filter(|hours| hours.days.contains(&today))
        .map(|hours| Hours {
            from: hours.from,
            until: hours.until,
        })
        .collect()
}

fn joined(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_unstable();
    let mut joined: Vec<Window> = Vec::with_capacity(windows.len());
    for window in windows {
        match joined.last_mut() {
            Some(last) if window.from <= last.until => last.until = last.until.max(window.until),
            _ => joined.push(window),
        }
    }
    joined
}

fn day(weekday: Weekday) -> Day {
    match weekday {
        Weekday::Mon => Day::Mon,
        Weekday::Tue => Day::Tue,
        Weekday::Wed => Day::Wed,
        Weekday::Thu => Day::Thu,
        Weekday::Fri => Day::Fri,
        Weekday::Sat => Day::Sat,
        Weekday::Sun => Day::Sun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn schedule() -> Schedule {
        Schedule {
            id: ScheduleId::parse("pool-hours").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            name: Name::parse("泳池").unwrap(),
            weekly: serde_json::from_str(r#"[{"days":["mon","tue"],"from":"08:00","until":"22:00"},{"days":["sat"],"from":"20:00","until":"02:00"}]"#).unwrap(),
            exceptions: serde_json::from_str(r#"[{"date":"2026-03-02","name":"元宵","hours":[{"from":"10:00","until":"12:00"}]},{"date":"2026-03-03","name":"检修"}]"#).unwrap(),
            version: 1,
        }
    }

    fn open(text: &str) -> bool {
        let now = at(text);
        windows(&schedule(), Zone::SHANGHAI, now, now.plus_millis(1))
            .iter()
            .any(|window| window.holds(now))
    }

    #[test]
    fn hours_are_those_of_the_communitys_clocks() {
        // Monday 2026-03-09 in Shanghai.
        assert!(!open("2026-03-08T23:59:59Z"));
        assert!(open("2026-03-09T00:00:00Z"));
        assert!(open("2026-03-09T13:59:59Z"));
        assert!(!open("2026-03-09T14:00:00Z"));
        assert!(!open("2026-03-11T04:00:00Z"));
    }

    #[test]
    fn a_window_reaches_over_midnight() {
        assert!(open("2026-03-07T12:00:00Z"));
        assert!(open("2026-03-07T17:59:59Z"));
        assert!(!open("2026-03-07T18:00:00Z"));
    }

    #[test]
    fn a_day_that_differs_has_its_own_hours_or_none() {
        assert!(!open("2026-03-02T01:00:00Z"));
        assert!(open("2026-03-02T02:00:00Z"));
        assert!(!open("2026-03-03T02:00:00Z"));
    }

    #[test]
    fn what_is_no_time_of_day_is_refused() {
        for wrong in ["8:00", "24:01", "08:60", "08-00", "", "aa:bb"] {
            let text = format!(r#"{{"from":"{wrong}","until":"10:00"}}"#);
            assert!(serde_json::from_str::<Hours>(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_days_windows_reach_through_the_snapshot() {
        let from = at("2026-03-08T20:00:00Z");
        let found = windows(
            &schedule(),
            Zone::SHANGHAI,
            from,
            from.plus_millis(25 * 3_600_000),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].from, at("2026-03-09T00:00:00Z").millis());
    }
}
