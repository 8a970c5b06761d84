//! A circuit breaker for one origin: a service that fails is left in peace, then asked by one request whether it is
//! well again.

use kernel::Timestamp;

/// How long it is left in peace at first, in milliseconds; it doubles as long as the service stays ill.
pub const OPEN_MS_MIN: i64 = 30_000;
/// The longest, in milliseconds.
pub const OPEN_MS_MAX: i64 = 15 * 60_000;
/// How long the one request may take, in milliseconds; then another may ask.
pub const PROBE_MS: i64 = 60_000;

/// So many failures in a row open it.
const FAILURES_MAX: u32 = 5;

/// The breaker of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Breaker {
    /// Requests pass.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// None passes.
    Open {
        /// Until then.
        until: Timestamp,
        /// How often in a row it opened.
        times: u32,
    },
    /// One request asks.
    Asking {
        /// After that, another may.
        until: Timestamp,
        /// How often in a row it opened.
        times: u32,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether a request passes now: the breaker to store, or the moment to ask again.
    ///
    /// # Errors
    /// When it does not pass.
    pub fn admit(self, now: Timestamp) -> Result<Self, Timestamp> {
        match self {
            Self::Closed { .. } => Ok(self),
            Self::Open { until, .. } | Self::Asking { until, .. } if now < until => Err(until),
            Self::Open { times, .. } | Self::Asking { times, .. } => Ok(Self::Asking {
                until: now.plus_millis(PROBE_MS),
                times,
            }),
        }
    }

    /// After an answer that shows that the service is well, whatever it thinks of the message.
    #[must_use]
    pub fn answered(self) -> Self {
        match self {
            // A request from before it opened says nothing about now.
            Self::Open { .. } => self,
            Self::Closed { .. } | Self::Asking { .. } => Self::default(),
        }
    }

    /// After a failure: no answer, or a status of 500 and above.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        match self {
            Self::Closed { failures } if failures.saturating_add(1) < FAILURES_MAX => {
                Self::Closed {
                    failures: failures.saturating_add(1),
                }
            }
            Self::Closed { .. } => Self::opened(now, 1),
            Self::Asking { times, .. } => Self::opened(now, times.saturating_add(1)),
            Self::Open { .. } => self,
        }
    }

    /// After the service asked for peace until a moment.
    #[must_use]
    pub fn told_to_wait(self, until: Timestamp) -> Self {
        match self {
            Self::Open {
                until: before,
                times,
            } => Self::Open {
                until: before.max(until),
                times,
            },
            Self::Asking { times, .. } => Self::Open { until, times },
            Self::Closed { .. } => Self::Open { until, times: 1 },
        }
    }

    fn opened(now: Timestamp, times: u32) -> Self {
        let doublings = times.saturating_sub(1).min(16);
        Self::Open {
            until: now.plus_millis((OPEN_MS_MIN << doublings).min(OPEN_MS_MAX)),
            times,
        }
    }
}
