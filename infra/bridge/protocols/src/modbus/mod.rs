//! Modbus over serial lines (RTU) and over TCP: questions for registers and coils, answers, and the CRC.
//!
//! What registers mean is data: see [`Profile`].

mod profile;

pub use profile::{Profile, RegisterType, Span, WordOrder};

use crate::Error;
use crate::bytes::{self, Bytes};

/// The most registers that one question may ask for.
pub const REGISTERS_MAX: u16 = 125;
/// The most bits that one question may ask for.
pub const BITS_MAX: u16 = 2_000;

const EXCEPTION: u8 = 0x80;
/// The value of a coil that is on.
const ON: u16 = 0xFF00;

/// One question to one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Read holding registers (03).
    Holding {
        /// The first register, from 0.
        start: u16,
        /// How many.
        count: u16,
    },
    /// Read input registers (04).
    Input {
        /// The first register, from 0.
        start: u16,
        /// How many.
        count: u16,
    },
    /// Read coils (01).
    Coils {
        /// The first coil, from 0.
        start: u16,
        /// How many.
        count: u16,
    },
    /// Switch one coil (05).
    SwitchCoil {
        /// The coil, from 0.
        coil: u16,
        /// On or off.
        on: bool,
    },
    /// Write one holding register (06).
    WriteRegister {
        /// The register, from 0.
        register: u16,
        /// What it is to hold.
        value: u16,
    },
}

/// What a unit said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the registers hold.
    Registers(Vec<u16>),
    /// How the coils stand.
    Bits(Vec<bool>),
    /// It is written.
    Written,
}

impl Question {
    fn function(self) -> u8 {
        match self {
            Self::Coils { .. } => 0x01,
            Self::Holding { .. } => 0x03,
            Self::Input { .. } => 0x04,
            Self::SwitchCoil { .. } => 0x05,
            Self::WriteRegister { .. } => 0x06,
        }
    }

    fn words(self) -> [u16; 2] {
        match self {
            Self::Coils { start, count }
            | Self::Holding { start, count }
            | Self::Input { start, count } => [start, count],
            Self::SwitchCoil { coil, on } => [coil, if on { ON } else { 0 }],
            Self::WriteRegister { register, value } => [register, value],
        }
    }

    /// The question without its envelope.
    #[must_use]
    pub fn body(self) -> Vec<u8> {
        let words = self.words();
        let words = words.iter().flat_map(|word| word.to_be_bytes());
        std::iter::once(self.function()).chain(words).collect()
    }

    /// Reads a question without its envelope, as a unit does.
    ///
    /// # Errors
    /// When it is none of those above.
    pub fn of_body(body: &[u8]) -> Result<Self, Error> {
        let mut rest = Bytes(body);
        let function = rest.byte()?;
        let [first, second] = [rest.array()?, rest.array()?].map(u16::from_be_bytes);
        if !rest.is_empty() {
            return Err(Error::Malformed("a question has five bytes"));
        }
        let (start, count) = (first, second);
        Ok(match (function, second) {
            (0x01, _) => Self::Coils { start, count },
            (0x03, _) => Self::Holding { start, count },
            (0x04, _) => Self::Input { start, count },
            (0x05, 0 | ON) => Self::SwitchCoil {
                coil: first,
                on: second == ON,
            },
            (0x06, _) => Self::WriteRegister {
                register: first,
                value: second,
            },
            _ => {
                return Err(Error::Unknown {
                    what: "function",
                    code: function.into(),
                });
            }
        })
    }

    /// The question on a serial line.
    #[must_use]
    pub fn to_rtu(self, unit: u8) -> Vec<u8> {
        rtu(unit, &self.body())
    }

    /// The question over TCP; its answer has the same transaction.
    #[must_use]
    pub fn to_tcp(self, transaction: u16, unit: u8) -> Vec<u8> {
        tcp(transaction, unit, &self.body())
    }

    /// Finds the answer to this question among what came in on a serial line, and says how many bytes are used up.
    ///
    /// # Errors
    /// [`Error::Truncated`] when more bytes may make an answer, the unit's refusal, else what is wrong.
    pub fn rtu_answer(self, unit: u8, bytes: &[u8]) -> Result<(Answer, usize), Error> {
        let (body, used) = bytes::find(bytes, |_| true, |bytes| self.parse_rtu(unit, bytes))?;
        Ok((self.answer(&body)?, used))
    }

    fn parse_rtu(self, unit: u8, bytes: &[u8]) -> Result<(Vec<u8>, usize), Error> {
        let mut rest = Bytes(bytes);
        let (answered, function) = (rest.byte()?, rest.byte()?);
        if answered != unit {
            return Err(foreign(unit, answered));
        }
        // Without a start or an end, the length follows from the question and the answer's first bytes.
        match (function, self) {
            (function, _) if function == self.function() | EXCEPTION => rest.take(1)?,
            (function, _) if function != self.function() => {
                return Err(Error::OtherQuestion("the function"));
            }
            (_, Self::SwitchCoil { .. } | Self::WriteRegister { .. }) => rest.take(4)?,
            _ => {
                let length = rest.byte()?;
                rest.take(length.into())?
            }
        };
        let length = bytes.len() - rest.0.len();
        let said = u16::from_le_bytes(rest.array()?);
        let checked = bytes.get(..length).unwrap_or_default();
        let right = crc(checked);
        if said != right {
            return Err(Error::Checksum { said, right });
        }
        Ok((checked.get(1..).unwrap_or_default().to_vec(), length + 2))
    }

