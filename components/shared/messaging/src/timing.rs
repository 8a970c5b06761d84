//! When a message may be delivered: quiet hours by the person's clock, and the window and caps of marketing.
//!
//! Asked again at every lease, with what is known then; a moment that it names is when to ask again, not a promise.

use chrono::{Days, NaiveDate};
use kernel::{Refusal, Timestamp, Zone};

use crate::invalid;

/// The minutes of a day.
pub const DAY_MINUTES: u16 = 1_440;

const MINUTE_MS: i64 = 60_000;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An alarm for life and property: passes quiet hours.
    Safety,
    /// What the person started: a door, a payment, an order.
    Service,
    /// News of the property office.
    Notice,
    /// Advertising: by consent, in its window, capped, never to minors.
    Marketing,
}

/// What happens to a message in quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenQuiet {
    /// It waits until they end.
    Defer,
    /// It is not delivered.
    Drop,
}

/// A part of the day by the clock, half-open; it may pass midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    from: u16,
    until: u16,
}

impl Span {
    /// A span of two times of day as `22:00` and `07:00`; the second may be `24:00`.
    ///
    /// # Errors
    /// When one is no time of day, or both are the same.
    pub fn parse(from: &str, until: &str) -> Result<Self, Refusal> {
        match (minute(from), minute(until)) {
            (Some(from), Some(until)) if from != until && from < DAY_MINUTES && until > 0 => {
                Ok(Self { from, until })
            }
            // The end of the day is also its begin, for a span that starts in the evening.
            (Some(from), Some(0)) if from > 0 && from < DAY_MINUTES => Ok(Self {
                from,
                until: DAY_MINUTES,
            }),
            _ => Err(invalid(
                "span_invalid",
                "A part of the day is two different times, for example 22:00 and 07:00.",
                "时段由两个不同的时间组成，例如 22:00 和 07:00。",
            )),
        }
    }

    /// Whether a minute of the day lies in it.
    #[must_use]
    pub fn has(self, minute: u16) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }

    /// The first moment after `now` at which the clocks of the zone show a minute that is inside, or outside, of it.
    fn next(self, zone: Zone, now: Timestamp, inside: bool) -> Timestamp {
        let local = zone.local(now);
        let edge = if inside { self.from } else { self.until };
        let date = if edge > local.minute {
            local.date
        } else {
            following(local.date)
        };
        let is_it = |at: Timestamp| at > now && self.has(zone.local(at).minute) == inside;
        let guess = zone.moment(date, edge);
        if is_it(guess) && guess.millis_since(now) <= i64::from(DAY_MINUTES) * MINUTE_MS {
            return guess;
        }
        // The clocks are put forward or back on that day.
        let start = now.plus_millis(-now.millis().rem_euclid(MINUTE_MS));
        (1..=i64::from(DAY_MINUTES) * 2)
            .map(|minutes| start.plus_millis(minutes * MINUTE_MS))
            .find(|at| is_it(*at))
            .unwrap_or(guess)
    }
}

/// When somebody is not disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// When.
    pub span: Span,
    /// By whose clock.
    pub zone: Zone,
    /// What happens to messages.
    pub then: WhenQuiet,
}

/// The rules of marketing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketingRules {
    /// When it may be delivered, by the person's clock.
    pub window: Span,
    /// The most on one date.
    pub per_day: u32,
    /// The most on any seven dates in a row.
    pub per_week: u32,
}

impl Default for MarketingRules {
    /// 07:00 to 23:00, one a day, three a week.
    fn default() -> Self {
        Self {
            window: Span {
                from: 7 * 60,
                until: 23 * 60,
            },
            per_day: 1,
            per_week: 3,
        }
    }
}

/// Whether somebody may get marketing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// An adult who agreed, and did not take it back.
    Given,
    /// Nobody asked, or it was refused or withdrawn.
    Missing,
    /// A minor: whatever was agreed to.
    Minor,
}

/// Why a message is not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// There is no consent to its purpose.
    NoConsent,
    /// Marketing to a minor.
    Minor,
    /// Quiet hours drop it, or last longer than it holds.
    QuietHours,
    /// The window of marketing opens after it has ended.
    MarketingWindow,
    /// The person has had what a day allows.
    DayCap,
    /// The person has had what a week allows.
    WeekCap,
    /// It was held out, to measure what the others do.
    HoldOut,
    /// Somebody stopped the message.
    Cancelled,
}

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// It may be delivered now.
    Now,
    /// Ask again then: always later than now, and before the message ends.
    At(Timestamp),
    /// Never.
    Never(Suppression),
}

/// A message, and the clock of whom it is for.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// What for.
    pub purpose: Purpose,
    /// Now.
    pub now: Timestamp,
    /// Until when the message holds.
    pub expires_at: Timestamp,
}

/// What is known of the person.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// Their clock.
    pub zone: Zone,
    /// Their quiet hours.
    pub quiet: Option<QuietHours>,
    /// Whether they may get marketing.
    pub consent: Consent,
    /// The marketing that was leased for them in the last eight days, in any order.
    pub marketing: &'a [Timestamp],
}

/// When a message may be delivered to somebody.
#[must_use]
pub fn timing(occasion: &Occasion, person: &Addressee<'_>, rules: &MarketingRules) -> Timing {
    match occasion.purpose {
        Purpose::Safety => Timing::Now,
        Purpose::Service | Purpose::Notice => quiet(occasion, person.quiet.as_ref()),
        Purpose::Marketing => match marketing(occasion, person, rules) {
            Timing::Now => quiet(occasion, person.quiet.as_ref()),
            other => other,
        },
    }
}

fn quiet(occasion: &Occasion, hours: Option<&QuietHours>) -> Timing {
    let Some(hours) = hours else {
        return Timing::Now;
    };
    if !hours.span.has(hours.zone.local(occasion.now).minute) {
        return Timing::Now;
    }
    if hours.then == WhenQuiet::Drop {
        return Timing::Never(Suppression::QuietHours);
    }
    let end = hours.span.next(hours.zone, occasion.now, false);
    at(end, occasion, Suppression::QuietHours)
}

fn marketing(occasion: &Occasion, person: &Addressee<'_>, rules: &MarketingRules) -> Timing {
    match person.consent {
        Consent::Missing => return Timing::Never(Suppression::NoConsent),
        Consent::Minor => return Timing::Never(Suppression::Minor),
        Consent::Given => {}
    }
    let today = person.zone.local(occasion.now).date;
    // A clock that was ahead leaves leases on later dates: they count as well.
    let since = |days: u64| {
        let first = today
            .checked_sub_days(Days::new(days))
            .unwrap_or(NaiveDate::MIN);
        let dates = person
            .marketing
            .iter()
            .map(|at| person.zone.local(*at).date);
        dates.filter(|date| *date >= first).count()
    };
    let reached =
        |count: usize, most: u32| u32::try_from(count).map_or(true, |count| count >= most);
    if reached(since(0), rules.per_day) {
        return Timing::Never(Suppression::DayCap);
    }
    if reached(since(6), rules.per_week) {
        return Timing::Never(Suppression::WeekCap);
    }
    if rules.window.has(person.zone.local(occasion.now).minute) {
        return Timing::Now;
    }
    let opens = rules.window.next(person.zone, occasion.now, true);
    at(opens, occasion, Suppression::MarketingWindow)
}

fn at(moment: Timestamp, occasion: &Occasion, otherwise: Suppression) -> Timing {
    if moment < occasion.expires_at {
        Timing::At(moment)
    } else {
        Timing::Never(otherwise)
    }
}

fn following(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).unwrap_or(date)
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}
