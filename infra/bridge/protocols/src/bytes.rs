//! Reading bytes off the front, finding frames among noise, and decimal digits in nibbles.

use crate::Error;

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// Takes that many off the front.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let Some((front, rest)) = self.0.split_at_checked(count) else {
            return Err(Error::Truncated {
                missing: count - self.0.len(),
            });
        };
        self.0 = rest;
        Ok(front)
    }

    /// Takes that many off the front, as an array.
    pub fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Error> {
        let front = self.take(COUNT)?;
        front
            .try_into()
            .map_err(|_| Error::Truncated { missing: COUNT })
    }

    /// Takes one.
    pub fn byte(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Finds the first whole frame among bytes that may hold noise: it is looked for behind every byte that may start
/// one. Gives the frame and how many bytes are used up with it; without one, what is wrong behind the first start.
pub fn find<Frame>(
    bytes: &[u8],
    starts: impl Fn(u8) -> bool,
    parse: impl Fn(&[u8]) -> Result<(Frame, usize), Error>,
) -> Result<(Frame, usize), Error> {
    let mut wrong = None;
    let starting = bytes.iter().enumerate().filter(|(_, byte)| starts(**byte));
    for (at, _) in starting {
        match parse(bytes.get(at..).unwrap_or_default()) {
            Ok((frame, used)) => return Ok((frame, at + used)),
            Err(error) => {
                wrong.get_or_insert(error);
            }
        }
    }
    Err(wrong.unwrap_or(Error::Truncated { missing: 1 }))
}

/// The sum of all bytes, in eight bits.
pub fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Compares a checksum of eight bits.
pub fn checked_sum(bytes: &[u8], said: u8) -> Result<(), Error> {
    let right = sum(bytes);
    if said == right {
        Ok(())
    } else {
        Err(Error::Checksum {
            said: said.into(),
            right: right.into(),
        })
    }
}

/// The two digits of a byte.
pub fn two_digits(byte: u8) -> Result<u8, Error> {
    let (high, low) = (byte >> 4, byte & 0x0F);
    if high > 9 || low > 9 {
        return Err(Error::NotDecimal(byte));
    }
    Ok(high * 10 + low)
}

/// The number whose digits stand in the bytes, low byte first, at most 18 digits; none when every byte is FF.
pub fn decimal(bytes: &[u8]) -> Result<Option<i64>, Error> {
    if bytes.is_empty() || bytes.len() > 9 {
        return Err(Error::Malformed("a number has 1 to 9 bytes of digits"));
    }
    if bytes.iter().all(|byte| *byte == 0xFF) {
        return Ok(None);
    }
    let mut number = 0_i64;
    for byte in bytes.iter().rev() {
        number = number * 100 + i64::from(two_digits(*byte)?);
    }
    Ok(Some(number))
}

/// A number in so many bytes of digits, low byte first; none when it is negative or has too many digits.
pub fn digits(number: i64, bytes: usize) -> Option<Vec<u8>> {
    let mut rest = u64::try_from(number).ok()?;
    let mut written = Vec::with_capacity(bytes);
    for _ in 0..bytes {
        let pair = u8::try_from(rest % 100).ok()?;
        written.push(pair / 10 * 16 + pair % 10);
        rest /= 100;
    }
    (rest == 0).then_some(written)
}

/// The bytes that hexadecimal digits name, in their order.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let nibbles: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let nibbles = nibbles.filter(|nibbles| nibbles.len().is_multiple_of(2))?;
    Some(
        nibbles
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_written_are_the_number_read(number in 0_i64..1_000_000_000_000) {
            prop_assert_eq!(decimal(&digits(number, 6).unwrap()), Ok(Some(number)));
        }
    }

    #[test]
    fn absent_and_broken_digits_are_told_apart() {
        assert_eq!(decimal(&[0xFF, 0xFF]), Ok(None));
        assert_eq!(decimal(&[0x12, 0xFF]), Err(Error::NotDecimal(0xFF)));
        assert_eq!(decimal(&[0x1A]), Err(Error::NotDecimal(0x1A)));
        assert_eq!((digits(100, 1), digits(-1, 4)), (None, None));
        assert_eq!(hex("00fE"), Some(vec![0x00, 0xFE]));
        assert_eq!((hex("0"), hex("0g")), (None, None));
    }
}
