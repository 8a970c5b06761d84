//! Wired M-Bus (EN 13757): the frames of the link, and what slaves answer.
//!
//! A master asks with a short frame (`10 C A CS 16`), a slave says `E5` or a long one (`68 L L 68 C A CI .. CS 16`).

mod fixed;
mod header;
mod record;
mod vif;

pub use header::{Application, Header, Identity, manufacturer, manufacturer_code};
pub use record::{Function, Record, Value};
pub use vif::Quantity;

use crate::Error;
use crate::bytes::{self, Bytes};

/// The address of the slave that was selected by its identity.
pub const SELECTED: u8 = 0xFD;
/// The address that the only slave on a line answers to.
pub const ANY: u8 = 0xFE;
/// The highest address of one slave.
pub const ADDRESS_MAX: u8 = 250;

const ACKNOWLEDGED: u8 = 0xE5;
const SHORT: u8 = 0x10;
const LONG: u8 = 0x68;
const END: u8 = 0x16;
/// Initialise the slave's link.
const SND_NKE: u8 = 0x40;
/// Send data to the slave.
const SND_UD: u8 = 0x53;
/// Ask the slave for data.
const REQ_UD2: u8 = 0x5B;
/// Every other question has this bit: a slave that sees it again repeats its answer.
const FRAME_COUNT: u8 = 0x20;
/// The answer with data; the bits 4 and 5 tell of access and flow.
const RSP_UD: u8 = 0x08;
const RSP_MASK: u8 = 0xCF;
/// Select slaves by their identity.
const CI_SELECT: u8 = 0x52;

/// One frame of the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// `E5`: understood.
    Acknowledged,
    /// A frame without data.
    Short {
        /// The control byte.
        control: u8,
        /// The slave.
        address: u8,
    },
    /// A frame with data, or at least with a CI byte.
    Long {
        /// The control byte.
        control: u8,
        /// The slave.
        address: u8,
        /// What the data are.
        ci: u8,
        /// The data.
        data: Vec<u8>,
    },
}

impl Frame {
    /// Asks the slave to begin anew; it says `E5`.
    #[must_use]
    pub fn initialise(address: u8) -> Self {
        Self::Short {
            control: SND_NKE,
            address,
        }
    }

    /// Asks the slave for its data; `second` changes from question to question, and stays to have one repeated.
    #[must_use]
    pub fn ask(address: u8, second: bool) -> Self {
        Self::Short {
            control: REQ_UD2 | if second { FRAME_COUNT } else { 0 },
            address,
        }
    }

    /// Selects the slave of that identity; it says `E5` and answers to [`SELECTED`] from then on.
    #[must_use]
    pub fn select(identity: &Identity) -> Self {
        Self::Long {
            control: SND_UD,
            address: SELECTED,
            ci: CI_SELECT,
            data: identity.to_wire().to_vec(),
        }
    }

    /// The answer of a slave with data.
    #[must_use]
    pub fn answer(address: u8, ci: u8, data: Vec<u8>) -> Self {
        Self::Long {
            control: RSP_UD,
            address,
            ci,
            data,
        }
    }

    /// The bytes; of data more than 252 bytes are not written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Acknowledged => vec![ACKNOWLEDGED],
            Self::Short { control, address } => {
                vec![
                    SHORT,
                    *control,
                    *address,
                    control.wrapping_add(*address),
                    END,
                ]
            }
            Self::Long {
                control,
                address,
                ci,
                data,
            } => {
                let data = data.get(..252).unwrap_or(data);
                let mut body = vec![*control, *address, *ci];
                body.extend_from_slice(data);
                let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
                let mut frame = vec![LONG, length, length, LONG];
                frame.extend_from_slice(&body);
                frame.extend([bytes::sum(&body), END]);
                frame
            }
        }
    }

    /// What a slave at that address said when it was asked for its data.
    ///
    /// # Errors
    /// When another slave says it, or it is no answer with data.
    pub fn application(&self, asked: u8) -> Result<Application, Error> {
        let Self::Long {
            control,
            address,
            ci,
            data,
        } = self
        else {
            return Err(Error::OtherQuestion("a frame without data"));
        };
        if asked <= ADDRESS_MAX && *address != asked {
            return Err(Error::ForeignAddress {
                asked: asked.to_string(),
                answered: address.to_string(),
            });
        }
        if control & RSP_MASK != RSP_UD {
            return Err(Error::OtherQuestion("the control byte"));
        }
        Application::decode(*ci, data)
    }
}

/// Finds the first whole frame among bytes with any noise, and says how many of them are used up with it. Noise that
/// looks like `E5` is one, so ask for [`find_long`] where data are expected.
///
/// # Errors
/// [`Error::Truncated`] when more bytes may make a frame, else what is wrong with the first thing that starts like one.
pub fn find(bytes: &[u8]) -> Result<(Frame, usize), Error> {
    bytes::find(
        bytes,
        |byte| matches!(byte, ACKNOWLEDGED | SHORT | LONG),
        parse,
    )
}

/// Finds the first whole frame with data, as [`find`] does.
///
/// # Errors
/// As [`find`].
pub fn find_long(bytes: &[u8]) -> Result<(Frame, usize), Error> {
    bytes::find(bytes, |byte| byte == LONG, parse)
}

/// Reads the frame that starts with the first byte.
fn parse(bytes: &[u8]) -> Result<(Frame, usize), Error> {
    let mut rest = Bytes(bytes);
    let start = rest.byte()?;
    if start == ACKNOWLEDGED {
        return Ok((Frame::Acknowledged, 1));
    }
    let length = match start {
        SHORT => 2,
        LONG => {
            let [length, again, start] = rest.array()?;
            if length != again {
                return Err(Error::Malformed("the two lengths differ"));
            }
            if start != LONG || length < 3 {
                return Err(Error::Malformed("a long frame starts with 68 L L 68"));
            }
            usize::from(length)
        }
        _ => return Err(Error::Malformed("a frame starts with E5, 10 or 68")),
    };
    let body = rest.take(length)?;
    let [said, end] = rest.array()?;
    if end != END {
        return Err(Error::Malformed("a frame ends with 16"));
    }
    bytes::checked_sum(body, said)?;
    let used = bytes.len() - rest.0.len();
    let frame = match body {
        [control, address, ci, data @ ..] => Frame::Long {
            control: *control,
            address: *address,
            ci: *ci,
            data: data.to_vec(),
        },
        [control, address] => Frame::Short {
            control: *control,
            address: *address,
        },
        _ => {
            return Err(Error::Malformed(
                "a frame has a control byte and an address",
            ));
        }
    };
    Ok((frame, used))
}
