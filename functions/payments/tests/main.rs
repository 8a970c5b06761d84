//! The payments function from outside, on SQLite and on PostgreSQL: requests, events, notices and ticks in; replies, rows,
//! facts and books out.

mod alipay;
mod books;
mod channels;
mod doorbell;
mod notices;
mod paying;
mod reconciliations;
mod refunds;
mod refusals;
mod statements;
mod storms;
mod support;
mod transfers;
