//! What holds of every round.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::story_tests::{RULES, one, round};
use crate::*;

/// Bids of few advertisers with few amounts and qualities: with ties, and with second bids.
fn bids() -> impl Strategy<Value = Vec<Bid>> {
    let qualities = prop::sample::select(vec![1_u32, 3_333, 5_000, 8_000, 10_000]);
    let amounts = prop_oneof![0_i64..8, 0_i64..1_000];
    let bid = (0_u8..9, amounts, qualities, 0_i64..3);
    prop::collection::vec(bid, 0..12).prop_map(|bids| {
        let bids = bids.into_iter().enumerate();
        let bids = bids.map(|(number, (advertiser, amount, quality_bps, version))| Bid {
            id: format!("bid {number}"),
            advertiser: format!("advertiser {advertiser}"),
            amount,
            quality_bps,
            version,
        });
        bids.collect()
    })
}

fn reserves() -> impl Strategy<Value = Reserve> {
    prop_oneof![
        Just(Reserve::None),
        (0_i64..400).prop_map(Reserve::Unweighted),
        (0_i64..4_000_000).prop_map(Reserve::Weighted),
    ]
}

fn weights() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(1_u32..50, 1..6).prop_map(|mut weights| {
        weights.sort_unstable_by(|one, other| other.cmp(one));
        weights
    })
}

fn rounds() -> impl Strategy<Value = Round> {
    (weights(), reserves(), bids())
        .prop_map(|(weights, reserve, bids)| round(&weights, reserve, bids))
}

/// As the round, with the increment if the rule takes one.
fn raised(rule: Rule, round: &Round, increment: i64) -> Round {
    let mut round = round.clone();
    round.terms.increment = if rule == Rule::SecondPrice {
        increment
    } else {
        0
    };
    round
}

fn hold(rule: Rule, round: &Round) -> Ranked {
    one(rule, round).unwrap()
}

fn find<'a>(round: &'a Round, id: &str) -> &'a Bid {
    round.bids.iter().find(|bid| bid.id == id).unwrap()
}

/// The slot of an advertiser; a number beyond all slots when it has none.
fn slot_of(ranked: &Ranked, round: &Round, advertiser: &str) -> u32 {
    let is_its = |placed: &&Placed| find(round, &placed.bid).advertiser == advertiser;
    ranked
        .placed
        .iter()
        .find(is_its)
        .map_or(u32::MAX, |placed| placed.slot)
}

fn weight_of(round: &Round, placed: &Placed) -> u32 {
    round.terms.weights[placed.slot as usize - 1]
}

/// What a bid pays before rounding, for all its clicks: in scores x weights.
fn exact(placed: &Placed) -> i128 {
    let parts = placed.parts.iter();
    parts
        .map(|part| i128::from(part.counted) * i128::from(part.weight))
        .sum()
}

/// What is left to a bidder for whom a click is worth `value`: before rounding, and as it is charged.
fn left(ranked: &Ranked, round: &Round, id: &str, value: i64) -> (i128, i128) {
    let Some(placed) = ranked.placed.iter().find(|placed| placed.bid == id) else {
        return (0, 0);
    };
    let clicks = clicks(ranked, round, id);
    (
        i128::from(value) * clicks - exact(placed),
        i128::from(value - placed.price) * clicks,
    )
}

/// Quality x weight of the slot: 0 without one.
fn clicks(ranked: &Ranked, round: &Round, id: &str) -> i128 {
    let placed = ranked.placed.iter().find(|placed| placed.bid == id);
    placed.map_or(0, |placed| {
        i128::from(find(round, id).quality_bps) * i128::from(weight_of(round, placed))
    })
}

/// The round with a further bid of an advertiser that has no other.
fn with_bidder(round: &Round, amount: i64, quality_bps: u32) -> Round {
    let mut round = round.clone();
    round.bids.push(Bid {
        id: "mine".to_owned(),
        advertiser: "me".to_owned(),
        amount,
        quality_bps,
        version: 1,
    });
    round
}

