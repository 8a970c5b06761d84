//! The seam to the plugged auction: in a component the import `linli:auction/ranking`, natively the library that the
//! plugins are made of, by a rule that tests choose.

use auction::{Ranked, Round, Terms};
use kernel::{Message, Refusal};

/// Holds rounds by one rule.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(target_family = "wasm", derive(Default))]
pub struct Auctioneer {
    /// The rule; in a component the plugin is one.
    #[cfg(not(target_family = "wasm"))]
    pub rule: auction::Rule,
}

#[cfg(not(target_family = "wasm"))]
impl Default for Auctioneer {
    fn default() -> Self {
        Self {
            rule: auction::Rule::Gsp,
        }
    }
}

impl Auctioneer {
    /// Whether rounds can be held on the terms.
    ///
    /// # Errors
    /// 422 with what is wrong with them.
    pub(crate) fn check(self, terms: &Terms) -> Result<(), Refusal> {
        engine::check(self, terms).map_err(refused)
    }

    /// Holds a round.
    ///
    /// # Errors
    /// 422 with what is wrong with it.
    pub(crate) fn hold(self, round: &Round) -> Result<Ranked, Refusal> {
        let outcomes = engine::rank(self, std::slice::from_ref(round)).map_err(refused)?;
        match outcomes.into_iter().next() {
            Some(outcome) => outcome.map_err(refused),
            None => Err(refused(auction::Problem {
                code: "no_outcome".to_owned(),
                english: "the auction answered nothing".to_owned(),
                chinese: "竞价未返回结果".to_owned(),
            })),
        }
    }
}

/// What the plugin says, under one code of ours.
fn refused(problem: auction::Problem) -> Refusal {
    Refusal::invalid(
        "round_invalid",
        Message::new(
            format!(
                "The round cannot be held: {} ({}).",
                problem.english, problem.code
            ),
            format!("无法竞价：{}（{}）。", problem.chinese, problem.code),
        ),
    )
}

#[cfg(not(target_family = "wasm"))]
mod engine {
    use auction::{Outcome, Problem, Round, Terms};

    use super::Auctioneer;

    pub(super) fn check(by: Auctioneer, terms: &Terms) -> Result<(), Problem> {
        auction::check(by.rule, terms)
    }

    pub(super) fn rank(by: Auctioneer, rounds: &[Round]) -> Result<Vec<Outcome>, Problem> {
        auction::rank(by.rule, rounds)
    }
}

#[cfg(target_family = "wasm")]
#[path = "clearing/plugged.rs"]
mod engine;
