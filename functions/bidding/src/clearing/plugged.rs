//! The plugged component: values of ours become values of the interface, and back.

use auction::{
    Outcome, Part, Placed, Problem, Ranked, Reason, Reserve, Round, Setter, Terms, Unplaced,
};

use super::Auctioneer;

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        path: "../../wit/auction",
        world: "caller",
    });
}

use bindings::linli::auction::ranking as wit;

pub(super) fn check(_by: Auctioneer, told: &Terms) -> Result<(), Problem> {
    wit::check(&terms(told)).map_err(problem)
}

pub(super) fn rank(_by: Auctioneer, rounds: &[Round]) -> Result<Vec<Outcome>, Problem> {
    let rounds: Vec<wit::Round> = rounds.iter().map(round).collect();
    let outcomes = wit::rank(&rounds).map_err(problem)?;
    Ok(outcomes.into_iter().map(outcome).collect())
}

fn terms(terms: &Terms) -> wit::Terms {
    wit::Terms {
        weights: terms.weights.clone(),
        reserve: match terms.reserve {
            Reserve::None => wit::Reserve::None,
            Reserve::Unweighted(least) => wit::Reserve::Unweighted(least),
            Reserve::Weighted(least) => wit::Reserve::Weighted(least),
        },
        increment: terms.increment,
    }
}

fn round(round: &Round) -> wit::Round {
    let bids = round.bids.iter().map(|bid| wit::Bid {
        id: bid.id.clone(),
        advertiser: bid.advertiser.clone(),
        amount: bid.amount,
        quality_bps: bid.quality_bps,
        version: bid.version,
    });
    wit::Round {
        terms: terms(&round.terms),
        seed: round.seed.clone(),
        bids: bids.collect(),
    }
}

fn outcome(outcome: wit::Outcome) -> Outcome {
    match outcome {
        wit::Outcome::Refused(refused) => Err(problem(refused)),
        wit::Outcome::Ranked(ranked) => Ok(Ranked {
            placed: ranked.placed.into_iter().map(placed).collect(),
            unplaced: ranked.unplaced.into_iter().map(unplaced).collect(),
        }),
    }
}

fn placed(placed: wit::Placed) -> Placed {
    let parts = placed.parts.into_iter().map(|part| Part {
        by: match part.by {
            wit::Setter::Bid(id) => Setter::Bid(id),
            wit::Setter::Reserve => Setter::Reserve,
            wit::Setter::Itself => Setter::Itself,
            wit::Setter::Nobody => Setter::Nobody,
        },
        counted: part.counted,
        weight: part.weight,
    });
    Placed {
        slot: placed.slot,
        bid: placed.bid,
        score: placed.score,
        price: placed.price,
        parts: parts.collect(),
    }
}

fn unplaced(unplaced: wit::Unplaced) -> Unplaced {
    Unplaced {
        bid: unplaced.bid,
        reason: match unplaced.reason {
            wit::Reason::BelowReserve => Reason::BelowReserve,
            wit::Reason::OwnBetterBid => Reason::OwnBetterBid,
            wit::Reason::Outbid => Reason::Outbid,
        },
    }
}

fn problem(problem: wit::Problem) -> Problem {
    Problem {
        code: problem.code,
        english: problem.english,
        chinese: problem.chinese,
    }
}
