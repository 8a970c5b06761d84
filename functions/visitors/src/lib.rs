//! Visitors: who is expected, who stands at the gate, and who says yes.
//!
//! Triggers: HTTP under `/api/visits`, `/api/recurring-visits`, `/api/visitor-registrations` and
//! `/api/visitor-blacklist`; MQTT for the doorbell; cron for what
//! others recorded and for what time has ended.

pub mod context;
pub mod cron;
pub mod domain;
mod facts;
pub mod http;
pub mod inbox;
pub mod mqtt;
mod plan;
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
