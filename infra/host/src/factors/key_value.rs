//! Spin's `key_value` interface: every store is one label in one SQLite file of the data folder.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension};
use wasmtime::component::{Accessor, FutureReader, HasSelf, Linker, Resource, StreamReader};

use super::Permissions;
use crate::{
    bindings::key_value::{self, Error, Store},
    instance::State,
};

/// The file in the data folder.
pub const KEY_VALUE_FILE: &str = "key_value.db";

/// The most stores that one instance may have open.
pub const STORES_OPEN_MAX: usize = 64;

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// The longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What the whole application shares.
pub struct Factor {
    connection: Arc<Mutex<Connection>>,
}

/// What one instance may use.
pub struct Instance {
    connection: Arc<Mutex<Connection>>,
    allowed: Arc<[String]>,
    /// The label behind each handle.
    open: Vec<Option<Arc<str>>>,
}

impl Factor {
    /// Opens the file.
    ///
    /// # Errors
    /// When the data folder cannot be used.
    pub fn new(data: &Path) -> Result<Self> {
        let path = data.join(KEY_VALUE_FILE);
        let connection = open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// What an instance of a component with these permissions may use.
    #[must_use]
    pub fn instance(&self, permissions: &Permissions) -> Instance {
        Instance {
            connection: self.connection.clone(),
            allowed: permissions.key_value_stores.clone(),
            open: Vec::new(),
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "pragma journal_mode = wal;
         pragma synchronous = full;
         pragma busy_timeout = 5000;
         create table if not exists key_value (
            store text not null,
            key text not null,
            value blob not null,
            primary key (store, key)
         ) without rowid",
    )?;
    Ok(connection)
}

impl Instance {
    fn add(&mut self, label: String) -> Result<Resource<Store>, Error> {
        if !self.allowed.contains(&label) {
            return Err(Error::AccessDenied);
        }
        let free = self
            .open
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.open.len());
        if free >= STORES_OPEN_MAX {
            return Err(Error::StoreTableFull);
        }
        if free == self.open.len() {
            self.open.push(None);
        }
        if let Some(slot) = self.open.get_mut(free) {
            *slot = Some(label.into());
        }
        Ok(Resource::new_own(u32::try_from(free).unwrap_or(u32::MAX)))
    }

    fn label(&self, store: &Resource<Store>) -> Option<Arc<str>> {
        self.open.get(store.rep() as usize).cloned().flatten()
    }
}

/// Runs a statement on a thread where it may block.
async fn query<T, V: Send + 'static>(
    accessor: &Accessor<T, HasSelf<Instance>>,
    store: &Resource<Store>,
    work: impl FnOnce(&Connection, &str) -> rusqlite::Result<V> + Send + 'static,
) -> Result<V, Error>
where
    T: 'static,
{
    let (connection, label) = accessor.with(|mut access| {
        let instance = access.get();
        (instance.connection.clone(), instance.label(store))
    });
    let label = label.ok_or(Error::NoSuchStore)?;
    let done = tokio::task::spawn_blocking(move || {
        work(
            &connection.lock().unwrap_or_else(PoisonError::into_inner),
            &label,
        )
    });
    let done = done
        .await
        .map_err(|error| Error::Other(error.to_string()))?;
    done.map_err(|error| Error::Other(error.to_string()))
}

impl key_value::Host for Instance {}

impl key_value::HostStore for Instance {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        if let Some(slot) = self.open.get_mut(store.rep() as usize) {
            *slot = None;
        }
        Ok(())
    }
}

impl<T: 'static> key_value::HostStoreWithStore<T> for HasSelf<Instance> {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        Ok(accessor.with(|mut access| access.get().add(label)))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(query(accessor, &store, move |connection, label| {
            let mut statement = connection
                .prepare_cached("select value from key_value where store = ?1 and key = ?2")?;
            statement
                .query_row((label, key), |row| row.get(0))
                .optional()
        })
        .await)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        if key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
            let limits = format!(
                "a key has at most {KEY_BYTES_MAX} bytes, a value at most {VALUE_BYTES_MAX}"
            );
            return Ok(Err(Error::Other(limits)));
        }
        Ok(query(accessor, &store, move |connection, label| {
            let mut statement = connection.prepare_cached(
                "insert into key_value (store, key, value) values (?1, ?2, ?3)
                 on conflict (store, key) do update set value = excluded.value",
            )?;
            statement.execute((label, key, value)).map(drop)
        })
        .await)
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(query(accessor, &store, move |connection, label| {
            let mut statement =
                connection.prepare_cached("delete from key_value where store = ?1 and key = ?2")?;
            statement.execute((label, key)).map(drop)
        })
        .await)
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        Ok(query(accessor, &store, move |connection, label| {
            connection
                .prepare_cached("select 1 from key_value where store = ?1 and key = ?2")?
                .exists((label, key))
        })
        .await)
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let found = query(accessor, &store, |connection, label| {
            let mut statement = connection
                .prepare_cached("select key from key_value where store = ?1 order by key")?;
            let keys = statement.query_map([label], |row| row.get(0))?;
            keys.collect::<rusqlite::Result<Vec<String>>>()
        })
        .await;
        let (keys, end) = match found {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let end = FutureReader::new(&mut access, async move { wasmtime::error::Ok(end) })?;
            Ok((keys, end))
        })
    }
}

/// Adds the interface.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    key_value::add_to_linker::<State, HasSelf<Instance>>(linker, |state| &mut state.key_value)
}
