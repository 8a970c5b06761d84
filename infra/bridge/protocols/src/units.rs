//! The codes of units in one byte that CJ/T 188 and the fixed structure of M-Bus share.

use crate::Error;
use crate::amount::{Scale, Unit};

/// What one whole unit of that code is worth.
pub fn scale(code: u8) -> Result<Scale, Error> {
    let step = |from: u8| i32::from(code - from);
    Ok(match code {
        0x02..=0x0A => Scale::ten(step(0x02) - 3, Unit::KilowattHour),
        0x0B..=0x13 => Scale::joules(step(0x0B) + 3),
        0x14..=0x1C => Scale::ten(step(0x14), Unit::Watt),
        // 1 kJ/h is 1/3.6 W.
        0x1D..=0x25 => Scale {
            numerator: 1,
            denominator: 36,
            exponent: step(0x1D) + 1,
            unit: Unit::Watt,
        },
        0x26..=0x2E => Scale::ten(step(0x26) - 6, Unit::CubicMetre),
        0x2F..=0x37 => Scale::ten(step(0x2F) - 6, Unit::CubicMetrePerHour),
        0x38 => Scale::ten(-3, Unit::DegreeCelsius),
        0x39 | 0x3F => Scale::ten(0, Unit::One),
        _ => {
            return Err(Error::Unknown {
                what: "unit",
                code: code.into(),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_worth_what_the_standards_say() {
        for (code, steps, milli, unit) in [
            (0x02, 1, 1, Unit::KilowattHour),
            (0x05, 1, 1_000, Unit::KilowattHour),
            (0x08, 1, 1_000_000, Unit::KilowattHour),
            (0x0A, 1, 100_000_000, Unit::KilowattHour),
            (0x0B, 3_600, 1_000, Unit::KilowattHour),
            (0x0E, 36, 10_000, Unit::KilowattHour),
            (0x11, 36, 10_000_000, Unit::KilowattHour),
            (0x13, 36, 1_000_000_000, Unit::KilowattHour),
            (0x17, 1, 1_000_000, Unit::Watt),
            (0x1A, 1, 1_000_000_000, Unit::Watt),
            (0x1D, 36, 10_000, Unit::Watt),
            (0x29, 1, 1, Unit::CubicMetre),
            (0x2C, 1, 1_000, Unit::CubicMetre),
            (0x32, 1, 1, Unit::CubicMetrePerHour),
            (0x35, 1, 1_000, Unit::CubicMetrePerHour),
        ] {
            let amount = scale(code).unwrap().of(steps).unwrap();
            assert_eq!((amount.milli, amount.unit), (milli, unit), "{code:02X}");
        }
        assert!(scale(0x3A).is_err() && scale(0x00).is_err() && scale(0xFF).is_err());
    }
}
