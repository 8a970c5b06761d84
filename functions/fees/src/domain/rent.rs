//! Rent that rises every so many months of a contract.

use chrono::{Months, NaiveDate};
use tariff::{Problem, Rounding};

use super::Stretch;

/// The most rises of one contract.
const RISES_MAX: u32 = 600;

/// Every so many months the rent rises by a rate; each rise is rounded to the fen, half up, as contracts write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// After how many months, each time.
    pub every_months: u32,
    /// By how much, in 1/10,000.
    pub rate_bps: i64,
}

/// The rent of a stretch of a month, exact: numerator and denominator in fen, and the monthly rents with the days of each.
pub type Rent = (i128, i128, Vec<(i64, i64)>);

/// The exact rent of a stretch of a month, for a contract that began on `start`.
///
/// # Errors
/// An amount beyond every range.
pub fn rent(
    (monthly_fen, start): (i64, NaiveDate),
    escalation: Option<Escalation>,
    stretch: Stretch,
) -> Result<Rent, Problem> {
    let mut rents = Vec::new();
    let (mut amount, mut from) = (monthly_fen, stretch.first);
    let steps = escalation.filter(|escalation| escalation.every_months > 0);
    for rise in 1..=RISES_MAX {
        let next = steps.and_then(|steps| {
            let months = steps.every_months.checked_mul(rise)?;
            start.checked_add_months(Months::new(months))
        });
        let until = next.map_or(stretch.until, |next| next.min(stretch.until));
        if until > from {
            rents.push((amount, (until - from).num_days()));
            from = until;
        }
        let Some(steps) = steps.filter(|_| from < stretch.until) else {
            break;
        };
        let raised = i128::from(amount) * (10_000 + i128::from(steps.rate_bps));
        amount = tariff::to_fen(raised, 10_000, Rounding::default())?;
    }
    let days = i128::from(stretch.month.days());
    let numerator = rents
        .iter()
        .map(|(amount, of_days)| i128::from(*amount) * i128::from(*of_days))
        .sum();
    Ok((numerator, days, rents))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Month;

    fn check(month: &str, start: &str, expected: &[(i64, i64)]) {
        let month = Month::parse(month).unwrap();
        let start: NaiveDate = start.parse().unwrap();
        let stretch = month.part(Some(start), None).unwrap();
        let escalation = Escalation {
            every_months: 12,
            rate_bps: 500,
        };
        let (numerator, days, rents) = rent((100_000, start), Some(escalation), stretch).unwrap();
        assert_eq!(rents, expected);
        let sum: i64 = expected.iter().map(|(amount, days)| amount * days).sum();
        assert_eq!(
            (numerator, days),
            (i128::from(sum), i128::from(month.days()))
        );
    }

    #[test]
    fn rent_rises_on_its_anniversary_and_in_the_middle_of_a_month_for_its_days() {
        check("2025-12", "2025-01-01", &[(100_000, 31)]);
        check("2026-01", "2025-01-01", &[(105_000, 31)]);
        check("2027-01", "2025-01-01", &[(110_250, 31)]);
        check("2026-06", "2025-06-16", &[(100_000, 15), (105_000, 15)]);
        check("2025-06", "2025-06-16", &[(100_000, 15)]);
    }

    #[test]
    fn an_anniversary_of_29_february_falls_on_the_28th() {
        check("2029-02", "2028-02-29", &[(100_000, 27), (105_000, 1)]);
    }
}
