//! The community function from outside, on SQLite and on PostgreSQL: requests, facts and ticks in; replies and facts
//! out.

mod bindings;
mod communities;
mod doorbell;
mod exports;
mod imports;
mod parking;
mod people;
mod refusals;
mod requests;
mod rooms;
mod statements;
mod support;
