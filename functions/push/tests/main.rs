//! The push function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows, facts, the
//! books and what services get out.

mod bad_input;
mod carriers;
mod consents;
mod doorbell;
mod events;
mod household;
mod killed;
mod laws;
mod many;
mod messages;
mod notes;
mod orders;
mod people;
mod persons;
mod plans;
mod refusals;
mod statements;
mod support;
mod webhooks;
