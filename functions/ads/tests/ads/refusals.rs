//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Refusals, Route, arms, is_listed, other_methods, refuse, route, with};

use crate::barters::{running, step, weather};
use crate::booking::days;
use crate::support::{
    APP, APP_READER, AUDITOR, BO, CHEN, DEVICE, KE, LI, MEI, STRANGER, WANG, World, XU, ZHOU,
    banner, content, id, on_each_engine, placement,
};

/// To whom what belongs to m1 is not there.
fn nobody(code: &'static str) -> Refusals {
    with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER, BO])
}

/// Those, and those who read it and do not change it.
fn keepers(code: &'static str) -> Refusals {
    [
        nobody(code),
        with("reading_only", 403, &[AUDITOR, APP_READER, ZHOU]),
    ]
    .concat()
}

fn writers() -> Refusals {
    with(
        "operators_only",
        403,
        &[LI, CHEN, DEVICE, APP, APP_READER, AUDITOR, ZHOU, MEI],
    )
}

fn advertisers() -> Refusals {
    with("advertisers_only", 403, &[LI, CHEN, DEVICE, APP])
}

#[rustfmt::skip]
fn core_routes() -> Vec<Route> {
    let with_unknown = |code| [writers(), with(code, 404, &[STRANGER])].concat();
    let reviewers = |code| [nobody(code), with("reviewers_only", 403, &[AUDITOR, APP_READER, XU, MEI])].concat();
    let column = json!({"name": "x", "from": "2026-01-01", "until": "2027-01-01"});
    let mut new_column = column.clone();
    new_column["id"] = json!("c9");
    let article = json!({"merchant": null, "title": "x", "body": "x", "from": "2026-01-01", "until": "2027-01-01"});
    let review = json!({"decision": "approve", "reason": null});
    let rate = json!({"placement": "home-top", "pricing": "day", "from": "2026-11-03", "until": "2026-11-04", "price_minor": 1});
    let mut changed = placement("home-top", "banner", 1);
    changed.as_object_mut().unwrap().remove("id");
    vec![
        route("POST", "/api/ads/decisions", Some(json!({"placements": ["home-top"]})), with("viewers_only", 403, &[AUDITOR])),
        route("POST", "/api/ads/offers/{offer}/views", None, vec![]),
        route("POST", "/api/ads/offers/{offer}/clicks", None, vec![]),
        route("POST", "/api/ads/placements", Some(placement("p9", "banner", 1)), writers()),
        route("GET", "/api/ads/placements", None, advertisers()),
        route("GET", "/api/ads/placements/{placement}", None, [advertisers(), with("placement_unknown", 404, &[STRANGER])].concat()),
        route("PUT", "/api/ads/placements/{placement}", Some(changed), with_unknown("placement_unknown")),
        route("POST", "/api/ads/rate-cards", Some(rate), with_unknown("placement_unknown")),
        route("GET", "/api/ads/rate-cards", None, advertisers()),
        route("GET", "/api/ads/availability", None, advertisers()),
        route("POST", "/api/ads/orders", Some(json!({"merchant": "m1", "name": "x"})), keepers("merchant_unknown")),
        route("GET", "/api/ads/orders", None, advertisers()),
        route("GET", "/api/ads/orders/{order}", None, nobody("ad_order_unknown")),
        route("POST", "/api/ads/orders/{order}/lines", Some(days("home-top", "2026-11-05", "2026-11-06")), keepers("ad_order_unknown")),
        route("GET", "/api/ads/lines", None, advertisers()),
        route("GET", "/api/ads/lines/{line}", None, nobody("ad_line_unknown")),
        route("PUT", "/api/ads/lines/{line}/creatives", Some(json!({"creatives": ["{creative}"]})), keepers("ad_line_unknown")),
        route("POST", "/api/ads/lines/{line}/reservation", None, keepers("ad_line_unknown")),
        route("POST", "/api/ads/lines/{line}/booking", None, keepers("ad_line_unknown")),
        route("POST", "/api/ads/lines/{line}/cancellation", None, keepers("ad_line_unknown")),
        route("POST", "/api/ads/lines/{line}/stop", None, keepers("ad_line_unknown")),
        route("POST", "/api/ads/lines/{line}/refusal", None, [keepers("ad_line_unknown"), with("operators_only", 403, &[MEI])].concat()),
        route("POST", "/api/ads/lines/{line}/make-goods", Some(json!({"kind": "credit"})), [nobody("ad_line_unknown"), with("operators_only", 403, &[MEI, AUDITOR, ZHOU])].concat()),
        route("POST", "/api/ads/creatives", Some(banner("m1", "x")), keepers("merchant_unknown")),
        route("GET", "/api/ads/creatives", None, advertisers()),
        route("GET", "/api/ads/creatives/{creative}", None, nobody("creative_unknown")),
        route("PUT", "/api/ads/creatives/{creative}", Some(json!({"content": content("banner", "x")})), keepers("creative_unknown")),
        route("POST", "/api/ads/creatives/{creative}/review", Some(review.clone()), reviewers("creative_unknown")),
        route("POST", "/api/ads/columns", Some(new_column), writers()),
        route("GET", "/api/ads/columns", None, vec![]),
        route("GET", "/api/ads/columns/{column}", None, with("column_unknown", 404, &[CHEN, STRANGER])),
        route("PUT", "/api/ads/columns/{column}", Some(column), with_unknown("column_unknown")),
        route("POST", "/api/ads/columns/{column}/articles", Some(article), [with("column_unknown", 404, &[CHEN, STRANGER]), with("operators_only", 403, &[LI, AUDITOR, ZHOU])].concat()),
        route("GET", "/api/ads/columns/{column}/articles", None, with("column_unknown", 404, &[CHEN, STRANGER])),
        route("GET", "/api/ads/articles/{article}", None, with("article_unknown", 404, &[CHEN, LI, STRANGER, BO])),
        route("POST", "/api/ads/articles/{article}/review", Some(review), [with("article_unknown", 404, &[CHEN, LI, STRANGER]), with("reviewers_only", 403, &[XU, AUDITOR])].concat()),
        route("GET", "/api/ads/reports", None, advertisers()),
        route("GET", "/api/ads/charges", None, advertisers()),
        route("GET", "/api/ads/revenue", None, with("advertisers_only", 403, &[LI, CHEN, DEVICE, APP, MEI])),
    ]
}

