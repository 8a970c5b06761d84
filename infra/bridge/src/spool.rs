//! What the bridge must not forget: everything it says, until the function has it for good, and every command it
//! took, so that a door moves once. One thread owns the file; whatever waits is committed together, with one sync.
//!
//! When the outbox is full the oldest occurrence goes first. Acknowledgements are never dropped: when nothing else
//! is left, commands are left alone until there is room, because a door must not move without a place for its answer.

mod decided;
mod keeper;

pub use decided::{Asked, Past, Recorded, Trace};

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use kernel::{DeviceId, MessageId, OpeningId, Timestamp};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::config::SpoolLimits;
use crate::counters::Counters;
use crate::store;
use crate::window::Want;

/// The file in the data folder.
pub const FILE_NAME: &str = "spool.db";
/// The most operations that wait for the thread.
const WAITING_MAX: usize = 1024;
/// An answered command is remembered for this long beyond its expiry, in milliseconds.
pub const REMEMBERED_MS: i64 = 600_000;
/// This many of the newest commands are always remembered.
pub const REMEMBERED_MIN: u64 = 10_000;

/// Whether a message may be dropped when the spool is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something happened: may be dropped.
    Occurrence,
    /// The answer to a command, or an entry of the audit: is never dropped.
    Acknowledgement,
}

/// A message to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The message's own id, also inside the payload.
    pub id: MessageId,
    /// The topic it goes to.
    pub topic: String,
    /// Whether it may be dropped.
    pub kind: Kind,
    /// The JSON.
    pub payload: Vec<u8>,
}

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place; grows for ever.
    pub seq: i64,
    /// The message.
    pub message: Outgoing,
}

/// What taking a command found.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is new, and written down: act now.
    First,
    /// This run is acting on it: its answer will come.
    Running,
    /// An earlier run took it and never answered: it may have acted, so it must not act again.
    Interrupted,
    /// It was answered; the answer has been put into the outbox again.
    Answered,
    /// There is no room for its answer: leave it alone. Nothing was written down.
    NoRoom,
}

/// The handle to the spool; clones share it.
#[derive(Debug, Clone)]
pub struct Spool {
    operations: mpsc::Sender<Operation>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
enum Operation {
    Take(
        DeviceId,
        OpeningId,
        Timestamp,
        oneshot::Sender<Result<Taken>>,
    ),
    Answer(DeviceId, OpeningId, Outgoing, oneshot::Sender<Result<()>>),
    Say(Outgoing, oneshot::Sender<Result<()>>),
    Forget(Vec<MessageId>, oneshot::Sender<Result<u64>>),
    Fetch(Vec<Want>, oneshot::Sender<Result<Vec<Stored>>>),
    Again(Vec<i64>, oneshot::Sender<Result<Vec<Stored>>>),
    Topics(oneshot::Sender<Result<Vec<String>>>),
    Unanswered(oneshot::Sender<Result<Vec<(DeviceId, OpeningId)>>>),
    Size(oneshot::Sender<Result<(u64, u64)>>),
    Past(Asked, oneshot::Sender<Result<Past>>),
    Record(
        Box<(Trace, wire::audit::Line)>,
        Maker,
        oneshot::Sender<Result<Option<Recorded>>>,
    ),
    Hold(DeviceId, bool, oneshot::Sender<Result<()>>),
    Held(oneshot::Sender<Result<Vec<DeviceId>>>),
}

/// Makes the message that carries an entry, once its place in the chain is known.
struct Maker(Box<dyn FnOnce(wire::audit::Entry) -> Result<Outgoing> + Send>);

impl std::fmt::Debug for Maker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Maker(..)")
    }
}

impl Spool {
    /// Opens the spool in the data folder, which is made if need be. `run` names this run of the bridge.
    ///
    /// # Errors
    /// When the folder cannot be written, or another bridge uses it.
    pub fn open(
        data: &Path,
        limits: SpoolLimits,
        run: String,
        clock: crate::clock::Clock,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        std::fs::create_dir_all(data)
            .with_context(|| format!("making the data folder {}", data.display()))?;
        let db = store::open(&data.join(FILE_NAME))?;
        let (messages, bytes) = store::outbox_size(&db)?;
        let (operations, waiting) = mpsc::channel(WAITING_MAX);
        let changed = Arc::new(Notify::new());
        let keeper = keeper::Keeper {
            limits,
            run,
            clock,
            counters,
            messages,
            bytes,
            forgot_at: std::time::Instant::now(),
            changed: changed.clone(),
        };
        std::thread::Builder::new()
            .name("spool".into())
            .spawn(move || keeper.keep(db, waiting))
            .context("starting the spool's thread")?;
        Ok(Self {
            operations,
            changed,
        })
    }

    /// Wakes when something new may be in the outbox.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Wakes whoever waits for [`Spool::changed`]: there may be room again.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Writes down, for good, that a command is about to be acted on, unless it is known.
    ///
    /// # Errors
    /// When the disk fails; then nothing may be acted on.
    pub async fn take(
        &self,
        door: &DeviceId,
        opening: &OpeningId,
        expires_at: Timestamp,
    ) -> Result<Taken> {
        self.ask(|done| Operation::Take(door.clone(), opening.clone(), expires_at, done))
            .await
    }

    /// Writes down what became of a command, and puts the answer into the outbox, in one commit.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn answer(
        &self,
        door: &DeviceId,
        opening: &OpeningId,
        answer: Outgoing,
    ) -> Result<()> {
        self.ask(|done| Operation::Answer(door.clone(), opening.clone(), answer, done))
            .await
    }

    /// Puts a message into the outbox.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn say(&self, message: Outgoing) -> Result<()> {
        self.ask(|done| Operation::Say(message, done)).await
    }

    /// Forgets messages whose receipt came; how many of them were still there.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn forget(&self, messages: Vec<MessageId>) -> Result<u64> {
        self.ask(|done| Operation::Forget(messages, done)).await
    }

    /// The messages that are wanted, oldest first.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn fetch(&self, wants: Vec<Want>) -> Result<Vec<Stored>> {
        self.ask(|done| Operation::Fetch(wants, done)).await
    }

    /// Those of the given messages that are still there.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn fetch_again(&self, places: Vec<i64>) -> Result<Vec<Stored>> {
        self.ask(|done| Operation::Again(places, done)).await
    }

    /// The topics that have something in the outbox.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn topics(&self) -> Result<Vec<String>> {
        self.ask(Operation::Topics).await
    }

    /// The commands that an earlier run took and never answered.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn unanswered(&self) -> Result<Vec<(DeviceId, OpeningId)>> {
        self.ask(Operation::Unanswered).await
    }

    /// How many messages and payload bytes the outbox holds.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn size(&self) -> Result<(u64, u64)> {
        self.ask(Operation::Size).await
    }

    async fn ask<Answer>(
        &self,
        operation: impl FnOnce(oneshot::Sender<Result<Answer>>) -> Operation,
    ) -> Result<Answer> {
        let (done, answer) = oneshot::channel();
        self.operations
            .send(operation(done))
            .await
            .map_err(|_| anyhow!("the spool has stopped"))?;
        answer
            .await
            .map_err(|_| anyhow!("the spool could not be written; see the log"))?
    }
}
