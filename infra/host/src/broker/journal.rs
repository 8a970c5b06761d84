//! What the broker keeps on disk: sessions, their subscriptions and unacknowledged messages, retained
//! messages and last wills. One thread writes; changes that arrive while it is busy share the next commit.
//!
//! It is not the place where messages are routed or queued for delivery: that is the broker's memory. A row
//! is deleted when the subscriber has acknowledged the message. The SQL stands in `store.rs`.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use anyhow::{Context, Result};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::store;

/// The most changes in one commit.
const COMMIT_CHANGES_MAX: usize = 2048;
/// How long the writer waits before it tries a failed commit again (a full disk, for example).
const COMMIT_RETRY: Duration = Duration::from_secs(1);

/// When a PUBLISH counts as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has it: survives a power cut. Commits share one fsync.
    PowerCut,
    /// When the operating system has it: survives a crash and kill -9 of this process only.
    Process,
}

/// A message as it is kept: for a subscriber, as a retained message or as a last will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Client id of the publisher.
    pub publisher: String,
    /// User name of the publisher.
    pub publisher_username: Option<String>,
    /// Topic name.
    pub topic: String,
    /// Payload as published.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Whether the retain flag is set.
    pub retain: bool,
    /// MQTT 5 properties as JSON.
    pub properties: Option<String>,
    /// Epoch milliseconds.
    pub created_at: i64,
}

/// One unacknowledged message of one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Ascending in order of arrival.
    pub row: u64,
    /// Client id of the subscriber.
    pub client_id: String,
    /// The message with the subscriber's quality of service.
    pub message: StoredMessage,
}

/// A persistent session, without its subscriptions and messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Client id.
    pub client_id: String,
    /// User name it last connected with.
    pub username: Option<String>,
    /// MQTT protocol level: 3, 4 or 5.
    pub protocol: u8,
    /// MQTT 5 session expiry in seconds; for the older protocols the broker's own.
    pub expiry_s: u32,
    /// Epoch milliseconds of its first connection.
    pub created_at: i64,
    /// Epoch milliseconds since it is away; None while it is connected.
    pub disconnected_at: Option<i64>,
}

/// Everything that was on disk when the broker started.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Persistent sessions.
    pub sessions: Vec<StoredSession>,
    /// Client id to topic filter and options (JSON).
    pub subscriptions: HashMap<String, Vec<(String, String)>>,
    /// Client id to its messages, in order.
    pub queued: HashMap<String, Vec<QueuedMessage>>,
    /// Retained messages and their expiry (epoch milliseconds).
    pub retained: Vec<(StoredMessage, Option<i64>)>,
    /// Last wills of clients that were connected when the process ended.
    pub wills: Vec<StoredMessage>,
}

/// One change of what is on disk.
#[derive(Debug)]
pub enum Change {
    /// Messages for persistent subscribers.
    Enqueue(Vec<QueuedMessage>),
    /// A subscriber has acknowledged, or will never get, this row.
    Remove(u64),
    /// A persistent session connected.
    Session(StoredSession),
    /// A session went away, at this epoch millisecond.
    Disconnected(String, i64),
    /// A session ended, with everything that belongs to it.
    End(String),
    /// Client id, topic filter, options (JSON).
    Subscribe(String, String, String),
    /// Client id, topic filter.
    Unsubscribe(String, String),
    /// A retained message and its expiry (epoch milliseconds).
    Retain(StoredMessage, Option<i64>),
    /// A retained message is gone.
    Forget(String),
    /// The last will of a connected client (its publisher).
    Will(StoredMessage),
    /// A client's will is void or published.
    Unwill(String),
}

enum Job {
    Change(Change, Option<oneshot::Sender<()>>),
    Pending(String, oneshot::Sender<Vec<QueuedMessage>>),
    Stop(oneshot::Sender<()>),
}

/// The handle of the writer thread.
#[derive(Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    next_row: Arc<AtomicU64>,
}

