//! Doors: who may open which door, and what became of it.
//!
//! Triggers: HTTP under `/api/doors`, `/api/grants`, `/api/door-groups`, `/api/door-schedules`, `/api/suspensions`,
//! `/api/cards`, `/api/passes`, `/api/releases`, `/api/access-log` and `/api/gateways`
//! (a snapshot and an audit each); MQTT for what doors answer and report; cron for what is owed.

mod consume;
pub mod context;
pub mod cron;
pub mod domain;
mod facts;
pub mod hours;
pub mod http;
pub mod mqtt;
pub mod outbox;
mod rows;
mod snapshot;
pub mod store;
mod went;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
