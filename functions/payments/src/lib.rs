//! Payments: money that is asked for, the channels it comes and goes over, refunds, transfers, reconciliation, and
//! the books to look into.
//!
//! Triggers: HTTP under `/api/payments`, `/api/refunds`, `/api/transfers`, `/api/payment-notices`, `/api/reconciliations`, `/api/ledger` and
//! `/api/simulated-channel`; MQTT for the doorbell; cron for what others asked for, what channels owe an answer to, and daily seals.

mod channel;
pub mod context;
pub mod cron;
pub mod domain;
pub mod exchange;
mod facts;
pub mod http;
pub mod inbox;
mod money;
pub mod mqtt;
pub mod protocol;
mod reconcile;
mod rows;
pub mod store;
mod transferring;
mod work;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
