//! How many rounds a second are held: printed, and not asserted, for a machine's speed is no law.

use std::time::Instant;

use crate::story_tests::{RULES, bid, round};
use crate::*;

const WEIGHTS: [u32; 10] = [100, 84, 71, 60, 50, 42, 36, 30, 25, 21];
/// Bids that are ranked by a measurement.
const BIDS: usize = 20_000;

fn page(bids: usize) -> Round {
    let bids = (0..bids).map(|number| {
        let spread = number * 7_919 % 1_000;
        let quality_bps = 5_000 + 1_000 * (number as u32 % 7);
        bid(&format!("bid {number}"), 100 + spread as i64, quality_bps)
    });
    round(&WEIGHTS, Reserve::Unweighted(50), bids.collect())
}

fn measured(rule: Rule, bids: usize, rounds: usize) {
    let rounds = vec![page(bids); rounds];
    let calls = (BIDS / bids / rounds.len()).max(1);
    let start = Instant::now();
    for _ in 0..calls {
        let outcomes = rank(rule, &rounds).unwrap();
        assert!(outcomes.iter().all(Result::is_ok));
    }
    let took = start.elapsed().as_micros().max(1);
    let held = (calls * rounds.len()) as u128;
    println!(
        "measured: clearing by {rule:?}, 10 slots, {bids} bids, {} rounds a call: {} clearings/s",
        rounds.len(),
        held * 1_000_000 / took
    );
}

#[test]
fn rounds_are_held_one_by_one_and_in_batches() {
    for rule in RULES {
        measured(rule, 20, 1);
        measured(rule, 20, ROUNDS_MAX);
        measured(rule, BIDS_MAX, 1);
    }
}