/// What the slots are worth to all who are shown but one.
fn worth_of_others(round: &Round, except: &str) -> i128 {
    let placed = hold(Rule::FirstPrice, round).placed;
    let others = placed
        .iter()
        .filter(|placed| find(round, &placed.bid).advertiser != except);
    others
        .map(|placed| i128::from(placed.score) * i128::from(weight_of(round, placed)))
        .sum()
}

proptest! {
    #[test]
    fn a_price_is_at_most_the_bid_at_least_the_reserve_and_what_its_parts_say(
        round in rounds(),
        increment in 0_i64..50,
    ) {
        for rule in RULES {
            let round = raised(rule, &round, increment);
            for placed in hold(rule, &round).placed {
                let bid = find(&round, &placed.bid);
                let quality = i128::from(bid.quality_bps);
                prop_assert!((0..=bid.amount).contains(&placed.price));
                match round.terms.reserve {
                    Reserve::None => {}
                    Reserve::Unweighted(least) => prop_assert!(placed.price >= least),
                    Reserve::Weighted(least) => {
                        prop_assert!(i128::from(placed.price) * quality >= i128::from(least));
                    }
                }
                let clicks = quality * i128::from(weight_of(&round, &placed));
                // Rounded up, and by less than one unit.
                let above = i128::from(placed.price) * clicks - exact(&placed);
                prop_assert!((0..clicks).contains(&above));
                let whole: u32 = placed.parts.iter().map(|part| part.weight).sum();
                prop_assert_eq!(whole, weight_of(&round, &placed));
            }
        }
    }

    #[test]
    fn an_advertiser_is_shown_once_and_its_bids_never_set_its_price(round in rounds(), increment in 0_i64..50) {
        for rule in RULES {
            let round = raised(rule, &round, increment);
            let ranked = hold(rule, &round);
            let mut shown = BTreeSet::new();
            for placed in &ranked.placed {
                let advertiser = &find(&round, &placed.bid).advertiser;
                prop_assert!(shown.insert(advertiser.clone()));
                for part in &placed.parts {
                    if let Setter::Bid(id) = &part.by {
                        prop_assert_ne!(&find(&round, id).advertiser, advertiser);
                    }
                }
            }
            // Every bid is told of once.
            let unplaced = ranked.unplaced.iter().map(|unplaced| &unplaced.bid);
            let told: BTreeSet<&String> = ranked.placed.iter().map(|placed| &placed.bid).chain(unplaced).collect();
            prop_assert_eq!(told.len(), round.bids.len());
            prop_assert_eq!(ranked.placed.len() + ranked.unplaced.len(), round.bids.len());
        }
    }

    #[test]
    fn at_equal_bids_the_second_price_is_never_below_vcg(round in rounds()) {
        let (gsp, vcg) = (hold(Rule::Gsp, &round).placed, hold(Rule::Vcg, &round).placed);
        prop_assert_eq!(gsp.len(), vcg.len());
        for (gsp, vcg) in gsp.iter().zip(&vcg) {
            prop_assert_eq!(&gsp.bid, &vcg.bid);
            prop_assert!(gsp.price >= vcg.price);
        }
    }

    #[test]
    fn with_one_slot_or_without_increment_the_rules_of_the_second_price_are_one(round in rounds()) {
        let prices = |rule, round: &Round| -> Vec<i64> {
            hold(rule, round).placed.iter().map(|placed| placed.price).collect()
        };
        prop_assert_eq!(prices(Rule::SecondPrice, &round), prices(Rule::Gsp, &round));
        let mut round = round;
        round.terms.weights.truncate(1);
        prop_assert_eq!(prices(Rule::Vcg, &round), prices(Rule::Gsp, &round));
    }

    #[test]
    fn raising_a_bid_never_lowers_its_advertisers_slot(
        round in rounds(),
        which in any::<prop::sample::Index>(),
        more in 1_i64..500,
    ) {
        prop_assume!(!round.bids.is_empty());
        let mut higher = round.clone();
        let bid = which.get(&round.bids);
        let changed = &mut higher.bids[which.index(round.bids.len())];
        changed.amount += more;
        // The change makes it the latest of all.
        changed.version = 9;
        for rule in RULES {
            let before = slot_of(&hold(rule, &round), &round, &bid.advertiser);
            let after = slot_of(&hold(rule, &higher), &higher, &bid.advertiser);
            prop_assert!(after <= before);
        }
    }

    /// Before rounding, no bid leaves more than the truth does. Prices are rounded up by less than one unit for a
    /// click, so that with whole prices a deviation gains less than one unit for each click of the truthful slot, and
    /// nothing where the truth has no slot.
    #[test]
    fn under_vcg_no_deviation_is_better_than_the_truth(
        others in rounds(),
        quality_bps in prop::sample::select(vec![3_333_u32, 5_000, 10_000]),
        value in 0_i64..1_000,
        deviation in 0_i64..1_200,
    ) {
        let truthful = with_bidder(&others, value, quality_bps);
        let other = with_bidder(&others, deviation, quality_bps);
        let held = hold(Rule::Vcg, &truthful);
        let (exact, charged) = left(&held, &truthful, "mine", value);
        let (exact_other, charged_other) = left(&hold(Rule::Vcg, &other), &other, "mine", value);
        prop_assert!(exact >= exact_other && charged >= 0);
        let clicks = clicks(&held, &truthful, "mine");
        if clicks == 0 {
            prop_assert!(charged_other <= 0);
        } else {
            prop_assert!(charged_other - charged < clicks);
        }
    }

    #[test]
    fn vcg_charges_exactly_what_ones_presence_costs_the_others(weights in weights(), bids in bids()) {
        let round = round(&weights, Reserve::None, bids);
        for placed in hold(Rule::Vcg, &round).placed {
            let advertiser = find(&round, &placed.bid).advertiser.clone();
            let mut without = round.clone();
            without.bids.retain(|bid| bid.advertiser != advertiser);
            let cost = worth_of_others(&without, "") - worth_of_others(&round, &advertiser);
            prop_assert_eq!(exact(&placed), cost);
        }
    }

    #[test]
    fn the_order_in_which_bids_come_changes_nothing(
        (round, shuffled) in rounds().prop_flat_map(|round| {
            let shuffled = Just(round.bids.clone()).prop_shuffle();
            (Just(round), shuffled)
        }),
        seed in prop::collection::vec(any::<u8>(), SEED_BYTES_MIN..=SEED_BYTES_MAX),
    ) {
        let round = Round { seed, ..round };
        let shuffled = Round { bids: shuffled, ..round.clone() };
        for rule in RULES {
            prop_assert_eq!(hold(rule, &shuffled), hold(rule, &round));
        }
    }

    /// The seed breaks the last ties and does nothing else: the scores on the slots stay.
    #[test]
    fn the_seed_moves_only_equals(round in rounds(), seed in prop::collection::vec(any::<u8>(), SEED_BYTES_MIN..=SEED_BYTES_MAX)) {
        let other = Round { seed, ..round.clone() };
        let keys = |round: &Round| -> Vec<(u64, u32, i64, i64)> {
            let placed = hold(Rule::Gsp, round).placed;
            let keys = placed.iter().map(|placed| {
                let bid = find(round, &placed.bid);
                (placed.score, bid.quality_bps, bid.version, placed.price)
            });
            keys.collect()
        };
        prop_assert_eq!(keys(&other), keys(&round));
    }

    #[test]
    fn a_round_held_again_ends_the_same_alone_or_among_others(
        rounds in prop::collection::vec(rounds(), 1..5),
    ) {
        for rule in RULES {
            let held = rank(rule, &rounds).unwrap();
            prop_assert_eq!(&rank(rule, &rounds).unwrap(), &held);
            let alone: Vec<Outcome> = rounds.iter().map(|round| one(rule, round)).collect();
            prop_assert_eq!(alone, held);
        }
    }
}
