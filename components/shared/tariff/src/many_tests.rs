//! How many lines a second are rated: printed, and not asserted, for a machine's speed is no law.

use std::time::Instant;

use crate::beijing_tests::{day, october, schedule, tier};
use crate::*;

const CALLS: usize = 2_000;

fn measured(what: &str, schedule: &Schedule, lines_of_a_call: usize) {
    let lines = vec![october(350); lines_of_a_call];
    let calls = CALLS / lines_of_a_call.min(100);
    let start = Instant::now();
    for _ in 0..calls {
        let rated = rate(Kinds::All, schedule, &lines).unwrap();
        assert!(rated.iter().all(Result::is_ok));
    }
    let took = start.elapsed().as_micros().max(1);
    let rated = (calls * lines_of_a_call) as u128;
    println!(
        "measured: rating {what}, {lines_of_a_call} lines a call: {} lines/s",
        rated * 1_000_000 / took
    );
}

#[test]
fn lines_are_rated_one_by_one_and_in_batches() {
    let tiers = vec![
        tier(0, Some(240), 4_883),
        tier(240, Some(400), 5_383),
        tier(400, None, 7_883),
    ];
    let mut two_periods = schedule(Cycle::Year(1, 1), Prices::Tiered(tiers));
    measured("by tiers", &two_periods, 1);
    measured("by tiers", &two_periods, LINES_MAX);
    // The price changes in the middle of the month.
    let mut later = two_periods.periods[0].clone();
    later.first = day("2026-10-16");
    two_periods.periods[0].until = Some(later.first);
    two_periods.periods.push(later);
    measured("by tiers with a change of price", &two_periods, LINES_MAX);
}
