//! Opens a line: a serial device or a serial server over TCP.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_serial::SerialStream;

use crate::config::{Parity, Port};

/// How long opening a TCP connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// An open line.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<Any: AsyncRead + AsyncWrite + Send + Unpin> Stream for Any {}

/// Opens the port.
///
/// # Errors
/// When the device file or the address is not there, or not in time.
pub async fn open(port: &Port) -> Result<Box<dyn Stream>> {
    match port {
        Port::Tcp(address) => {
            let stream = timeout(CONNECT_MAX, TcpStream::connect(address))
                .await
                .with_context(|| format!("{address} did not answer within {CONNECT_MAX:?}"))?
                .with_context(|| format!("connecting to {address}"))?;
            stream
                .set_nodelay(true)
                .context("asking for small packets at once")?;
            Ok(Box::new(stream))
        }
        Port::Serial { path, baud, parity } => {
            let parity = match parity {
                Parity::None => tokio_serial::Parity::None,
                Parity::Even => tokio_serial::Parity::Even,
            };
            let builder = tokio_serial::new(path.to_string_lossy(), *baud).parity(parity);
            let stream = SerialStream::open(&builder)
                .with_context(|| format!("opening {}", path.display()))?;
            Ok(Box::new(stream))
        }
    }
}
