//! The settlement function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows, facts
//! and the books out.

mod advertising;
mod deposits;
mod doorbell;
mod events;
mod exports;
mod laws;
mod many;
mod months;
mod objections;
mod parties;
mod payments;
mod people;
mod platform;
mod refusals;
mod statements;
mod support;
mod withdrawals;
