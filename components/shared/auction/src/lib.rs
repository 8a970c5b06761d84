//! Who is shown where, and what a click costs: scores, reserves, and four rules of price, in whole numbers.
//!
//! Pure: a round is all that it is told, and held again it ends the same. The plugins under `components/plugins` are
//! this library behind `linli:auction/ranking`; budgets, offers and clicks are not known here.

mod check;
mod order;
#[cfg(target_family = "wasm")]
pub mod plugin;
mod price;
mod problem;
mod types;

pub use problem::Problem;
pub use types::{
    Bid, Outcome, Part, Placed, Ranked, Reason, Reserve, Round, Rule, Setter, Terms, Unplaced,
};

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod many_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod story_tests;

/// Makes the component's export: it holds rounds by the rule that it is given. In a native build it makes nothing.
#[macro_export]
macro_rules! plug {
    ($rule:expr) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::plugin::bindings::exports::linli::auction::ranking;

            struct Plugin;

            impl ranking::Guest for Plugin {
                fn check(terms: ranking::Terms) -> ::core::result::Result<(), ranking::Problem> {
                    $crate::plugin::check($rule, terms)
                }

                fn rank(
                    rounds: ::std::vec::Vec<ranking::Round>,
                ) -> ::core::result::Result<::std::vec::Vec<ranking::Outcome>, ranking::Problem>
                {
                    $crate::plugin::rank($rule, rounds)
                }
            }

    $crate::plugin::bindings::export!(Plugin with_types_in $crate::plugin::bindings);
        };
    };
}

/// The most rounds of one call.
pub const ROUNDS_MAX: usize = 100;
/// The most bids of one round.
pub const BIDS_MAX: usize = 1_000;
/// The most slots of one page.
pub const SLOTS_MAX: usize = 32;
/// The highest bid, unweighted reserve or increment, in the unit of the bids.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;
/// The highest quality, in 1/10,000.
pub const QUALITY_BPS_MAX: u32 = 100_000;
/// The highest score, and so the highest weighted reserve.
pub const SCORE_MAX: i64 = AMOUNT_MAX * QUALITY_BPS_MAX as i64;
/// The highest weight of a slot.
pub const WEIGHT_MAX: u32 = 1_000_000;
/// The longest id of a bid or of an advertiser, in bytes.
pub const ID_BYTES_MAX: usize = 128;
/// The shortest seed of a round, in bytes: a shorter one can be guessed.
pub const SEED_BYTES_MIN: usize = 16;
/// The longest seed of a round, in bytes.
pub const SEED_BYTES_MAX: usize = 64;

/// Whether rounds can be held on the terms by the rule.
///
/// # Errors
/// No slot or more than [`SLOTS_MAX`], a weight of 0 or one that rises, a reserve or an increment that is none, an
/// increment for a rule that adds none.
pub fn check(rule: Rule, terms: &Terms) -> Result<(), Problem> {
    check::terms(rule, terms)
}

/// Holds the rounds by the rule, each by itself: an answer for each, in their order.
///
/// # Errors
/// More than [`ROUNDS_MAX`] rounds.
pub fn rank(rule: Rule, rounds: &[Round]) -> Result<Vec<Outcome>, Problem> {
    if rounds.len() > ROUNDS_MAX {
        return Err(problem::too_many_rounds());
    }
    Ok(rounds.iter().map(|round| hold(rule, round)).collect())
}

fn hold(rule: Rule, round: &Round) -> Outcome {
    check::round(rule, round)?;
    let ranking = order::ranking(round)?;
    Ok(Ranked {
        placed: price::placed(rule, &round.terms, &ranking.contenders),
        unplaced: ranking.unplaced(round.terms.weights.len()),
    })
}
