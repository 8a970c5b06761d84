//! Money: whole minor units and a currency. Multiply wide, round once, split without losing a fen.

use std::fmt;

/// An ISO 4217 currency with two decimals, or none.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Currency {
    /// Renminbi; the minor unit is the fen.
    #[serde(rename = "CNY")]
    Cny,
}

impl Currency {
    /// Every currency.
    pub const ALL: [Self; 1] = [Self::Cny];

    /// The code of ISO 4217.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
        }
    }

    /// The currency of that code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.as_str() == text)
    }
}

/// How the one rounding of a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest minor unit, halves away from zero.
    HalfUp,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

/// An amount: `minor` units (fen) of `currency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyError {
    /// Two currencies in one sum.
    CurrencyMismatch,
    /// Beyond 2^63 minor units.
    Overflow,
    /// A divisor of zero.
    DivisionByZero,
    /// A negative weight, or no weight above zero.
    Weights,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CurrencyMismatch => "amounts of two currencies cannot be added",
            Self::Overflow => "the amount is too large",
            Self::DivisionByZero => "the divisor is zero",
            Self::Weights => "weights must not be negative, and one must be above zero",
        })
    }
}

impl std::error::Error for MoneyError {}

impl Money {
    /// That many minor units.
    #[must_use]
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// Other currency, or overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The difference.
    ///
    /// # Errors
    /// Other currency, or overflow.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        let minor = other.minor.checked_neg().ok_or(MoneyError::Overflow)?;
        self.plus(Self { minor, ..other })
    }

    /// This amount times `numerator / denominator`, rounded once.
    ///
    /// # Errors
    /// A zero denominator, or overflow of the result.
    pub fn times(
        self,
        numerator: i64,
        denominator: i64,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let product = i128::from(self.minor) * i128::from(numerator);
        let minor = divide(product, i128::from(denominator), rounding)?;
        Ok(Self { minor, ..self })
    }

    /// Splits the amount by weights, by largest remainder: the parts sum to the amount, a zero weight gets
    /// nothing, ties go to the lowest index, and a negative amount splits as the mirror of the positive one.
    ///
    /// # Errors
    /// A negative weight, or no weight above zero.
    pub fn split(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        if total == 0 {
            return Err(MoneyError::Weights);
        }
        let magnitude = u128::from(self.minor.unsigned_abs());
        let mut parts: Vec<(u128, u128, usize)> = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let product = wide_product(magnitude, u128::from(*weight));
            parts.push((product / total, product % total, index));
        }
        let shared: u128 = parts.iter().map(|part| part.0).sum();
        let left_over = usize::try_from(magnitude - shared).map_err(|_| MoneyError::Overflow)?;
        // The largest remainders first, among equal ones the earlier part; then back into their places.
        parts.sort_by(|left, right| right.1.cmp(&left.1).then(left.2.cmp(&right.2)));
        for part in parts.iter_mut().take(left_over) {
            part.0 += 1;
        }
        parts.sort_by_key(|part| part.2);
        parts
            .into_iter()
            .map(|(share, _, _)| self.with_magnitude(share))
            .collect()
    }

    fn with_magnitude(self, magnitude: u128) -> Result<Self, MoneyError> {
        let signed = i128::try_from(magnitude).map_err(|_| MoneyError::Overflow)?;
        let signed = if self.minor < 0 { -signed } else { signed };
        Ok(Self {
            minor: i64::try_from(signed).map_err(|_| MoneyError::Overflow)?,
            ..self
        })
    }
}

/// At most 2^63 x 2^64 < 2^128: cannot overflow.
fn wide_product(magnitude: u128, weight: u128) -> u128 {
    magnitude * weight
}

fn divide(numerator: i128, denominator: i128, rounding: Rounding) -> Result<i64, MoneyError> {
    if denominator == 0 {
        return Err(MoneyError::DivisionByZero);
    }
    let (quotient, remainder) = (numerator / denominator, numerator % denominator);
    let away = match rounding {
        Rounding::Down => false,
        Rounding::Up => remainder != 0,
        Rounding::HalfUp => {
            remainder.unsigned_abs() * 2 >= denominator.unsigned_abs() && remainder != 0
        }
    };
    let sign = if (numerator < 0) == (denominator < 0) {
        1
    } else {
        -1
    };
    let rounded = if away { quotient + sign } else { quotient };
    i64::try_from(rounded).map_err(|_| MoneyError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fen(minor: i64) -> Money {
        Money::new(minor, Currency::Cny)
    }

    fn check_split(minor: i64, weights: &[u64], parts: &[i64]) {
        let split = fen(minor).split(weights).unwrap();
        assert_eq!(
            split.iter().map(|part| part.minor()).collect::<Vec<_>>(),
            parts
        );
    }

    #[test]
    fn fifteen_hundredths_of_130_70_is_19_61() {
        assert_eq!(
            fen(13_070).times(15, 100, Rounding::HalfUp).unwrap(),
            fen(1_961)
        );
        assert_eq!(
            fen(13_070).times(15, 100, Rounding::Down).unwrap(),
            fen(1_960)
        );
        assert_eq!(
            fen(-13_070).times(15, 100, Rounding::HalfUp).unwrap(),
            fen(-1_961)
        );
    }

    #[test]
    fn splits_go_by_largest_remainder_and_ties_to_the_lowest_index() {
        check_split(100, &[1, 1, 1], &[34, 33, 33]);
        check_split(5, &[3, 7], &[2, 3]);
        check_split(-5, &[7, 3], &[-4, -1]);
        check_split(15, &[80, 8, 12], &[12, 1, 2]);
        check_split(7, &[1; 10], &[1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
        assert_eq!(fen(1).split(&[0, 0]), Err(MoneyError::Weights));
        assert_eq!(fen(1).split(&[]), Err(MoneyError::Weights));
    }

    proptest! {
        #[test]
        fn a_split_sums_to_the_amount_and_is_sign_symmetric(
            minor in -1_000_000_000_000_i64..=1_000_000_000_000,
            weights in prop::collection::vec(0_u64..=u64::MAX, 1..12),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = fen(minor).split(&weights).unwrap();
            prop_assert_eq!(parts.iter().map(|part| part.minor()).sum::<i64>(), minor);
            let mirrored = fen(-minor).split(&weights).unwrap();
            for ((part, mirror), weight) in parts.iter().zip(&mirrored).zip(&weights) {
                prop_assert_eq!(part.minor(), -mirror.minor());
                prop_assert!(*weight > 0 || part.minor() == 0);
            }
        }

        #[test]
        fn rounding_is_never_off_by_a_whole_unit(minor in -1_000_000_000_i64..1_000_000_000, numerator in 0_i64..100_000) {
            let exact = i128::from(minor) * i128::from(numerator);
            for rounding in [Rounding::HalfUp, Rounding::Up, Rounding::Down] {
                let rounded = i128::from(fen(minor).times(numerator, 10_000, rounding).unwrap().minor());
                prop_assert!((rounded * 10_000 - exact).abs() < 10_000);
            }
        }
    }
}
