//! Meters: what was read, what it means, and the usage that is billed.
//!
//! Triggers: HTTP under `/api/meters`, `/api/meter-readings`, `/api/meter-decodings`, `/api/meter-reviews`,
//! `/api/meter-routes`, `/api/meter-periods`, `/api/meter-alarms` and `/api/usage`; MQTT for what gateways read and answer,
//! and the doorbell; cron for what is owed.

mod closing;
mod consume;
pub mod context;
pub mod cron;
mod curves;
mod decoding;
pub mod domain;
mod facts;
pub mod http;
mod intake;
pub mod mqtt;
mod outbox;
mod recharging;
mod rows;
pub mod store;
mod switching;
mod watch;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
