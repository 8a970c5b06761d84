//! The meters function from outside, on SQLite and on PostgreSQL: requests, messages and ticks in; replies, rows and
//! publications out.

mod alarms;
mod by_hand;
mod curves;
mod decoding;
mod gateway;
mod many;
mod messages;
mod orders;
mod periods;
mod quarantine;
mod recharges;
mod refusals;
mod register;
mod statements;
mod support;
