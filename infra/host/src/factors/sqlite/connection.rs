//! One SQLite connection as a guest gets it: its settings, what it may not do, and what is watched while a
//! statement runs. It knows nothing of turns, pools and durability.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    hooks::{Action, AuthAction, AuthContext, Authorization},
};

use super::log::Log;

/// How many prepared statements a connection keeps, of some 8 KiB each: two functions at work need no more.
pub const STATEMENTS_CACHED_MAX: usize = 64;
/// Memory for database pages of one connection, in KiB. The operating system caches the file anyway.
const PAGE_CACHE_KIB: u32 = 256;
/// How long a checkpoint that needs the log for itself waits for its readers, while no guest can write.
const CHECKPOINT_WAIT_MAX: Duration = Duration::from_millis(500);
/// After how many instructions of SQLite's machine a running statement looks at its deadline (some 20 us).
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 2_000;

/// A connection with its settings made and its hooks in place.
pub struct Prepared {
    /// The connection itself.
    pub connection: Connection,
    /// What its hooks see and obey.
    pub watch: Arc<Watch>,
}

/// Opens a connection for guests.
///
/// # Errors
/// When the file cannot be opened, or is no database.
pub fn open(path: &Path, log: &Arc<Log>) -> rusqlite::Result<Prepared> {
    let connection = Connection::open_with_flags(path, flags())?;
    // Whoever finds the database locked by another process waits without blocking a thread, see `session`.
    connection.busy_timeout(Duration::ZERO)?;
    // No statement can damage the file itself (`pragma writable_schema` and the like).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A partial index would have a statement planned again for each value of a parameter that its condition names.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -i64::from(PAGE_CACHE_KIB))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    let watch = Arc::new(Watch::default());
    install_hooks(&connection, &watch, log)?;
    Ok(Prepared { connection, watch })
}

/// Opens the connection that belongs to the database itself: it turns WAL mode on, makes the `-wal` file exist,
/// and checkpoints.
///
/// # Errors
/// When the file cannot be made or opened, or is no database.
pub fn open_keeper(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags() | OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.busy_timeout(super::BUSY_WAIT_MAX)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // The first read in WAL mode creates the `-wal` and `-shm` files.
    connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    connection.busy_timeout(CHECKPOINT_WAIT_MAX)?;
    Ok(connection)
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn install_hooks(
    connection: &Connection,
    watch: &Arc<Watch>,
    log: &Arc<Log>,
) -> rusqlite::Result<()> {
    let (committing, announcing) = (Arc::clone(watch), Arc::clone(log));
    connection.commit_hook(Some(move || {
        announcing.announce();
        committing.announced.store(true, Ordering::SeqCst);
        false
    }))?;
    let inserting = Arc::clone(watch);
    connection.update_hook(Some(move |action, _: &str, _: &str, _| {
        if action == Action::SQLITE_INSERT {
            inserting.inserted.store(true, Ordering::Relaxed);
        }
    }))?;
    let progressing = Arc::clone(watch);
    connection.progress_handler(
        INSTRUCTIONS_BETWEEN_LOOKS,
        Some(move || progressing.must_stop()),
    )?;
    let authorizing = Arc::clone(watch);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        authorize(&context.action, &authorizing)
    }))
}

/// Pragmas that would break durability or the neighbours; a guest may read but not set them.
const HOST_PRAGMAS: [&str; 5] = [
    "journal_mode",
    "locking_mode",
    "synchronous",
    "wal_autocheckpoint",
    "wal_checkpoint",
];

/// Refuses what reaches beyond the guest's database, and notes what changes the connection itself, so that it
/// is not handed on to another guest.
fn authorize(action: &AuthAction<'_>, watch: &Watch) -> Authorization {
    match action {
        AuthAction::Attach { filename } if !matches!(*filename, "" | ":memory:") => {
            return Authorization::Deny;
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => {
            let is = |name: &str| pragma_name.eq_ignore_ascii_case(name);
            let of_host = HOST_PRAGMAS.iter().any(|name| is(name));
            if of_host && (pragma_value.is_some() || is("wal_checkpoint")) {
                return Authorization::Deny;
            }
            // What a careful guest does after every open, because on Spin it must: here it is so already, and
            // the connection stays as good for the next one.
            if pragma_value.is_none_or(|value| is("foreign_keys") && is_on(value)) {
                return Authorization::Allow;
            }
        }
        AuthAction::Attach { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => {}
        _ => return Authorization::Allow,
    }
    watch.personal.store(true, Ordering::Relaxed);
    Authorization::Allow
}

fn is_on(value: &str) -> bool {
    ["on", "1", "true", "yes"]
        .iter()
        .any(|on| value.eq_ignore_ascii_case(on))
}

/// What the hooks of one connection see, and what they obey while a statement runs.
#[derive(Default)]
pub struct Watch {
    stop_at: AtomicU64,
    cancelled: AtomicBool,
    announced: AtomicBool,
    inserted: AtomicBool,
    personal: AtomicBool,
}

impl Watch {
    /// The next statement may run for `limit`.
    pub fn allow(&self, limit: Duration) {
        let limit_us = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        self.stop_at
            .store(now_us().saturating_add(limit_us), Ordering::Relaxed);
    }

    /// Whoever asked has gone: the running statement shall end.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether whoever asked has gone.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Whether a commit was announced since the last call.
    pub fn take_announced(&self) -> bool {
        self.announced.swap(false, Ordering::SeqCst)
    }

    /// Whether its guest has inserted a row.
    pub fn has_inserted(&self) -> bool {
        self.inserted.load(Ordering::Relaxed)
    }

    /// Whether its guest has changed the connection itself (pragmas, temporary tables).
    pub fn is_personal(&self) -> bool {
        self.personal.load(Ordering::Relaxed)
    }

    /// Forgets the last guest.
    pub fn renew(&self) {
        self.inserted.store(false, Ordering::Relaxed);
    }

    fn must_stop(&self) -> bool {
        self.is_cancelled() || now_us() >= self.stop_at.load(Ordering::Relaxed)
    }
}

/// Microseconds on a clock of this process that never goes back.
fn now_us() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_micros()).unwrap_or(u64::MAX)
}