    /// Finds the answer to this question among what came in over TCP, and says how many bytes are used up.
    ///
    /// # Errors
    /// [`Error::Truncated`] when more bytes make an answer, [`Error::OtherQuestion`] for an answer to another
    /// transaction, the unit's refusal, else what is wrong.
    pub fn tcp_answer(
        self,
        transaction: u16,
        unit: u8,
        bytes: &[u8],
    ) -> Result<(Answer, usize), Error> {
        let (envelope, used) = Envelope::parse(bytes)?;
        if envelope.transaction != transaction {
            return Err(Error::OtherQuestion("the transaction"));
        }
        if envelope.unit != unit {
            return Err(foreign(unit, envelope.unit));
        }
        Ok((self.answer(&envelope.body)?, used))
    }

    /// Reads an answer without its envelope.
    ///
    /// # Errors
    /// The unit's refusal, another function, or another number of values than was asked for.
    pub fn answer(self, body: &[u8]) -> Result<Answer, Error> {
        let mut rest = Bytes(body);
        let function = rest.byte()?;
        if function == self.function() | EXCEPTION {
            let code = rest.byte()?;
            return Err(Error::Refused {
                code,
                meaning: exception_meaning(code),
            });
        }
        if function != self.function() {
            return Err(Error::OtherQuestion("the function"));
        }
        if let Self::SwitchCoil { .. } | Self::WriteRegister { .. } = self {
            return if body == self.body() {
                Ok(Answer::Written)
            } else {
                Err(Error::OtherQuestion("what was written"))
            };
        }
        let length = usize::from(rest.byte()?);
        let values = rest.take(length)?;
        if !rest.is_empty() {
            return Err(Error::Malformed("more bytes than the answer says"));
        }
        let [_, count] = self.words().map(usize::from);
        let expected = match self {
            Self::Coils { .. } => count.div_ceil(8),
            _ => count * 2,
        };
        if length != expected {
            return Err(Error::OtherQuestion("the number of values"));
        }
        Ok(match self {
            Self::Coils { .. } => {
                let bits = values
                    .iter()
                    .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
                Answer::Bits(bits.take(count).collect())
            }
            _ => Answer::Registers(words(values)),
        })
    }
}

/// Registers of bytes, each high byte first.
fn words(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| {
            pair.iter()
                .fold(0, |word, byte| word << 8 | u16::from(*byte))
        })
        .collect()
}

fn foreign(asked: u8, answered: u8) -> Error {
    Error::ForeignAddress {
        asked: asked.to_string(),
        answered: answered.to_string(),
    }
}

/// A body in the envelope of serial lines.
#[must_use]
pub fn rtu(unit: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend_from_slice(body);
    frame.extend(crc(&frame).to_le_bytes());
    frame
}

/// A body in the envelope of TCP.
#[must_use]
pub fn tcp(transaction: u16, unit: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 1).unwrap_or(u16::MAX);
    let mut frame = transaction.to_be_bytes().to_vec();
    frame.extend([0, 0]);
    frame.extend(length.to_be_bytes());
    frame.push(unit);
    frame.extend_from_slice(body);
    frame
}

/// What stands around a body over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Which question.
    pub transaction: u16,
    /// Which unit behind the address.
    pub unit: u8,
    /// The body.
    pub body: Vec<u8>,
}

impl Envelope {
    /// Reads the envelope at the front, and says how many bytes are used up.
    ///
    /// # Errors
    /// [`Error::Truncated`] when more bytes make one, else what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let mut rest = Bytes(bytes);
        let [transaction, protocol, length] =
            [rest.array()?, rest.array()?, rest.array()?].map(u16::from_be_bytes);
        if protocol != 0 {
            return Err(Error::Malformed("the protocol of Modbus is 0"));
        }
        if !(2..=254).contains(&length) {
            return Err(Error::Malformed("a body has 1 to 253 bytes"));
        }
        let mut rest = Bytes(rest.take(length.into())?);
        let unit = rest.byte()?;
        let body = rest.0.to_vec();
        Ok((
            Self {
                transaction,
                unit,
                body,
            },
            usize::from(length) + 6,
        ))
    }
}

/// The checksum of serial lines: CRC-16 with the polynomial A001, starting at FFFF.
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xA001
            } else {
                crc >> 1
            }
        })
    })
}

/// What the code of an exception means.
#[must_use]
pub fn exception_meaning(code: u8) -> &'static str {
    match code {
        1 => "it does not have this function",
        2 => "it does not have these registers",
        3 => "it does not take this value",
        4 => "it failed",
        5 => "it needs longer",
        6 => "it is busy",
        7 => "it did not do it",
        8 => "its memory is broken",
        10 => "the gateway has no way there",
        11 => "the unit behind the gateway does not answer",
        _ => "an unknown reason",
    }
}
