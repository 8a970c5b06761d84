//! When a failed try is repeated.

use crate::webhook;

/// The most that is waited after the first try, in milliseconds; it doubles with each.
pub const BACKOFF_MS: i64 = 5_000;
/// The most that is waited after any try, in milliseconds.
pub const BACKOFF_MS_MAX: i64 = 3_600_000;
/// The most tries of a push.
pub const TRIES_MAX: u32 = 6;

/// How tries follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Six tries; the wait is drawn between nothing and a bound that doubles: full jitter.
    Push,
    /// Ten tries over three days: Standard Webhooks.
    Webhook,
}

impl Schedule {
    /// The most tries.
    #[must_use]
    pub fn tries_max(self) -> u32 {
        match self {
            Self::Push => TRIES_MAX,
            Self::Webhook => u32::try_from(webhook::WAITS_MS.len()).unwrap_or(u32::MAX),
        }
    }

    /// How long to wait after that many failed tries, in milliseconds, by a random number; nothing when all are used up.
    #[must_use]
    pub fn wait_ms(self, tries: u32, random: u64) -> Option<i64> {
        match self {
            Self::Push if tries >= TRIES_MAX => None,
            Self::Push if tries == 0 => Some(0),
            Self::Push => {
                let doublings = tries.saturating_sub(1).min(32);
                let bound = (BACKOFF_MS << doublings).min(BACKOFF_MS_MAX);
                // Each of 0 to the bound is as likely as another.
                let drawn = (u128::from(random) * (bound.unsigned_abs() as u128 + 1)) >> 64;
                i64::try_from(drawn).ok()
            }
            Self::Webhook => webhook::wait_ms(tries, random),
        }
    }
}
