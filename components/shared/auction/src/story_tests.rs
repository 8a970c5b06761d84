//! Rounds that one can follow on paper.

use crate::*;

pub(crate) const RULES: [Rule; 4] = [Rule::Gsp, Rule::Vcg, Rule::FirstPrice, Rule::SecondPrice];

/// A bid of an advertiser of its own.
pub(crate) fn bid(id: &str, amount: i64, quality_bps: u32) -> Bid {
    Bid {
        id: id.to_owned(),
        advertiser: format!("advertiser of {id}"),
        amount,
        quality_bps,
        version: 1,
    }
}

pub(crate) fn round(weights: &[u32], reserve: Reserve, bids: Vec<Bid>) -> Round {
    Round {
        terms: Terms {
            weights: weights.to_vec(),
            reserve,
            increment: 0,
        },
        seed: b"seed of round 1.".to_vec(),
        bids,
    }
}

pub(crate) fn one(rule: Rule, round: &Round) -> Outcome {
    let outcomes = rank(rule, std::slice::from_ref(round)).unwrap();
    assert_eq!(outcomes.len(), 1);
    outcomes.into_iter().next().unwrap()
}

/// The ids on the slots, and their prices.
fn prices(rule: Rule, round: &Round) -> Vec<(String, i64)> {
    let placed = one(rule, round).unwrap().placed;
    let prices = placed.into_iter().map(|placed| (placed.bid, placed.price));
    prices.collect()
}

fn check_prices(rule: Rule, round: &Round, expected: &[(&str, i64)]) {
    let expected: Vec<(String, i64)> = expected
        .iter()
        .map(|(id, price)| ((*id).to_owned(), *price))
        .collect();
    assert_eq!(prices(rule, round), expected, "{rule:?}");
}

fn order(round: &Round) -> Vec<String> {
    let prices = prices(Rule::Gsp, round);
    prices.into_iter().map(|(id, _)| id).collect()
}

fn by(rule: Rule, round: &Round, slot: usize) -> Vec<Part> {
    one(rule, round).unwrap().placed[slot - 1].parts.clone()
}

fn part(by: Setter, counted: u64, weight: u32) -> Part {
    Part {
        by,
        counted,
        weight,
    }
}

fn set_by(id: &str) -> Setter {
    Setter::Bid(id.to_owned())
}

/// Edelman, Ostrovsky and Schwarz (2007): values 10, 4 and 2, clicks 200 and 100.
fn edelman() -> Round {
    let bids = vec![
        bid("ten", 10, 10_000),
        bid("four", 4, 10_000),
        bid("two", 2, 10_000),
    ];
    round(&[200, 100], Reserve::None, bids)
}

fn four_bidders(reserve: Reserve) -> Round {
    let bids = vec![
        bid("a", 400, 8_000),
        bid("b", 600, 5_000),
        bid("c", 300, 9_000),
        bid("d", 100, 10_000),
    ];
    round(&[100, 60, 20], reserve, bids)
}

#[test]
fn three_advertisers_and_two_slots_pay_what_the_literature_says() {
    let totals = |rule| -> Vec<i64> {
        let prices = prices(rule, &edelman());
        let clicks = [200, 100];
        prices
            .iter()
            .zip(clicks)
            .map(|((_, price), clicks)| price * clicks)
            .collect()
    };
    assert_eq!(totals(Rule::Gsp), [800, 200]);
    assert_eq!(totals(Rule::Vcg), [600, 200]);
    assert_eq!(totals(Rule::FirstPrice), [2_000, 400]);
}

#[test]
fn quality_counts_as_much_as_the_bid() {
    let round = four_bidders(Reserve::None);
    check_prices(Rule::Gsp, &round, &[("a", 375), ("b", 540), ("c", 112)]);
    check_prices(
        Rule::FirstPrice,
        &round,
        &[("a", 400), ("b", 600), ("c", 300)],
    );
    // a: (3,000,000 x 40 + 2,700,000 x 40 + 1,000,000 x 20) / (8,000 x 100) = 310.
    // b: (2,700,000 x 40 + 1,000,000 x 20) / (5,000 x 60) = 426.67.
    check_prices(Rule::Vcg, &round, &[("a", 310), ("b", 427), ("c", 112)]);
}

