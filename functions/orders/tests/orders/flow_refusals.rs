//! Whom the routes of orders refuse, and how.

use serde_json::{Value, json};
use testing::{Refusals, Route, route, with};

use crate::support::{
    APP, APP_READER, AUDITOR, DEVICE, FRUITER, LAUNDERER, LI, MA, STRANGER, WANG, World,
};

/// Those who may not know of what Li bought of the fruit shop.
fn hidden(code: &'static str) -> Refusals {
    with(code, 404, &[MA, LAUNDERER, DEVICE, APP, STRANGER])
}

/// What the merchant does.
fn sold(code: &'static str) -> Refusals {
    let others = with("merchant_only", 403, &[LI, WANG, AUDITOR, APP_READER]);
    [hidden(code), others].concat()
}

/// What the buyer does.
fn bought(code: &'static str) -> Refusals {
    let others = with("buyer_only", 403, &[FRUITER, WANG, AUDITOR, APP_READER]);
    [hidden(code), others].concat()
}

fn nobody() -> Refusals {
    with("reports_readers_only", 403, &[DEVICE, APP])
}

#[rustfmt::skip]
pub fn flow() -> Vec<Route> {
    let why = || Some(json!({"reason": "x"}));
    let people = || with("people_only", 403, &[AUDITOR, DEVICE, APP]);
    let lines = json!([{"variant": "apple", "quantity": 1}]);
    let wanted = json!({"community": "garden", "lines": lines, "expected_total_minor": 1});
    let line = json!([{"line": "{line}", "quantity": 1}]);
    let watched = || with("reports_readers_only", 403, &[LI, MA, FRUITER, DEVICE, APP]);
    vec![
        route("POST", "/api/checkouts", Some(wanted), people()),
        route("GET", "/api/checkouts", None, people()),
        route("POST", "/api/checkouts/quote", Some(json!({"community": "garden", "lines": lines})), people()),
        route("GET", "/api/checkouts/{checkout}", None, with("checkout_unknown", 404, &[MA, FRUITER, DEVICE, APP, STRANGER])),
        route("POST", "/api/checkouts/{checkout}/cancellation", None, [with("checkout_unknown", 404, &[MA, FRUITER, DEVICE, APP, STRANGER]), with("buyer_only", 403, &[WANG, AUDITOR])].concat()),
        route("GET", "/api/orders", None, nobody()),
        route("GET", "/api/orders/{order}", None, hidden("order_unknown")),
        route("PUT", "/api/orders/{order}/price", Some(json!({"goods_minor": 1, "freight_minor": 0, "reason": "x"})), sold("order_unknown")),
        route("POST", "/api/orders/{order}/acceptance", None, sold("order_unknown")),
        route("POST", "/api/orders/{order}/rejection", why(), sold("order_unknown")),
        route("POST", "/api/orders/{order}/cancellation", why(), bought("order_unknown")),
        route("POST", "/api/orders/{order}/shipment", Some(json!({})), sold("order_unknown")),
        route("POST", "/api/orders/{order}/readiness", None, sold("order_unknown")),
        route("POST", "/api/orders/{order}/delivery", None, sold("order_unknown")),
        route("POST", "/api/orders/{order}/verification", Some(json!({"code": "x"})), sold("order_unknown")),
        route("POST", "/api/orders/{order}/code", None, bought("order_unknown")),
        route("POST", "/api/orders/{order}/completion", None, bought("order_unknown")),
        route("POST", "/api/orders/{order}/after-sales", Some(json!({"kind": "refund", "lines": line, "reason": "x"})), bought("order_unknown")),
        route("POST", "/api/orders/{order}/disputes", Some(json!({"claim": "x"})), [hidden("order_unknown"), with("merchant_only", 403, &[WANG, AUDITOR])].concat()),
        route("POST", "/api/orders/{order}/reviews", Some(json!({"line": "{line}", "stars": 5, "words": "x"})), bought("order_unknown")),
        route("GET", "/api/order-reports/stuck", None, watched()),
        route("GET", "/api/order-reports/export", None, watched()),
        route("GET", "/api/order-reports/exports", None, watched()),
        route("GET", "/api/order-reports/exports/{day}", None, watched()),
        route("GET", "/api/order-reports/statistics", None, vec![]),
    ]
}

