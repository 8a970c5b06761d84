//! The hardware's side: one file a protocol. Today there is one, OSDP; a second one brings the common trait.

mod controller;
mod exchange;
mod line;
pub mod osdp;
mod port;
mod presence;

use std::fmt;

use kernel::{DeviceId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use wire::door::OccurrenceKind;

pub use line::Line;

/// The most releases that wait for one line; what comes on top is refused at once.
pub const RELEASES_WAITING_MAX: usize = 64;

/// The wish to release one lock for a while.
#[derive(Debug)]
pub struct Release {
    /// The controller's address on its line.
    pub address: u8,
    /// The controller's output.
    pub output: u8,
    /// For how long, in milliseconds; the controller's own timer ends it.
    pub for_ms: u32,
    /// From this moment on nothing is sent any more.
    pub expires_at: Timestamp,
    /// Where the result goes.
    pub done: oneshot::Sender<Result<(), Failure>>,
}

impl Release {
    /// Tells whoever asked.
    fn finish(self, result: Result<(), Failure>) {
        // Whoever asked may have gone; the lock's movement is in the log either way.
        if let Err(result) = self.done.send(result) {
            tracing::warn!(
                address = self.address,
                output = self.output,
                ?result,
                "nobody waits for this release"
            );
        }
    }
}

/// Why a lock was not released, or why nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The expiry passed before the bytes went out: the lock did not move.
    Expired,
    /// The controller refused: the lock did not move.
    Refused(String),
    /// The controller was not reached: the lock did not move.
    Unreached(String),
    /// The order went out and no answer came: nobody knows whether the lock moved.
    Unanswered(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => formatter.write_str("expired"),
            Self::Refused(reason) => write!(formatter, "refused: {reason}"),
            Self::Unreached(reason) => write!(formatter, "not reached: {reason}"),
            Self::Unanswered(reason) => {
                write!(formatter, "unanswered, the lock may have moved: {reason}")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// What a line noticed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The door it concerns.
    pub door: DeviceId,
    /// What it is.
    pub kind: OccurrenceKind,
}

/// Hands releases to a running line.
#[derive(Debug, Clone)]
pub struct LineHandle(mpsc::Sender<Release>);

impl LineHandle {
    /// Releases a lock once and waits for the controller's word.
    ///
    /// # Errors
    /// See [`Failure`]; only `Unanswered` leaves open whether the lock moved.
    pub async fn release(
        &self,
        address: u8,
        output: u8,
        for_ms: u32,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let (done, result) = oneshot::channel();
        let release = Release {
            address,
            output,
            for_ms,
            expires_at,
            done,
        };
        self.0
            .try_send(release)
            .map_err(|_| Failure::Unreached("too many releases wait for this line".into()))?;
        result
            .await
            .unwrap_or_else(|_| Err(Failure::Unanswered("the line was shut down".into())))
    }
}
