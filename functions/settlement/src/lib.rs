//! Settlement: what merchants and the platform owe each other, deposits, platform fees and withdrawals.
//!
//! Triggers: HTTP under `/api/settlements`, `/api/statements`, `/api/deposits`, `/api/platform-accounts` and
//! `/api/withdrawals`; MQTT for the doorbell; cron for what others recorded, the month's run, what is overdue, platform
//! fees and transfers.

mod charging;
pub mod context;
pub mod cron;
mod deducting;
pub mod domain;
mod exporting;
mod facts;
pub mod http;
pub mod inbox;
mod making;
pub mod mqtt;
mod objecting;
mod paying;
mod running;
mod standing;
pub mod store;
mod transfer;
mod withdrawing;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
