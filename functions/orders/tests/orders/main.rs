//! The orders function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows, facts and
//! the books out.

mod doorbell;
mod refusals;
mod statements;
mod support;

// Goods.
mod batches;
mod buyers;
mod finding;
mod goods;
mod quotes;
mod shops;
mod stock;

// Orders.
mod afterwards;
mod buying;
mod delivering;
mod ending;
mod flow_refusals;
mod histories;
mod many;
mod promoted;
mod storms;
mod talk;
mod trade;
