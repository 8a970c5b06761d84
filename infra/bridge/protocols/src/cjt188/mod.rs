//! CJ/T 188-2004 and -2018, the water, heat and gas meters of China (usually 2400 baud, 8E1).
//!
//! A frame is `FE.. 68 T A0..A6 C L data CS 16`, the address low byte first, the checksum the sum from 68 on. Data start
//! with a data id of two bytes and a serial number. Meters of both orders of the data id are in the field: answers are
//! taken in either, questions are asked in the one that [`IdOrder`] says.

mod data;
mod question;

use std::fmt;
use std::str::FromStr;

pub use data::{Purchase, Quantity, Reading, Status, Value, Valve};
pub use question::{Answer, Fen, Question, Topic, ValveOrder};

use crate::Error;
use crate::bytes::{self, Bytes};

/// The most bytes that wake the receiver in front of a frame.
pub const PREAMBLES_MAX: u8 = 4;

const PREAMBLE: u8 = 0xFE;
const START: u8 = 0x68;
const END: u8 = 0x16;
const ANSWER: u8 = 0x80;
const ABNORMAL: u8 = 0x40;
const FUNCTION: u8 = 0x3F;

/// What sort of meter it is: the byte T.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterType(pub u8);

impl MeterType {
    /// Cold water.
    pub const COLD_WATER: Self = Self(0x10);
    /// Hot water.
    pub const HOT_WATER: Self = Self(0x11);
    /// Heat.
    pub const HEAT: Self = Self(0x20);
    /// Cold, as heat taken away.
    pub const COLD: Self = Self(0x21);
    /// Gas.
    pub const GAS: Self = Self(0x30);
    /// Electricity.
    pub const ELECTRICITY: Self = Self(0x40);
    /// Any.
    pub const ANY: Self = Self(0xAA);

    /// Whether its readings have the fields of heat meters.
    #[must_use]
    pub fn is_heat(self) -> bool {
        self.0 >> 4 == 2
    }
}

/// The address of a meter: fourteen digits, high first as they are printed on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 7]);

impl Address {
    /// Whoever is on the line; for a line with one meter.
    pub const ANY: Self = Self([0xAA; 7]);

    /// The bytes in a frame, low byte first.
    #[must_use]
    pub fn to_wire(self) -> [u8; 7] {
        self.0
    }

    /// Whether it may be the address of the meter that is asked: AA stands for any two digits.
    #[must_use]
    pub fn covers(self, meter: Self) -> bool {
        let mut pairs = self.0.iter().zip(meter.0);
        pairs.all(|(asked, said)| *asked == 0xAA || *asked == said)
    }
}

impl FromStr for Address {
    type Err = Error;

    /// Reads fourteen digits as they are printed on the meter, or `AA` for any two. Makers write hexadecimal digits too.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wire = bytes::hex(text).and_then(|mut bytes| {
            bytes.reverse();
            <[u8; 7]>::try_from(bytes).ok()
        });
        wire.map(Self).ok_or_else(|| {
            Error::Text(format!(
                "{text:?} is not the fourteen digits of a meter's address"
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

/// In which order a meter wants the bytes of a data id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdOrder {
    /// `90 1F`, as most meters do.
    #[default]
    HighFirst,
    /// `1F 90`.
    LowFirst,
}

impl IdOrder {
    fn wire(self, id: u16) -> [u8; 2] {
        match self {
            Self::HighFirst => id.to_be_bytes(),
            Self::LowFirst => id.to_le_bytes(),
        }
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What sort of meter.
    pub meter_type: MeterType,
    /// Who is asked, or who answers.
    pub address: Address,
    /// The control byte.
    pub control: u8,
    /// The data, from the data id on.
    pub data: Vec<u8>,
}

impl Frame {
    /// The bytes, behind so many that wake the receiver (at most [`PREAMBLES_MAX`] are written).
    #[must_use]
    pub fn to_bytes(&self, preambles: u8) -> Vec<u8> {
        let data = self.data.get(..usize::from(u8::MAX)).unwrap_or(&self.data);
        let mut frame = vec![START, self.meter_type.0];
        frame.extend(self.address.0);
        frame.extend([self.control, u8::try_from(data.len()).unwrap_or(u8::MAX)]);
        frame.extend_from_slice(data);
        frame.extend([bytes::sum(&frame), END]);
        let mut written = vec![PREAMBLE; preambles.min(PREAMBLES_MAX).into()];
        written.extend(frame);
        written
    }

    /// The answer of a meter to this question, with what follows the data id and the serial number.
    #[must_use]
    pub fn answered(&self, address: Address, said: &[u8]) -> Self {
        let mut data = self.data.get(..3).unwrap_or(&self.data).to_vec();
        data.extend_from_slice(said);
        Self {
            address,
            control: self.control | ANSWER,
            data,
            ..*self
        }
    }

    /// The answer of a meter that does not do what it is asked: the serial number and its status.
    #[must_use]
    pub fn refused(&self, address: Address, status: [u8; 2]) -> Self {
        let serial = self.data.get(2).copied().unwrap_or_default();
        Self {
            address,
            control: self.control | ANSWER | ABNORMAL,
            data: [&[serial], status.as_slice()].concat(),
            ..*self
        }
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
    let meter_type = MeterType(rest.byte()?);
    let address = Address(rest.array()?);
    let (control, length) = (rest.byte()?, usize::from(rest.byte()?));
    let data = rest.take(length)?.to_vec();
    let (said, end) = (rest.byte()?, rest.byte()?);
    if end != END {
        return Err(Error::Malformed("a frame ends with 16"));
    }
    let used = bytes.len() - rest.0.len();
    bytes::checked_sum(bytes.get(..used - 2).unwrap_or_default(), said)?;
    Ok((
        Frame {
            meter_type,
            address,
            control,
            data,
        },
        used,
    ))
}
