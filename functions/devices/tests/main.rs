//! The devices function from outside, on SQLite and on PostgreSQL: requests, messages, events and ticks in; replies,
//! facts and publications out.

mod commands;
mod doorbell;
mod presence;
mod refusals;
mod register;
mod statements;
mod support;
