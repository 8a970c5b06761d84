//! How often a password may be tried.

use kernel::Timestamp;

/// The most wrong passwords for one user name within [`ATTEMPTS_WINDOW_MS`].
pub const ATTEMPTS_MAX: usize = 10;

/// The time that is looked back over, in milliseconds: 15 minutes.
pub const ATTEMPTS_WINDOW_MS: i64 = 15 * 60 * 1_000;

/// No further try for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// When the next try is allowed, in seconds from now; at least 1.
    pub retry_after_seconds: u32,
}

/// Lets another try pass, unless there were [`ATTEMPTS_MAX`] wrong ones in the window before `now`. A name that
/// nobody has is counted like any other, or the lock would tell which names exist.
///
/// # Errors
/// With the time after which the oldest of the last wrong ones leaves the window.
pub fn admit(failures: &[Timestamp], now: Timestamp) -> Result<(), Locked> {
    let mut recent: Vec<Timestamp> = failures
        .iter()
        .copied()
        .filter(|failed_at| now.millis_since(*failed_at) < ATTEMPTS_WINDOW_MS)
        .collect();
    recent.sort_unstable_by(|left, right| right.cmp(left));
    let Some(blocking) = recent.get(ATTEMPTS_MAX - 1) else {
        return Ok(());
    };
    let wait_ms = ATTEMPTS_WINDOW_MS - now.millis_since(*blocking);
    let seconds =
        wait_ms.max(1).div_euclid(1_000) + i64::from(wait_ms.max(1).rem_euclid(1_000) > 0);
    Err(Locked {
        retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX).max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::at;
    use proptest::prelude::*;

    #[test]
    fn the_eleventh_try_waits_until_the_first_of_ten_has_left_the_window() {
        let failures: Vec<Timestamp> = (0..10).map(|minute| at(minute * 60_000)).collect();
        assert_eq!(admit(&failures[..9], at(600_000)), Ok(()));
        assert_eq!(
            admit(&failures, at(600_000)),
            Err(Locked {
                retry_after_seconds: 300
            })
        );
        assert_eq!(
            admit(&failures, at(899_999)),
            Err(Locked {
                retry_after_seconds: 1
            })
        );
        assert_eq!(admit(&failures, at(900_000)), Ok(()));
    }

    proptest! {
        #[test]
        fn after_the_time_it_names_a_try_is_allowed(
            mut failures in prop::collection::vec(0_i64..2_000_000, 0..40), now in 0_i64..2_000_000,
        ) {
            failures.retain(|failed_at| *failed_at <= now);
            let failures: Vec<Timestamp> = failures.into_iter().map(at).collect();
            if let Err(locked) = admit(&failures, at(now)) {
                let later = at(now).plus_millis(i64::from(locked.retry_after_seconds) * 1_000);
                prop_assert_eq!(admit(&failures, later), Ok(()));
            }
        }
    }
}
