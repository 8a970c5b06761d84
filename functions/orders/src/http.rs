//! The routes: one `match` for goods and one for orders, an arm a function. The functions stand in the files of their
//! nouns.

// Goods.
mod addresses;
mod batches;
mod carts;
mod coupons;
mod favourites;
mod form;
mod imports;
mod pictures;
mod products;
mod promotions;
mod search;
mod shops;
mod slots;
mod stock;

// Orders.
mod after_sales;
mod checkouts;
mod conversations;
mod disputes;
mod exports;
mod orders;
mod reports;
mod reviews;
mod steps;

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id, private};
use writing::{answer, replied, stored, write, write_once};

use crate::context::Context;
use crate::cron;
use crate::domain::AfterStep;

/// The HTTP trigger.
#[cfg(target_family = "wasm")]
pub(crate) async fn serve(incoming: spin_sdk::http::Request) -> Reply {
    let request = match web::read_up_to(incoming, imports::body_bytes_max).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    match Context::open().await {
        Ok(context) => respond(&context, &request).await,
        Err(error) => web::answer(&request, Err(error)),
    }
}

/// Answers a request: always with a reply, whatever goes wrong.
pub async fn respond(context: &Context, request: &Request) -> Reply {
    let reply = web::answer(request, route(context, request).await);
    outgoing::ring(&context.db, &context.outbox).await;
    reply
}

async fn route(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let segments = web::segments(request);
    match segments.as_slice() {
        [
            "api",
            "products" | "product-imports" | "stock" | "shops" | "shelves" | "search",
            ..,
        ] => goods(context, request, &segments).await,
        [
            "api",
            "carts" | "favourites" | "addresses" | "promotions" | "coupons" | "group-buys",
            ..,
        ] => buying(context, request, &segments).await,
        ["api", "checkouts" | "orders" | "order-reports", ..] => {
            flow(context, request, &segments).await
        }
        [
            "api",
            "after-sales" | "disputes" | "reviews" | "conversations",
            ..,
        ] => aftermath(context, request, &segments).await,
        ["internal", "ticks", "orders"] => ticks(context, request, &segments).await,
        _ => web::unknown_route(),
    }
}

/// What is offered.
#[rustfmt::skip]
async fn goods(context: &Context, request: &Request, segments: &[&str]) -> anyhow::Result<Reply> {
    match (request.method().as_str(), segments) {
        ("POST", ["api", "products"]) => products::add(context, request).await,
        ("GET", ["api", "products"]) => products::list(context, request).await,
        ("GET", ["api", "products", product]) => products::show(context, request, product).await,
        ("PUT", ["api", "products", product]) => products::change(context, request, product).await,
        ("POST", ["api", "products", product, "listing"]) => products::put_on_offer(context, request, product).await,
        ("POST", ["api", "products", product, "delisting"]) => products::take_off(context, request, product).await,
        ("PUT", ["api", "products", product, "pictures", position]) => pictures::put(context, request, (product, position)).await,
        ("GET", ["api", "products", product, "pictures", position]) => pictures::show(context, request, (product, position)).await,
        ("DELETE", ["api", "products", product, "pictures", position]) => pictures::delete(context, request, (product, position)).await,
        ("POST", ["api", "products", product, "slots"]) => slots::add(context, request, product).await,
        ("GET", ["api", "products", product, "slots"]) => slots::list(context, request, product).await,
        ("DELETE", ["api", "products", product, "slots", slot]) => slots::end(context, request, (product, slot)).await,
        ("POST", ["api", "product-imports"]) => imports::import(context, request).await,
        ("GET", ["api", "stock", item]) => stock::show(context, request, item).await,
        ("GET", ["api", "stock", item, "movements"]) => stock::movements(context, request, item).await,
        ("POST", ["api", "stock", item, "movements"]) => stock::add_movement(context, request, item).await,
        ("GET", ["api", "stock", item, "batches"]) => batches::list(context, request, item).await,
        ("POST", ["api", "stock", item, "batches"]) => batches::receive(context, request, item).await,
        ("GET", ["api", "shops"]) => shops::list(context, request).await,
        ("GET", ["api", "shops", shop]) => shops::show(context, request, shop).await,
        ("PUT", ["api", "shops", shop, "delivery"]) => shops::change_delivery(context, request, shop).await,
        ("GET", ["api", "shops", shop, "shortage"]) => shops::shortage(context, request, shop).await,
        ("GET", ["api", "shops", shop, "near-expiry"]) => shops::near_expiry(context, request, shop).await,
        ("GET", ["api", "shelves"]) => shops::shelves(context, request).await,
        ("GET", ["api", "search"]) => search::search(context, request).await,

        (_, ["api", "products"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "products", _]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "product-imports"] | ["api", "products", _, "listing" | "delisting"]) => web::method_not_allowed("POST"),
        (_, ["api", "products", _, "pictures", _]) => web::method_not_allowed("DELETE, GET, PUT"),
        (_, ["api", "products", _, "slots"] | ["api", "stock", _, "batches" | "movements"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "products", _, "slots", _]) => web::method_not_allowed("DELETE"),
        (_, ["api", "stock" | "shops", _] | ["api", "shops" | "shelves" | "search"]) => web::method_not_allowed("GET"),
        (_, ["api", "shops", _, "delivery"]) => web::method_not_allowed("PUT"),
        (_, ["api", "shops", _, "shortage" | "near-expiry"]) => web::method_not_allowed("GET"),
        _ => web::unknown_route(),
    }
}

