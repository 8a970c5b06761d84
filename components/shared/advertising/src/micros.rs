//! Money while it accrues: millionths of a yuan, so that the price of one of a thousand views is whole.

use kernel::{Currency, Money, Rounding};

/// How many micros a fen is.
pub const MICROS_PER_MINOR: i64 = 10_000;

/// An amount in millionths of the currency's unit; below zero where something is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(i64);

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// That many millionths.
    #[must_use]
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// Whole fen as micros; none beyond what fits.
    #[must_use]
    pub fn of_minor(minor: i64) -> Option<Self> {
        minor.checked_mul(MICROS_PER_MINOR).map(Self)
    }

    /// What one view costs at this price for a thousand, in fen: always whole.
    #[must_use]
    pub fn of_thousand(minor: i64) -> Option<Self> {
        minor.checked_mul(MICROS_PER_MINOR / 1_000).map(Self)
    }

    /// The millionths.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// The sum; none beyond what fits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference; none beyond what fits.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Whole fen, halves away from zero. The one rounding: see [`invoiced`].
    #[must_use]
    pub fn rounded(self) -> i64 {
        let rounded =
            Money::new(self.0, Currency::Cny).times(1, MICROS_PER_MINOR, Rounding::HalfUp);
        // The quotient of an i64 fits.
        rounded.map_or(0, Money::minor)
    }
}

/// What an invoice asks for: all that a line has ever accrued, rounded half up once, less what earlier invoices asked
/// for. So however many months a line runs, it pays its whole sum rounded once.
#[must_use]
pub fn invoiced(accrued: Micros, charged_before_minor: i64) -> i64 {
    accrued.rounded().saturating_sub(charged_before_minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_view_of_a_thousand_for_fifteen_yuan_is_fifteen_thousand_micros() {
        assert_eq!(Micros::of_thousand(1_500), Some(Micros::new(15_000)));
        assert_eq!(Micros::of_minor(3), Some(Micros::new(30_000)));
        assert_eq!(Micros::of_minor(i64::MAX), None);
        for (micros, minor) in [
            (4_999, 0),
            (5_000, 1),
            (-5_000, -1),
            (14_999, 1),
            (15_000, 2),
        ] {
            assert_eq!(Micros::new(micros).rounded(), minor, "{micros}");
        }
    }

    proptest! {
        #[test]
        fn however_many_invoices_they_sum_to_one_rounding(months in prop::collection::vec(0_i64..50_000_000, 1..24)) {
            let (mut accrued, mut charged) = (Micros::ZERO, 0);
            for month in months {
                accrued = accrued.plus(Micros::new(month)).unwrap();
                let owed = invoiced(accrued, charged);
                prop_assert!(owed >= 0, "nothing is given back when more accrues");
                charged += owed;
            }
            prop_assert_eq!(charged, accrued.rounded());
        }
    }
}
