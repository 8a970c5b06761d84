//! The library as a component: `tariff::plug!(tariff::Kinds::Flat)` is all that a plugin says.

use crate::{Kinds, Outcome};

/// What the interface generated; only the macro and this module use it.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit/tariff",
        world: "plugin",
        default_bindings_module: "::tariff::plugin::bindings",
        runtime_path: "::wit_bindgen::rt",
        pub_export_macro: true,
    });
}

use bindings::exports::linli::tariff::rating as wit;

/// Answers `check`.
///
/// # Errors
/// As [`crate::check`].
pub fn check(kinds: Kinds, schedule: wit::Schedule) -> Result<(), wit::Problem> {
    crate::check(kinds, &schedule.into()).map_err(Into::into)
}

/// Answers `rate`.
///
/// # Errors
/// As [`crate::rate`].
pub fn rate(
    kinds: Kinds,
    schedule: wit::Schedule,
    lines: Vec<wit::Line>,
) -> Result<Vec<wit::Outcome>, wit::Problem> {
    let lines: Vec<crate::Line> = lines.into_iter().map(Into::into).collect();
    let rated = crate::rate(kinds, &schedule.into(), &lines)?;
    Ok(rated.into_iter().map(outcome).collect())
}

fn outcome(outcome: Outcome) -> wit::Outcome {
    match outcome {
        Ok(charge) => wit::Outcome::Charged(charge.into()),
        Err(problem) => wit::Outcome::Refused(problem.into()),
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

impl From<crate::Charge> for wit::Charge {
    fn from(charge: crate::Charge) -> Self {
        let parts = charge.parts.into_iter().map(|part| wit::Part {
            tier: part.tier,
            band: part.band,
            price: part.price,
            quantity_milli: part.quantity_milli,
        });
        Self {
            amount_fen: charge.amount_fen,
            exact: charge.exact,
            parts: parts.collect(),
        }
    }
}

impl From<wit::Line> for crate::Line {
    fn from(line: wit::Line) -> Self {
        let bands = line.bands.into_iter().map(|band| crate::Band {
            name: band.name,
            quantity_milli: band.quantity_milli,
        });
        Self {
            first: line.first,
            until: line.until,
            quantity_milli: line.quantity_milli,
            bands: bands.collect(),
            used_milli: line.used_milli,
            persons: line.persons,
            moved_in: line.moved_in,
        }
    }
}

impl From<wit::Schedule> for crate::Schedule {
    fn from(schedule: wit::Schedule) -> Self {
        Self {
            rounding: schedule.rounding.into(),
            cycle: match schedule.cycle {
                wit::Cycle::Month(day) => crate::Cycle::Month(day),
                wit::Cycle::Year((month, day)) => crate::Cycle::Year(month, day),
            },
            uplift: schedule.uplift.map(|uplift| crate::Uplift {
                above_persons: uplift.above_persons,
                per_person_milli: uplift.per_person_milli,
            }),
            prorate_move_in: schedule.prorate_move_in,
            periods: schedule.periods.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<wit::Rounding> for crate::Rounding {
    fn from(rounding: wit::Rounding) -> Self {
        Self {
            mode: match rounding.mode {
                wit::RoundingMode::HalfUp => crate::RoundingMode::HalfUp,
                wit::RoundingMode::Up => crate::RoundingMode::Up,
                wit::RoundingMode::Down => crate::RoundingMode::Down,
            },
            to: match rounding.to {
                wit::RoundingUnit::Fen => crate::RoundingUnit::Fen,
                wit::RoundingUnit::Jiao => crate::RoundingUnit::Jiao,
                wit::RoundingUnit::Yuan => crate::RoundingUnit::Yuan,
            },
        }
    }
}

impl From<wit::PricePeriod> for crate::PricePeriod {
    fn from(period: wit::PricePeriod) -> Self {
        Self {
            first: period.first,
            until: period.until,
            prices: match period.prices {
                wit::Prices::Flat(price) => crate::Prices::Flat(price),
                wit::Prices::Tiered(tiers) => {
                    let tiers = tiers.into_iter().map(|tier| crate::Tier {
                        above_milli: tier.above_milli,
                        up_to_milli: tier.up_to_milli,
                        price: tier.price,
                    });
                    crate::Prices::Tiered(tiers.collect())
                }
                wit::Prices::TimeOfUse(bands) => {
                    let bands = bands.into_iter().map(|band| crate::BandPrice {
                        name: band.name,
                        price: band.price,
                    });
                    crate::Prices::TimeOfUse(bands.collect())
                }
            },
        }
    }
}