/// What buyers keep, and what is promised to them.
#[rustfmt::skip]
async fn buying(context: &Context, request: &Request, segments: &[&str]) -> anyhow::Result<Reply> {
    match (request.method().as_str(), segments) {
        ("GET", ["api", "carts"]) => carts::show(context, request).await,
        ("PUT", ["api", "carts", variant]) => carts::put(context, request, variant).await,
        ("DELETE", ["api", "carts", variant]) => carts::remove(context, request, variant).await,
        ("GET", ["api", "favourites"]) => favourites::list(context, request).await,
        ("PUT", ["api", "favourites", kind, favourite]) => favourites::put(context, request, (kind, favourite)).await,
        ("DELETE", ["api", "favourites", kind, favourite]) => favourites::delete(context, request, (kind, favourite)).await,
        ("POST", ["api", "addresses"]) => addresses::add(context, request).await,
        ("GET", ["api", "addresses"]) => addresses::list(context, request).await,
        ("GET", ["api", "addresses", address]) => addresses::show(context, request, address).await,
        ("PUT", ["api", "addresses", address]) => addresses::change(context, request, address).await,
        ("DELETE", ["api", "addresses", address]) => addresses::delete(context, request, address).await,
        ("POST", ["api", "promotions"]) => promotions::apply(context, request).await,
        ("GET", ["api", "promotions"]) => promotions::list(context, request).await,
        ("GET", ["api", "promotions", promotion]) => promotions::show(context, request, promotion).await,
        ("POST", ["api", "promotions", promotion, "approval"]) => promotions::approve(context, request, promotion).await,
        ("POST", ["api", "promotions", promotion, "rejection"]) => promotions::reject(context, request, promotion).await,
        ("POST", ["api", "promotions", promotion, "withdrawal"]) => promotions::withdraw(context, request, promotion).await,
        ("POST", ["api", "promotions", promotion, "coupons"]) => coupons::claim(context, request, promotion).await,
        ("GET", ["api", "coupons"]) => coupons::list(context, request).await,
        ("GET", ["api", "group-buys"]) => coupons::open_groups(context, request).await,
        ("GET", ["api", "group-buys", group]) => coupons::show_group(context, request, group).await,

        (_, ["api", "carts" | "favourites" | "coupons" | "group-buys"]) => web::method_not_allowed("GET"),
        (_, ["api", "carts", _] | ["api", "favourites", _, _]) => web::method_not_allowed("DELETE, PUT"),
        (_, ["api", "promotions" | "group-buys", _]) => web::method_not_allowed("GET"),
        (_, ["api", "addresses" | "promotions"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "addresses", _]) => web::method_not_allowed("DELETE, GET, PUT"),
        (_, ["api", "promotions", _, "approval" | "rejection" | "withdrawal" | "coupons"]) => web::method_not_allowed("POST"),
        _ => web::unknown_route(),
    }
}

