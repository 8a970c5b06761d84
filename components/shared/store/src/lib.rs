//! One SQL text for two engines: transactions, events and idempotency.
//!
//! In a function the database is Spin's SQLite or Spin's PostgreSQL; natively (tests, migrations) it is sqlx on
//! either. Not a query builder and not a mapper: a capability writes its SQL in its own `store.rs`, in the dialect
//! both engines share, and reads its rows by position.

#[cfg(target_family = "wasm")]
#[path = "spin.rs"]
mod engine;
#[cfg(not(target_family = "wasm"))]
#[path = "native.rs"]
mod engine;

mod db;
mod error;
pub mod events;
#[cfg(not(target_family = "wasm"))]
mod migrate;
mod once;
mod row;
mod sql;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod value;

pub use db::{Batch, Db, RERUNS_MAX, ROWS_MAX, Read, Tx, bulk, tx};
pub use error::{Error, ErrorKind};
#[cfg(not(target_family = "wasm"))]
pub use migrate::{migrate, migrate_database};
pub use once::{Answer, Ask, KEY_CHARACTERS_MAX, RETENTION_MS, SWEEP_ROWS_MAX, once, sweep};
pub use row::Row;
pub use value::Value;
