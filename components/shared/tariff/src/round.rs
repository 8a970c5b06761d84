//! The one rounding of a line.

use crate::problem::too_large;
use crate::{Problem, Rounding, RoundingMode, RoundingUnit};

/// How many of the exact unit (1/100,000 fen) a fen has.
const EXACT_PER_FEN: i128 = 100_000;

/// The exact amount, rounded once; in fen.
pub(crate) fn to_fen(exact: i128, rounding: Rounding) -> Result<i64, Problem> {
    let fen = match rounding.to {
        RoundingUnit::Fen => 1,
        RoundingUnit::Jiao => 10,
        RoundingUnit::Yuan => 100,
    };
    let step = EXACT_PER_FEN * fen;
    let (whole, rest) = (exact / step, exact % step);
    let away = match rounding.mode {
        RoundingMode::Down => false,
        RoundingMode::Up => rest != 0,
        RoundingMode::HalfUp => rest.abs() * 2 >= step,
    };
    let whole = whole + if away { exact.signum() } else { 0 };
    i64::try_from(whole * fen).map_err(|_| too_large())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(exact: i128, mode: RoundingMode, to: RoundingUnit, fen: i64) {
        assert_eq!(to_fen(exact, Rounding { mode, to }), Ok(fen));
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
        check(0, Up, Yuan, 0);
    }
}
