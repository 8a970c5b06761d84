//! The bidding function from outside, on SQLite and on PostgreSQL: requests, events and ticks in; replies, rows and facts
//! out.

mod campaigns;
mod doorbell;
mod events;
mod exchange;
mod forfeits;
mod invoices;
mod many;
mod parties;
mod people;
mod previews;
mod rankings;
mod refusals;
mod remembered;
mod sales;
mod sealed;
mod statements;
mod storms;
mod support;
mod video;
