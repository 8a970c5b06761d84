//! Usage between moments, from readings that count: curves, and the usage of a month.

use chrono::Days;
use kernel::{Timestamp, Zone};

use super::counting::Bands;
use super::estimate::{Gap, Method, Point, allocate, projected};
use super::{Month, Register};

/// Everything used until a moment, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The moment that is meant: for a meter that is read by hand the moment of its reading.
    pub at: Timestamp,
    /// What the register showed.
    pub register_milli: i64,
    /// Everything used.
    pub total_milli: i64,
    /// Everything used by band.
    pub bands: Option<Bands>,
    /// How it is known.
    pub method: Method,
}

/// The readings that count around a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bracket {
    /// The last one at or before it.
    pub before: Option<Point>,
    /// The first one at or after it.
    pub after: Option<Point>,
    /// An earlier one, by which to go on beyond the last.
    pub older: Option<Point>,
    /// What was used in the gap's stretches a week before.
    pub weights: Vec<u64>,
}

/// How a meter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// How often, in milliseconds.
    pub interval_ms: i64,
    /// Its present register.
    pub register: Register,
}

impl Bracket {
    /// Everything used until exactly that moment; nothing while no reading after it has come, unless there is an
    /// older one to go on by.
    #[must_use]
    pub fn reached(&self, at: Timestamp, reader: &Reader) -> Option<Reached> {
        let before = self.before.as_ref()?;
        if before.at == at {
            return Some(Reached::of(before));
        }
        let scale = (reader.register.multiplier, reader.register.capacity_milli());
        if let Some(after) = &self.after {
            let gap = Gap {
                from: before,
                until: after,
                interval_ms: reader.interval_ms,
            };
            let total_milli = gap.total_at(at, &self.weights);
            return Some(Reached {
                at,
                register_milli: gap.register_at(total_milli, scale),
                total_milli,
                bands: bands_at(before, after, total_milli),
                method: gap.method(),
            });
        }
        let older = self.older.as_ref()?;
        let total_milli = projected(older, before, at);
        let gap = Gap {
            from: before,
            until: before,
            interval_ms: reader.interval_ms,
        };
        Some(Reached {
            at,
            register_milli: gap.register_at(total_milli, scale),
            total_milli,
            bands: None,
            method: Method::Projected,
        })
    }

    /// As [`Bracket::reached`] for the end of a month of a meter that is read by hand: its last reading of the month
    /// that began at `start`, and only without one an estimate.
    #[must_use]
    pub fn reached_by_hand(
        &self,
        (start, end): (Timestamp, Timestamp),
        reader: &Reader,
    ) -> Option<Reached> {
        match &self.before {
            Some(before) if before.at > start => Some(Reached::of(before)),
            _ => self.reached(end, reader),
        }
    }
}

impl Reached {
    fn of(point: &Point) -> Self {
        Self {
            at: point.at,
            register_milli: point.register_milli,
            total_milli: point.total_milli,
            bands: point.bands,
            method: Method::Measured,
        }
    }
}

/// Bands move as the total does.
fn bands_at(before: &Point, after: &Point, total_milli: i64) -> Option<Bands> {
    let (from, until) = (before.bands?, after.bands?);
    let passed = i128::from(total_milli - before.total_milli);
    let whole = i128::from((after.total_milli - before.total_milli).max(1));
    let mut bands = from;
    for (band, until) in bands.iter_mut().zip(until) {
        let moved = i128::from(until - *band) * passed / whole;
        *band += i64::try_from(moved).unwrap_or_default();
    }
    Some(bands)
}

/// What was used from one moment to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// From where.
    pub from: Reached,
    /// To where.
    pub until: Reached,
}

impl Used {
    /// How much.
    #[must_use]
    pub fn quantity_milli(&self) -> i64 {
        self.until.total_milli - self.from.total_milli
    }

    /// The same by band: sums to the quantity; nothing when the meter tells no bands.
    #[must_use]
    pub fn bands(&self) -> Option<Bands> {
        let (from, until) = (self.from.bands?, self.until.bands?);
        let weights: Vec<u64> = until
            .iter()
            .zip(from)
            .map(|(until, from)| u64::try_from(until - from).unwrap_or_default())
            .collect();
        let parts = allocate(self.quantity_milli(), &weights)?;
        parts.try_into().ok()
    }

    /// Whether a part of it was estimated.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        self.from.method.is_estimate() || self.until.method.is_estimate()
    }
}

/// The steps of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Hours of the clock.
    Hour,
    /// Days of the community.
    Day,
    /// Months of the community.
    Month,
}

impl Step {
    /// The step of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            "month" => Some(Self::Month),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The most steps of one curve.
    #[must_use]
    pub fn count_max(self) -> usize {
        match self {
            Self::Hour => 7 * 24,
            Self::Day => 62,
            Self::Month => 24,
        }
    }

    /// The moments at which steps begin and end, the first at or before `from`; too many are cut off.
    #[must_use]
    pub fn moments(self, (from, until): (Timestamp, Timestamp), zone: Zone) -> Vec<Timestamp> {
        let mut moments = vec![self.begin(from, zone)];
        while let Some(last) = moments.last().copied() {
            if last >= until || moments.len() > self.count_max() + 1 {
                break;
            }
            moments.push(self.next(last, zone));
        }
        moments
    }

    fn begin(self, at: Timestamp, zone: Zone) -> Timestamp {
        const HOUR_MS: i64 = 60 * 60 * 1_000;
        match self {
            Self::Hour => at.plus_millis(-at.millis().rem_euclid(HOUR_MS)),
            Self::Day => zone.moment(zone.local(at).date, 0),
            Self::Month => Month::of(at, zone).start(zone),
        }
    }

    fn next(self, at: Timestamp, zone: Zone) -> Timestamp {
        const HOUR_MS: i64 = 60 * 60 * 1_000;
        match self {
            Self::Hour => at.plus_millis(HOUR_MS),
            Self::Day => {
                let date = zone.local(at).date;
                zone.moment(date.checked_add_days(Days::new(1)).unwrap_or(date), 0)
            }
            Self::Month => Month::of(at, zone).end(zone),
        }
    }
}
