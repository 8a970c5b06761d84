//! Doors: who may open which door, and what became of it.
//!
//! Triggers: HTTP under `/api/doors` and `/api/grants`; MQTT for what doors answer and report; cron for what was
//! never answered.

pub mod context;
pub mod cron;
pub mod domain;
mod facts;
pub mod http;
pub mod mqtt;
pub mod outbox;
mod rows;
pub mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
