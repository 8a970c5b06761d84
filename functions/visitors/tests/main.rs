//! The visitors function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows and
//! facts out.

mod blacklist;
mod doorbell;
mod gate;
mod privacy;
mod recurring;
mod refusals;
mod rooms;
mod statements;
mod support;
mod visits;