#[rustfmt::skip]
fn exchange_routes() -> Vec<Route> {
    let with_unknown = |code| [writers(), with(code, 404, &[STRANGER])].concat();
    let barter = || nobody("barter_unknown");
    let barters = || [barter(), with("reading_only", 403, &[AUDITOR, APP_READER, ZHOU])].concat();
    let barter_writers = || [barters(), with("operators_only", 403, &[KE])].concat();
    let reward = json!({"barter": "{barter}", "item": 1, "name": "x", "units": 1, "price_minor": 0, "until": "2027-01-01"});
    vec![
        route("POST", "/api/ads/barters", Some(json!({"merchant": "cinema", "terms": crate::barters::terms()})), keepers("merchant_unknown")),
        route("GET", "/api/ads/barters", None, advertisers()),
        route("GET", "/api/ads/barters/{barter}", None, barter()),
        route("POST", "/api/ads/barters/{barter}/proposal", None, barters()),
        route("POST", "/api/ads/barters/{barter}/counter", Some(crate::barters::terms()), barters()),
        route("POST", "/api/ads/barters/{barter}/agreement", None, barters()),
        route("POST", "/api/ads/barters/{barter}/signature", None, barters()),
        route("POST", "/api/ads/barters/{barter}/activation", None, barter_writers()),
        route("POST", "/api/ads/barters/{barter}/receipts", Some(json!({"item": 1, "units": 1})), barter_writers()),
        route("POST", "/api/ads/barters/{barter}/settlement", None, barter_writers()),
        route("POST", "/api/ads/barters/{barter}/termination", None, barter_writers()),
        route("POST", "/api/ads/rewards", Some(reward), with_unknown("barter_goods_unknown")),
        route("GET", "/api/ads/rewards", None, vec![]),
        route("POST", "/api/ads/rewards/{reward}/claims", None, with("residents_only", 403, &[CHEN, DEVICE, APP, APP_READER, AUDITOR, MEI, WANG, STRANGER])),
        route("GET", "/api/ads/rewards/{reward}/claims", None, with("residents_only", 403, &[CHEN, DEVICE, APP, AUDITOR, MEI, WANG, STRANGER])),
        route("POST", "/api/ads/rewards/{reward}/redemptions", Some(json!({"code": "X"})), with_unknown("reward_unknown")),
        route("POST", "/internal/ticks/ads", None, with("token_invalid", 401, &[LI, STRANGER])),
    ]
}

