//! The shared store on SQLite and PostgreSQL: transactions, events, idempotency, migrations.

mod consumers;
mod events;
mod migrations;
mod once;
mod support;
mod transactions;
