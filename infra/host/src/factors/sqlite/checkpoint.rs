//! Copies the write-ahead log into the database file, in a thread of its own, so that no guest's COMMIT does it.
//!
//! Usually passively, beside readers and writers. The log starts again at its beginning when a writer finds all
//! of it copied and nobody reading from it. Under load that moment may never come; so when the log has grown too
//! long, the thread takes a turn as if it were a writer, and waits for the readers too.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result};
use rusqlite::Connection;
use tokio::sync::Mutex as AsyncMutex;

use super::log::Log;

/// How often the thread looks.
const INTERVAL: Duration = Duration::from_millis(200);
/// After how many commits it copies, if that many came...
const COMMITS_MAX: u64 = 400;
/// ...and after how many looks, if at least one came.
const LOOKS_MAX: u32 = 10;
/// The longest the log may grow while guests are busy, in frames of one page (64 MiB).
const WAL_FRAMES_MAX: i64 = 16_384;

/// The thread and the connection that it uses.
pub struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    keeper: Mutex<Connection>,
    log: Arc<Log>,
    turn: Arc<AsyncMutex<()>>,
    checkpoints: AtomicU64,
    closing: AtomicBool,
}

impl Checkpointer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(label: &str, keeper: Connection, log: Arc<Log>, turn: Arc<AsyncMutex<()>>) -> Result<Self> {
        let shared = Arc::new(Shared {
            keeper: Mutex::new(keeper),
            log,
            turn,
            checkpoints: AtomicU64::new(0),
            closing: AtomicBool::new(false),
        });
        let thread = std::thread::Builder::new()
            .name(format!("checkpoint-{label}"))
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.run()
            })
            .context("starting the thread that checkpoints")?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// How often the log was copied.
    pub fn checkpoints(&self) -> u64 {
        self.shared.checkpoints.load(Ordering::Relaxed)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the thread that checkpoints had panicked");
            }
        }
    }
}

impl Shared {
    fn run(&self) {
        let (mut copied, mut looks) = (self.log.commits(), 0);
        loop {
            std::thread::park_timeout(INTERVAL);
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            let commits = self.log.commits();
            looks += 1;
            let due = commits - copied >= COMMITS_MAX || (looks >= LOOKS_MAX && commits > copied);
            if !due {
                continue;
            }
            (copied, looks) = (commits, 0);
            if let Err(error) = self.checkpoint() {
                tracing::warn!(%error, "the write-ahead log could not be copied into the database");
            }
        }
    }

    fn checkpoint(&self) -> rusqlite::Result<()> {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = copy(&keeper, "pragma wal_checkpoint(passive)")?;
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
        if frames > WAL_FRAMES_MAX {
            let turn = self.turn.blocking_lock();
            copy(&keeper, "pragma wal_checkpoint(restart)")?;
            drop(turn);
        }
        Ok(())
    }
}

/// How many frames the log holds after the checkpoint.
fn copy(keeper: &Connection, statement: &str) -> rusqlite::Result<i64> {
    keeper.query_row(statement, [], |row| row.get("log"))
}