/// Every route, in the order of the table.
fn routes() -> Vec<Route> {
    core_routes().into_iter().chain(exchange_routes()).collect()
}

async fn places(world: &World) -> Places {
    world.place(&placement("home-top", "banner", 2)).await;
    let creative = world.approved(MEI, &banner("m1", "苹果")).await;
    let line = world
        .draft((MEI, "m1"), &days("home-top", "2026-11-02", "2026-11-04"))
        .await;
    world.shows(MEI, &line, &creative).await;
    let order = world
        .get(&format!("/api/ads/lines/{line}"))
        .by(MEI)
        .content()
        .await["order"]
        .clone();
    let column = json!({"id": "c1", "name": "x", "audience": {"kinds": ["resident"]}, "from": "2026-01-01", "until": "2027-01-01"});
    world
        .post("/api/ads/columns")
        .by(WANG)
        .json(&column)
        .content()
        .await;
    let article = json!({"merchant": "m1", "title": "x", "body": "x", "from": "2026-01-01", "until": "2027-01-01"});
    let article = world
        .post("/api/ads/columns/c1/articles")
        .by(WANG)
        .json(&article)
        .content()
        .await;
    weather(world).await;
    let barter = running(world).await;
    step(world, XU, &barter, "receipts")
        .json(&json!({"item": 1, "units": 2}))
        .content()
        .await;
    let reward = json!({"barter": barter, "item": 1, "name": "x", "units": 1, "price_minor": 0, "until": "2027-01-01"});
    let reward = world
        .post("/api/ads/rewards")
        .by(WANG)
        .json(&reward)
        .content()
        .await;
    Places(vec![
        ("placement", "home-top".to_owned()),
        ("offer", "demo.o.x".to_owned()),
        ("order", order.as_str().unwrap().to_owned()),
        ("line", line),
        ("creative", creative),
        ("column", "c1".to_owned()),
        ("article", id(&article)),
        ("barter", barter),
        ("reward", id(&reward)),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let facts = world.facts().await;
        let mut routes = routes();
        // An offer's token is all that its view and its click need.
        routes.retain(|route| !route.path.starts_with("/api/ads/offers/"));
        refuse(&world, &routes, &places).await;
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn lists_hold_only_what_is_the_callers() {
    on_each_engine(async |world| {
        places(&world).await;
        for path in [
            "/api/ads/orders",
            "/api/ads/lines",
            "/api/ads/creatives",
            "/api/ads/charges",
            "/api/ads/barters",
        ] {
            for who in [BO, STRANGER] {
                let page = world.get(path).by(who).content().await;
                assert_eq!(page["items"], json!([]), "{path} by {}", who.1);
            }
            world
                .get(&format!("{path}?merchant=m1"))
                .by(BO)
                .refused(404, "merchant_unknown")
                .await;
        }
        let own = world.get("/api/ads/lines").by(KE).content().await;
        assert_eq!(own["items"].as_array().unwrap().len(), 1);
        assert_eq!(own["items"][0]["kind"], "barter");
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let unknown = [
            "/api",
            "/api/ads",
            "/api/ads/placements/x/y",
            "/internal/ticks/meters",
        ];
        other_methods(&world, &routes(), &places, &unknown).await;
    })
    .await;
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    is_listed(&routes(), &arms(include_str!("../../src/http.rs")));
}
