//! Fees: what rooms owe, how it is rated, billed, paid and given back.
//!
//! Triggers: HTTP under `/api/fee-rules`, `/api/fee-terms`, `/api/tariffs`, `/api/bill-runs`, `/api/bills`,
//! `/api/bill-payments`, `/api/fee-coupons`, `/api/fee-points`, `/api/cash-closes`, `/api/recharges`,
//! `/api/account-credits` and `/api/fee-statements`; MQTT for the doorbell; cron
//! for what others recorded, runs that are under way, reminders and recharges that nobody confirmed.

mod charging;
pub mod context;
mod crediting;
pub mod cron;
pub mod domain;
mod facts;
pub mod http;
pub mod inbox;
pub mod mqtt;
mod paying;
mod printing;
mod rating;
mod recharging;
mod refunding;
mod rewarding;
mod rows;
mod running;
mod settling;
pub mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
