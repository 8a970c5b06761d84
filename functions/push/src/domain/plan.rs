//! Plans: when something is told, once or again and again, by the clocks of a zone.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, Months, NaiveDate};
use kernel::{Message, Refusal, Timestamp, Zone};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The most times of a day.
pub const POINTS_MAX: usize = 24;
/// The most days, weeks or months between two turns.
pub const EVERY_MAX: u32 = 52;
/// How far ahead the next time is looked for, in days: more than 52 months.
const SEARCH_DAYS_MAX: u64 = 1_700;
/// How much too late a plan still runs, in milliseconds: an hour. What is later was missed.
pub const LATE_MS_MAX: i64 = 3_600_000;
/// All of an audience, in 1/10,000.
pub const WHOLE_BPS: u32 = 10_000;

/// How often something is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rhythm {
    /// At that moment, and never again.
    Once(Timestamp),
    /// Again and again.
    Periodic(Period),
}

/// Again and again, from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// On which days.
    pub turn: Turn,
    /// Every so many days, weeks or months.
    pub every: u32,
    /// The minutes of the day.
    pub points: BTreeSet<u16>,
    /// The first date.
    pub from: NaiveDate,
    /// The last one.
    pub until: Option<NaiveDate>,
}

/// On which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Each.
    Day,
    /// These of the week, 1 for Monday.
    Week(BTreeSet<u32>),
    /// These of the month; one that a month does not have is its last.
    Month(BTreeSet<u32>),
}

impl Rhythm {
    /// Reads a rhythm: `{"once": moment}`, or `{"day" | "week" | "month": every, "weekdays": [..], "days": [..],
    /// "points": ["08:30"], "from": date, "until": date}`.
    ///
    /// # Errors
    /// 422 when it is none.
    pub fn parse(value: &Value, today: NaiveDate) -> Result<Self, Refusal> {
        read(value, today).ok_or_else(|| {
            Refusal::invalid(
                "plan_rhythm_invalid",
                Message::new(
                    "A rhythm is {\"once\": moment}, or {\"day\" | \"week\" | \"month\": every} with \"points\": [\"08:30\"], \
                     for a week \"weekdays\": [1..7], for a month \"days\": [1..31], and \"from\" and \"until\" as dates.",
                    "周期应为 {\"once\": 时刻}，或 {\"day\"、\"week\"、\"month\": 间隔} 加 \"points\": [\"08:30\"]；\
                     每周另填 \"weekdays\"，每月另填 \"days\"，可填 \"from\"、\"until\" 日期。",
                ),
            )
        })
    }

    /// The rhythm as it is stored; [`Rhythm::parse`] reads it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let period = match self {
            Self::Once(at) => return json!({ "once": at.to_string() }),
            Self::Periodic(period) => period,
        };
        let points: Vec<String> = period.points.iter().map(|minute| clock(*minute)).collect();
        let mut written = json!({ "points": points, "from": period.from.to_string() });
        let Some(fields) = written.as_object_mut() else {
            return written;
        };
        if let Some(until) = period.until {
            fields.insert("until".to_owned(), json!(until.to_string()));
        }
        let unit = match &period.turn {
            Turn::Day => "day",
            Turn::Week(days) => {
                fields.insert("weekdays".to_owned(), json!(days));
                "week"
            }
            Turn::Month(days) => {
                fields.insert("days".to_owned(), json!(days));
                "month"
            }
        };
        fields.insert(unit.to_owned(), json!(period.every));
        written
    }

    /// The first time after a moment, by the clocks of a zone; none when there is no other.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp, zone: Zone) -> Option<Timestamp> {
        let period = match self {
            Self::Once(at) => return (*at > moment).then_some(*at),
            Self::Periodic(period) => period,
        };
        let first = zone.local(moment).date.max(period.from);
        // The clocks may be put back: a day before may have a time after the moment.
        let first = first.checked_sub_days(Days::new(1)).unwrap_or(first);
        for ahead in 0..=SEARCH_DAYS_MAX {
            let date = first.checked_add_days(Days::new(ahead))?;
            if period.until.is_some_and(|last| date > last) {
                return None;
            }
            if !period.has(date) {
                continue;
            }
            let times = period
                .points
                .iter()
                .map(|minute| zone.moment(date, *minute));
            if let Some(found) = times.filter(|at| *at > moment).min() {
                return Some(found);
            }
        }
        None
    }
}

