//! What stands around the records: who the slave is, and in which structure it answers.

use std::fmt;
use std::str::FromStr;

use super::fixed;
use super::record::{Record, records};
use crate::Error;
use crate::bytes::{self, Bytes};

const CI_LONG: u8 = 0x72;
const CI_FIXED: u8 = 0x73;
const CI_NONE: u8 = 0x78;
const CI_SHORT: u8 = 0x7A;
const CI_ERROR: u8 = 0x70;

/// What a slave said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Who it is, as far as it tells.
    pub header: Header,
    /// What it measured.
    pub records: Vec<Record>,
    /// The next answer has more records.
    pub more: bool,
}

/// Who a slave is, and how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header {
    /// Who it is; none in answers without.
    pub identity: Option<Identity>,
    /// Counts its answers.
    pub access: u8,
    /// Bit 2 low power, 3 a lasting fault, 4 a passing one.
    pub status: u8,
}

impl Header {
    /// Whether its battery or supply is low.
    #[must_use]
    pub fn is_low_on_power(&self) -> bool {
        self.status & 0b0000_0100 != 0
    }

    /// Whether it says that it is faulty, lastingly or not.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.status & 0b0001_1000 != 0
    }
}

/// The identity of a slave: what it is selected by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Its number, low byte first; usually digits, but there are makers who count in hexadecimal. F is any digit.
    pub number: [u8; 4],
    /// Its maker; FFFF is any.
    pub manufacturer: u16,
    /// Its version; FF is any.
    pub version: u8,
    /// What it measures; FF is any.
    pub medium: u8,
}

impl Identity {
    fn from_wire(rest: &mut Bytes<'_>) -> Result<Self, Error> {
        Ok(Self {
            number: rest.array()?,
            manufacturer: u16::from_le_bytes(rest.array()?),
            version: rest.byte()?,
            medium: rest.byte()?,
        })
    }

    /// The bytes in a frame.
    #[must_use]
    pub fn to_wire(&self) -> [u8; 8] {
        let [a, b, c, d] = self.number;
        let [low, high] = self.manufacturer.to_le_bytes();
        [a, b, c, d, low, high, self.version, self.medium]
    }

    /// Its number as printed, without zeros in front.
    #[must_use]
    pub fn printed(&self) -> String {
        let number = u32::from_le_bytes(self.number);
        format!("{number:X}")
    }

    /// Whether it may be the identity of this slave.
    #[must_use]
    pub fn covers(&self, slave: &Self) -> bool {
        let digits = |number: [u8; 4]| {
            let nibbles = number.into_iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
            nibbles.collect::<Vec<_>>()
        };
        let mut pairs = digits(self.number).into_iter().zip(digits(slave.number));
        pairs.all(|(asked, said)| asked == 0x0F || asked == said)
            && (self.manufacturer == 0xFFFF || self.manufacturer == slave.manufacturer)
            && (self.version == 0xFF || self.version == slave.version)
            && (self.medium == 0xFF || self.medium == slave.medium)
    }
}

impl FromStr for Identity {
    type Err = Error;

    /// Reads the number that is printed on the slave, at most eight digits; everything else is left open.
    fn from_str(text: &str) -> Result<Self, Error> {
        let padded = format!("{text:0>8}");
        let number = bytes::hex(&padded).and_then(|mut bytes| {
            bytes.reverse();
            <[u8; 4]>::try_from(bytes).ok()
        });
        let number = number.filter(|_| !text.is_empty());
        let number = number.ok_or_else(|| {
            Error::Text(format!(
                "{text:?} is not the number of an M-Bus device, at most 8 digits"
            ))
        })?;
        Ok(Self {
            number,
            manufacturer: 0xFFFF,
            version: 0xFF,
            medium: 0xFF,
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Identity({} {} version {} medium {:02X})",
            self.printed(),
            manufacturer(self.manufacturer),
            self.version,
            self.medium
        )
    }
}

/// The three letters of a maker.
#[must_use]
pub fn manufacturer(code: u16) -> String {
    [10, 5, 0]
        .into_iter()
        .map(|shift| char::from(((code >> shift & 0x1F) as u8) + 64))
        .collect()
}

/// The code of three letters.
#[must_use]
pub fn manufacturer_code(letters: &str) -> Option<u16> {
    let code = letters.bytes().try_fold(0_u16, |code, letter| {
        let letter = letter.is_ascii_uppercase().then(|| letter - 64)?;
        Some(code << 5 | u16::from(letter))
    });
    code.filter(|_| letters.len() == 3)
}

impl Application {
    /// Reads the data behind a CI byte.
    pub(super) fn decode(ci: u8, data: &[u8]) -> Result<Self, Error> {
        let mut rest = Bytes(data);
        match ci {
            CI_FIXED => {
                let (header, records) = fixed::decode(&mut rest)?;
                Ok(Self {
                    header,
                    records,
                    more: false,
                })
            }
            CI_LONG => {
                let identity = Some(Identity::from_wire(&mut rest)?);
                Self::variable(identity, &mut rest)
            }
            CI_SHORT => Self::variable(None, &mut rest),
            CI_NONE => {
                let (records, more) = records(&mut rest)?;
                Ok(Self {
                    header: Header::default(),
                    records,
                    more,
                })
            }
            CI_ERROR => {
                let code = rest.byte().unwrap_or_default();
                Err(Error::Refused {
                    code,
                    meaning: error_meaning(code),
                })
            }
            _ => Err(Error::Unknown {
                what: "CI byte",
                code: ci.into(),
            }),
        }
    }

    fn variable(identity: Option<Identity>, rest: &mut Bytes<'_>) -> Result<Self, Error> {
        let (access, status) = (rest.byte()?, rest.byte()?);
        if is_encrypted(rest.array()?) {
            return Err(Error::Encrypted);
        }
        let (records, more) = records(rest)?;
        Ok(Self {
            header: Header {
                identity,
                access,
                status,
            },
            records,
            more,
        })
    }
}

/// Whether the data behind a signature are encrypted. It is not enough that the signature is not zero: makers write
/// what they like there. A mode of encryption has to be named, and how much is encrypted in it.
fn is_encrypted([low, high]: [u8; 2]) -> bool {
    match high & 0x1F {
        // DES: the number of bytes, in blocks of eight.
        2 | 3 => low != 0 && low.is_multiple_of(8),
        // AES: the number of blocks.
        4 | 5 | 7..=10 | 13 => low >> 4 != 0,
        _ => false,
    }
}

fn error_meaning(code: u8) -> &'static str {
    match code {
        1 => "it does not know the CI byte",
        2 => "the question is too long",
        3 => "there are too many records",
        4 => "the records end too early",
        5 => "there are too many DIFEs",
        6 => "there are too many VIFEs",
        8 => "it is busy",
        9 => "it has no more to be read out",
        _ => "an unknown reason",
    }
}
