//! Devices: the register of gateways and terminals, whether they are there, and what they are told.
//!
//! Triggers: HTTP under `/api/gateways` and `/api/terminals`; MQTT for what gateways say of themselves; cron for
//! those that say nothing.

pub mod context;
pub mod cron;
pub mod domain;
mod facts;
pub mod http;
pub mod inbox;
pub mod mqtt;
pub mod outbox;
mod rows;
mod send;
pub mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
