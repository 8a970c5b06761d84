//! What a visitor is let in with: a time and a number of uses.

use kernel::{Message, PassId, Refusal, Timestamp};

use super::VisitKind;

/// How long a courier's pass holds, in milliseconds: 30 minutes.
pub const COURIER_MS: i64 = 30 * 60 * 1_000;
/// How long a guest's pass holds when nobody says, in milliseconds: 24 hours.
pub const GUEST_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long the pass of a guest who asked at the gate holds when nobody says, in milliseconds: 4 hours.
pub const REGISTERED_GUEST_MS: i64 = 4 * 60 * 60 * 1_000;
/// The longest window, in milliseconds: 7 days. Whoever comes for longer gets a pass that comes again.
pub const WINDOW_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;
/// How far ahead a window may begin, in milliseconds: 30 days.
pub const WINDOW_AHEAD_MS_MAX: i64 = 30 * 24 * 60 * 60 * 1_000;

/// From when until when a pass holds; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: Timestamp,
    until: Timestamp,
}

impl Window {
    /// From `from` (inclusive) to `until` (exclusive).
    ///
    /// # Errors
    /// 422 when it is empty.
    pub fn new(from: Timestamp, until: Timestamp) -> Result<Self, Refusal> {
        if until <= from {
            return Err(window_invalid());
        }
        Ok(Self { from, until })
    }

    /// The window of a visit that somebody asks for at `now`: a courier's is fixed, a guest's has limits.
    ///
    /// # Errors
    /// 422 when it is over already, too long, too far ahead, or given for a courier.
    pub fn asked(
        kind: VisitKind,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        default_ms: i64,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if kind == VisitKind::Courier {
            if from.is_some() || until.is_some() {
                return Err(courier_window());
            }
            return Self::new(now, now.plus_millis(COURIER_MS));
        }
        let from = from.unwrap_or(now);
        let until = until.unwrap_or(from.plus_millis(default_ms));
        let window = Self::new(from, until)?;
        let fits = until > now
            && until.millis_since(from) <= WINDOW_MS_MAX
            && from.millis_since(now) <= WINDOW_AHEAD_MS_MAX;
        fits.then_some(window).ok_or_else(window_invalid)
    }

    /// The first moment.
    #[must_use]
    pub fn from(self) -> Timestamp {
        self.from
    }

    /// The first moment after it.
    #[must_use]
    pub fn until(self) -> Timestamp {
        self.until
    }

    /// Whether the moment lies in it.
    #[must_use]
    pub fn holds(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// How often a pass opens each door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsesMax(u16);

/// Why a number is no count of uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsesError;

impl std::fmt::Display for UsesError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "a pass opens a door 1 to {} times", UsesMax::MAX)
    }
}

impl std::error::Error for UsesError {}

impl UsesMax {
    /// The most uses of one pass.
    pub const MAX: u16 = 20;
    /// Once: what a pass gets when nobody says.
    pub const ONCE: Self = Self(1);

    /// The count.
    #[must_use]
    pub fn count(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for UsesMax {
    type Error = UsesError;
    fn try_from(count: u16) -> Result<Self, UsesError> {
        if (1..=Self::MAX).contains(&count) {
            Ok(Self(count))
        } else {
            Err(UsesError)
        }
    }
}

/// A visitor's pass. The gates know it by its id; how often it was used comes back from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Its id, which the signed text carries.
    pub id: PassId,
    /// When it holds.
    pub window: Window,
    /// How often it opens each door.
    pub uses_max: UsesMax,
    /// How often it opened any door.
    pub uses: u16,
}

/// The time cannot be accepted.
#[must_use]
pub fn window_invalid() -> Refusal {
    Refusal::invalid(
        "window_invalid",
        Message::new(
            "A visit ends after it begins, is not over yet, begins within 30 days and lasts at most 7 days. For more, make a recurring pass.",
            "来访结束时间须晚于开始时间且未过期，须在 30 天内开始，最长 7 天；更长时间请使用周期通行。",
        ),
    )
}

fn courier_window() -> Refusal {
    Refusal::invalid(
        "courier_window_fixed",
        Message::new(
            "A courier's pass holds for 30 minutes from now: leave out `from` and `until`.",
            "快递外卖通行固定为从现在起 30 分钟，请勿填写起止时间。",
        ),
    )
}
