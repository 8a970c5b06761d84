//! Migrated empty databases for tests, on both engines. Native only; no part of a function.
//!
//! SQLite is a file in a folder of its own, so that several connections see it. PostgreSQL is a schema of its own in
//! the database that `LINLI_TEST_POSTGRES` names. Both are removed when the [`Database`] is dropped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Db, migrate_database};

/// The environment variable with the URL of a PostgreSQL database in which tests may make schemas.
pub const POSTGRES_VARIABLE: &str = "LINLI_TEST_POSTGRES";

static MADE: AtomicU64 = AtomicU64::new(0);
static SKIPPED: AtomicU64 = AtomicU64::new(0);

/// A database of a test.
pub struct Database {
    /// The database.
    pub db: Db,
    /// Its URL: another [`Db::open`] of it sees the same data.
    pub url: String,
    remains: Remains,
}

enum Remains {
    Folder(PathBuf),
    Schema { server: String, schema: String },
}

impl std::ops::Deref for Database {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// An empty migrated database on each engine there is; the tables of `store` come first, then those of `folders`.
///
/// # Panics
/// When a database cannot be made: a test cannot go on.
pub async fn databases(folders: &[(&str, &str)]) -> Vec<Database> {
    let mut databases = vec![sqlite(folders).await];
    databases.extend(postgres(folders).await);
    databases
}

/// An empty migrated SQLite database.
///
/// # Panics
/// When it cannot be made.
pub async fn sqlite(folders: &[(&str, &str)]) -> Database {
    let folder = std::env::temp_dir().join(unique_name());
    std::fs::create_dir_all(&folder)
        .unwrap_or_else(|error| panic!("{} cannot be made: {error}", folder.display()));
    let url = format!("sqlite:{}", folder.join("test.db").display());
    let all = with_own(folders);
    crate::migrate(&url, &all)
        .await
        .unwrap_or_else(|error| panic!("the SQLite database cannot be migrated: {error:#}"));
    let db = Db::open(&url).unwrap_or_else(|error| panic!("{url} cannot be opened: {error:#}"));
    Database {
        db,
        url,
        remains: Remains::Folder(folder),
    }
}

/// An empty migrated PostgreSQL schema; nothing, and a loud line on stderr, when `LINLI_TEST_POSTGRES` is not set.
///
/// # Panics
/// When the variable is set and the schema cannot be made.
pub async fn postgres(folders: &[(&str, &str)]) -> Option<Database> {
    let server = postgres_url()?;
    let schema = unique_name().replace('-', "_");
    let admin = Db::open(&server)
        .unwrap_or_else(|error| panic!("{POSTGRES_VARIABLE} cannot be opened: {error:#}"));
    admin
        .rows(&format!("create schema {schema}"), &[])
        .await
        .unwrap_or_else(|error| {
            panic!("the schema cannot be made in {POSTGRES_VARIABLE}: {error:#}")
        });
    admin.engine().close().await;
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
    let db =
        Db::open(&url).unwrap_or_else(|error| panic!("the schema cannot be opened: {error:#}"));
    let database = Database {
        db,
        url,
        remains: Remains::Schema { server, schema },
    };
    migrate_database(&database.db, &with_own(folders))
        .await
        .unwrap_or_else(|error| panic!("the PostgreSQL schema cannot be migrated: {error:#}"));
    Some(database)
}

/// How many statements this thread has executed so far, without those that begin and end transactions: what a test that
/// runs on one thread counts.
#[must_use]
pub fn statements() -> u64 {
    crate::engine::executed()
}

/// The URL in `LINLI_TEST_POSTGRES`; without one, a loud line on stderr that counts as a skipped test.
#[must_use]
pub fn postgres_url() -> Option<String> {
    let url = std::env::var(POSTGRES_VARIABLE)
        .ok()
        .filter(|url| !url.is_empty());
    if url.is_none() {
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        eprintln!(
            "SKIPPED (no PostgreSQL): {test}; set {POSTGRES_VARIABLE} (skip {count} of this process)"
        );
    }
    url
}

fn with_own<'a>(folders: &[(&'a str, &str)]) -> Vec<(&'a str, PathBuf)> {
    let own = (
        "store",
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")),
    );
    std::iter::once(own)
        .chain(
            folders
                .iter()
                .map(|(name, folder)| (*name, PathBuf::from(folder))),
        )
        .collect()
}

fn unique_name() -> String {
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    format!("linli-test-{}-{number}-{nanos}", std::process::id())
}

impl Drop for Database {
    fn drop(&mut self) {
        let removed = match &self.remains {
            Remains::Folder(folder) => std::fs::remove_dir_all(folder).map_err(anyhow::Error::from),
            Remains::Schema { server, schema } => drop_schema(server.clone(), schema.clone()),
        };
        if let Err(error) = removed {
            eprintln!("a test's database was left behind: {error:#}");
        }
    }
}

/// Ends the sessions that still hold locks in a schema: the test's own runtime, which would have rolled their dropped
/// transactions back, is not running any more.
const END_SESSIONS_IN: &str = "select distinct pg_terminate_backend(l.pid)
    from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and l.pid <> pg_backend_pid()";

/// A drop cannot await, hence a thread with a runtime of its own.
fn drop_schema(server: String, schema: String) -> anyhow::Result<()> {
    let dropping = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let admin = Db::open(&server)?;
            admin
                .rows(END_SESSIONS_IN, &[schema.as_str().into()])
                .await?;
            admin
                .rows(&format!("drop schema {schema} cascade"), &[])
                .await?;
            admin.engine().close().await;
            Ok(())
        })
    });
    dropping
        .join()
        .map_err(|_| anyhow::anyhow!("the thread panicked"))?
}
