//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Route, arms, is_listed, other_methods, refuse, route, with};

use crate::flow_refusals;
use crate::goods::{apples, id, variant};
use crate::support::{
    APP, APP_READER, AUDITOR, CHEN, DEVICE, FRUITER, LAUNDERER, LI, MA, STRANGER, WANG, World,
    on_each_engine,
};

/// All routes, in the order of the table.
fn routes() -> Vec<Route> {
    let ticks = route(
        "POST",
        "/internal/ticks/orders",
        None,
        with("token_invalid", 401, &[LI, STRANGER]),
    );
    [
        goods(),
        buying(),
        flow_refusals::flow(),
        flow_refusals::aftermath(),
        vec![ticks],
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[rustfmt::skip]
fn goods() -> Vec<Route> {
    let product = json!({"merchant": "fruit", "category": "fruits", "name": "x", "variants": [{"name": "x", "price_minor": 1}]});
    let changed = json!({"category": "fruits", "name": "x", "variants": [{"name": "x", "price_minor": 1}]});
    let slot = json!({"starts_at": "2026-11-04T02:00:00Z", "ends_at": "2026-11-04T03:00:00Z", "capacity": 1});
    let delivery = json!({"freight_minor": 0, "own": true, "carrier": true, "pickup": true});
    // Who may not keep goods knows of none that are not on offer; who reads changes nothing.
    let hidden = |code| with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER, LAUNDERER]);
    let readers = |code| [hidden(code), with("goods_keepers_only", 403, &[AUDITOR, APP_READER]), with("shop_is_self_run", 403, &[WANG])].concat();
    vec![
        route("POST", "/api/products", Some(product), readers("merchant_unknown")),
        route("GET", "/api/products", None, vec![]),
        route("GET", "/api/products/{product}", None, hidden("product_unknown")),
        route("PUT", "/api/products/{product}", Some(changed), readers("product_unknown")),
        route("POST", "/api/products/{product}/listing", None, readers("product_unknown")),
        route("POST", "/api/products/{product}/delisting", None, [hidden("product_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER])].concat()),
        route("PUT", "/api/products/{product}/pictures/{position}", None, readers("product_unknown")),
        route("GET", "/api/products/{product}/pictures/{position}", None, hidden("product_unknown")),
        route("DELETE", "/api/products/{product}/pictures/{position}", None, readers("product_unknown")),
        route("POST", "/api/products/{product}/slots", Some(slot), readers("product_unknown")),
        route("GET", "/api/products/{product}/slots", None, hidden("product_unknown")),
        route("DELETE", "/api/products/{product}/slots/{slot}", None, readers("product_unknown")),
        route("POST", "/api/product-imports", None, [hidden("merchant_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER]), with("shop_is_self_run", 403, &[WANG])].concat()),
        route("GET", "/api/stock/{item}", None, hidden("stock_unknown")),
        route("GET", "/api/stock/{item}/movements", None, hidden("stock_unknown")),
        route("POST", "/api/stock/{item}/movements", Some(json!({"kind": "received", "units": 1})), readers("stock_unknown")),
        route("GET", "/api/stock/{item}/batches", None, hidden("stock_unknown")),
        route("POST", "/api/stock/{item}/batches", Some(json!({"units": 1, "expires_on": "2026-12-01"})), readers("stock_unknown")),
        route("GET", "/api/shops", None, vec![]),
        route("GET", "/api/shops/{shop}", None, with("shop_unknown", 404, &[STRANGER])),
        route("PUT", "/api/shops/{shop}/delivery", Some(delivery), readers("merchant_unknown")),
        route("GET", "/api/shops/{shop}/shortage", None, hidden("merchant_unknown")),
        route("GET", "/api/shops/{shop}/near-expiry", None, hidden("merchant_unknown")),
        route("GET", "/api/shelves", None, vec![]),
        route("GET", "/api/search", None, vec![]),
    ]
}

#[rustfmt::skip]
fn buying() -> Vec<Route> {
    let people = || with("people_only", 403, &[AUDITOR, DEVICE, APP, APP_READER]);
    let others = |code| [with(code, 404, &[MA, CHEN, FRUITER, WANG, STRANGER]), with("people_only", 403, &[AUDITOR, DEVICE, APP])].concat();
    let address = json!({"community": "garden", "detail": "x", "name": "x", "phone": "13800138000"});
    let promotion = json!({"merchant": "fruit", "name": "x", "from": "2026-11-01T00:00:00Z", "until": "2026-11-30T00:00:00Z",
        "terms": {"kind": "full_reduction", "tiers": [{"from_minor": 2, "off_minor": 1}]}});
    let hidden = |code| with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER, LAUNDERER]);
    let audited = || [hidden("promotion_unknown"), with("promotion_auditors_only", 403, &[FRUITER, AUDITOR, APP_READER])].concat();
    vec![
        route("GET", "/api/carts", None, people()),
        route("PUT", "/api/carts/{variant}", Some(json!({"quantity": 1})), [people(), with("product_unknown", 404, &[STRANGER])].concat()),
        route("DELETE", "/api/carts/{variant}", None, [people(), with("cart_line_unknown", 404, &[LI, STRANGER])].concat()),
        route("GET", "/api/favourites", None, people()),
        route("PUT", "/api/favourites/{kind}/{favourite}", None, [people(), with("shop_unknown", 404, &[STRANGER])].concat()),
        route("DELETE", "/api/favourites/{kind}/{favourite}", None, [people(), with("favourite_unknown", 404, &[LI, STRANGER])].concat()),
        route("POST", "/api/addresses", Some(address.clone()), people()),
        route("GET", "/api/addresses", None, people()),
        route("GET", "/api/addresses/{address}", None, others("address_unknown")),
        route("PUT", "/api/addresses/{address}", Some(address), others("address_unknown")),
        route("DELETE", "/api/addresses/{address}", None, others("address_unknown")),
        route("POST", "/api/promotions", Some(promotion), [hidden("merchant_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER]), with("shop_is_self_run", 403, &[WANG])].concat()),
        route("GET", "/api/promotions", None, vec![]),
        route("GET", "/api/promotions/{promotion}", None, hidden("promotion_unknown")),
        route("POST", "/api/promotions/{promotion}/approval", Some(json!({})), audited()),
        route("POST", "/api/promotions/{promotion}/rejection", Some(json!({"reason": "x"})), audited()),
        route("POST", "/api/promotions/{promotion}/withdrawal", None, [hidden("promotion_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER])].concat()),
        route("POST", "/api/promotions/{promotion}/coupons", None, [people(), with("promotion_unknown", 404, &[LI, STRANGER])].concat()),
        route("GET", "/api/coupons", None, people()),
        route("GET", "/api/group-buys", None, with("promotion_required", 422, &[LI])),
        route("GET", "/api/group-buys/{group}", None, with("group_unknown", 404, &[LI, STRANGER])),
    ]
}

async fn places(world: &World) -> Places {
    let product = world.draft(FRUITER, &apples(5)).await;
    let address =
        json!({"community": "garden", "detail": "x", "name": "x", "phone": "13800138000"});
    let address = world
        .post("/api/addresses")
        .by(LI)
        .json(&address)
        .content()
        .await;
    let terms = json!({"kind": "coupon", "off_minor": 1, "least_minor": 1, "issue_max": 1});
    let promotion = json!({"merchant": "fruit", "name": "x", "from": "2026-11-01T00:00:00Z",
        "until": "2026-11-30T00:00:00Z", "terms": terms});
    let promotion = world
        .post("/api/promotions")
        .by(FRUITER)
        .json(&promotion)
        .content()
        .await;
    let mut places = vec![
        ("POST /api/product-imports", "merchant=fruit".to_owned()),
        ("shop", "fruit".to_owned()),
        ("favourite", "fruit".to_owned()),
        ("kind", "shop".to_owned()),
        ("product", id(&product)),
        ("position", "1".to_owned()),
        ("slot", "slot".to_owned()),
        ("item", variant(&product, 0)),
        ("variant", variant(&product, 0)),
        ("address", id(&address)),
        ("promotion", id(&promotion)),
        ("group", "group".to_owned()),
    ];
    places.extend(flow_refusals::places(world).await);
    Places(places)
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
        let unknown = ["/api", "/api/shops/x/y/z", "/internal/ticks/meters"];
        other_methods(&world, &routes(), &places, &unknown).await;
    })
    .await;
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    is_listed(&routes(), &arms(include_str!("../../src/http.rs")));
}
