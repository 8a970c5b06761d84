//! DL/T 645-2007, the electricity meters of China (usually 2400 baud, 8E1): frames and conversations.
//!
//! A frame is `FE.. 68 A0..A5 68 C L data CS 16`: the address in digits, low byte first; each byte of the data 33H
//! higher than what it means; the checksum is the sum from the first 68 on. What the data mean stands in `data`.

mod data;
mod inquiry;

use std::fmt;
use std::str::FromStr;

pub use data::{DataId, Item, Quantity, Tariff, decode};
pub use inquiry::{Inquiry, Progress, Relay, read_address, relay_answer, relay_question};

use crate::Error;
use crate::bytes::{self, Bytes};

/// The most bytes that wake the receiver in front of a frame.
pub const PREAMBLES_MAX: u8 = 4;
/// The most bytes of data in one frame: an answer's length is a byte, and the standard allows 200 to it.
pub const DATA_BYTES_MAX: usize = 200;

const PREAMBLE: u8 = 0xFE;
const START: u8 = 0x68;
const END: u8 = 0x16;
const OFFSET: u8 = 0x33;
/// The bits of the control byte.
const ANSWER: u8 = 0x80;
const ABNORMAL: u8 = 0x40;
const MORE: u8 = 0x20;
const FUNCTION: u8 = 0x1F;

/// The address of a meter: twelve digits, high first as they are printed on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 6]);

impl Address {
    /// Whoever is on the line; for a line with one meter.
    pub const ANY: Self = Self([0xAA; 6]);
    /// Everybody on the line; nobody answers.
    pub const BROADCAST: Self = Self([0x99; 6]);

    /// The address as it stands in a frame, low byte first.
    #[must_use]
    pub fn from_wire(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The bytes in a frame, low byte first.
    #[must_use]
    pub fn to_wire(self) -> [u8; 6] {
        self.0
    }

    /// Whoever has these last digits: an even number of them, 2 to 12.
    ///
    /// # Errors
    /// When they are not such digits.
    pub fn ending_with(text: &str) -> Result<Self, Error> {
        let mut low_first = bytes::hex(text).unwrap_or_default();
        low_first.reverse();
        let decimal = text.bytes().all(|digit| digit.is_ascii_digit());
        if !decimal || low_first.is_empty() || low_first.len() > 6 {
            return Err(Error::Text(format!(
                "{text:?} is not 2, 4, .. or 12 digits of a meter's address"
            )));
        }
        low_first.resize(6, 0xAA);
        let wire = <[u8; 6]>::try_from(low_first);
        wire.map(Self)
            .map_err(|_| Error::Malformed("an address has six bytes"))
    }

    /// Whether it may be the address of the meter that is asked: AA stands for any two digits.
    #[must_use]
    pub fn covers(self, meter: Self) -> bool {
        let mut pairs = self.0.iter().zip(meter.0);
        pairs.all(|(asked, said)| *asked == 0xAA || *asked == said)
    }

    /// Whether it names one meter only.
    #[must_use]
    pub fn is_exact(self) -> bool {
        !self.0.contains(&0xAA) && self != Self::BROADCAST
    }
}

impl FromStr for Address {
    type Err = Error;

