//! A tariff as people write it: dated prices, checked by the plugged rating before they are kept.

use chrono::NaiveDate;
use kernel::{Message, Refusal};
use tariff::{Cycle, PricePeriod, Prices, Rounding, Schedule, Uplift, day_of};

/// The terms of a tariff.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffTerms {
    /// The one rounding of a line; half up to the fen unless it says otherwise.
    pub rounding: Option<Rounding>,
    /// After what tiers begin anew; each month on the first unless it says otherwise.
    pub cycle: Option<Cycle>,
    /// What large households get.
    pub uplift: Option<Uplift>,
    /// Whether tiers shrink in the cycle of a move-in.
    pub prorate_move_in: Option<bool>,
    /// The prices by days.
    pub periods: Vec<DatedPrices>,
}

/// Prices from a day until another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedPrices {
    /// The first day.
    pub first_day: NaiveDate,
    /// The first day after; absent while it is open.
    pub until_day: Option<NaiveDate>,
    /// The prices.
    pub prices: Prices,
}

/// The schedule that the terms say.
#[must_use]
pub fn schedule(terms: &TariffTerms) -> Schedule {
    let periods = terms.periods.iter().map(|period| PricePeriod {
        first: day_of(period.first_day),
        until: period.until_day.map(day_of),
        prices: period.prices.clone(),
    });
    Schedule {
        rounding: terms.rounding.unwrap_or_default(),
        cycle: terms.cycle.unwrap_or(Cycle::Month(1)),
        uplift: terms.uplift,
        prorate_move_in: terms.prorate_move_in.unwrap_or(false),
        periods: periods.collect(),
    }
}

/// No such tariff, or none that the caller may know.
#[must_use]
pub fn unknown_tariff() -> Refusal {
    Refusal::not_found(
        "tariff_unknown",
        Message::new(
            "There is no such tariff. Check its id and its community.",
            "未找到该价目，请检查编号和所属小区。",
        ),
    )
}
