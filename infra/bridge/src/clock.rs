//! The clock that expiries are measured with: the system's, or one that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use kernel::Timestamp;

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock. An estate's gateway needs a synchronised one: an expiry is a moment, not a duration.
    System,
    /// Milliseconds since the epoch, moved by hand.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `millis` since the epoch until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(millis: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(millis)))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            Self::System => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
                Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
            },
            Self::Manual(millis) => millis.load(Ordering::SeqCst),
        };
        epoch().plus_millis(millis)
    }

    /// Moves a manual clock forward; the system's clock is not moved.
    pub fn advance(&self, millis: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(millis, Ordering::SeqCst);
        }
    }
}

fn epoch() -> Timestamp {
    Timestamp::from_millis(0).expect("the epoch lies between the years 1 and 9999")
}
