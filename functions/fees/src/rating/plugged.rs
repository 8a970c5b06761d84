//! The plugged component: values of ours become values of the interface, and back.

use tariff::{Charge, Cycle, Line, Outcome, Part, Prices, Problem, RoundingMode, RoundingUnit};

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        path: "../../wit/tariff",
        world: "caller",
    });
}

use bindings::linli::tariff::rating as wit;

pub(super) fn check(schedule: &tariff::Schedule) -> Result<(), Problem> {
    wit::check(&told(schedule)).map_err(problem)
}

pub(super) fn rate(schedule: &tariff::Schedule, lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
    let lines: Vec<wit::Line> = lines.iter().map(line).collect();
    let rated = wit::rate(&told(schedule), &lines).map_err(problem)?;
    Ok(rated.into_iter().map(outcome).collect())
}

fn problem(problem: wit::Problem) -> Problem {
    Problem {
        code: problem.code,
        english: problem.english,
        chinese: problem.chinese,
    }
}

fn outcome(outcome: wit::Outcome) -> Outcome {
    match outcome {
        wit::Outcome::Refused(refused) => Err(problem(refused)),
        wit::Outcome::Charged(charge) => Ok(Charge {
            amount_fen: charge.amount_fen,
            exact: charge.exact,
            parts: charge
                .parts
                .into_iter()
                .map(|part| Part {
                    tier: part.tier,
                    band: part.band,
                    price: part.price,
                    quantity_milli: part.quantity_milli,
                })
                .collect(),
        }),
    }
}

fn line(line: &Line) -> wit::Line {
    wit::Line {
        first: line.first,
        until: line.until,
        quantity_milli: line.quantity_milli,
        bands: line
            .bands
            .iter()
            .map(|band| wit::Band {
                name: band.name.clone(),
                quantity_milli: band.quantity_milli,
            })
            .collect(),
        used_milli: line.used_milli,
        persons: line.persons,
        moved_in: line.moved_in,
    }
}

fn told(schedule: &tariff::Schedule) -> wit::Schedule {
    let periods = schedule.periods.iter().map(|period| wit::PricePeriod {
        first: period.first,
        until: period.until,
        prices: prices(&period.prices),
    });
    wit::Schedule {
        rounding: wit::Rounding {
            mode: match schedule.rounding.mode {
                RoundingMode::HalfUp => wit::RoundingMode::HalfUp,
                RoundingMode::Up => wit::RoundingMode::Up,
                RoundingMode::Down => wit::RoundingMode::Down,
            },
            to: match schedule.rounding.to {
                RoundingUnit::Fen => wit::RoundingUnit::Fen,
                RoundingUnit::Jiao => wit::RoundingUnit::Jiao,
                RoundingUnit::Yuan => wit::RoundingUnit::Yuan,
            },
        },
        cycle: match schedule.cycle {
            Cycle::Month(day) => wit::Cycle::Month(day),
            Cycle::Year(month, day) => wit::Cycle::Year((month, day)),
        },
        uplift: schedule.uplift.map(|uplift| wit::Uplift {
            above_persons: uplift.above_persons,
            per_person_milli: uplift.per_person_milli,
        }),
        prorate_move_in: schedule.prorate_move_in,
        periods: periods.collect(),
    }
}

fn prices(prices: &Prices) -> wit::Prices {
    match prices {
        Prices::Flat(price) => wit::Prices::Flat(*price),
        Prices::Tiered(tiers) => {
            let tiers = tiers.iter().map(|tier| wit::Tier {
                above_milli: tier.above_milli,
                up_to_milli: tier.up_to_milli,
                price: tier.price,
            });
            wit::Prices::Tiered(tiers.collect())
        }
        Prices::TimeOfUse(bands) => {
            let bands = bands.iter().map(|band| wit::BandPrice {
                name: band.name.clone(),
                price: band.price,
            });
            wit::Prices::TimeOfUse(bands.collect())
        }
    }
}
