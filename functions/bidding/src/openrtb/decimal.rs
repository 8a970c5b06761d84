//! Prices as they stand in JSON: decimal text that never becomes a float. Read, it is micros of a yuan, rounded up where
//! it is finer, so that a floor is never undercut; what is larger than anything becomes the largest.

use std::fmt;

/// The most digits that a number is read from.
const DIGITS_MAX: usize = 400;
/// How many micros a unit is, in digits.
const SCALE: i32 = 6;

/// A number that is not negative, in millionths, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i64);

/// Why a text is no price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalError;

impl fmt::Display for DecimalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a price is a decimal number that is not negative")
    }
}

impl std::error::Error for DecimalError {}

impl Decimal {
    /// Reads a JSON number.
    ///
    /// # Errors
    /// When it is none, below zero, or longer than any price.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        if text.len() > DIGITS_MAX {
            return Err(DecimalError);
        }
        let (number, exponent) = match text.split_once(['e', 'E']) {
            None => (text, 0),
            Some((number, exponent)) => (number, exponent_of(exponent)?),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(DecimalError);
        }
        let all = format!("{whole}{fraction}");
        // The value is all / 10^(length of the fraction) x 10^exponent.
        let shift = SCALE + exponent - i32::try_from(fraction.len()).map_err(|_| DecimalError)?;
        Ok(Self(scaled(all.trim_start_matches('0'), shift)))
    }

    /// The millionths.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// As fen, rounded up: so many fen at least.
    #[must_use]
    pub fn fen_up(self) -> i64 {
        self.0 / 10_000 + i64::from(self.0 % 10_000 != 0)
    }
}

fn exponent_of(text: &str) -> Result<i32, DecimalError> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(DecimalError);
    }
    // Beyond that it is as good as nothing, or as everything.
    Ok(sign * digits.parse::<i32>().unwrap_or(1_000).min(1_000))
}

/// Digits times 10^shift, rounded up, the largest number where it is larger.
fn scaled(digits: &str, shift: i32) -> i64 {
    if digits.is_empty() {
        return 0;
    }
    let dropped = usize::try_from(-shift).unwrap_or(0);
    let (kept, rest) = digits.split_at(digits.len().saturating_sub(dropped));
    let mut value: i64 = 0;
    let zeros = usize::try_from(shift).unwrap_or(0);
    for digit in kept.bytes().chain(std::iter::repeat_n(b'0', zeros)) {
        let next = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i64::from(digit - b'0')));
        match next {
            Some(next) => value = next,
            None => return i64::MAX,
        }
    }
    let is_finer = rest.bytes().any(|digit| digit != b'0');
    value.saturating_add(i64::from(is_finer))
}

/// An amount of fen as yuan: `12.34`.
#[must_use]
pub fn yuan_of_fen(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// An amount of micros as yuan: `0.012340`.
#[must_use]
pub fn yuan_of_micros(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, micros: i64) {
        assert_eq!(
            Decimal::parse(text).map(Decimal::micros),
            Ok(micros),
            "{text}"
        );
    }

    #[test]
    fn a_price_is_read_exactly_and_rounded_up_where_it_is_finer() {
        check("0", 0);
        check("0.03", 30_000);
        check("12", 12_000_000);
        check("1.5e1", 15_000_000);
        check("15E-1", 1_500_000);
        check("0.12345678901234567890", 123_457);
        check("0.0000001", 1);
        check("1e-400", 1);
        // 0.1 + 0.2 as a float would say otherwise.
        check("0.30000000000000004", 300_001);
    }

    #[test]
    fn a_price_of_twenty_digits_is_more_than_anybody_bids() {
        check("12345678901234567890", i64::MAX);
        check("1e300", i64::MAX);
        check("9223372036854.775807", i64::MAX);
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "", "-1", "-0.1", ".5", "5.", "1e", "1e+", "0x1", "NaN", "1,5", "\"1\"", "null",
        ] {
            assert_eq!(Decimal::parse(text), Err(DecimalError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(minor in 0_i64..10_000_000_000) {
            check(&yuan_of_fen(minor), minor * 10_000);
            check(&yuan_of_micros(minor), minor);
        }

        #[test]
        fn any_text_is_a_price_or_none(text in "[0-9eE.+-]{0,30}") {
            if let Ok(price) = Decimal::parse(&text) {
                prop_assert!(price.micros() >= 0);
            }
        }
    }
}
