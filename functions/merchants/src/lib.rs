//! Merchants: who sells in the mall, what was agreed with them, and what the platform takes of it.
//!
//! Triggers: HTTP under `/api/merchant-applications`, `/api/merchant-registrations`, `/api/merchants`,
//! `/api/merchant-change-requests`, `/api/merchant-contracts`, `/api/categories` and `/api/commission-rules`; MQTT for
//! the doorbell; cron for what others recorded and for licences that end.

mod charging;
pub mod context;
pub mod cron;
pub mod domain;
mod facts;
pub mod http;
pub mod inbox;
mod keeping;
pub mod mqtt;
mod rows;
pub mod store;
mod tokens;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
