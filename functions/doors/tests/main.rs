//! The doors function from outside, on SQLite and on PostgreSQL: requests, messages and ticks in; replies, rows and
//! publications out.

mod access;
mod audit;
mod doorbell;
mod doors;
mod gates;
mod grants;
mod many;
mod messages;
mod openings;
mod refusals;
mod rotation;
mod short;
mod statements;
mod support;
