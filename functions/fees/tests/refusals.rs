//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::{Value, json};
use testing::{Places, Route, arms, is_listed, other_methods, refuse, route, with};

use crate::support::{
    APP, APP_READER, AUDITOR, CHEN, DEVICE, LI, STAFF_ELSEWHERE, STRANGER, World, ZHAO,
    on_each_engine,
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    // Who neither bills nor audits the community knows of nothing in it; who audits it changes nothing.
    let hidden = |code| with(code, 404, &[LI, ZHAO, STAFF_ELSEWHERE, DEVICE, APP, STRANGER]);
    let changed = |code| [hidden(code), with("managers_only", 403, &[AUDITOR, APP_READER])].concat();
    let managers = || with("managers_only", 403, &[LI, ZHAO, STAFF_ELSEWHERE, DEVICE, APP, AUDITOR, APP_READER]);
    let readers = || with("managers_only", 403, &[LI, ZHAO, STAFF_ELSEWHERE, DEVICE, APP]);
    let people = || with("people_only", 403, &[DEVICE, APP]);
    let own = |code: &'static str| with(code, 404, &[ZHAO, STAFF_ELSEWHERE, DEVICE, APP, STRANGER]);
    let own_changed = |code: &'static str| [own(code), with("managers_only", 403, &[LI, AUDITOR, APP_READER])].concat();
    let prices = json!({"periods": [{"first_day": "2026-01-01", "prices": {"flat": 1}}]});
    let tariff = json!({"community": "garden", "name": "x", "terms": prices});
    let rule = json!({"community": "garden", "name": "x", "charge": {"kind": "area", "price": 28_000}, "first_day": "2026-01-01"});
    let terms = json!({"late_rate_per_100k": 0, "grace_days": 0, "late_cap_percent": 100, "due_days": 30});
    let bill = json!({"room": "r101", "title": "x", "amount_minor": 100, "reason": "x"});
    let less = json!({"amount_minor": 1, "reason": "x"});
    let coupon = json!({"community": "garden", "title": "x", "person": "li", "value": {"amount_minor": 1}, "first_day": "2026-11-01", "until_day": "2026-12-01", "reason": "x"});
    vec![
        route("POST", "/api/tariffs", Some(tariff), managers()),
        route("GET", "/api/tariffs", None, readers()),
        route("GET", "/api/tariffs/{tariff}", None, hidden("tariff_unknown")),
        route("PUT", "/api/tariffs/{tariff}", Some(json!({"name": "x", "terms": prices})), changed("tariff_unknown")),
        route("POST", "/api/tariffs/{tariff}/preview", Some(json!({"lines": []})), hidden("tariff_unknown")),
        route("GET", "/api/fee-terms/{community}", None, hidden("community_unknown")),
        route("PUT", "/api/fee-terms/{community}", Some(terms), changed("community_unknown")),
        route("POST", "/api/fee-rules", Some(rule.clone()), managers()),
        route("GET", "/api/fee-rules", None, readers()),
        route("GET", "/api/fee-rules/{rule}", None, hidden("fee_rule_unknown")),
        route("PUT", "/api/fee-rules/{rule}", Some(json!({"name": "x", "charge": rule["charge"], "first_day": "2026-01-01"})), changed("fee_rule_unknown")),
        route("POST", "/api/bill-runs", Some(json!({"community": "garden", "period": "2026-10"})), managers()),
        route("GET", "/api/bill-runs", None, readers()),
        route("GET", "/api/bill-runs/{run}", None, hidden("bill_run_unknown")),
        route("DELETE", "/api/bill-runs/{run}", None, changed("bill_run_unknown")),
        route("POST", "/api/bill-runs/{run}/steps", None, changed("bill_run_unknown")),
        route("POST", "/api/bill-runs/{run}/publication", None, changed("bill_run_unknown")),
        route("POST", "/api/bills", Some(bill), [managers(), with("room_unknown", 404, &[STRANGER])].concat()),
        route("GET", "/api/bills", None, people()),
        route("GET", "/api/bills/{bill}", None, own("bill_unknown")),
        route("POST", "/api/bills/{bill}/void", Some(json!({"reason": "x"})), own_changed("bill_unknown")),
        route("POST", "/api/bills/{bill}/discounts", Some(less.clone()), own_changed("bill_unknown")),
        route("POST", "/api/bills/{bill}/late-fee-waivers", Some(less), own_changed("bill_unknown")),
        route("POST", "/api/bill-payments", Some(json!({"bills": ["{bill}"]})), with("bill_unknown", 404, &[ZHAO, CHEN, AUDITOR, DEVICE, APP, STRANGER])),
        route("GET", "/api/bill-payments", None, people()),
        route("GET", "/api/bill-payments/{payment}", None, own("bill_payment_unknown")),
        route("GET", "/api/bill-payments/{payment}/receipt", None, own("bill_payment_unknown")),
        route("POST", "/api/bill-payments/{payment}/refunds", Some(json!({"bills": ["{bill}"], "reason": "x"})), own_changed("bill_payment_unknown")),
        route("POST", "/api/fee-coupons", Some(coupon), managers()),
        route("GET", "/api/fee-coupons", None, people()),
        route("GET", "/api/fee-coupons/{coupon}", None, own("fee_coupon_unknown")),
        route("DELETE", "/api/fee-coupons/{coupon}", None, own_changed("fee_coupon_unknown")),
        route("POST", "/api/fee-points", Some(json!({"community": "garden", "person": "li", "points": 1, "reason": "x"})), managers()),
        route("GET", "/api/fee-points", None, people()),
        route("POST", "/api/cash-closes", Some(json!({"community": "garden", "counted_minor": 0})), managers()),
        route("GET", "/api/cash-closes", None, readers()),
        route("GET", "/api/cash-closes/{close}", None, hidden("cash_close_unknown")),
        route("POST", "/api/recharges", Some(json!({"room": "r101", "commodity": "water", "amount_minor": 1})), with("room_unknown", 404, &[ZHAO, STAFF_ELSEWHERE, AUDITOR, DEVICE, APP, STRANGER])),
        route("GET", "/api/recharges", None, people()),
        route("GET", "/api/recharges/{recharge}", None, own("recharge_unknown")),
        route("POST", "/api/recharges/{recharge}/acknowledgement", Some(json!({"accepted": true})), own_changed("recharge_unknown")),
        route("GET", "/api/account-credits", None, people()),
        route("GET", "/api/fee-statements", None, readers()),
        route("GET", "/api/fee-statements/{room}", None, with("room_unknown", 404, &[ZHAO, STAFF_ELSEWHERE, DEVICE, APP, STRANGER])),
        route("POST", "/internal/ticks/fees", None, with("token_invalid", 401, &[LI, STRANGER])),
    ]
}

