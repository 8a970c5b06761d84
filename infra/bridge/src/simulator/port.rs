//! Where a simulated line is heard: a TCP listener, or a pseudo-terminal.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_serial::{SerialPort, SerialStream};

use crate::config::{BAUD_DEFAULT, Parity, Port};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 512;
/// The pause between two looks at the pseudo-terminal.
const LOOK_PAUSE: Duration = Duration::from_millis(1);

/// What is said to one question, if anything, and how long it takes.
pub type Answered = (Option<Vec<u8>>, Duration);

/// Takes one whole question off the front of the bytes, if there is one.
pub type Next = Box<dyn Fn(&mut Vec<u8>) -> Option<Answered> + Send + Sync>;

/// What is done with what is heard.
pub struct Heard {
    /// What is said to it.
    pub next: Next,
    /// Somebody connected.
    pub connected: Box<dyn Fn() + Send + Sync>,
}

impl Heard {
    /// Serves one connection until it closes.
    async fn serve<Stream: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut Stream,
    ) -> std::io::Result<()> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; READ_BYTES]);
        loop {
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
            self.answer(stream, &mut bytes).await?;
        }
    }

    /// Answers every whole question among the bytes, and keeps the rest.
    async fn answer<Stream: AsyncWrite + Unpin>(
        &self,
        stream: &mut Stream,
        bytes: &mut Vec<u8>,
    ) -> std::io::Result<()> {
        while let Some((answer, delay)) = (self.next)(bytes) {
            let Some(answer) = answer else { continue };
            if !delay.is_zero() {
                sleep(delay).await;
            }
            stream.write_all(&answer).await?;
        }
        Ok(())
    }
}

/// Listens on TCP and serves one connection after the other.
pub async fn tcp(address: &str, line: Heard) -> Result<(Port, JoinHandle<()>)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}"))?;
    let port = Port::Tcp(listener.local_addr()?.to_string());
    let task = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((mut stream, from)) => {
                    (line.connected)();
                    let ended = line.serve(&mut stream).await;
                    tracing::debug!(%from, ?ended, "a connection to the simulated line ended");
                }
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            }
        }
    });
    Ok((port, task))
}

/// Opens a pseudo-terminal, makes a link to its far end, and serves it.
pub fn pty(path: &Path, line: Heard) -> Result<(Port, JoinHandle<()>)> {
    let (mut near, far) = SerialStream::pair().context("opening a pseudo-terminal")?;
    let name = far.name().context("the pseudo-terminal has no name")?;
    // Held open, the far end would keep the exclusive mark of a bridge that was killed.
    drop(far);
    if path.is_symlink() {
        std::fs::remove_file(path)
            .with_context(|| format!("replacing the old link {}", path.display()))?;
    }
    ensure!(!path.exists(), "{} exists and is no link", path.display());
    symlink(&name, path).with_context(|| format!("making the link {}", path.display()))?;
    let port = Port::Serial {
        path: path.to_owned(),
        baud: BAUD_DEFAULT,
        parity: Parity::None,
    };
    let task = tokio::spawn(async move {
        let (mut bytes, mut buffer) = (Vec::new(), [0; READ_BYTES]);
        loop {
            // Nobody at the far end is an error that passes, but the runtime would take it for the end of the file
            // and never wait for it again. So we look from time to time.
            let Ok(count @ 1..) = near.try_read(&mut buffer) else {
                sleep(LOOK_PAUSE).await;
                continue;
            };
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if let Err(error) = line.answer(&mut near, &mut bytes).await {
                tracing::debug!(%error, "an answer found nobody at the pseudo-terminal");
            }
        }
    });
    Ok((port, task))
}
