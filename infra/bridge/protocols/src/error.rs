//! What can be wrong with the bytes of a meter.

use std::fmt;

/// Why bytes are no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The bytes end before the frame does: more may come.
    Truncated {
        /// How many bytes are missing at least.
        missing: usize,
    },
    /// The checksum is not that of the bytes.
    Checksum {
        /// What stands in the frame.
        said: u16,
        /// What would be right.
        right: u16,
    },
    /// The bytes are not formed as the protocol says.
    Malformed(&'static str),
    /// Somebody else answered.
    ForeignAddress {
        /// Who was asked.
        asked: String,
        /// Who answered.
        answered: String,
    },
    /// The answer is one to another question, for example a late one.
    OtherQuestion(&'static str),
    /// The meter answered that it does not.
    Refused {
        /// The protocol's code.
        code: u8,
        /// What the code means.
        meaning: &'static str,
    },
    /// A byte that should be two decimal digits is not.
    NotDecimal(u8),
    /// The value does not fit into 64 bits of thousandths.
    OutOfRange,
    /// A code that this crate does not know.
    Unknown {
        /// What it is a code of.
        what: &'static str,
        /// The code.
        code: u32,
    },
    /// The data are encrypted, and nobody has the key.
    Encrypted,
    /// A text that should name something does not.
    Text(String),
}

impl Error {
    /// Whether the answer that was asked for may still come: what came is cut short, broken, or somebody else's.
    #[must_use]
    pub fn is_worth_waiting(&self) -> bool {
        matches!(
            self,
            Self::Truncated { .. }
                | Self::Checksum { .. }
                | Self::Malformed(_)
                | Self::ForeignAddress { .. }
                | Self::OtherQuestion(_)
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { missing } => {
                write!(
                    formatter,
                    "the frame is cut short by at least {missing} bytes"
                )
            }
            Self::Checksum { said, right } => {
                write!(
                    formatter,
                    "wrong checksum: {said:X} where {right:X} is right"
                )
            }
            Self::Malformed(what) => write!(formatter, "malformed: {what}"),
            Self::ForeignAddress { asked, answered } => {
                write!(formatter, "{answered} answered where {asked} was asked")
            }
            Self::OtherQuestion(what) => write!(formatter, "an answer to another question: {what}"),
            Self::Refused { code, meaning } => {
                write!(
                    formatter,
                    "the meter refuses with code {code:02X}: {meaning}"
                )
            }
            Self::NotDecimal(byte) => write!(formatter, "{byte:02X} is not two decimal digits"),
            Self::OutOfRange => formatter.write_str("the value is out of range"),
            Self::Unknown { what, code } => write!(formatter, "unknown {what} {code:X}"),
            Self::Encrypted => formatter.write_str("the data are encrypted"),
            Self::Text(sentence) => formatter.write_str(sentence),
        }
    }
}

impl std::error::Error for Error {}
