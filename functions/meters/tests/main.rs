//! The meters function from outside, on SQLite and on PostgreSQL: requests, messages and ticks in; replies, rows and
//! publications out.

mod alarms;
mod by_hand;
mod curves;
mod many;
mod messages;
mod periods;
mod quarantine;
mod refusals;
mod statements;
mod support;
