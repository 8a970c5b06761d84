//! The seam to the plugged tariff: in a component the import `linli:tariff/rating`, natively the library that the
//! plugins are made of.

use tariff::{Line, Outcome, Problem, Schedule};

/// Whether lines can be rated by the schedule.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(schedule: &Schedule) -> Result<(), Problem> {
    engine::check(schedule)
}

/// Rates the lines, in their order, whatever their number.
///
/// # Errors
/// What is wrong with the schedule.
pub(crate) fn rate(schedule: &Schedule, lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
    let mut rated = Vec::with_capacity(lines.len());
    for chunk in lines.chunks(tariff::LINES_MAX) {
        rated.extend(engine::rate(schedule, chunk)?);
    }
    Ok(rated)
}

#[cfg(not(target_family = "wasm"))]
mod engine {
    use tariff::{Kinds, Line, Outcome, Problem, Schedule};

    pub(super) fn check(schedule: &Schedule) -> Result<(), Problem> {
        tariff::check(Kinds::All, schedule)
    }

    pub(super) fn rate(schedule: &Schedule, lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
        tariff::rate(Kinds::All, schedule, lines)
    }
}

#[cfg(target_family = "wasm")]
#[path = "rating/plugged.rs"]
mod engine;
