//! The library as a component: `auction::plug!(auction::Rule::Gsp)` is all that a plugin says.

use crate::{Outcome, Rule};

/// What the interface generated; only the macro and this module use it.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit/auction",
        world: "plugin",
        default_bindings_module: "::auction::plugin::bindings",
        runtime_path: "::wit_bindgen::rt",
        pub_export_macro: true,
    });
}

use bindings::exports::linli::auction::ranking as wit;

/// Answers `check`.
///
/// # Errors
/// As [`crate::check`].
pub fn check(rule: Rule, terms: wit::Terms) -> Result<(), wit::Problem> {
    crate::check(rule, &terms.into()).map_err(Into::into)
}

/// Answers `rank`.
///
/// # Errors
/// As [`crate::rank`].
pub fn rank(rule: Rule, rounds: Vec<wit::Round>) -> Result<Vec<wit::Outcome>, wit::Problem> {
    let rounds: Vec<crate::Round> = rounds.into_iter().map(Into::into).collect();
    let outcomes = crate::rank(rule, &rounds)?;
    Ok(outcomes.into_iter().map(outcome).collect())
}

fn outcome(outcome: Outcome) -> wit::Outcome {
    match outcome {
        Ok(ranked) => wit::Outcome::Ranked(ranked.into()),
        Err(problem) => wit::Outcome::Refused(problem.into()),
    }
}

impl From<wit::Terms> for crate::Terms {
    fn from(terms: wit::Terms) -> Self {
        Self {
            weights: terms.weights,
            reserve: match terms.reserve {
                wit::Reserve::None => crate::Reserve::None,
                wit::Reserve::Unweighted(least) => crate::Reserve::Unweighted(least),
                wit::Reserve::Weighted(least) => crate::Reserve::Weighted(least),
            },
            increment: terms.increment,
        }
    }
}

impl From<wit::Round> for crate::Round {
    fn from(round: wit::Round) -> Self {
        let bids = round.bids.into_iter().map(|bid| crate::Bid {
            id: bid.id,
            advertiser: bid.advertiser,
            amount: bid.amount,
            quality_bps: bid.quality_bps,
            version: bid.version,
        });
        Self {
            terms: round.terms.into(),
            seed: round.seed,
            bids: bids.collect(),
        }
    }
}

impl From<crate::Ranked> for wit::Ranked {
    fn from(ranked: crate::Ranked) -> Self {
        let unplaced = ranked.unplaced.into_iter().map(|unplaced| wit::Unplaced {
            bid: unplaced.bid,
            reason: match unplaced.reason {
                crate::Reason::BelowReserve => wit::Reason::BelowReserve,
                crate::Reason::OwnBetterBid => wit::Reason::OwnBetterBid,
                crate::Reason::Outbid => wit::Reason::Outbid,
            },
        });
        Self {
            placed: ranked.placed.into_iter().map(Into::into).collect(),
            unplaced: unplaced.collect(),
        }
    }
}

impl From<crate::Placed> for wit::Placed {
    fn from(placed: crate::Placed) -> Self {
        let parts = placed.parts.into_iter().map(|part| wit::Part {
            by: match part.by {
                crate::Setter::Bid(id) => wit::Setter::Bid(id),
                crate::Setter::Reserve => wit::Setter::Reserve,
                crate::Setter::Itself => wit::Setter::Itself,
                crate::Setter::Nobody => wit::Setter::Nobody,
            },
            counted: part.counted,
            weight: part.weight,
        });
        Self {
            slot: placed.slot,
            bid: placed.bid,
            score: placed.score,
            price: placed.price,
            parts: parts.collect(),
        }
    }
}

impl From<crate::Problem> for wit::Problem {
    fn from(problem: crate::Problem) -> Self {
        Self {
            code: problem.code,
            english: problem.english,
            chinese: problem.chinese,
        }
    }
}
