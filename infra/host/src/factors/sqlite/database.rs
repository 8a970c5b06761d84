//! One database file: its connections, whose turn it is to write, and its log of durable commits.
//!
//! SQLite lets one connection write at a time and makes the others sleep and try again, in no order. Here whoever
//! is about to write takes a turn first, first come, first served; the turn ends with SQLite's COMMIT, before the
//! wait for the disk, so that the next writer's commit can share the sync. Writers of other processes are
//! not in this queue: they meet SQLite's own lock.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use anyhow::{Context, Result};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    BUSY_WAIT_MAX, CONNECTIONS_PER_DATABASE_MAX,
    checkpoint::Checkpointer,
    connection::{self, Prepared},
    idle::Idle,
    log::{Log, WalFile},
    session::Session,
};
use crate::bindings::sqlite::Error;

/// How many texts of slow statements are remembered.
const SLOW_STATEMENTS_MAX: usize = 1_024;

/// A database, open for as long as this value lives.
pub struct Database {
    label: String,
    path: PathBuf,
    log: Arc<Log>,
    turn: Arc<AsyncMutex<()>>,
    slots: Arc<Semaphore>,
    idle: Idle,
    slow: RwLock<HashSet<String>>,
    statements: AtomicU64,
    busy_waits: AtomicU64,
    syncing: Option<JoinHandle<()>>,
    // Holds the connection that keeps the WAL in place, hence last.
    checkpointer: Checkpointer,
}

/// What a database has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Statements executed.
    pub statements: u64,
    /// Transactions that wrote something and have ended.
    pub commits: u64,
    /// Syncs of the write-ahead log.
    pub fsyncs: u64,
    /// How often somebody had to wait for a turn to write, or for another process.
    pub busy_waits: u64,
    /// How often the write-ahead log was copied into the database.
    pub checkpoints: u64,
}

/// Whoever holds it may write.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Database {
    /// Opens, or makes, the database in this file.
    ///
    /// # Errors
    /// When the file or its folder cannot be written, or the file is something else.
    pub fn open(label: &str, path: &Path) -> Result<Arc<Self>> {
        let opening = || format!("opening the database {}", path.display());
        let keeper = connection::open_keeper(path).with_context(opening)?;
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let mut wal = WalFile::open(PathBuf::from(wal)).with_context(opening)?;
        let (log, syncing) = Log::start(label, move || wal.sync())?;
        let turn = Arc::new(AsyncMutex::new(()));
        let checkpointer = Checkpointer::start(label, keeper, Arc::clone(&log), Arc::clone(&turn))?;
        Ok(Arc::new(Self {
            label: label.to_owned(),
            path: path.to_owned(),
            log,
            turn,
            slots: Arc::new(Semaphore::new(CONNECTIONS_PER_DATABASE_MAX)),
            idle: Idle::default(),
            slow: RwLock::default(),
            statements: AtomicU64::new(0),
            busy_waits: AtomicU64::new(0),
            syncing: Some(syncing),
            checkpointer,
        }))
    }

    /// A connection for one guest.
    ///
    /// # Errors
    /// When too many are open for too long, or SQLite cannot open another.
    pub async fn connect(self: &Arc<Self>) -> Result<Session, Error> {
        let slots = Arc::clone(&self.slots);
        let slot = timeout(BUSY_WAIT_MAX, slots.acquire_owned())
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| {
                Error::Io("too many connections are open to this database".to_owned())
            })?;
        let kept = self.idle.take();
        let prepared = match kept {
            Some(prepared) => prepared,
            None => connection::open(&self.path, &self.log)
                .map_err(|error| Error::Io(error.to_string()))?,
        };
        prepared.watch.renew();
        Ok(Session::new(prepared, Arc::clone(self), slot))
    }

    /// Its label in the manifest.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What it has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            statements: self.statements.load(Ordering::Relaxed),
            commits: self.log.commits(),
            fsyncs: self.log.syncs(),
            busy_waits: self.busy_waits.load(Ordering::Relaxed),
            checkpoints: self.checkpointer.checkpoints(),
        }
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn count_statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_busy_wait(&self) {
        self.busy_waits.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for the turn to write. None: it took too long.
    pub(super) async fn take_turn(&self) -> Option<Turn> {
        if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() {
            return Some(turn);
        }
        self.count_busy_wait();
        timeout(BUSY_WAIT_MAX, Arc::clone(&self.turn).lock_owned())
            .await
            .ok()
    }

    /// Takes back a connection that a guest has used, unless it carries something of that guest.
    pub(super) fn take_back(&self, prepared: Prepared, slot: OwnedSemaphorePermit) {
        let reusable = prepared.connection.is_autocommit()
            && !prepared.watch.is_personal()
            && !prepared.watch.is_cancelled();
        if reusable {
            self.idle.put(prepared);
        }
        drop(slot);
    }

    /// Whether this statement has once kept a thread for too long.
    pub(super) fn is_slow(&self, statement: &str) -> bool {
        self.slow
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(statement)
    }

    pub(super) fn remember_slow(&self, statement: &str) {
        let mut slow = self.slow.write().unwrap_or_else(PoisonError::into_inner);
        if slow.len() < SLOW_STATEMENTS_MAX {
            slow.insert(statement.to_owned());
        }
    }

    /// How many connections wait for the next guest.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    /// How many more connections guests could open now.
    #[cfg(test)]
    pub(super) fn slots_free(&self) -> usize {
        self.slots.available_permits()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.log.close();
        if let Some(thread) = self.syncing.take()
            && thread.join().is_err()
        {
            tracing::error!(
                label = self.label,
                "the thread that syncs commits had panicked"
            );
        }
    }
}