impl Period {
    fn has(&self, date: NaiveDate) -> bool {
        let Ok(days) = u64::try_from(date.signed_duration_since(self.from).num_days()) else {
            return false;
        };
        let every = u64::from(self.every.max(1));
        match &self.turn {
            Turn::Day => days.is_multiple_of(every),
            Turn::Week(weekdays) => {
                // Weeks begin on Monday.
                let before = u64::from(self.from.weekday().num_days_from_monday());
                let week = (days + before) / 7;
                week.is_multiple_of(every)
                    && weekdays.contains(&date.weekday().number_from_monday())
            }
            Turn::Month(days) => {
                let number =
                    |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
                let apart = number(date) - number(self.from);
                let is_last = is_last_of_month(date);
                apart % i64::from(self.every.max(1)) == 0
                    && days
                        .iter()
                        .any(|day| *day == date.day() || (is_last && *day > date.day()))
            }
        }
    }
}

fn is_last_of_month(date: NaiveDate) -> bool {
    date.checked_add_days(Days::new(1))
        .is_none_or(|next| next.month() != date.month())
}

fn read(value: &Value, today: NaiveDate) -> Option<Rhythm> {
    let fields = value.as_object()?;
    if let Some(once) = fields.get("once") {
        let at = Timestamp::parse(once.as_str()?).ok()?;
        return (fields.len() == 1).then_some(Rhythm::Once(at));
    }
    let known = [
        "day", "week", "month", "weekdays", "days", "points", "from", "until",
    ];
    if !fields.keys().all(|name| known.contains(&name.as_str())) {
        return None;
    }
    let date = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(text) => text.as_str()?.parse::<NaiveDate>().ok().map(Some),
    };
    let mut units = ["day", "week", "month"]
        .into_iter()
        .filter_map(|unit| Some((unit, fields.get(unit)?)));
    let (unit, every) = (units.next()?, units.next().is_none().then_some(())?).0;
    let every = u32::try_from(every.as_u64()?).ok()?;
    let turn = match unit {
        "day" => Turn::Day,
        "week" => Turn::Week(numbers(fields.get("weekdays")?, 7)?),
        _ => Turn::Month(numbers(fields.get("days")?, 31)?),
    };
    let points = fields.get("points")?.as_array()?;
    let points: Option<BTreeSet<u16>> = points.iter().map(|at| minute(at.as_str()?)).collect();
    let points = points.filter(|all| (1..=POINTS_MAX).contains(&all.len()))?;
    let from = date("from")?.unwrap_or(today);
    let until = date("until")?;
    let is_empty = until.is_some_and(|last| last < from);
    // Dates far away are a mistake, and cost a search.
    let ends = from.checked_add_months(Months::new(1_200))?;
    if !(1..=EVERY_MAX).contains(&every)
        || is_empty
        || from < today.checked_sub_months(Months::new(1_200))?
    {
        return None;
    }
    (until.is_none_or(|last| last <= ends)).then_some(Rhythm::Periodic(Period {
        turn,
        every,
        points,
        from,
        until,
    }))
}

fn numbers(value: &Value, most: u32) -> Option<BTreeSet<u32>> {
    let list = value.as_array()?;
    let found: Option<BTreeSet<u32>> = list
        .iter()
        .map(|number| u32::try_from(number.as_u64()?).ok())
        .collect();
    found.filter(|all| !all.is_empty() && all.iter().all(|number| (1..=most).contains(number)))
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Whether somebody is held out of a plan, to measure what it does to the others: the same people on each run.
#[must_use]
pub fn is_held_out(plan: &str, person: &str, share_bps: u32) -> bool {
    let digest = Sha256::digest(format!("{plan}\n{person}"));
    let number = digest
        .iter()
        .take(4)
        .fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    number % WHOLE_BPS < share_bps
}

/// When the delivery of that number goes out, if so many go out each minute.
#[must_use]
pub fn paced(begins_at: Timestamp, number: i64, per_minute: Option<i64>) -> Timestamp {
    match per_minute {
        Some(pace) if pace > 0 => {
            begins_at.plus_millis(number.saturating_mul(60_000).div_euclid(pace))
        }
        _ => begins_at,
    }
}
