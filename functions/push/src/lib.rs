//! Push: everything that is told to people, once, at a decent hour, to those who agreed.
//!
//! Triggers: HTTP under `/api/push`, `/api/inbox`, `/api/webhooks`, `/api/unsubscriptions` and `/n`; MQTT for the
//! doorbell; cron for what others recorded, plans, messages that are due and deliveries on their way.

mod agreeing;
mod carrying;
pub mod context;
pub mod courier;
pub mod cron;
mod delivering;
pub mod domain;
pub mod expanding;
mod facts;
pub mod http;
pub mod inbox;
mod keys;
pub mod mqtt;
mod planning;
mod selling;
pub mod store;
mod telling;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