/// What is bought, step by step.
#[rustfmt::skip]
async fn flow(context: &Context, request: &Request, segments: &[&str]) -> anyhow::Result<Reply> {
    match (request.method().as_str(), segments) {
        ("POST", ["api", "checkouts"]) => checkouts::place(context, request).await,
        ("GET", ["api", "checkouts"]) => checkouts::list(context, request).await,
        ("POST", ["api", "checkouts", "quote"]) => checkouts::quote(context, request).await,
        ("GET", ["api", "checkouts", checkout]) => checkouts::show(context, request, checkout).await,
        ("POST", ["api", "checkouts", checkout, "cancellation"]) => checkouts::cancel(context, request, checkout).await,
        ("GET", ["api", "orders"]) => orders::list(context, request).await,
        ("GET", ["api", "orders", order]) => orders::show(context, request, order).await,
        ("PUT", ["api", "orders", order, "price"]) => steps::price(context, request, order).await,
        ("POST", ["api", "orders", order, "acceptance"]) => steps::accept(context, request, order).await,
        ("POST", ["api", "orders", order, "rejection"]) => steps::reject(context, request, order).await,
        ("POST", ["api", "orders", order, "cancellation"]) => steps::cancel(context, request, order).await,
        ("POST", ["api", "orders", order, "shipment"]) => steps::ship(context, request, order).await,
        ("POST", ["api", "orders", order, "readiness"]) => steps::prepare(context, request, order).await,
        ("POST", ["api", "orders", order, "delivery"]) => steps::deliver(context, request, order).await,
        ("POST", ["api", "orders", order, "verification"]) => steps::verify(context, request, order).await,
        ("POST", ["api", "orders", order, "code"]) => steps::renew_code(context, request, order).await,
        ("POST", ["api", "orders", order, "completion"]) => steps::complete(context, request, order).await,
        ("POST", ["api", "orders", order, "after-sales"]) => after_sales::ask(context, request, order).await,
        ("POST", ["api", "orders", order, "disputes"]) => disputes::open(context, request, order).await,
        ("POST", ["api", "orders", order, "reviews"]) => reviews::add(context, request, order).await,
        ("GET", ["api", "order-reports", "stuck"]) => reports::stuck(context, request).await,
        ("GET", ["api", "order-reports", "export"]) => reports::export(context, request).await,
        ("GET", ["api", "order-reports", "exports"]) => exports::list(context, request).await,
        ("GET", ["api", "order-reports", "exports", day]) => exports::show(context, request, day).await,
        ("GET", ["api", "order-reports", "statistics"]) => reports::statistics(context, request).await,

        (_, ["api", "checkouts"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "checkouts", "quote"]) => web::method_not_allowed("POST"),
        (_, ["api", "checkouts" | "orders", _]) => web::method_not_allowed("GET"),
        (_, ["api", "orders"]) => web::method_not_allowed("GET"),
        (_, ["api", "checkouts", _, "cancellation"]) => web::method_not_allowed("POST"),
        (_, ["api", "orders", _, "price"]) => web::method_not_allowed("PUT"),
        (_, ["api", "orders", _, "acceptance" | "rejection" | "cancellation" | "shipment" | "readiness"]) => web::method_not_allowed("POST"),
        (_, ["api", "orders", _, "delivery" | "verification" | "code" | "completion"]) => web::method_not_allowed("POST"),
        (_, ["api", "orders", _, "after-sales" | "disputes" | "reviews"]) => web::method_not_allowed("POST"),
        (_, ["api", "order-reports", "stuck" | "export" | "exports" | "statistics"] | ["api", "order-reports", "exports", _]) => web::method_not_allowed("GET"),
        _ => web::unknown_route(),
    }
}

