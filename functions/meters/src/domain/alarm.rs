//! What is not right with a meter: a leak, standing still, a sum that does not match its master's.

use kernel::Commodity;

use super::Count;
use super::reading::named;

/// Water that flows in every hour of so many is a leak.
pub const LEAK_HOURS: i64 = 24;
/// By how much a master may differ from its meters, in hundredths of what it shows.
pub const MASTER_PERCENT_MAX: i128 = 10;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

named! {
    /// What is not right.
    AlarmKind {
        /// Something flows without a pause.
        Leak = "leak",
        /// Nothing has been used for days.
        Stuck = "stuck",
        /// A master meter shows another sum than its meters.
        MasterSum = "master_sum",
    }
}

/// After how long without usage a meter is stuck: 7 days for water, 3 for electricity; others may rest.
#[must_use]
pub fn stuck_after_ms(commodity: Commodity) -> Option<i64> {
    match commodity {
        Commodity::Electricity => Some(3 * DAY_MS),
        Commodity::Water | Commodity::HotWater => Some(7 * DAY_MS),
        Commodity::Heat | Commodity::Gas => None,
    }
}

/// Which alarms the count stands for: leak, stuck.
#[must_use]
pub fn alarms_of(count: &Count, commodity: Commodity) -> [(AlarmKind, bool); 2] {
    let is_water = matches!(commodity, Commodity::Water | Commodity::HotWater);
    let still_ms = count.at.millis_since(count.moved_at);
    [
        (AlarmKind::Leak, is_water && count.flow.hours >= LEAK_HOURS),
        (
            AlarmKind::Stuck,
            stuck_after_ms(commodity).is_some_and(|after| still_ms >= after),
        ),
    ]
}

/// Whether a master's usage and the sum of its meters' differ by more than 10 % of the master's.
#[must_use]
pub fn master_differs(master_milli: i64, sum_milli: i64) -> bool {
    let difference = (i128::from(master_milli) - i128::from(sum_milli)).abs();
    difference * 100 > i128::from(master_milli).abs() * MASTER_PERCENT_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_percent_is_still_right() {
        for (master, sum, differs) in [
            (1_000, 900, false),
            (1_000, 899, true),
            (1_000, 1_100, false),
            (1_000, 1_101, true),
            (0, 0, false),
            (0, 1, true),
        ] {
            assert_eq!(master_differs(master, sum), differs, "{master} {sum}");
        }
    }
}
