//! Where a simulated line is heard: a TCP listener, or a pseudo-terminal.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_serial::{SerialPort, SerialStream};

use super::{SimulatedLine, serve};
use crate::config::{BAUD_DEFAULT, Port};

/// Listens on TCP and serves one connection after the other.
pub async fn tcp(address: &str, line: Arc<Mutex<SimulatedLine>>) -> Result<(Port, JoinHandle<()>)> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    let port = Port::Tcp(listener.local_addr()?.to_string());
    let task = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((mut stream, from)) => {
                    let ended = serve(&mut stream, &line).await;
                    tracing::debug!(%from, ?ended, "a connection to the simulated line ended");
                }
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            }
        }
    });
    Ok((port, task))
}

/// Opens a pseudo-terminal, makes a link to its far end, and serves it.
pub fn pty(path: &Path, line: Arc<Mutex<SimulatedLine>>) -> Result<(Port, JoinHandle<()>)> {
    let (mut near, mut far) = SerialStream::pair().context("opening a pseudo-terminal")?;
    let name = far.name().context("the pseudo-terminal has no name")?;
    far.set_exclusive(false).context("letting others open the pseudo-terminal")?;
    if path.is_symlink() {
        std::fs::remove_file(path).with_context(|| format!("replacing the old link {}", path.display()))?;
    }
    ensure!(!path.exists(), "{} exists and is no link", path.display());
    symlink(&name, path).with_context(|| format!("making the link {}", path.display()))?;
    let port = Port::Serial { path: path.to_owned(), baud: BAUD_DEFAULT };
    let task = tokio::spawn(async move {
        // Our own hold on the far end keeps the near end open while no bridge is there.
        let _far = far;
        let ended = serve(&mut near, &line).await;
        tracing::warn!(?ended, "the pseudo-terminal was closed");
    });
    Ok((port, task))
}
