//! From what registers show to what was used: one pure step a reading.
//!
//! Whatever the order in which readings arrive, they count in the order of their moments: a late one makes the
//! later ones be judged again. A reading that cannot be right is held back and never moves the count.

use kernel::{ReadingId, Timestamp};

use super::HoldReason;

/// How many times of the plausible a step may be.
const SPIKE_TIMES: i128 = 3;
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// What the four bands' registers show or have counted: sharp, peak, flat, valley.
pub type Bands = [i64; 4];

/// A register: from when on, how many digits it has, and by how much its transformers divide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    /// 1, 2, 3 ... for each register of the meter.
    pub seq: i64,
    /// The whole digits that it shows; after them it starts again at zero.
    pub digits: u32,
    /// What is multiplied with (CT x PT).
    pub multiplier: i64,
}

impl Register {
    /// The first value that it cannot show, in thousandths.
    #[must_use]
    pub fn capacity_milli(&self) -> i64 {
        10_i64.saturating_pow(self.digits).saturating_mul(1_000)
    }
}

/// What is plausible for a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    /// What the main breaker (or the pipe) lets through, in thousandths an hour.
    pub limit_milli_per_hour: i64,
    /// The 99th percentile of the last 60 days, in thousandths an hour; 0 while it is not known.
    pub p99_milli_per_hour: i64,
    /// How often it is read, in milliseconds.
    pub interval_ms: i64,
}

impl Basis {
    /// The most that may plausibly be used in that time: 3 x the larger of breaker and p99, for one interval at least.
    #[must_use]
    pub fn allowed_milli(&self, elapsed_ms: i64) -> i128 {
        let rate = self.limit_milli_per_hour.max(self.p99_milli_per_hour);
        let time = elapsed_ms.max(self.interval_ms);
        SPIKE_TIMES * i128::from(rate) * i128::from(time) / i128::from(HOUR_MS)
    }
}

/// For how many hours in a row something flowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// The hours in a row, the present one with them when something flowed in it.
    pub hours: i64,
    /// Whether something flowed in the present hour.
    pub now: bool,
}

/// Where the count of a meter stands after a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Of the last reading that counted.
    pub at: Timestamp,
    /// What it showed.
    pub register_milli: i64,
    /// Of which register.
    pub seq: i64,
    /// Everything used since the meter was registered, after multipliers.
    pub total_milli: i64,
    /// The usage an hour since the reading before it.
    pub rate_milli_per_hour: i64,
    /// When something was last used.
    pub moved_at: Timestamp,
    /// For how long something has flowed without an hour's pause.
    pub flow: Flow,
    /// What the bands' registers showed, when the meter tells bands.
    pub band_registers: Option<Bands>,
    /// Everything used by band.
    pub band_totals: Bands,
}

/// A reading in its place in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The moment.
    pub at: Timestamp,
    /// The reading.
    pub id: ReadingId,
    /// What the register showed, or is taken to have shown.
    pub register_milli: i64,
    /// What the bands' registers showed.
    pub bands: Option<Bands>,
    /// What it is.
    pub kind: ItemKind,
}

/// What a reading is in the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// The last of a register that is taken down.
    Closing,
    /// The first of a register that is put up: with this number.
    Opening(i64),
    /// A reading that nobody has decided about.
    Read,
    /// The same, from a clock that is not believed.
    Undated,
    /// Somebody accepted or edited it: plausible enough.
    Decided,
    /// Somebody rejected it.
    Rejected,
}

impl Item {
    /// The order of counting: by moment; an old register closes before a new one opens before it is read.
    #[must_use]
    pub fn order(&self) -> (Timestamp, u8, &str) {
        let rank = match self.kind {
            ItemKind::Closing => 0,
            ItemKind::Opening(_) => 1,
            ItemKind::Read | ItemKind::Undated | ItemKind::Decided | ItemKind::Rejected => 2,
        };
        (self.at, rank, self.id.as_str())
    }
}

/// What a reading is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It counts; this is where the count stands after it.
    Counted(Count),
    /// It is held back.
    Held(HoldReason),
    /// Somebody rejected it.
    Rejected,
}

/// A reading with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The reading.
    pub item: Item,
    /// What it is worth.
    pub verdict: Verdict,
}

/// Judges readings one after another in the order of their moments; the count after the last one, and every verdict.
#[must_use]
pub fn count(
    mut before: Option<Count>,
    mut items: Vec<Item>,
    registers: &[Register],
    basis: &Basis,
) -> (Option<Count>, Vec<Judged>) {
    items.sort_by(|left, right| left.order().cmp(&right.order()));
    items.dedup_by(|later, earlier| later.id == earlier.id);
    let mut judged = Vec::with_capacity(items.len());
    for item in items {
        let verdict = judge(before.as_ref(), &item, registers, basis);
        if let Verdict::Counted(count) = &verdict {
            before = Some(count.clone());
        }
        judged.push(Judged { item, verdict });
    }
    (before, judged)
}