#[rustfmt::skip]
pub fn aftermath() -> Vec<Route> {
    let known = |step: &'static str| route("POST", step, None, sold("after_sale_unknown"));
    let words = || Some(json!({"words": "x"}));
    let both = || with("conversation_unknown", 404, &[MA, LAUNDERER, AUDITOR, DEVICE, APP, STRANGER]);
    vec![
        route("GET", "/api/after-sales", None, nobody()),
        route("GET", "/api/after-sales/{after_sale}", None, hidden("after_sale_unknown")),
        known("/api/after-sales/{after_sale}/agreement"),
        known("/api/after-sales/{after_sale}/refusal"),
        route("POST", "/api/after-sales/{after_sale}/withdrawal", None, bought("after_sale_unknown")),
        route("POST", "/api/after-sales/{after_sale}/return", None, bought("after_sale_unknown")),
        known("/api/after-sales/{after_sale}/receipt"),
        known("/api/after-sales/{after_sale}/reshipment"),
        route("GET", "/api/disputes", None, nobody()),
        route("GET", "/api/disputes/{dispute}", None, hidden("dispute_unknown")),
        route("POST", "/api/disputes/{dispute}/evidence", words(), [hidden("dispute_unknown"), with("merchant_only", 403, &[AUDITOR])].concat()),
        route("POST", "/api/disputes/{dispute}/withdrawal", None, bought("dispute_unknown")),
        route("POST", "/api/disputes/{dispute}/decision", Some(json!({"decision": "reject", "reason": "x"})), [hidden("dispute_unknown"), with("operator_only", 403, &[LI, FRUITER, AUDITOR])].concat()),
        route("GET", "/api/reviews", None, vec![]),
        route("PUT", "/api/reviews/{review}/reply", words(), [with("review_unknown", 404, &[MA, LAUNDERER, DEVICE, APP, STRANGER]), with("merchant_only", 403, &[LI, WANG, AUDITOR])].concat()),
        route("PUT", "/api/reviews/{review}/moderation", Some(json!({"is_hidden": false})), [with("review_unknown", 404, &[MA, LAUNDERER, DEVICE, APP, STRANGER]), with("operator_only", 403, &[LI, FRUITER, AUDITOR])].concat()),
        route("POST", "/api/conversations", Some(json!({"merchant": "fruit"})), with("people_only", 403, &[AUDITOR, DEVICE, APP])),
        route("GET", "/api/conversations", None, nobody()),
        route("GET", "/api/conversations/{conversation}/messages", None, both()),
        route("POST", "/api/conversations/{conversation}/messages", words(), both()),
        route("PUT", "/api/conversations/{conversation}/read-marker", Some(json!({"message": "m"})), both()),
    ]
}

/// What the paths name: an order that is over and reviewed, with an after-sale, a dispute and a conversation.
pub async fn places(world: &World) -> Vec<(&'static str, String)> {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    world.goods("apple", 500, 10).await;
    let order = world.completed(&[("apple", 1)], 500).await;
    let line = id(&order["lines"][0]);
    let review = json!({"line": line, "stars": 5, "words": "x"});
    let review = world.step(LI, &order, "reviews", review).await;
    let after_sale = world.ask_refund(&order, 1, None).await;
    let dispute = world
        .step(LI, &order, "disputes", json!({"claim": "x"}))
        .await;
    let conversation = world
        .post("/api/conversations")
        .by(LI)
        .json(&json!({"merchant": "fruit"}))
        .content()
        .await;
    vec![
        ("checkout", order["checkout"].as_str().unwrap().to_owned()),
        ("order", id(&order)),
        ("day", "2026-11-02".to_owned()),
        ("line", line),
        ("review", id(&review)),
        ("after_sale", id(&after_sale)),
        ("dispute", id(&dispute)),
        ("conversation", id(&conversation)),
    ]
}
