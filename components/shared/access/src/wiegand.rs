//! Wiegand frames of card readers, 26, 34 and 37 bits: an even parity bit before, an odd one behind, the number between.
//!
//! The number of a card is what stands between the parity bits, as one whole number; a facility code is its upper part.

use std::fmt;

/// A frame's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// 24 bits of number.
    Bits26,
    /// 32 bits of number.
    Bits34,
    /// 35 bits of number (H10302).
    Bits37,
}

/// Why bits are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// Not 26, 34 or 37 bits.
    Length,
    /// The first bit does not make its half even.
    EvenParity,
    /// The last bit does not make its half odd.
    OddParity,
    /// The number does not fit into the frame.
    Number,
}

impl fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Length => "a Wiegand frame has 26, 34 or 37 bits",
            Self::EvenParity => "the leading parity bit is wrong",
            Self::OddParity => "the trailing parity bit is wrong",
            Self::Number => "the number does not fit into the frame",
        })
    }
}

impl std::error::Error for FrameError {}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Bits26, Self::Bits34, Self::Bits37];

    /// The format of that length.
    #[must_use]
    pub fn of_bits(bits: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.bits() == bits)
    }

    /// The frame's length in bits.
    #[must_use]
    pub fn bits(self) -> usize {
        match self {
            Self::Bits26 => 26,
            Self::Bits34 => 34,
            Self::Bits37 => 37,
        }
    }

    /// How many bits the number has.
    fn number_bits(self) -> usize {
        self.bits() - 2
    }

    /// The greatest number.
    #[must_use]
    pub fn number_max(self) -> u64 {
        (1 << self.number_bits()) - 1
    }

    /// How many bits of the number each parity bit covers: half; of an odd count the middle one belongs to both.
    fn half(self) -> usize {
        self.number_bits().div_ceil(2)
    }
}

/// The number in a frame, first bit first.
///
/// # Errors
/// What is wrong with the frame.
pub fn decode(bits: &[bool]) -> Result<(Format, u64), FrameError> {
    let format = Format::of_bits(bits.len()).ok_or(FrameError::Length)?;
    let [leading, number @ .., trailing] = bits else {
        return Err(FrameError::Length);
    };
    let half = format.half();
    let (first, last) = (
        number.get(..half).unwrap_or_default(),
        number.get(number.len() - half..).unwrap_or_default(),
    );
    if *leading != is_odd(first) {
        return Err(FrameError::EvenParity);
    }
    if *trailing == is_odd(last) {
        return Err(FrameError::OddParity);
    }
    let number = number.iter().fold(0, |sum, bit| sum << 1 | u64::from(*bit));
    Ok((format, number))
}

/// The frame of a number, first bit first.
///
/// # Errors
/// [`FrameError::Number`] when it does not fit.
pub fn encode(format: Format, number: u64) -> Result<Vec<bool>, FrameError> {
    if number > format.number_max() {
        return Err(FrameError::Number);
    }
    let inner: Vec<bool> = (0..format.number_bits())
        .rev()
        .map(|place| number >> place & 1 == 1)
        .collect();
    let half = format.half();
    let leading = is_odd(inner.get(..half).unwrap_or_default());
    let trailing = !is_odd(inner.get(inner.len() - half..).unwrap_or_default());
    let mut bits = vec![leading];
    bits.extend(inner);
    bits.push(trailing);
    Ok(bits)
}

fn is_odd(bits: &[bool]) -> bool {
    bits.iter().filter(|bit| **bit).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(text: &str) -> Vec<bool> {
        text.chars()
            .filter(|digit| *digit != ' ')
            .map(|digit| digit == '1')
            .collect()
    }

    #[test]
    fn a_frame_written_by_hand_is_read() {
        // Facility 1, number 1: one bit set in either half.
        let frame = bits("1 00000001 0000 000000000001 0");
        assert_eq!(decode(&frame), Ok((Format::Bits26, 1 << 16 | 1)));
        assert_eq!(
            decode(&bits("0 00000001 0000 000000000001 0")),
            Err(FrameError::EvenParity)
        );
        assert_eq!(
            decode(&bits("1 00000001 0000 000000000001 1")),
            Err(FrameError::OddParity)
        );
        assert_eq!(decode(&bits("101")), Err(FrameError::Length));
        assert_eq!(encode(Format::Bits26, 1 << 24), Err(FrameError::Number));
    }

    proptest! {
        #[test]
        fn a_number_survives_its_frame_and_one_wrong_bit_is_noticed(number in any::<u64>(), format in 0_usize..3, wrong in 0_usize..37) {
            let format = Format::ALL[format];
            let number = number & format.number_max();
            let frame = encode(format, number).unwrap();
            prop_assert_eq!(decode(&frame), Ok((format, number)));
            let mut frame = frame;
            let wrong = wrong % frame.len();
            frame[wrong] = !frame[wrong];
            prop_assert!(decode(&frame).is_err());
        }

        #[test]
        fn any_bits_are_a_number_or_an_error(bits in prop::collection::vec(any::<bool>(), 0..64)) {
            let _ = decode(&bits);
        }
    }
}
