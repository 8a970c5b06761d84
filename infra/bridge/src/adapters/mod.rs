//! The hardware's side: one file or folder a protocol, all behind [`Adapter`] and [`LockHandle`]: OSDP on a line,
//! HTTP relays, panels that speak ZKTeco's push protocol, and switches that speak MQTT.

mod controller;
pub mod digest;
mod exchange;
mod line;
pub mod meters;
pub mod osdp;
pub mod panels;
mod port;
mod presence;
pub mod relay;
pub mod scan;
pub mod switch;

use std::fmt;
use std::pin::Pin;

use kernel::{DeviceId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use wire::door::OccurrenceKind;

pub use line::Line;
pub use panels::Panels;
pub use port::Stream;
pub use relay::Relay;
pub use scan::Scan;
pub use switch::Switch;

/// What serves devices of one protocol.
pub trait Adapter: Send {
    /// Serves the devices until every handle is gone.
    fn run(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The most releases that wait for one adapter; what comes on top is refused at once.
pub const RELEASES_WAITING_MAX: usize = 64;

/// What a lock is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// Unlock for a while; the controller's own timer ends it.
    Release {
        /// For how long, in milliseconds.
        for_ms: u32,
    },
    /// Stay unlocked until further notice: there is a fire.
    Hold,
    /// Lock again after a hold.
    Restore,
}

/// The wish to move one lock.
#[derive(Debug)]
pub struct Release {
    /// The controller's address on its line; 0 where an adapter is one device.
    pub address: u8,
    /// The controller's output.
    pub output: u8,
    /// What the lock is to do.
    pub movement: Movement,
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

/// What an adapter noticed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The door it concerns.
    pub door: DeviceId,
    /// What it is.
    pub noticed: Noticed,
}

/// What can be noticed at a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noticed {
    /// Something happened that is only told.
    Occurrence(OccurrenceKind),
    /// Somebody showed something at the reader: it is to be decided on.
    Scan(Scan),
}

/// Hands movements to a running adapter.
#[derive(Debug, Clone)]
pub struct LockHandle(mpsc::Sender<Release>);

impl LockHandle {
    /// A handle, and where its releases come out.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Release>) {
        let (sender, releases) = mpsc::channel(RELEASES_WAITING_MAX);
        (Self(sender), releases)
    }

    /// Moves a lock once and waits for the controller's word.
    ///
    /// # Errors
    /// See [`Failure`]; only `Unanswered` leaves open whether the lock moved.
    pub async fn carry_out(
        &self,
        address: u8,
        output: u8,
        movement: Movement,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let (done, result) = oneshot::channel();
        let release = Release {
            address,
            output,
            movement,
            expires_at,
            done,
        };
        self.0
            .try_send(release)
            .map_err(|_| Failure::Unreached("too many releases wait for this device".into()))?;
        result
            .await
            .unwrap_or_else(|_| Err(Failure::Unanswered("the adapter was shut down".into())))
    }

    /// Releases a lock for a while; see [`LockHandle::carry_out`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn release(
        &self,
        address: u8,
        output: u8,
        for_ms: u32,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        self.carry_out(address, output, Movement::Release { for_ms }, expires_at)
            .await
    }
}
