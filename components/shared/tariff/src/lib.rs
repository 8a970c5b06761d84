//! How usage becomes money: schedules, tiers and bands, exact until the one rounding of a line.
//!
//! Pure, and whole numbers only: a price is in 1/10,000 yuan for a unit, usage in 1/1,000 of the unit, so that a
//! product is in 1/100,000 fen. The plugins under `components/plugins` are this library behind `linli:tariff/rating`;
//! who asks them is not known here.

mod calendar;
mod check;
mod kinds;
#[cfg(target_family = "wasm")]
pub mod plugin;
mod problem;
mod rate;
mod round;
mod types;

pub use calendar::{Day, date_of, day_of};
pub use kinds::Kinds;
pub use problem::Problem;
pub use round::to_fen;
pub use types::{
    Band, BandPrice, Charge, Cycle, Line, Part, PricePeriod, Prices, Rounding, RoundingMode,
    RoundingUnit, Schedule, Tier, Uplift,
};

#[cfg(test)]
mod beijing_tests;
#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod many_tests;

/// Makes the component's export: it rates the kinds of schedules that it is given. In a native build it makes nothing.
#[macro_export]
macro_rules! plug {
    ($kinds:expr) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::plugin::bindings::exports::linli::tariff::rating;

            struct Plugin;

            impl rating::Guest for Plugin {
                fn check(
                    schedule: rating::Schedule,
                ) -> ::core::result::Result<(), rating::Problem> {
                    $crate::plugin::check($kinds, schedule)
                }

                fn rate(
                    schedule: rating::Schedule,
                    lines: ::std::vec::Vec<rating::Line>,
                ) -> ::core::result::Result<::std::vec::Vec<rating::Outcome>, rating::Problem>
                {
                    $crate::plugin::rate($kinds, schedule, lines)
                }
            }

    $crate::plugin::bindings::export!(Plugin with_types_in $crate::plugin::bindings);
        };
    };
}

/// The most lines of one call.
pub const LINES_MAX: usize = 2_000;

/// What becomes of one line.
pub type Outcome = Result<Charge, Problem>;

/// Whether lines can be rated by the schedule, of one of these kinds.
///
/// # Errors
/// A gap or an overlap between tiers or price periods, a price or a bound that is none, a kind that is not rated here.
pub fn check(kinds: Kinds, schedule: &Schedule) -> Result<(), Problem> {
    check::schedule(kinds, schedule)
}

/// Rates the lines by the schedule: an answer for each, in their order.
///
/// # Errors
/// As [`check`], and more than [`LINES_MAX`] lines.
pub fn rate(kinds: Kinds, schedule: &Schedule, lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
    check(kinds, schedule)?;
    if lines.len() > LINES_MAX {
        return Err(problem::too_many_lines());
    }
    Ok(lines
        .iter()
        .map(|line| rate::line(schedule, line))
        .collect())
}
