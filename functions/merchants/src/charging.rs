//! The seam to the plugged commission: in a component the import `linli:settlement/commission`, natively the library
//! that the plugin is made of.

use commission::{Line, Outcome, Problem, Rule};

/// The commission of each line, in their order.
///
/// # Errors
/// What is wrong with the rules.
pub(crate) fn charge(rules: &[Rule], lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
    engine::charge(rules, lines)
}

#[cfg(not(target_family = "wasm"))]
mod engine {
    pub(super) use commission::charge;
}

#[cfg(target_family = "wasm")]
#[path = "charging/plugged.rs"]
mod engine;
