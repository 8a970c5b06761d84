//! What the platform takes of a sale: the rule that holds, its base, rounded once, and what goes back with refunds.
//!
//! Pure, and whole minor units only. The plugin `components/plugins/commission-percent` is this library behind
//! `linli:settlement/commission`; who asks it is not known here.

mod charge;
mod check;
mod problem;
mod returned;
mod types;

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod story_tests;

pub use charge::{chosen, percent};
pub use problem::Problem;
pub use types::{Charge, Chosen, Line, Outcome, Refund, ReturnOutcome, Rule, SaleKind};

/// The most rules of one call.
pub const RULES_MAX: usize = 2_000;
/// The most lines, or refunds, of one call.
pub const LINES_MAX: usize = 2_000;
/// The most categories above each other.
pub const CATEGORIES_MAX: usize = 16;
/// 100 %, in 1/10,000.
pub const RATE_BPS_MAX: u32 = 10_000;

/// Whether lines can be charged by the rules.
///
/// # Errors
/// A rate above 100 %, an end before the begin, two rules of one scope at one moment, more than [`RULES_MAX`].
pub fn check(rules: &[Rule]) -> Result<(), Problem> {
    check::rules(rules)
}

/// The commission of each line by the most particular rule that holds when it was paid, in their order: merchant before
/// category (the nearest first) before kind before none.
///
/// # Errors
/// As [`check`], and more than [`LINES_MAX`] lines.
pub fn charge(rules: &[Rule], lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
    check(rules)?;
    if lines.len() > LINES_MAX {
        return Err(problem::too_many("lines", "行", LINES_MAX));
    }
    Ok(lines.iter().map(|line| charge::line(rules, line)).collect())
}

/// The commission that goes back with each refund, in their order; the last refund of a line closes its sum.
///
/// # Errors
/// More than [`LINES_MAX`] refunds.
pub fn give_back(refunds: &[Refund]) -> Result<Vec<ReturnOutcome>, Problem> {
    if refunds.len() > LINES_MAX {
        return Err(problem::too_many("refunds", "笔退款", LINES_MAX));
    }
    Ok(refunds.iter().map(returned::amount).collect())
}
