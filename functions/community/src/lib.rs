//! Community: who lives where, and what binds them.
//!
//! Triggers: HTTP under `/api/communities` and its neighbours; MQTT for the doorbell and cron for what identity
//! tells about people.

pub mod context;
pub mod cron;
pub mod domain;
mod facts;
pub mod file;
pub mod http;
mod importing;
pub mod mqtt;
mod people;
mod rows;
pub mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
