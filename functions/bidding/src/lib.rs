//! Bidding: campaigns, auctions of ranks and displays, sealed rounds, and OpenRTB.
//!
//! Triggers: HTTP under `/api/bidding`, `/openrtb2`, `/ads.txt` and `/sellers.json`; MQTT for the doorbell; cron for what
//! others recorded, offers that expire, sealed rounds that close, and the month's invoice.

pub mod catalogue;
mod clearing;
pub mod context;
mod counting;
pub mod cron;
pub mod domain;
mod exchange;
mod facts;
mod field;
pub mod http;
pub mod inbox;
mod invoicing;
pub mod mqtt;
mod offering;
pub mod openrtb;
mod ranking;
mod record;
mod sealing;
mod selling;
pub mod store;
mod terms;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
