//! Advertising: placements, bookings, creatives, what is shown to whom, what it costs, and goods for advertising.
//!
//! Triggers: HTTP under `/api/ads`; MQTT for the doorbell; cron for reservations and offers that expire, lines that
//! begin and end, months that are charged, and exchanges that are looked at every day.

mod bartering;
mod booking;
pub mod catalogue;
mod charging;
pub mod context;
pub mod cron;
pub mod domain;
mod facts;
pub mod http;
pub mod inbox;
pub mod mqtt;
mod rewarding;
mod rows;
mod serving;
mod sharing;
pub mod store;
mod tracking;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
