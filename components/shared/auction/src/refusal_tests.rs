//! What is no round, and what is said then.

use crate::story_tests::{RULES, bid, one, round};
use crate::*;

fn fine() -> Round {
    round(&[2, 1], Reserve::None, vec![bid("a", 10, 10_000)])
}

fn refused(code: &str, change: impl Fn(&mut Round)) {
    let mut round = fine();
    change(&mut round);
    for rule in RULES {
        let problem = one(rule, &round).unwrap_err();
        assert_eq!(problem.code, code, "{rule:?}");
        assert!(!problem.english.is_empty() && !problem.chinese.is_empty());
    }
}

#[test]
fn slots_without_weight_or_out_of_order_are_refused() {
    refused("slots_out_of_range", |round| round.terms.weights.clear());
    refused("slots_out_of_range", |round| {
        round.terms.weights = vec![1; SLOTS_MAX + 1]
    });
    refused("weight_out_of_range", |round| {
        round.terms.weights = vec![1, 0]
    });
    refused("weight_out_of_range", |round| {
        round.terms.weights = vec![WEIGHT_MAX + 1]
    });
    refused("weights_rise", |round| round.terms.weights = vec![3, 1, 2]);
}

#[test]
fn reserves_and_increments_beyond_their_range_are_refused() {
    for reserve in [
        Reserve::Unweighted(-1),
        Reserve::Unweighted(AMOUNT_MAX + 1),
        Reserve::Weighted(-1),
        Reserve::Weighted(SCORE_MAX + 1),
    ] {
        refused("reserve_out_of_range", |round| {
            round.terms.reserve = reserve
        });
    }
    for increment in [-1, AMOUNT_MAX + 1] {
        refused("increment_out_of_range", |round| {
            round.terms.increment = increment
        });
    }
    let raised = Terms {
        increment: 1,
        ..fine().terms
    };
    assert_eq!(check(Rule::SecondPrice, &raised), Ok(()));
    for rule in [Rule::Gsp, Rule::Vcg, Rule::FirstPrice] {
        assert_eq!(
            check(rule, &raised).unwrap_err().code,
            "increment_not_taken"
        );
    }
}

#[test]
fn bids_that_are_none_are_refused_by_name() {
    for amount in [-1, i64::MIN, AMOUNT_MAX + 1] {
        refused("bid_out_of_range", |round| round.bids[0].amount = amount);
    }
    for quality_bps in [0, QUALITY_BPS_MAX + 1] {
        refused("quality_out_of_range", |round| {
            round.bids[0].quality_bps = quality_bps
        });
    }
    refused("bid_repeated", |round| {
        round.bids.push(bid("a", 20, 10_000))
    });
    for name in [String::new(), "a".repeat(ID_BYTES_MAX + 1)] {
        refused("id_out_of_range", |round| round.bids[0].id = name.clone());
        refused("id_out_of_range", |round| {
            round.bids[0].advertiser = name.clone()
        });
    }
    let mut negative = fine();
    negative.bids[0].amount = -1;
    let problem = one(Rule::Gsp, &negative).unwrap_err();
    assert!(problem.english.contains("bid a "), "{}", problem.english);
}

#[test]
fn too_many_bids_or_rounds_are_refused() {
    let many = |count: usize| -> Vec<Bid> {
        (0..count)
            .map(|number| bid(&number.to_string(), 10, 10_000))
            .collect()
    };
    refused("too_many_bids", |round| round.bids = many(BIDS_MAX + 1));
    let most = Round {
        bids: many(BIDS_MAX),
        ..fine()
    };
    assert_eq!(one(Rule::Gsp, &most).unwrap().placed.len(), 2);
    let rounds = vec![fine(); ROUNDS_MAX + 1];
    assert_eq!(
        rank(Rule::Gsp, &rounds).unwrap_err().code,
        "too_many_rounds"
    );
    assert_eq!(rank(Rule::Gsp, &rounds[1..]).unwrap().len(), ROUNDS_MAX);
}

#[test]
fn a_seed_that_can_be_guessed_is_refused() {
    for bytes in [0, SEED_BYTES_MIN - 1, SEED_BYTES_MAX + 1] {
        refused("seed_out_of_range", |round| round.seed = vec![7; bytes]);
    }
}

#[test]
fn a_round_that_is_refused_leaves_the_others_of_the_call_alone() {
    let mut bad = fine();
    bad.terms.weights.clear();
    let outcomes = rank(Rule::Vcg, &[fine(), bad, fine()]).unwrap();
    let held: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(held, [true, false, true]);
}
