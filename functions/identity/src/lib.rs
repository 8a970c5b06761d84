//! Identity: people, their passwords, tokens and roles, and the credentials of devices.
//!
//! Triggers: HTTP, for people, devices and applications under `/api`, for the deployment's operator, a broker and a
//! scheduler under `/internal`; MQTT, for the doorbell; cron, to learn what the register of communities tells and to forget what is
//! over.

pub mod context;
pub mod cron;
pub mod domain;
mod handover;
pub mod http;
pub mod mqtt;
mod register;
mod rows;
pub mod secrets;
pub mod sender;
mod sign_in;
mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
