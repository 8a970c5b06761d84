//! What was used between two readings, when readings in between are missing.
//!
//! The estimates of a gap always sum to the difference of its two registers, and a moment's total never goes back.

use kernel::Timestamp;

use super::counting::Bands;
use super::reading::named;

/// The longest gap that is filled evenly as if nothing were missing, in intervals.
pub const LINEAR_INTERVALS_MAX: i64 = 4;
/// The longest gap that is filled by the profile of a week before, in milliseconds: 3 days.
pub const PROFILE_MS_MAX: i64 = 3 * 24 * HOUR_MS;
/// A profile is that of the same weekday: so far back.
pub const WEEK_MS: i64 = 7 * 24 * HOUR_MS;
/// The shortest slot of a profile, in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// A reading that counts, as far as usage needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The moment.
    pub at: Timestamp,
    /// What the register showed.
    pub register_milli: i64,
    /// Everything used since the meter was registered.
    pub total_milli: i64,
    /// Everything used by band, when the meter tells bands.
    pub bands: Option<Bands>,
}

named! {
    /// How a total came about.
    Method {
        /// It was read, or lies between two readings that follow each other.
        Measured = "measured",
        /// Evenly over a gap of up to 4 intervals.
        Linear = "linear",
        /// By the profile of the same weekdays a week before, over a gap of up to 3 days.
        Profile = "profile",
        /// Evenly over a longer gap.
        Average = "average",
        /// Beyond the last reading, by the average before it.
        Projected = "projected",
    }
}

impl Method {
    /// Whether what comes of it is flagged.
    #[must_use]
    pub fn is_estimate(self) -> bool {
        self != Self::Measured
    }
}

/// Two readings that count, with none that counts in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap<'a> {
    /// The earlier.
    pub from: &'a Point,
    /// The later.
    pub until: &'a Point,
    /// How often the meter should be read, in milliseconds.
    pub interval_ms: i64,
}

/// What was used from one moment to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after.
    pub until: Timestamp,
    /// How much.
    pub quantity_milli: i64,
}

impl Gap<'_> {
    /// How it is filled.
    #[must_use]
    pub fn method(&self) -> Method {
        let length_ms = self.length_ms();
        let interval_ms = self.interval_ms.max(1);
        // Clocks of meters jitter: half an interval more is still one interval.
        let intervals = (length_ms + interval_ms / 2) / interval_ms;
        if intervals <= 1 {
            Method::Measured
        } else if intervals <= LINEAR_INTERVALS_MAX {
            Method::Linear
        } else if length_ms <= PROFILE_MS_MAX {
            Method::Profile
        } else {
            Method::Average
        }
    }

    /// The stretches of time that it is filled by: intervals, of an hour at least.
    #[must_use]
    pub fn stretches(&self) -> Vec<(Timestamp, Timestamp)> {
        let step_ms = self.interval_ms.max(HOUR_MS);
        let mut stretches = Vec::new();
        let mut from = self.from.at;
        while from < self.until.at {
            let until = from.plus_millis(step_ms).min(self.until.at);
            stretches.push((from, until));
            from = until;
        }
        stretches
    }

    /// The estimates, by these weights for the stretches: they sum to the register's difference. Without usable
    /// weights every stretch weighs as long as it is.
    #[must_use]
    pub fn fill(&self, weights: &[u64]) -> Vec<Slot> {
        let stretches = self.stretches();
        let difference = self.until.total_milli - self.from.total_milli;
        let usable = self.method() == Method::Profile && weights.len() == stretches.len();
        let by_length: Vec<u64> = stretches
            .iter()
            .map(|(from, until)| until.millis_since(*from).unsigned_abs())
            .collect();
        let parts = usable
            .then(|| allocate(difference, weights))
            .flatten()
            .or_else(|| allocate(difference, &by_length))
            .unwrap_or_default();
        stretches
            .into_iter()
            .zip(parts)
            .map(|((from, until), quantity_milli)| Slot {
                from,
                until,
                quantity_milli,
            })
            .collect()
    }

    /// Everything used until a moment inside.
    #[must_use]
    pub fn total_at(&self, at: Timestamp, weights: &[u64]) -> i64 {
        if at <= self.from.at {
            return self.from.total_milli;
        }
        if at >= self.until.at {
            return self.until.total_milli;
        }
        if self.method() != Method::Profile {
            return share(self, at);
        }
        let mut total = self.from.total_milli;
        for slot in self.fill(weights) {
            if at < slot.until {
                let passed = at.millis_since(slot.from);
                let length = slot.until.millis_since(slot.from);
                return total + proportion(slot.quantity_milli, passed, length);
            }
            total += slot.quantity_milli;
        }
        total
    }

    /// What the register showed at a moment inside with that total: before a replacement in between, the old one's.
    #[must_use]
    pub fn register_at(&self, total_milli: i64, (multiplier, capacity_milli): (i64, i64)) -> i64 {
        if total_milli == self.until.total_milli {
            return self.until.register_milli;
        }
        let moved = (total_milli - self.from.total_milli) / multiplier.max(1);
        (self.from.register_milli + moved).rem_euclid(capacity_milli.max(1))
    }

    fn length_ms(&self) -> i64 {
        self.until.at.millis_since(self.from.at)
    }
}

fn share(gap: &Gap<'_>, at: Timestamp) -> i64 {
    let difference = gap.until.total_milli - gap.from.total_milli;
    let passed = at.millis_since(gap.from.at);
    gap.from.total_milli + proportion(difference, passed, gap.length_ms())
}

/// `amount * passed / length`, towards zero.
fn proportion(amount: i64, passed: i64, length: i64) -> i64 {
    let product = i128::from(amount) * i128::from(passed) / i128::from(length.max(1));
    i64::try_from(product).unwrap_or(amount)
}

/// What will have been used by a moment after the last reading, if it goes on as from `older` to `last`.
#[must_use]
pub fn projected(older: &Point, last: &Point, at: Timestamp) -> i64 {
    let used = last.total_milli - older.total_milli;
    let length = last.at.millis_since(older.at);
    if length <= 0 {
        return last.total_milli;
    }
    last.total_milli + proportion(used, at.millis_since(last.at), length)
}

/// Splits an amount of 0 or more by weights, by largest remainder: the parts sum to the amount, a zero weight gets
/// nothing, ties go to the lowest index. Nothing when no weight is above zero.
#[must_use]
pub fn allocate(amount: i64, weights: &[u64]) -> Option<Vec<i64>> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let amount = u128::try_from(amount).ok()?;
    if total == 0 {
        return None;
    }
    let mut parts: Vec<(u128, u128, usize)> = weights
        .iter()
        .enumerate()
        .map(|(index, weight)| {
            let product = amount * u128::from(*weight);
            (product / total, product % total, index)
        })
        .collect();
    let shared: u128 = parts.iter().map(|part| part.0).sum();
    let left_over = usize::try_from(amount - shared).ok()?;
    parts.sort_by(|left, right| right.1.cmp(&left.1).then(left.2.cmp(&right.2)));
    for part in parts.iter_mut().take(left_over) {
        part.0 += 1;
    }
    parts.sort_by_key(|part| part.2);
    parts
        .into_iter()
        .map(|part| i64::try_from(part.0).ok())
        .collect()
}
