//! The seam to the plugged decoder of vendors' messages: in a component the import `linli:metering/decoder`, natively
//! the library of the example that is plugged by default.

use kernel::{Commodity, MeterUnit};
use wire::meter::{RAW_BYTES_MAX, RegisterValue, Unit};

use crate::domain::Decoding;

/// Why bytes are no registers, in the decoder's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undecoded {
    /// The code that stays the same.
    pub code: String,
    /// A sentence for the operator.
    pub english: String,
    /// The same.
    pub chinese: String,
}

/// What the bytes of a device say.
///
/// # Errors
/// Why they say nothing.
pub(crate) fn decode(
    bytes: &[u8],
    decoding: Decoding,
    commodity: Commodity,
) -> Result<Vec<RegisterValue>, Undecoded> {
    let unit = match commodity.unit() {
        MeterUnit::Kwh => Unit::KilowattHour,
        MeterUnit::M3 => Unit::CubicMetre,
    };
    engine::decode(bytes, decoding, unit)
}

/// The bytes that hexadecimal digits name: 1 to [`RAW_BYTES_MAX`] of them.
pub(crate) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let nibbles: Option<Vec<u8>> = hex
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let nibbles = nibbles.filter(|nibbles| {
        nibbles.len().is_multiple_of(2) && (1..=RAW_BYTES_MAX).contains(&(nibbles.len() / 2))
    })?;
    let pairs = nibbles.chunks_exact(2);
    Some(
        pairs
            .map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble))
            .collect(),
    )
}

#[cfg(not(target_family = "wasm"))]
mod engine {
    use wire::meter::{Register, RegisterValue, Unit};

    use super::{Decoding, Undecoded};

    pub(super) fn decode(
        bytes: &[u8],
        decoding: Decoding,
        unit: Unit,
    ) -> Result<Vec<RegisterValue>, Undecoded> {
        let Decoding {
            step_milli,
            offset_milli,
        } = decoding;
        match decoder_pulses::total_milli(bytes, step_milli, offset_milli) {
            Ok(value_milli) => Ok(vec![RegisterValue {
                register: Register::Total,
                value_milli,
                unit,
            }]),
            Err(wrong) => {
                let [code, english, chinese] = wrong.said().map(str::to_owned);
                Err(Undecoded {
                    code,
                    english,
                    chinese,
                })
            }
        }
    }
}

#[cfg(target_family = "wasm")]
#[path = "decoding/plugged.rs"]
mod engine;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_bytes() {
        assert_eq!(bytes("a5FF"), Some(vec![0xA5, 0xFF]));
        for wrong in ["", "a", "0g", "é0", &"00".repeat(RAW_BYTES_MAX + 1)] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
