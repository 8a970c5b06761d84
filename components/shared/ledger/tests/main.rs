//! The laws of the ledger, on SQLite and on PostgreSQL.

mod books;
mod holds;
mod laws;
mod many;
mod support;