/// Judges one reading against the count before it.
#[must_use]
pub fn judge(
    before: Option<&Count>,
    item: &Item,
    registers: &[Register],
    basis: &Basis,
) -> Verdict {
    if let ItemKind::Opening(seq) = item.kind {
        return Verdict::Counted(opened(before, item, seq));
    }
    if item.kind == ItemKind::Rejected {
        return Verdict::Rejected;
    }
    if item.kind == ItemKind::Undated {
        return Verdict::Held(HoldReason::ClockInvalid);
    }
    let Some(before) = before else {
        return Verdict::Held(HoldReason::BeforeOpening);
    };
    let Some(register) = registers.iter().find(|known| known.seq == before.seq) else {
        return Verdict::Held(HoldReason::BeforeOpening);
    };
    if !(0..register.capacity_milli()).contains(&item.register_milli) {
        return Verdict::Held(HoldReason::BeyondDigits);
    }
    let elapsed_ms = item.at.millis_since(before.at);
    let allowed = basis.allowed_milli(elapsed_ms);
    let Some(step) = step(
        before.register_milli,
        item.register_milli,
        register,
        allowed,
    ) else {
        return Verdict::Held(HoldReason::Backwards);
    };
    let used = i128::from(step) * i128::from(register.multiplier);
    if item.kind == ItemKind::Read && used > allowed {
        return Verdict::Held(HoldReason::Spike);
    }
    match i64::try_from(used) {
        Ok(used) => Verdict::Counted(advanced(before, item, register, used)),
        Err(_) => Verdict::Held(HoldReason::Spike),
    }
}

/// The count with a new register: the total goes on, the register starts where it starts.
fn opened(before: Option<&Count>, item: &Item, seq: i64) -> Count {
    Count {
        at: item.at,
        register_milli: item.register_milli,
        seq,
        total_milli: before.map_or(0, |count| count.total_milli),
        rate_milli_per_hour: 0,
        moved_at: item.at,
        flow: Flow::default(),
        band_registers: item.bands,
        band_totals: before.map_or([0; 4], |count| count.band_totals),
    }
}

/// How far the register moved: forwards, or over its last digit when that is plausible; nothing when it went back.
fn step(previous: i64, current: i64, register: &Register, allowed: i128) -> Option<i64> {
    if current >= previous {
        return Some(current - previous);
    }
    let wrapped = register.capacity_milli() - previous + current;
    let used = i128::from(wrapped) * i128::from(register.multiplier);
    // A breaker that was on for months would let anything through: half a turn is a step back all the same.
    (used <= allowed && wrapped <= register.capacity_milli() / 2).then_some(wrapped)
}

fn advanced(before: &Count, item: &Item, register: &Register, used: i64) -> Count {
    let elapsed_ms = item.at.millis_since(before.at).max(1);
    let rate = i128::from(used) * i128::from(HOUR_MS) / i128::from(elapsed_ms);
    Count {
        at: item.at,
        register_milli: item.register_milli,
        seq: before.seq,
        total_milli: before.total_milli.saturating_add(used),
        rate_milli_per_hour: i64::try_from(rate).unwrap_or(i64::MAX),
        moved_at: if used > 0 { item.at } else { before.moved_at },
        flow: flow(before, item.at, used > 0),
        band_registers: item.bands.or(before.band_registers),
        band_totals: band_totals(before, item.bands, register),
    }
}

/// Hours are those of the clock. A step over more than an hour tells nothing about the hours in it.
fn flow(before: &Count, at: Timestamp, flowed: bool) -> Flow {
    let hour = |moment: Timestamp| (moment.millis() - 1).div_euclid(HOUR_MS);
    let Flow { hours, now } = before.flow;
    let fresh = Flow {
        hours: i64::from(flowed),
        now: flowed,
    };
    match hour(at) - hour(before.at) {
        0 if flowed && !now => Flow {
            hours: hours + 1,
            now: true,
        },
        0 => Flow { hours, now },
        1 if flowed && now => Flow {
            hours: hours + 1,
            now: true,
        },
        // An hour in which nothing has flowed yet does not end a row before it is over.
        1 if !flowed && now => Flow { hours, now: false },
        _ => fresh,
    }
}

fn band_totals(before: &Count, bands: Option<Bands>, register: &Register) -> Bands {
    let (Some(previous), Some(current)) = (before.band_registers, bands) else {
        return before.band_totals;
    };
    let mut totals = before.band_totals;
    for ((total, previous), current) in totals.iter_mut().zip(previous).zip(current) {
        let step = if current >= previous {
            current - previous
        } else if previous - current > register.capacity_milli() / 2 {
            register.capacity_milli() - previous + current
        } else {
            0
        };
        *total = total.saturating_add(step.saturating_mul(register.multiplier));
    }
    totals
}
