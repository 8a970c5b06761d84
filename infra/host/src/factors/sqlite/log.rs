//! Durable commits that share their fsync.
//!
//! # Why waiting for this log makes a commit durable
//! A database runs in WAL mode with `synchronous = normal`. SQLite then writes a transaction's frames into the
//! `-wal` file at COMMIT, and the only thing it leaves out compared with `synchronous = full` is the sync of that
//! file. Here one thread does that sync for all commits which ended before it began, so a commit that has waited
//! for [`Log::durable`] is as durable as with `full`, while a hundred concurrent commits pay for one sync.
//!
//! What could move the frames away between COMMIT and the sync?
//! - A **checkpoint** copies them into the database file. With `normal` SQLite syncs the WAL before it copies, and
//!   the database file before it records the frames as copied.
//! - A **reset** lets the next writer start again at the beginning of the same file, over old frames. It happens
//!   only after a checkpoint has copied (and synced) all of them, and the new header with its new salt is synced
//!   before any frame follows it. So at every moment a frame is valid in the WAL or durable in the database.
//! - **Deletion** happens when the last connection closes: the database keeps one open for as long as this log
//!   lives. Should somebody put another file in its place nevertheless, [`WalFile::sync`] notices that the path
//!   leads to another file than the one it has synced, and syncs that one and its folder too.
//!
//! The file is synced through a descriptor of its own. Closing any descriptor of a file drops all POSIX locks
//! that the process holds on it; SQLite keeps its locks on the database file and on `-shm`, never on `-wal`,
//! so that this is safe for the WAL, and for nothing else. Never open the database file itself like that.
//!
//! # What else waits
//! A commit is visible to other connections before it is durable. An answer built on it must not leave either,
//! so whoever ends a read waits for all commits announced until then. A commit is announced by SQLite's commit
//! hook, hence before anybody can see it, and completed after COMMIT has returned. SQLite has one writer at a
//! time, so commits complete in the order in which they are announced, and plain counts can serve as tickets.
//!
//! After a failed sync the kernel may have dropped the pages: nothing can be promised any more. The log then
//! refuses everything until the process is restarted.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use anyhow::{Context, Result};
use tokio::sync::oneshot;

/// The sync of the WAL failed: no commit can be promised any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncFailed;

/// Counts commits and says when they are on disk.
pub struct Log {
    announced: AtomicU64,
    completed: AtomicU64,
    durable: AtomicU64,
    syncs: AtomicU64,
    shared: Mutex<Shared>,
    work: Condvar,
}

#[derive(Default)]
struct Shared {
    waiting: Vec<Waiting>,
    failed: bool,
    closing: bool,
}

struct Waiting {
    ticket: u64,
    wake: oneshot::Sender<Result<(), SyncFailed>>,
}

impl Log {
    /// Starts the thread that calls `sync` whenever somebody waits for a completed commit.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        name: &str,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> Result<(Arc<Self>, JoinHandle<()>)> {
        let log = Arc::new(Self {
            announced: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            shared: Mutex::default(),
            work: Condvar::new(),
        });
        let thread = std::thread::Builder::new()
            .name(format!("sync-{name}"))
            .spawn({
                let log = Arc::clone(&log);
                move || log.sync_while_open(sync)
            })
            .context("starting the thread that syncs commits")?;
        Ok((log, thread))
    }

    /// A commit begins; others may see it from now on. Called by SQLite's commit hook.
    pub fn announce(&self) {
        self.announced.fetch_add(1, Ordering::SeqCst);
    }

    /// An announced commit has ended, well or not.
    pub fn complete(&self) {
        self.completed.fetch_add(1, Ordering::SeqCst);
        if !self.lock().waiting.is_empty() {
            self.work.notify_one();
        }
    }

    /// The ticket that covers every commit announced so far.
    pub fn ticket(&self) -> u64 {
        self.announced.load(Ordering::SeqCst)
    }

    /// How many commits have ended.
    pub fn commits(&self) -> u64 {
        self.completed.load(Ordering::Relaxed)
    }

    /// How often the WAL was synced.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Waits until all commits up to `ticket` are on disk. May be dropped at any time.
    ///
    /// # Errors
    /// When the WAL could not be synced, now or earlier, or the log is closing.
    pub async fn durable(&self, ticket: u64) -> Result<(), SyncFailed> {
        if self.durable.load(Ordering::SeqCst) >= ticket {
            return Ok(());
        }
        let woken = {
            let mut shared = self.lock();
            if shared.failed || shared.closing {
                return Err(SyncFailed);
            }
            // The thread raises `durable` under the same lock, so it cannot slip past this check.
            if self.durable.load(Ordering::SeqCst) >= ticket {
                return Ok(());
            }
            let (wake, woken) = oneshot::channel();
            shared.waiting.push(Waiting { ticket, wake });
            self.work.notify_one();
            woken
        };
        woken.await.unwrap_or(Err(SyncFailed))
    }

    /// Ends the thread after what it is doing; who still waits is refused.
    pub fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    fn sync_while_open(&self, mut sync: impl FnMut() -> io::Result<()>) {
        while let Some(covered) = self.next_to_cover() {
            let outcome = sync();
            self.syncs.fetch_add(1, Ordering::Relaxed);
            let mut shared = self.lock();
            match outcome {
                Ok(()) => {
                    self.durable.store(covered, Ordering::SeqCst);
                    for done in shared.waiting.extract_if(.., |waiting| waiting.ticket <= covered) {
                        // Refused by a guest that has gone meanwhile, which needs no answer.
                        let _ = done.wake.send(Ok(()));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the write-ahead log could not be synced: refusing all further commits");
                    shared.failed = true;
                }
            }
        }
        // Dropping the senders tells everyone who still waits.
        self.lock().waiting.clear();
    }

    /// Sleeps until somebody waits for a commit that has ended. Gives the count of the commits ended by now,
    /// read before the sync begins: these, and only these, it will cover. None: the thread shall end.
    fn next_to_cover(&self) -> Option<u64> {
        let mut shared = self.lock();
        loop {
            if shared.closing || shared.failed {
                return None;
            }
            let completed = self.completed.load(Ordering::SeqCst);
            if shared.waiting.iter().any(|waiting| waiting.ticket <= completed) {
                return Some(completed);
            }
            shared = self.work.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `-wal` file of a database, through a descriptor of its own.
pub struct WalFile {
    path: PathBuf,
    file: File,
}

impl WalFile {
    /// Opens the file and makes it, its name in the folder, and whatever an earlier process left unsynced
    /// in it durable.
    ///
    /// # Errors
    /// When it does not exist (SQLite makes it with the first read), or cannot be synced.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        let mut wal = Self { path, file };
        wal.sync()?;
        sync_folder(&wal.path)?;
        Ok(wal)
    }

    /// Brings all that was written before this call to the disk.
    ///
    /// # Errors
    /// When the disk fails, or the file is gone.
    pub fn sync(&mut self) -> io::Result<()> {
        loop {
            self.file.sync_data()?;
            if self.is_in_place()? {
                return Ok(());
            }
            tracing::warn!(path = %self.path.display(), "the write-ahead log was replaced by another process");
            self.file = File::open(&self.path)?;
            sync_folder(&self.path)?;
        }
    }

    fn is_in_place(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let (opened, named) = (self.file.metadata()?, std::fs::metadata(&self.path)?);
        Ok((opened.dev(), opened.ino()) == (named.dev(), named.ino()))
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
