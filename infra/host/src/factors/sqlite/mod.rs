//! Spin's `sqlite` interface: a database is a file of the data folder, `{label}.db`.
//!
//! What a guest sees is Spin's behaviour, with four things added: a COMMIT returns only when it is on disk, and
//! concurrent ones share the sync (`log`); writers take turns in the order they came instead of sleeping in
//! SQLite (`database`); connections are reused between guests, cleaned (`session`); and a statement has a time
//! limit and ends with its guest. A text of several statements is refused, where Spin drops all but the first.

mod answer;
mod checkpoint;
mod connection;
mod database;
mod host;
mod idle;
mod log;
mod session;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tokio::sync::Mutex as AsyncMutex;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};

use super::Permissions;
use crate::{
    bindings::sqlite::{self, Error},
    instance::State,
};

pub use self::{
    answer::Answer,
    database::{Counters, Database},
    session::Session,
};

/// How many connections one instance may hold open at a time (Spin's limit).
pub const CONNECTIONS_PER_INSTANCE_MAX: usize = 256;
/// How many connections all guests together may hold open to one database.
pub const CONNECTIONS_PER_DATABASE_MAX: usize = 128;
/// How many unused connections a database keeps for the next guests.
pub const CONNECTIONS_IDLE_MAX: usize = 16;
/// The longest wait for a connection, for the turn to write, and for another process to unlock the database.
pub const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);
/// The longest run of one statement.
pub const STATEMENT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a statement may keep an async thread before it is moved to another one.
pub const INLINE_TIME_MAX: Duration = Duration::from_millis(20);
/// The size of all rows of one answer, in bytes.
pub const RESULT_BYTES_MAX: usize = 32 << 20;

/// The databases of the application, opened when they are first asked for.
pub struct Factor {
    databases: Arc<Databases>,
}

/// What one instance may use.
pub struct Instance {
    databases: Arc<Databases>,
    labels: Arc<[String]>,
    open: ResourceTable,
    opened: usize,
}

struct Databases {
    folder: PathBuf,
    by_label: Mutex<BTreeMap<String, Arc<Database>>>,
}

/// A guest's connection. Several calls of one guest may use it at once: they happen one after another.
type Shared = Arc<AsyncMutex<Session>>;

impl Factor {
    /// Keeps the databases in `data`.
    ///
    /// # Errors
    /// When the folder does not exist and cannot be made.
    pub fn new(data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data)
            .with_context(|| format!("making the data folder {}", data.display()))?;
        Ok(Self {
            databases: Arc::new(Databases {
                folder: data.to_owned(),
                by_label: Mutex::default(),
            }),
        })
    }

    /// What an instance of a component with these permissions may use.
    #[must_use]
    pub fn instance(&self, permissions: &Permissions) -> Instance {
        Instance {
            databases: Arc::clone(&self.databases),
            labels: Arc::clone(&permissions.sqlite_databases),
            open: ResourceTable::new(),
            opened: 0,
        }
    }

    /// The database of this label, opened (and made) now if it is not yet.
    ///
    /// # Errors
    /// When the label cannot be a file's name, or the file cannot be used as a database.
    pub fn database(&self, label: &str) -> Result<Arc<Database>> {
        self.databases.get(label)
    }

    /// The databases opened so far, by label, for their counters.
    #[must_use]
    pub fn opened(&self) -> Vec<Arc<Database>> {
        self.databases.lock().values().cloned().collect()
    }
}

impl Databases {
    fn get(&self, label: &str) -> Result<Arc<Database>> {
        let mut by_label = self.lock();
        if let Some(database) = by_label.get(label) {
            return Ok(Arc::clone(database));
        }
        let allowed =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        ensure!(
            !label.is_empty() && label.chars().all(allowed),
            "{label:?} cannot name a database: letters, digits, '-' and '_' only"
        );
        let database = Database::open(label, &self.folder.join(format!("{label}.db")))?;
        by_label.insert(label.to_owned(), Arc::clone(&database));
        Ok(database)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Database>>> {
        self.by_label.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instance {
    /// The database a guest asks for, if its component may use it.
    fn permitted(&self, label: &str) -> Result<Arc<Database>, Error> {
        if !self.labels.iter().any(|allowed| allowed == label) {
            return Err(Error::AccessDenied);
        }
        self.databases.get(label).map_err(|error| {
            tracing::error!(
                label,
                error = format!("{error:#}"),
                "a database cannot be opened"
            );
            Error::Io(format!("the database {label:?} cannot be opened"))
        })
    }

    fn keep(&mut self, session: Session) -> Result<Resource<sqlite::Connection>, Error> {
        if self.opened >= CONNECTIONS_PER_INSTANCE_MAX {
            return Err(Error::Io("too many connections opened".to_owned()));
        }
        let shared: Shared = Arc::new(AsyncMutex::new(session));
        let entry = self
            .open
            .push(shared)
            .map_err(|error| Error::Io(error.to_string()))?;
        self.opened += 1;
        Ok(Resource::new_own(entry.rep()))
    }

    fn find(&self, connection: &Resource<sqlite::Connection>) -> Result<Shared, Error> {
        let entry = Resource::<Shared>::new_borrow(connection.rep());
        self.open
            .get(&entry)
            .cloned()
            .map_err(|_| Error::InvalidConnection)
    }

    fn close(&mut self, connection: &Resource<sqlite::Connection>) -> wasmtime::Result<()> {
        let entry = Resource::<Shared>::new_own(connection.rep());
        self.open.delete(entry)?;
        self.opened -= 1;
        Ok(())
    }
}

/// Adds the interface.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    sqlite::add_to_linker::<_, HasSelf<Instance>>(linker, |state| &mut state.sqlite)
}