async fn made_by_chen(world: &World, path: &str, body: &Value) -> Value {
    let ask = world.post(path).by(CHEN).key(path);
    ask.json(body).content().await
}

async fn places(world: &World) -> Places {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let terms = json!({"periods": [{"first_day": "2026-01-01", "prices": {"flat": 1}}]});
    let tariff = json!({"community": "garden", "name": "x", "terms": terms});
    let tariff = world
        .post("/api/tariffs")
        .by(CHEN)
        .json(&tariff)
        .content()
        .await;
    let rule = world
        .rule("物业费", json!({"kind": "area", "price": 28_000}))
        .await;
    let run = world.published("2026-10").await;
    let bill = world.bills(LI, "").await.remove(0);
    let payment = world.pay(LI, "pay", &[&bill], false).await;
    let recharge = json!({"room": "r101", "commodity": "water", "amount_minor": 100});
    let recharge = world
        .post("/api/recharges")
        .by(LI)
        .key("recharge")
        .json(&recharge)
        .content()
        .await;
    let coupon = json!({"community": "garden", "title": "x", "person": "li", "value": {"amount_minor": 1}, "first_day": "2026-11-01", "until_day": "2026-12-01", "reason": "x"});
    let coupon = made_by_chen(world, "/api/fee-coupons", &coupon).await;
    let close = json!({"community": "garden", "counted_minor": 0});
    let close = made_by_chen(world, "/api/cash-closes", &close).await;
    let query = "community=garden".to_owned();
    Places(vec![
        ("GET /api/tariffs", query.clone()),
        ("GET /api/fee-rules", query.clone()),
        ("GET /api/bill-runs", query.clone()),
        ("GET /api/fee-statements", query.clone()),
        ("GET /api/fee-points", query.clone()),
        ("GET /api/cash-closes", query.clone()),
        ("coupon", id(&coupon)),
        ("close", id(&close)),
        ("tariff", id(&tariff)),
        ("community", "garden".to_owned()),
        ("rule", id(&rule)),
        ("run", id(&run)),
        ("bill", id(&bill)),
        ("payment", id(&payment)),
        ("recharge", id(&recharge)),
        ("room", "r101".to_owned()),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let facts = world.facts().await;
        refuse(&world, &routes(), &places).await;
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let unknown = [
            "/api",
            "/api/bills/x/y",
            "/api/fee-terms",
            "/internal/ticks/meters",
        ];
        other_methods(&world, &routes(), &places, &unknown).await;
    })
    .await;
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    is_listed(&routes(), &arms(include_str!("../src/http.rs")));
}
