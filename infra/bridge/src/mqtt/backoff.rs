//! The pauses between two tries to connect.

use std::time::{Duration, Instant};

use uuid::Uuid;

/// The first pause.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// The longest pause; a connection that lasted for longer starts anew with the first.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Doubling pauses with jitter.
pub struct Backoff {
    pause: Duration,
    tried_at: Instant,
}

impl Backoff {
    /// Before the first try.
    pub fn new() -> Self {
        Self {
            pause: PAUSE_MIN,
            tried_at: Instant::now(),
        }
    }

    /// A try begins.
    pub fn tries(&mut self) {
        self.tried_at = Instant::now();
    }

    /// The pause after a try that ended now: between half and all of its length, so that a street of gateways does
    /// not come back at once.
    pub fn next(&mut self) -> Duration {
        if self.tried_at.elapsed() > PAUSE_MAX {
            self.pause = PAUSE_MIN;
        }
        let (pause, [.., random]) = (self.pause, Uuid::now_v7().into_bytes());
        self.pause = (pause * 2).min(PAUSE_MAX);
        pause / 2 + pause / 2 * u32::from(random) / u32::from(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_jitter_up_to_the_longest() {
        let mut backoff = Backoff::new();
        let mut full = PAUSE_MIN;
        for _ in 0..20 {
            backoff.tries();
            let pause = backoff.next();
            assert!((full / 2..=full).contains(&pause), "{pause:?} of {full:?}");
            full = (full * 2).min(PAUSE_MAX);
        }
        backoff.tried_at = Instant::now() - PAUSE_MAX * 2;
        assert!(backoff.next() <= PAUSE_MIN, "a long connection starts anew");
    }
}
