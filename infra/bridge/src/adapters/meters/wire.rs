//! One transaction on a bus: a question out, its answer in, nothing else in between.

use std::io;
use std::time::Duration;

use meter_protocols::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use crate::adapters::Stream;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 512;
/// The most bytes that an answer may hide in; whoever says more is no meter.
const HEARD_BYTES_MAX: usize = 4_096;
/// How much old input is thrown away before a question; a bus that never stops talking is broken.
const DISCARD_BYTES_MAX: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub enum Silence {
    /// Nothing came in time, or nothing that is an answer: what was wrong with what came.
    TimedOut(Option<Error>),
    /// The meter answered, but not with what was asked for.
    Answered(Error),
    /// The bus itself is gone.
    Broken(io::Error),
}

/// An open bus.
pub struct Wire {
    stream: Box<dyn Stream>,
    reply_timeout: Duration,
    /// The bytes of the last answer, as evidence.
    heard: Vec<u8>,
}

impl Wire {
    /// Takes over an open bus.
    pub fn new(stream: Box<dyn Stream>, reply_timeout: Duration) -> Self {
        Self {
            stream,
            reply_timeout,
            heard: Vec::new(),
        }
    }

    /// Sends a question and waits until `read` finds the answer among what comes in: it gives the answer and how many
    /// bytes it takes up. What is broken, or another's, is waited out.
    ///
    /// # Errors
    /// See [`Silence`].
    pub async fn ask<Answer>(
        &mut self,
        question: &[u8],
        mut read: impl FnMut(&[u8]) -> Result<(Answer, usize), Error>,
    ) -> Result<Answer, Silence> {
        self.discard_late_bytes().await?;
        let deadline = Instant::now() + self.reply_timeout;
        match timeout_at(deadline, self.stream.write_all(question)).await {
            Ok(written) => written.map_err(Silence::Broken)?,
            Err(_) => return Err(broken(io::ErrorKind::TimedOut, "the bus takes no bytes")),
        }
        let mut buffer = [0; READ_BYTES];
        let mut wrong = None;
        loop {
            let Ok(count) = timeout_at(deadline, self.stream.read(&mut buffer)).await else {
                return Err(Silence::TimedOut(wrong));
            };
            let count = nonzero(count)?;
            self.heard
                .extend_from_slice(buffer.get(..count).unwrap_or_default());
            match read(&self.heard) {
                Ok((answer, used)) => {
                    self.heard.truncate(used);
                    return Ok(answer);
                }
                Err(error) if error.is_worth_waiting() => wrong = Some(error),
                Err(error) => return Err(Silence::Answered(error)),
            }
            if self.heard.len() > HEARD_BYTES_MAX {
                return Err(Silence::TimedOut(wrong));
            }
        }
    }

    /// The bytes of the last answer.
    pub fn heard(&self) -> &[u8] {
        &self.heard
    }

    /// Waits until the bus breaks, throwing away what comes in: nobody was asked.
    pub async fn idle(&mut self) -> Silence {
        let mut buffer = [0; READ_BYTES];
        loop {
            if let Err(broken) = nonzero(self.stream.read(&mut buffer).await) {
                return broken;
            }
        }
    }

    async fn discard_late_bytes(&mut self) -> Result<(), Silence> {
        self.heard.clear();
        let mut buffer = [0; READ_BYTES];
        let mut discarded = 0;
        while let Ok(read) = timeout(Duration::ZERO, self.stream.read(&mut buffer)).await {
            discarded += nonzero(read)?;
            if discarded > DISCARD_BYTES_MAX {
                return Err(broken(
                    io::ErrorKind::InvalidData,
                    "the bus never stops talking",
                ));
            }
        }
        Ok(())
    }
}

fn nonzero(read: io::Result<usize>) -> Result<usize, Silence> {
    match read {
        Ok(0) => Err(broken(io::ErrorKind::UnexpectedEof, "the bus was closed")),
        Ok(count) => Ok(count),
        Err(error) => Err(Silence::Broken(error)),
    }
}

fn broken(kind: io::ErrorKind, what: &'static str) -> Silence {
    Silence::Broken(io::Error::new(kind, what))
}
