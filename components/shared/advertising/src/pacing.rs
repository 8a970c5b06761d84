//! Pacing: a day's budget is spread over its quarters of an hour. What is behind is offered always, what is ahead
//! more seldom the further ahead it is. It only delays: the budget itself is the limit.

use crate::Micros;

/// Into how many parts a day is cut.
pub const BUCKETS_A_DAY: i64 = 96;

const WHOLE_BPS: i64 = 10_000;

/// How often an advertisement may be offered, in 1/10,000: by what of the day's budget is used (spent and reserved)
/// and the minute of the day, 0 to 1439. Whole while a full part of the day's budget is free up to the end of the
/// present part, then less in proportion, and nothing when all of it up to there is used.
#[must_use]
pub fn even_share_bps(daily: Micros, used_today: Micros, minute: u16) -> u32 {
    let day = i128::from(daily.get().max(0));
    if day == 0 {
        return 0;
    }
    let bucket = i128::from((i64::from(minute) / 15).clamp(0, BUCKETS_A_DAY - 1)) + 1;
    // Everything times the number of parts, so that nothing is rounded before the end.
    let due = day * bucket;
    let free = due - i128::from(used_today.get()) * i128::from(BUCKETS_A_DAY);
    let share = free * i128::from(WHOLE_BPS) / day;
    u32::try_from(share.clamp(0, i128::from(WHOLE_BPS))).unwrap_or(0)
}

/// Whether a draw, any whole number, falls into that share.
#[must_use]
pub fn passes(share_bps: u32, draw: u64) -> bool {
    draw % 10_000 < u64::from(share_bps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_behind_is_always_offered_and_what_is_ahead_waits() {
        let share = |used, minute| even_share_bps(Micros::new(9_600), Micros::new(used), minute);
        assert_eq!(share(0, 0), 10_000);
        assert_eq!(share(50, 0), 5_000);
        assert_eq!(share(100, 0), 0);
        assert_eq!(share(100, 15), 10_000);
        assert_eq!(share(4_800, 720), 10_000);
        assert_eq!(share(9_599, 1_439), 100);
        assert_eq!(even_share_bps(Micros::ZERO, Micros::ZERO, 0), 0);
        assert!(passes(5_000, 14_999) && !passes(5_000, 15_000) && !passes(0, 0));
    }

    proptest! {
        #[test]
        fn a_day_never_runs_far_ahead_of_its_clock(daily in 960_i64..1_000_000, bid in 1_i64..10, draws in prop::collection::vec(any::<u64>(), 1_440)) {
            let mut used = 0;
            for (minute, draw) in (0_u16..).zip(draws) {
                let share = even_share_bps(Micros::new(daily), Micros::new(used), minute);
                if passes(share, draw) {
                    used += bid;
                }
                let due = i128::from(daily) * i128::from(minute / 15 + 1);
                prop_assert!(i128::from(used - bid) * 96 <= due);
            }
        }

        #[test]
        fn more_used_is_never_offered_more_often(daily in 1_i64..1_000_000, used in 0_i64..1_000_000, more in 0_i64..1_000, minute in 0_u16..1_440) {
            let share = |used| even_share_bps(Micros::new(daily), Micros::new(used), minute);
            prop_assert!(share(used + more) <= share(used));
        }
    }
}
