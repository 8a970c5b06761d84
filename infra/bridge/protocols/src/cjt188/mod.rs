//! CJ/T 188-2004 and -2018, the water, heat and gas meters of China (usually 2400 baud, 8E1).
//!
//! A frame is `FE.. 68 T A0..A6 C L data CS 16`, the address low byte first, the checksum the sum from 68 on. Data start
//! with a data id of two bytes and a serial number. Meters of both orders of the data id are in the field: answers are
//! taken in either, questions are asked in the one that [`IdOrder`] says.

mod data;

use std::fmt;
use std::str::FromStr;

pub use data::{Quantity, Reading, Status, Value, Valve};

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

const READ: u8 = 0x01;
const READ_ADDRESS: u8 = 0x03;
const WRITE: u8 = 0x04;

const ID_READING: u16 = 0x901F;
const ID_HISTORY: u16 = 0xD120;
const ID_ADDRESS: u16 = 0x810A;
const ID_VALVE: u16 = 0xA017;

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

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// How the registers stand now.
    Reading,
    /// The register at the end of a settlement month, so many months ago, 1 to 12.
    History(u8),
    /// The meter's address.
    Address,
    /// Open or shut the valve.
    Valve(ValveOrder),
}

/// What a valve is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ValveOrder {
    /// Let it flow.
    Open = 0x55,
    /// Stop it.
    Close = 0x99,
}

/// What a meter said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Topic::Reading`].
    Reading(Reading),
    /// To [`Topic::History`].
    History(Value),
    /// To [`Topic::Address`].
    Address(Address),
    /// To [`Topic::Valve`]: the valve as it stands; it may still be on its way.
    Valve(Status),
}

/// One question to one meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// What sort of meter.
    pub meter_type: MeterType,
    /// Which.
    pub address: Address,
    /// The order of the data id.
    pub order: IdOrder,
    /// The serial number of the question; its answer has the same.
    pub serial: u8,
    /// What is asked for.
    pub topic: Topic,
}

impl Question {
    /// The frame.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let mut data = self.order.wire(self.id()).to_vec();
        data.push(self.serial);
        if let Topic::Valve(order) = self.topic {
            data.push(order as u8);
        }
        Frame {
            meter_type: self.meter_type,
            address: self.address,
            control: self.control(),
            data,
        }
    }

    fn id(&self) -> u16 {
        match self.topic {
            Topic::Reading => ID_READING,
            Topic::History(months) => ID_HISTORY + u16::from(months.clamp(1, 12)) - 1,
            Topic::Address => ID_ADDRESS,
            Topic::Valve(_) => ID_VALVE,
        }
    }

    fn control(&self) -> u8 {
        match self.topic {
            Topic::Reading | Topic::History(_) => READ,
            Topic::Address => READ_ADDRESS,
            Topic::Valve(_) => WRITE,
        }
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// When it is another meter's, another question's, a refusal, or not what was asked for.
    pub fn answer(&self, frame: &Frame) -> Result<Answer, Error> {
        self.expect(frame)?;
        let mut data = Bytes(&frame.data);
        if frame.control & ABNORMAL != 0 {
            let code = frame.data.get(1).or(frame.data.first());
            return Err(Error::Refused {
                code: code.copied().unwrap_or_default(),
                meaning: "the meter's status",
            });
        }
        let id: [u8; 2] = data.array()?;
        if id != self.id().to_be_bytes() && id != self.id().to_le_bytes() {
            return Err(Error::OtherQuestion("the data id"));
        }
        if data.byte()? != self.serial {
            return Err(Error::OtherQuestion("the serial number"));
        }
        Ok(match self.topic {
            Topic::Reading => Answer::Reading(Reading::decode(frame.meter_type, data.0)?),
            Topic::History(_) => Answer::History(Value::settlement(data.0)?),
            Topic::Address => Answer::Address(frame.address),
            Topic::Valve(_) => Answer::Valve(Status::decode(data.array()?)),
        })
    }

    fn expect(&self, frame: &Frame) -> Result<(), Error> {
        if frame.control & ANSWER == 0 {
            return Err(Error::OtherQuestion("a question came back"));
        }
        let sort = self.meter_type == MeterType::ANY || self.meter_type == frame.meter_type;
        if !sort || !self.address.covers(frame.address) {
            return Err(Error::ForeignAddress {
                asked: format!("{:02X}-{}", self.meter_type.0, self.address),
                answered: format!("{:02X}-{}", frame.meter_type.0, frame.address),
            });
        }
        if frame.control & FUNCTION != self.control() {
            return Err(Error::OtherQuestion("the control byte"));
        }
        Ok(())
    }
}
