//! The merchants function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows and
//! facts out.

mod applications;
mod categories;
mod contracts;
mod doorbell;
mod licences;
mod papers;
mod refusals;
mod rules;
mod shops;
mod statements;
mod support;
