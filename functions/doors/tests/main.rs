//! The doors function from outside, on SQLite and on PostgreSQL: requests, messages and ticks in; replies, rows and
//! publications out.

mod audit;
mod doors;
mod grants;
mod messages;
mod openings;
mod refusals;
mod statements;
mod support;
