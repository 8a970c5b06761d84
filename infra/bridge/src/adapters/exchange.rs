//! One transaction on an open line: an order out, its answer in, nothing else in between.

use std::io;
use std::time::Duration;

use osdp::Sqn;
use osdp::command::Command;
use osdp::reply::Reply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::osdp::{Decoder, order_bytes};
use super::port::Stream;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 512;
/// How much old input is thrown away before an order; a line that never stops talking is broken.
const DISCARD_BYTES_MAX: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub enum Silence {
    /// The line is there, the device is silent.
    TimedOut,
    /// The line itself is gone.
    Broken(io::Error),
}

/// An open line and what has been read from it.
pub struct Exchange {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    reply_timeout: Duration,
}

impl Exchange {
    /// Takes over an open line.
    pub fn new(stream: Box<dyn Stream>, reply_timeout: Duration) -> Self {
        Self {
            stream,
            decoder: Decoder::default(),
            reply_timeout,
        }
    }

    /// Sends one order and waits for the answer of that device to that sequence number. Answers of others and to
    /// earlier orders are skipped: they are late.
    ///
    /// # Errors
    /// See [`Silence`].
    pub async fn ask(
        &mut self,
        address: u8,
        sequence: Sqn,
        order: &Command,
    ) -> Result<Result<Reply, osdp::Error>, Silence> {
        let bytes = order_bytes(address, sequence, order).map_err(|error| {
            Silence::Broken(io::Error::new(
                io::ErrorKind::InvalidInput,
                error.to_string(),
            ))
        })?;
        self.discard_late_bytes().await?;
        let deadline = Instant::now() + self.reply_timeout;
        match timeout_at(deadline, self.stream.write_all(&bytes)).await {
            Ok(written) => written.map_err(Silence::Broken)?,
            Err(_) => {
                return Err(Silence::Broken(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the line takes no bytes",
                )));
            }
        }
        let mut buffer = [0; READ_BYTES];
        loop {
            while let Some(answer) = self.decoder.next_answer() {
                // BUSY carries the number 0 whatever it answers.
                let busy = matches!(answer.reply, Ok(Reply::Busy(_)));
                if answer.address == address && (answer.sequence == sequence || busy) {
                    return Ok(answer.reply);
                }
                tracing::debug!(
                    from = answer.address,
                    sequence = answer.sequence.value(),
                    "a late answer was skipped"
                );
            }
            let Ok(read) = timeout_at(deadline, self.stream.read(&mut buffer)).await else {
                return Err(Silence::TimedOut);
            };
            let count = nonzero(read)?;
            self.decoder.push(buffer.get(..count).unwrap_or_default());
        }
    }

    /// Waits until the line breaks, throwing away what comes in: nobody was asked.
    pub async fn idle(&mut self) -> Silence {
        let mut buffer = [0; READ_BYTES];
        loop {
            if let Err(broken) = nonzero(self.stream.read(&mut buffer).await) {
                return broken;
            }
        }
    }

    async fn discard_late_bytes(&mut self) -> Result<(), Silence> {
        self.decoder.clear();
        let mut buffer = [0; READ_BYTES];
        let mut discarded = 0;
        while let Ok(read) = timeout(Duration::ZERO, self.stream.read(&mut buffer)).await {
            discarded += nonzero(read)?;
            if discarded > DISCARD_BYTES_MAX {
                return Err(Silence::Broken(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the line never stops talking",
                )));
            }
        }
        Ok(())
    }
}

fn nonzero(read: io::Result<usize>) -> Result<usize, Silence> {
    match read {
        Ok(0) => Err(Silence::Broken(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the line was closed",
        ))),
        Ok(count) => Ok(count),
        Err(error) => Err(Silence::Broken(error)),
    }
}