/// What comes after: refunds and returns, disputes, reviews, and what both sides write.
#[rustfmt::skip]
async fn aftermath(context: &Context, request: &Request, segments: &[&str]) -> anyhow::Result<Reply> {
    match (request.method().as_str(), segments) {
        ("GET", ["api", "after-sales"]) => after_sales::list(context, request).await,
        ("GET", ["api", "after-sales", after_sale]) => after_sales::show(context, request, after_sale).await,
        ("POST", ["api", "after-sales", after_sale, "agreement"]) => after_sales::go(context, request, (after_sale, AfterStep::Agree)).await,
        ("POST", ["api", "after-sales", after_sale, "refusal"]) => after_sales::go(context, request, (after_sale, AfterStep::Refuse)).await,
        ("POST", ["api", "after-sales", after_sale, "withdrawal"]) => after_sales::go(context, request, (after_sale, AfterStep::Withdraw)).await,
        ("POST", ["api", "after-sales", after_sale, "return"]) => after_sales::go(context, request, (after_sale, AfterStep::Return)).await,
        ("POST", ["api", "after-sales", after_sale, "receipt"]) => after_sales::go(context, request, (after_sale, AfterStep::Receive)).await,
        ("POST", ["api", "after-sales", after_sale, "reshipment"]) => after_sales::go(context, request, (after_sale, AfterStep::Reship)).await,
        ("GET", ["api", "disputes"]) => disputes::list(context, request).await,
        ("GET", ["api", "disputes", dispute]) => disputes::show(context, request, dispute).await,
        ("POST", ["api", "disputes", dispute, "evidence"]) => disputes::bring(context, request, dispute).await,
        ("POST", ["api", "disputes", dispute, "withdrawal"]) => disputes::withdraw(context, request, dispute).await,
        ("POST", ["api", "disputes", dispute, "decision"]) => disputes::decide(context, request, dispute).await,
        ("GET", ["api", "reviews"]) => reviews::list(context, request).await,
        ("PUT", ["api", "reviews", review, "reply"]) => reviews::reply(context, request, review).await,
        ("PUT", ["api", "reviews", review, "moderation"]) => reviews::moderate(context, request, review).await,
        ("POST", ["api", "conversations"]) => conversations::begin(context, request).await,
        ("GET", ["api", "conversations"]) => conversations::list(context, request).await,
        ("GET", ["api", "conversations", conversation, "messages"]) => conversations::read(context, request, conversation).await,
        ("POST", ["api", "conversations", conversation, "messages"]) => conversations::write_to(context, request, conversation).await,
        ("PUT", ["api", "conversations", conversation, "read-marker"]) => conversations::mark(context, request, conversation).await,

        (_, ["api", "conversations"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "after-sales" | "disputes" | "reviews"]) => web::method_not_allowed("GET"),
        (_, ["api", "after-sales" | "disputes", _]) => web::method_not_allowed("GET"),
        (_, ["api", "after-sales", _, "agreement" | "refusal" | "withdrawal" | "return" | "receipt" | "reshipment"]) => web::method_not_allowed("POST"),
        (_, ["api", "disputes", _, "evidence" | "withdrawal" | "decision"]) => web::method_not_allowed("POST"),
        (_, ["api", "reviews", _, "reply" | "moderation"]) => web::method_not_allowed("PUT"),
        (_, ["api", "conversations", _, "messages"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "conversations", _, "read-marker"]) => web::method_not_allowed("PUT"),
        _ => web::unknown_route(),
    }
}

/// What schedulers call.
#[rustfmt::skip]
async fn ticks(context: &Context, request: &Request, segments: &[&str]) -> anyhow::Result<Reply> {
    match (request.method().as_str(), segments) {
        ("POST", ["internal", "ticks", "orders"]) => tick(context, request).await,
        _ => web::method_not_allowed("POST"),
    }
}

async fn tick(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    Ok(Reply::ok(&cron::tick(context).await?))
}

/// Who is calling.
fn caller(context: &Context, request: &Request) -> Result<Actor, Refusal> {
    web::actor(request, &context.token_secret, context.now)
}
