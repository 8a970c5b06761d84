//! Where a line or a bus is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Result, bail};

use super::host_and_port;

/// Where a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// A serial device (RS-485 adapter or pseudo-terminal).
    Serial {
        /// The device file.
        path: PathBuf,
        /// Bits per second.
        baud: u32,
        /// What is sent along to notice a wrong bit.
        parity: Parity,
    },
    /// A serial server, as `host:port`.
    Tcp(String),
}

/// What a serial line sends along with every byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// Nothing.
    None,
    /// A bit that makes the number of ones even.
    Even,
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial { path, .. } => write!(formatter, "serial:{}", path.display()),
            Self::Tcp(address) => write!(formatter, "tcp:{address}"),
        }
    }
}

/// The rate of a serial line for which none is given, in bits per second.
pub const BAUD_DEFAULT: u32 = 9600;

impl FromStr for Port {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("serial:").filter(|path| !path.is_empty()) {
            return Ok(Self::Serial {
                path: path.into(),
                baud: BAUD_DEFAULT,
                parity: Parity::None,
            });
        }
        if let Some(address) = text.strip_prefix("tcp:") {
            host_and_port(address)?;
            return Ok(Self::Tcp(address.to_owned()));
        }
        bail!("{text:?} is no port: write serial:/dev/ttyUSB0 or tcp:host:4001")
    }
}
