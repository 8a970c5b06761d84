//! Measured amounts as whole thousandths of their unit, and the only places that scale and round.

use crate::Error;

/// What a meter measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount {
    /// 1/1000 of the unit.
    pub milli: i64,
    /// The unit.
    pub unit: Unit,
}

/// The units in which amounts are told, whatever the meter counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
pub enum Unit {
    /// Active energy and heat.
    #[serde(rename = "kWh")]
    KilowattHour,
    /// Reactive energy.
    #[serde(rename = "kvarh")]
    KilovarHour,
    /// Apparent energy.
    #[serde(rename = "kVAh")]
    KilovoltAmpereHour,
    /// Volume.
    #[serde(rename = "m3")]
    CubicMetre,
    /// Mass.
    #[serde(rename = "kg")]
    Kilogram,
    /// Power.
    #[serde(rename = "W")]
    Watt,
    /// Reactive power.
    #[serde(rename = "var")]
    Var,
    /// Apparent power.
    #[serde(rename = "VA")]
    VoltAmpere,
    /// Voltage.
    #[serde(rename = "V")]
    Volt,
    /// Current.
    #[serde(rename = "A")]
    Ampere,
    /// Frequency.
    #[serde(rename = "Hz")]
    Hertz,
    /// Flow.
    #[serde(rename = "m3/h")]
    CubicMetrePerHour,
    /// Flow as mass.
    #[serde(rename = "kg/h")]
    KilogramPerHour,
    /// Temperature.
    #[serde(rename = "Cel")]
    DegreeCelsius,
    /// A difference of temperatures.
    #[serde(rename = "K")]
    Kelvin,
    /// Pressure.
    #[serde(rename = "bar")]
    Bar,
    /// A duration.
    #[serde(rename = "s")]
    Second,
    /// A number without a unit.
    #[serde(rename = "1")]
    One,
}

/// What one step of a meter's number is worth: numerator / denominator x 10^exponent units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Above the line.
    pub numerator: i64,
    /// Below the line; positive.
    pub denominator: i64,
    /// The power of ten.
    pub exponent: i32,
    /// The unit.
    pub unit: Unit,
}

impl Scale {
    /// A power of ten of the unit.
    pub const fn ten(exponent: i32, unit: Unit) -> Self {
        Self {
            numerator: 1,
            denominator: 1,
            exponent,
            unit,
        }
    }

    /// A power of ten of joules, told in kWh: 1 kWh is 36 x 10^5 J.
    pub const fn joules(exponent: i32) -> Self {
        Self {
            numerator: 1,
            denominator: 36,
            exponent: exponent - 5,
            unit: Unit::KilowattHour,
        }
    }

    /// The same, times a power of ten.
    pub const fn times_ten(self, exponent: i32) -> Self {
        Self {
            exponent: self.exponent + exponent,
            ..self
        }
    }

    /// The amount of a whole number of steps, rounded to the next thousandth, halves away from zero.
    pub fn of(self, steps: i64) -> Result<Amount, Error> {
        self.of_fraction(steps.into(), 1)
    }

    /// The amount of a 32-bit real number in IEEE 754's bits; none for NaN and the infinities.
    pub fn of_real32(self, bits: u32) -> Result<Option<Amount>, Error> {
        let mantissa = i128::from(bits & 0x007F_FFFF);
        let exponent = i32::try_from(bits >> 23 & 0xFF).unwrap_or_default();
        self.of_real(bits >> 31 == 1, mantissa, exponent, (23, 127, 0xFF))
    }

    /// The amount of a 64-bit real number in IEEE 754's bits; none for NaN and the infinities.
    pub fn of_real64(self, bits: u64) -> Result<Option<Amount>, Error> {
        let mantissa = i128::from(bits & 0x000F_FFFF_FFFF_FFFF);
        let exponent = i32::try_from(bits >> 52 & 0x7FF).unwrap_or_default();
        self.of_real(bits >> 63 == 1, mantissa, exponent, (52, 1023, 0x7FF))
    }

    fn of_real(
        self,
        negative: bool,
        mantissa: i128,
        exponent: i32,
        (mantissa_bits, bias, exponent_max): (i32, i32, i32),
    ) -> Result<Option<Amount>, Error> {
        if exponent == exponent_max {
            return Ok(None);
        }
        let whole = match exponent {
            0 => mantissa,
            _ => mantissa | 1 << mantissa_bits,
        };
        let signed = if negative { -whole } else { whole };
        // The number is `signed` x 2^shift.
        let shift = exponent.max(1) - bias - mantissa_bits;
        if signed == 0 || shift < -100 {
            return self.of_fraction(0, 1).map(Some);
        }
        if shift > 0 {
            let factor = two_to(shift).ok_or(Error::OutOfRange)?;
            let steps = signed.checked_mul(factor).ok_or(Error::OutOfRange)?;
            return self.of_fraction(steps, 1).map(Some);
        }
        let denominator = two_to(-shift).ok_or(Error::OutOfRange)?;
        self.of_fraction(signed, denominator).map(Some)
    }