#[test]
fn every_price_names_the_bids_that_set_it() {
    let round = four_bidders(Reserve::None);
    assert_eq!(by(Rule::Gsp, &round, 2), [part(set_by("c"), 2_700_000, 60)]);
    let parts = [
        part(set_by("b"), 3_000_000, 40),
        part(set_by("c"), 2_700_000, 40),
        part(set_by("d"), 1_000_000, 20),
    ];
    assert_eq!(by(Rule::Vcg, &round, 1), parts);
    assert_eq!(
        by(Rule::FirstPrice, &round, 1),
        [part(Setter::Itself, 3_200_000, 100)]
    );
    let unplaced = one(Rule::Gsp, &round).unwrap().unplaced;
    let outbid = Unplaced {
        bid: "d".to_owned(),
        reason: Reason::Outbid,
    };
    assert_eq!(unplaced, [outbid]);
}

#[test]
fn an_unweighted_reserve_drops_low_bids_and_is_paid_by_each_as_it_is() {
    // c and d bid less than 350; for b the reserve is a score of 350 x 5,000.
    let round = four_bidders(Reserve::Unweighted(350));
    for rule in [Rule::Gsp, Rule::SecondPrice] {
        check_prices(rule, &round, &[("a", 375), ("b", 350)]);
        assert_eq!(by(rule, &round, 2), [part(Setter::Reserve, 1_750_000, 60)]);
    }
    // a: (3,000,000 x 40 + 2,800,000 x 60) / (8,000 x 100) = 360.
    check_prices(Rule::Vcg, &round, &[("a", 360), ("b", 350)]);
    let parts = [
        part(set_by("b"), 3_000_000, 40),
        part(Setter::Reserve, 2_800_000, 60),
    ];
    assert_eq!(by(Rule::Vcg, &round, 1), parts);
    let unplaced = one(Rule::Gsp, &round).unwrap().unplaced;
    assert!(
        unplaced
            .iter()
            .all(|unplaced| unplaced.reason == Reason::BelowReserve)
    );
    assert_eq!(unplaced.len(), 2);
}

#[test]
fn a_weighted_reserve_drops_low_scores_and_costs_the_better_less() {
    // The floors: 2,900,000 / 8,000 = 362.5 and 2,900,000 / 5,000 = 580.
    let round = four_bidders(Reserve::Weighted(2_900_000));
    check_prices(Rule::Gsp, &round, &[("a", 375), ("b", 580)]);
    // a: (3,000,000 x 40 + 2,900,000 x 60) / (8,000 x 100) = 367.5.
    check_prices(Rule::Vcg, &round, &[("a", 368), ("b", 580)]);
    // A bid that is just the reserve is shown, and pays itself.
    let just = round_of_one(Reserve::Weighted(3_000_000));
    check_prices(Rule::Gsp, &just, &[("b", 600)]);
    check_prices(Rule::Gsp, &round_of_one(Reserve::Weighted(3_000_001)), &[]);
}

fn round_of_one(reserve: Reserve) -> Round {
    round(&[1], reserve, vec![bid("b", 600, 5_000)])
}

#[test]
fn who_is_alone_pays_the_reserve_or_nothing() {
    for rule in [Rule::Gsp, Rule::Vcg, Rule::SecondPrice] {
        check_prices(rule, &round_of_one(Reserve::None), &[("b", 0)]);
        assert_eq!(
            by(rule, &round_of_one(Reserve::None), 1),
            [part(Setter::Nobody, 0, 1)]
        );
        check_prices(rule, &round_of_one(Reserve::Unweighted(50)), &[("b", 50)]);
    }
    assert!(
        one(Rule::Gsp, &round(&[1], Reserve::None, Vec::new()))
            .unwrap()
            .placed
            .is_empty()
    );
}