    /// Reads twelve digits as they are printed on the meter; `AA` stands for any two.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wire = bytes::hex(text).and_then(|mut bytes| {
            bytes.reverse();
            <[u8; 6]>::try_from(bytes).ok()
        });
        let wire = wire.filter(|wire| {
            let mut bytes = wire.iter();
            bytes.all(|byte| *byte == 0xAA || bytes::two_digits(*byte).is_ok())
        });
        wire.map(Self).ok_or_else(|| {
            Error::Text(format!(
                "{text:?} is not the twelve digits of a meter's address"
            ))
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut high_first = self.0.iter().rev();
        high_first.try_for_each(|byte| write!(formatter, "{byte:02X}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

/// What a control byte asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Function {
    /// Read data.
    Read = 0x11,
    /// Read what did not fit into the answer before.
    ReadMore = 0x12,
    /// Read the address.
    ReadAddress = 0x13,
    /// Trip or close the relay.
    Relay = 0x1C,
}

/// One frame, its data without the 33H on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Who is asked, or who answers.
    pub address: Address,
    /// The control byte.
    pub control: u8,
    /// What the data bytes mean.
    pub data: Vec<u8>,
}

impl Frame {
    /// The question of a master.
    #[must_use]
    pub fn question(address: Address, function: Function, data: Vec<u8>) -> Self {
        Self {
            address,
            control: function as u8,
            data,
        }
    }

    /// The answer of a meter; `more` when the rest is to be asked for.
    #[must_use]
    pub fn answer(address: Address, function: Function, data: Vec<u8>, more: bool) -> Self {
        Self {
            address,
            control: function as u8 | ANSWER | if more { MORE } else { 0 },
            data,
        }
    }

    /// The answer of a meter that does not do what it is asked.
    #[must_use]
    pub fn refusal(address: Address, function: Function, code: u8) -> Self {
        Self {
            address,
            control: function as u8 | ANSWER | ABNORMAL,
            data: vec![code],
        }
    }

    /// Whether a meter speaks, not a master.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.control & ANSWER != 0
    }

    /// Whether the rest is to be asked for.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.control & MORE != 0
    }

    /// Whether it is of that function, as a question or as an answer.
    #[must_use]
    pub fn is_of(&self, function: Function) -> bool {
        self.control & FUNCTION == function as u8
    }

    /// The bytes, behind so many that wake the receiver (at most [`PREAMBLES_MAX`] are written).
    #[must_use]
    pub fn to_bytes(&self, preambles: u8) -> Vec<u8> {
        let preambles = preambles.min(PREAMBLES_MAX).into();
        let mut frame = vec![START];
        frame.extend(self.address.0);
        let data = self.data.get(..DATA_BYTES_MAX).unwrap_or(&self.data);
        let length = u8::try_from(data.len()).unwrap_or(u8::MAX);
        frame.extend([START, self.control, length]);
        frame.extend(data.iter().map(|byte| byte.wrapping_add(OFFSET)));
        frame.extend([bytes::sum(&frame), END]);
        let mut written = vec![PREAMBLE; preambles];
        written.extend(frame);
        written
    }
}

/// Finds the first whole frame among bytes with any noise, and says how many of them are used up with it.
///
/// # Errors
/// [`Error::Truncated`] when more bytes may make a frame, else what is wrong with the first thing that starts like one.
pub fn find(bytes: &[u8]) -> Result<(Frame, usize), Error> {
    bytes::find(bytes, |byte| byte == START, parse)
}

/// Reads the frame that starts with the first byte.
fn parse(bytes: &[u8]) -> Result<(Frame, usize), Error> {
    let mut rest = Bytes(bytes);
    if rest.byte()? != START {
        return Err(Error::Malformed("a frame starts with 68"));
    }
    let address = Address(rest.array()?);
    if rest.byte()? != START {
        return Err(Error::Malformed("a second 68 follows the address"));
    }
    let (control, length) = (rest.byte()?, usize::from(rest.byte()?));
    let data = rest.take(length)?;
    let (said, end) = (rest.byte()?, rest.byte()?);
    if end != END {
        return Err(Error::Malformed("a frame ends with 16"));
    }
    let used = bytes.len() - rest.0.len();
    bytes::checked_sum(bytes.get(..used - 2).unwrap_or_default(), said)?;
    let data = data.iter().map(|byte| byte.wrapping_sub(OFFSET)).collect();
    Ok((
        Frame {
            address,
            control,
            data,
        },
        used,
    ))
}

/// What the bits of a refusal mean; the lowest that is set speaks.
#[must_use]
pub fn refusal_meaning(code: u8) -> &'static str {
    match code.trailing_zeros() {
        0 => "another error",
        1 => "no such data",
        2 => "wrong password or not authorised",
        3 => "the rate of the line cannot be changed",
        4 => "more time zones of the year than there may be",
        5 => "more time slots of the day than there may be",
        6 => "more tariffs than there may be",
        _ => "no reason",
    }
}

/// Refuses an answer that is not one, comes from another meter, belongs to another question, or is a refusal.
fn expect(frame: &Frame, asked: Address, function: Function) -> Result<(), Error> {
    if !frame.is_answer() {
        return Err(Error::OtherQuestion("a question came back"));
    }
    if !asked.covers(frame.address) {
        return Err(Error::ForeignAddress {
            asked: asked.to_string(),
            answered: frame.address.to_string(),
        });
    }
    if !frame.is_of(function) {
        return Err(Error::OtherQuestion("the control byte"));
    }
    if frame.control & ABNORMAL == 0 {
        return Ok(());
    }
    let Some(code) = frame.data.first().copied() else {
        return Err(Error::Malformed("a refusal without a code"));
    };
    Err(Error::Refused {
        code,
        meaning: refusal_meaning(code),
    })
}
