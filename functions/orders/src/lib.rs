//! Orders: goods and services, carts, orders and what becomes of them.
//!
//! Triggers: HTTP under `/api/products`, `/api/product-imports`, `/api/stock`, `/api/shops`, `/api/shelves`,
//! `/api/search`, `/api/carts`, `/api/favourites`, `/api/addresses`, `/api/promotions`, `/api/coupons`,
//! `/api/group-buys`, `/api/checkouts`, `/api/orders`, `/api/after-sales`, `/api/disputes`, `/api/reviews`,
//! `/api/conversations` and `/api/order-reports`; MQTT for the doorbell; cron for what others recorded and for what time
//! has ended.

pub mod context;
pub mod cron;
pub mod domain;
mod facts;
mod finding;
mod goods;
pub mod http;
mod importing;
pub mod inbox;
pub mod mqtt;
pub mod quoting;
mod rows;
pub mod sheet;
pub mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}

trigger::mqtt!(mqtt::on_message);
trigger::cron!(cron::on_tick);