impl Journal {
    /// Opens or makes the file and reads what it holds.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database of ours, or no thread can be started.
    pub fn open(path: &Path, durability: Durability) -> Result<(Journal, Snapshot)> {
        let connection = store::open(path, durability)
            .with_context(|| format!("opening the broker's store {}", path.display()))?;
        let snapshot = store::snapshot(&connection).context("reading the broker's store")?;
        let last = snapshot
            .queued
            .values()
            .flatten()
            .map(|queued| queued.row)
            .max()
            .unwrap_or(0);
        let (jobs, inbox) = mpsc::channel();
        std::thread::Builder::new()
            .name("broker-store".to_owned())
            .spawn(move || write(connection, &inbox))
            .context("starting the broker's writer")?;
        Ok((
            Journal {
                jobs,
                next_row: Arc::new(AtomicU64::new(last + 1)),
            },
            snapshot,
        ))
    }

    /// A row number above all others.
    pub fn next_row(&self) -> u64 {
        self.next_row.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes, and returns when the change is as durable as was asked for. A failing disk makes it wait.
    /// It is on its way when this returns, and done when the future ends.
    pub fn commit(&self, change: Change) -> impl Future<Output = ()> + Send + use<> {
        let (done, committed) = oneshot::channel();
        let sent = self.jobs.send(Job::Change(change, Some(done)));
        async move {
            if sent.is_err() || committed.await.is_err() {
                // The journal was stopped: the process is ending, and nothing may be acknowledged any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Writes with the next commit, without waiting: for changes whose loss only repeats a delivery.
    pub fn later(&self, change: Change) {
        // A stopped store keeps what it has: the message is then delivered again after the restart.
        let _ = self.jobs.send(Job::Change(change, None));
    }

    /// What is stored for a subscriber, in order; it contains every change sent before.
    pub async fn pending(&self, client_id: &str) -> Vec<QueuedMessage> {
        let (reply, rows) = oneshot::channel();
        if self
            .jobs
            .send(Job::Pending(client_id.to_owned(), reply))
            .is_err()
        {
            return Vec::new();
        }
        rows.await.unwrap_or_default()
    }

    /// Commits what was sent and ends the writer.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.jobs.send(Job::Stop(done)).is_ok() {
            let _ = stopped.await;
        }
    }
}

fn write(mut connection: Connection, inbox: &mpsc::Receiver<Job>) {
    while let Ok(first) = inbox.recv() {
        let mut batch = Vec::new();
        let mut next = Some(first);
        let mut end = None;
        while let Some(job) = next {
            match job {
                Job::Change(change, done) => batch.push((change, done)),
                other => {
                    end = Some(other);
                    break;
                }
            }
            next = if batch.len() < COMMIT_CHANGES_MAX {
                inbox.try_recv().ok()
            } else {
                None
            };
        }
        commit_batch(&mut connection, batch);
        match end {
            Some(Job::Pending(client_id, reply)) => {
                let rows = store::queued_of(&connection, &client_id).unwrap_or_else(|error| {
                    tracing::error!(%error, client_id, "the broker cannot read a session's messages");
                    Vec::new()
                });
                let _ = reply.send(rows);
            }
            Some(Job::Stop(done)) => {
                drop(connection);
                let _ = done.send(());
                return;
            }
            _ => {}
        }
    }
}

fn commit_batch(connection: &mut Connection, batch: Vec<(Change, Option<oneshot::Sender<()>>)>) {
    if batch.is_empty() {
        return;
    }
    while let Err(error) = apply_all(connection, &batch) {
        tracing::error!(%error, changes = batch.len(), "the broker cannot store; publishers wait");
        std::thread::sleep(COMMIT_RETRY);
    }
    for (_, done) in batch {
        if let Some(done) = done {
            let _ = done.send(());
        }
    }
}

fn apply_all(
    connection: &mut Connection,
    batch: &[(Change, Option<oneshot::Sender<()>>)],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (change, _) in batch {
        store::apply(&transaction, change)?;
    }
    transaction.commit()
}
