//! The ads function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows, money and
//! facts out.

mod barters;
mod booking;
mod columns;
mod creatives;
mod delivery;
mod doorbell;
mod faults;
mod make_goods;
mod many;
mod money;
mod people;
mod refusals;
mod remembered;
mod rewards;
mod statements;
mod support;
