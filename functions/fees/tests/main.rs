//! The fees function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows, facts and
//! the books out.

mod bills;
mod counter;
mod doorbell;
mod events;
mod many;
mod parts;
mod payments;
mod recharges;
mod refusals;
mod rules;
mod runs;
mod statements;
mod storms;
mod support;
