//! The one rounding of a line.

use crate::problem::too_large;
use crate::{Problem, Rounding, RoundingMode, RoundingUnit};

/// The amount of `numerator / denominator` fen, rounded once; in fen. The denominator is above zero.
///
/// # Errors
/// An amount beyond every range.
pub fn to_fen(numerator: i128, denominator: i128, rounding: Rounding) -> Result<i64, Problem> {
    let fen = match rounding.to {
        RoundingUnit::Fen => 1,
        RoundingUnit::Jiao => 10,
        RoundingUnit::Yuan => 100,
    };
    let step = denominator
        .checked_mul(fen)
        .filter(|step| *step > 0)
        .ok_or_else(too_large)?;
    let (whole, rest) = (numerator / step, numerator % step);
    let away = match rounding.mode {
        RoundingMode::Down => false,
        RoundingMode::Up => rest != 0,
        RoundingMode::HalfUp => rest.unsigned_abs() >= step.unsigned_abs().div_ceil(2),
    };
    let whole = whole + if away { numerator.signum() } else { 0 };
    let amount = whole.checked_mul(fen).ok_or_else(too_large)?;
    i64::try_from(amount).map_err(|_| too_large())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(exact: i128, mode: RoundingMode, to: RoundingUnit, fen: i64) {
        assert_eq!(to_fen(exact, 100_000, Rounding { mode, to }), Ok(fen));
    }

    #[test]
    fn a_line_is_rounded_to_its_unit_by_its_mode() {
        use RoundingMode::{Down, HalfUp, Up};
        use RoundingUnit::{Fen, Jiao, Yuan};
        check(1_764_050_000, HalfUp, Fen, 17_641);
        check(1_764_050_000, Down, Fen, 17_640);
        check(1_764_000_001, Up, Fen, 17_641);
        check(1_764_050_000, HalfUp, Jiao, 17_640);
        check(1_764_050_000, Up, Jiao, 17_650);
        check(1_764_050_000, HalfUp, Yuan, 17_600);
        check(-1_764_050_000, HalfUp, Fen, -17_641);
        check(0, Up, Yuan, 0);
    }

    #[test]
    fn a_half_is_a_half_of_odd_denominators_too() {
        let rounding = Rounding::default();
        assert_eq!(to_fen(1, 3, rounding), Ok(0));
        assert_eq!(to_fen(2, 3, rounding), Ok(1));
        assert_eq!(to_fen(1, 2, rounding), Ok(1));
        assert!(to_fen(1, 0, rounding).is_err());
    }
}
