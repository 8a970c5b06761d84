//! The spool's part in the gate's decisions: what happened before one, and where it is written down.

use anyhow::Result;
use kernel::{DeviceId, PassId, Timestamp};
use wire::audit::{Entry, Line};

use super::{Maker, Operation, Outgoing, Spool};

/// Who asks, where and with which pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The door.
    pub door: DeviceId,
    /// The person, or the pass of somebody without a name; none when nobody was recognised.
    pub subject: Option<String>,
    /// The pass and its step, when there is one.
    pub pass: Option<(PassId, u64)>,
    /// The community of the door.
    pub area: String,
}

/// What happened before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// When the door opened last for the person, in epoch milliseconds, within the last hour.
    pub last_at: Option<i64>,
    /// How often it did within the last hour.
    pub in_hour: u64,
    /// How often it opened for this step of the pass.
    pub uses: u64,
    /// Which way the person went last.
    pub last_direction: Option<String>,
}

/// What is kept of a decision for later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Who asked, where and with what.
    pub asked: Asked,
    /// Which way the door leads, when it leads one way.
    pub direction: Option<&'static str>,
    /// Until when later decisions can depend on this one.
    pub keep_until: Timestamp,
}

/// The place of a decision in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

impl Spool {
    /// What happened before.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn past(&self, asked: Asked) -> Result<Past> {
        self.ask(|done| Operation::Past(asked, done)).await
    }

    /// Writes a decision down for good and puts it into the outbox as `make` says it, in one commit. The entry's
    /// place in the chain is filled in here. None when there is no room: then the door must not move.
    ///
    /// # Errors
    /// When the disk fails; then the door must not move either.
    pub async fn record(
        &self,
        trace: Trace,
        line: Line,
        make: impl FnOnce(Entry) -> Result<Outgoing> + Send + 'static,
    ) -> Result<Option<Recorded>> {
        let (decided, maker) = (Box::new((trace, line)), Maker(Box::new(make)));
        self.ask(|done| Operation::Record(decided, maker, done))
            .await
    }

    /// Writes down that a door is held open, or no longer.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn hold(&self, door: &DeviceId, held: bool) -> Result<()> {
        self.ask(|done| Operation::Hold(door.clone(), held, done))
            .await
    }

    /// The doors that are held open.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn held(&self) -> Result<Vec<DeviceId>> {
        self.ask(Operation::Held).await
    }
}
