//! Orders: goods and services, carts, orders and what becomes of them.
//!
//! Triggers: HTTP under `/api/products`, `/api/product-imports`, `/api/stock`, `/api/shops`, `/api/shelves`,
//! `/api/search`, `/api/carts`, `/api/favourites`, `/api/addresses`, `/api/promotions`, `/api/coupons`,
//! `/api/group-buys`, `/api/checkouts`, `/api/orders`, `/api/after-sales`, `/api/disputes`, `/api/reviews`,
//! `/api/conversations` and `/api/order-reports`; MQTT for the doorbell; cron for what others recorded and for what time
//! has ended.

mod batching;
mod bearing;
mod charging;
mod contesting;
pub mod context;
pub mod cron;
mod disputing;
pub mod domain;
mod exporting;
mod facts;
mod finding;
mod flow;
mod goods;
mod grouping;
pub mod http;
mod importing;
pub mod inbox;
pub mod mqtt;
mod orderly;
mod party;
mod paying;
mod placing;
pub mod quoting;
mod refunding;
mod rows;
mod rows_flow;
mod selling;
pub mod sheet;
mod stocking;
pub mod store;
pub mod upkeep;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