#[test]
fn the_increment_comes_on_top_of_the_next_bid_and_never_above_ones_own() {
    let mut round = four_bidders(Reserve::None);
    round.terms.increment = 1;
    check_prices(
        Rule::SecondPrice,
        &round,
        &[("a", 376), ("b", 541), ("c", 113)],
    );
    round.terms.increment = 30;
    check_prices(
        Rule::SecondPrice,
        &round,
        &[("a", 400), ("b", 570), ("c", 142)],
    );
    assert_eq!(
        by(Rule::SecondPrice, &round, 1),
        [part(Setter::Itself, 3_200_000, 100)]
    );
    // 570 x 5,000: the part explains the price with the increment.
    assert_eq!(
        by(Rule::SecondPrice, &round, 2),
        [part(set_by("c"), 2_850_000, 60)]
    );
    // The reserve is paid as it is.
    round.terms.reserve = Reserve::Unweighted(350);
    check_prices(Rule::SecondPrice, &round, &[("a", 400), ("b", 350)]);
}

#[test]
fn equals_are_ordered_by_quality_then_version_then_the_rounds_seed() {
    let newer = Bid {
        version: 2,
        ..bid("newer", 400, 10_000)
    };
    let older = Bid {
        version: 1,
        ..bid("older", 400, 10_000)
    };
    let worse = Bid {
        version: 0,
        ..bid("worse", 800, 5_000)
    };
    let page = round(&[3, 2, 1], Reserve::None, vec![worse, newer, older]);
    assert_eq!(order(&page), ["older", "newer", "worse"]);

    let equals = ["a", "b", "c", "d"].map(|id| bid(id, 7, 10_000));
    let mut page = round(&[4, 3, 2, 1], Reserve::None, equals.to_vec());
    assert_eq!(order(&page), ["b", "c", "d", "a"]);
    page.seed = b"seed of round 2.".to_vec();
    assert_eq!(order(&page), ["a", "b", "c", "d"]);
}

#[test]
fn an_advertiser_is_shown_once_and_never_raises_its_own_price() {
    let own = |id, amount| Bid {
        advertiser: "cinema".to_owned(),
        ..bid(id, amount, 10_000)
    };
    let bids = vec![
        own("first", 900),
        own("second", 800),
        bid("other", 300, 10_000),
    ];
    let page = round(&[2, 1], Reserve::None, bids);
    for rule in [Rule::Gsp, Rule::SecondPrice] {
        check_prices(rule, &page, &[("first", 300), ("other", 0)]);
    }
    check_prices(Rule::Vcg, &page, &[("first", 150), ("other", 0)]);
    let own_better = Unplaced {
        bid: "second".to_owned(),
        reason: Reason::OwnBetterBid,
    };
    assert_eq!(one(Rule::Gsp, &page).unwrap().unplaced, [own_better]);
    // Its bid for a click is below the reserve, though its score is the best: the other one stands for it.
    let mut page = page;
    page.bids.push(Bid {
        quality_bps: 100_000,
        ..own("cheap", 200)
    });
    page.terms.reserve = Reserve::Unweighted(250);
    check_prices(Rule::Gsp, &page, &[("first", 300), ("other", 250)]);
}

#[test]
fn the_largest_numbers_are_counted_without_loss() {
    let most = |id| bid(id, AMOUNT_MAX, QUALITY_BPS_MAX);
    let ids: Vec<String> = (0..=SLOTS_MAX).map(|number| number.to_string()).collect();
    let bids = ids.iter().map(|id| most(id)).collect();
    let mut page = round(&[WEIGHT_MAX; SLOTS_MAX], Reserve::Weighted(SCORE_MAX), bids);
    for rule in RULES {
        page.terms.increment = if rule == Rule::SecondPrice {
            AMOUNT_MAX
        } else {
            0
        };
        let placed = one(rule, &page).unwrap().placed;
        assert_eq!(placed.len(), SLOTS_MAX);
        assert!(
            placed.iter().all(|placed| placed.price == AMOUNT_MAX),
            "{rule:?}"
        );
    }
}
