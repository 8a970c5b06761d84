//! One SQL text for two engines: transactions, events and idempotency.
//!
//! In a function the database is Spin's SQLite or Spin's PostgreSQL; natively (tests, migrations) it is sqlx on
//! either. Not a query builder and not a mapper: a capability writes its SQL in its own `store.rs`, in the dialect
//! both engines share (`$1..$n`, BIGINT and TEXT), and reads its rows by position.
//!
//! ```text
//! let opening = store::tx(&db, &tenant, async |tx| {                  // the tenant's decisions, one after another
//!     let door = sql::door(tx, &door_id).await?;                      // sql::door(db: &impl store::Read, ..)
//!     let opening = domain::request_opening(&door, &actor, now)?;     // a Refusal rolls back and comes out as it is
//!     sql::insert_opening(tx, &opening).await?;
//!     events::append(tx, &event_id, now, &DoorOpeningRequested { .. }).await?;
//!     Ok(opening)
//! }).await?;
//! ```
//!
//! An error that [`Error::is_transient`] recognises says that the database was busy or away: nothing was changed,
//! and the caller may try again.

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
mod news;
mod once;
mod row;
mod sql;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod value;

pub use db::{Batch, Db, INSERT_ROWS_MAX, RERUNS_MAX, ROWS_MAX, Read, Tx, bulk, tx};
pub use error::{Error, ErrorKind};
#[cfg(not(target_family = "wasm"))]
pub use migrate::{migrate, migrate_database};
pub use once::{Answer, Ask, KEY_CHARACTERS_MAX, RETENTION_MS, SWEEP_ROWS_MAX, once, sweep};
pub use row::Row;
pub use value::Value;