    /// The only rounding: steps / parts x scale x 1000 to a whole number, halves away from zero.
    fn of_fraction(self, steps: i128, parts: i128) -> Result<Amount, Error> {
        let exponent = self.exponent + 3;
        let power = 10_i128.checked_pow(exponent.unsigned_abs());
        let power = power.ok_or(Error::OutOfRange)?;
        let (mut above, mut below) = (steps, parts);
        // Powers of two cancel first, so that real numbers leave room for the rest.
        while above % 2 == 0 && below % 2 == 0 && below > 1 {
            (above, below) = (above / 2, below / 2);
        }
        let above = above.checked_mul(self.numerator.into());
        let below = below.checked_mul(self.denominator.into());
        let (above, below) = if exponent >= 0 {
            (above.and_then(|above| above.checked_mul(power)), below)
        } else {
            (above, below.and_then(|below| below.checked_mul(power)))
        };
        let above = above.ok_or(Error::OutOfRange)?;
        let milli = match below {
            Some(below) => rounded(above, below),
            // Below the line stands more than 2^127, above it less: nothing is left of it.
            None => 0,
        };
        Ok(Amount {
            milli: i64::try_from(milli).map_err(|_| Error::OutOfRange)?,
            unit: self.unit,
        })
    }
}

fn two_to(power: i32) -> Option<i128> {
    let power = u32::try_from(power).ok()?;
    2_i128.checked_pow(power)
}

fn rounded(above: i128, below: i128) -> i128 {
    let (whole, rest) = (above / below, above % below);
    // Twice the rest may not fit; the other half may.
    let away = rest.abs() >= below - rest.abs();
    match (away && rest != 0, above < 0) {
        (false, _) => whole,
        (true, false) => whole + 1,
        (true, true) => whole - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KWH: Scale = Scale::ten(0, Unit::KilowattHour);

    #[test]
    fn a_step_is_scaled_and_rounded_once() {
        for (scale, steps, milli) in [
            (Scale::ten(-2, Unit::KilowattHour), 635, 6_350),
            (Scale::ten(-4, Unit::Watt), 15, 2),
            (Scale::ten(-4, Unit::Watt), -15, -2),
            (Scale::ten(-4, Unit::Watt), 14, 1),
            (Scale::ten(2, Unit::CubicMetre), 3, 300_000),
            (Scale::joules(6), 36, 10_000),
            (Scale::joules(9), 1, 277_778),
        ] {
            assert_eq!(scale.of(steps).map(|amount| amount.milli), Ok(milli));
        }
        assert_eq!(
            Scale::ten(9, Unit::One).of(i64::MAX),
            Err(Error::OutOfRange)
        );
        assert_eq!(Scale::ten(60, Unit::One).of(1), Err(Error::OutOfRange));
    }

    #[test]
    fn real_numbers_become_thousandths_without_a_float() {
        for (bits, milli) in [
            (0x4366_3334, Some(230_200)),
            (0x449A_5000, Some(1_234_500)),
            (0xC49A_5000, Some(-1_234_500)),
            (0x0000_0001, Some(0)),
            (0x8000_0000, Some(0)),
            (0x7FC0_0000, None),
            (0xFF80_0000, None),
        ] {
            let amount = KWH.of_real32(bits).unwrap();
            assert_eq!(amount.map(|amount| amount.milli), milli, "{bits:08X}");
        }
        assert_eq!(KWH.of_real32(f32::MAX.to_bits()), Err(Error::OutOfRange));
        let double = KWH.of_real64(1234.5678_f64.to_bits()).unwrap().unwrap();
        assert_eq!(double.milli, 1_234_568);
        assert_eq!(KWH.of_real64(f64::NAN.to_bits()), Ok(None));
    }

    proptest! {
        #[test]
        fn a_real_number_is_what_the_machine_says(value in -1e9_f32..1e9) {
            let expected = (f64::from(value) * 1000.0).round() as i64;
            prop_assert_eq!(KWH.of_real32(value.to_bits()).unwrap().unwrap().milli, expected);
        }

        #[test]
        fn any_bits_are_an_amount_none_or_out_of_range(bits: u64, exponent in -40..40_i32) {
            let scale = Scale::ten(exponent, Unit::One);
            let (small, large) = (scale.of_real32(bits as u32), scale.of_real64(bits));
            for result in [small, large, scale.of(bits as i64).map(Some)] {
                prop_assert!(matches!(result, Ok(_) | Err(Error::OutOfRange)));
            }
        }
    }
}
