//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::{Value, json};
use testing::{Places, Route, arms, is_listed, other_methods, refuse, route, with};

use crate::support::{
    APP, APP_READER, AUDITOR, BO, CHEN, DEVICE, LI, MEI, STRANGER, WANG, World, on_each_engine,
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let nobody = |code| with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER, BO]);
    let acted = |code| [nobody(code), with("auction_managers_only", 403, &[AUDITOR, APP_READER])].concat();
    let managers = || with("auction_managers_only", 403, &[LI, CHEN, DEVICE, APP, APP_READER, AUDITOR, MEI, BO]);
    let readers = || with("auction_managers_only", 403, &[LI, CHEN, DEVICE, APP, MEI, BO]);
    let advertisers = || with("advertisers_only", 403, &[LI, CHEN, DEVICE, APP]);
    let strangers = |code| with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER]);
    let targets = json!([{"kind": "keyword", "value": "fish"}]);
    let campaign = json!({"merchant": "m1", "name": "x", "kind": "rank", "creative": "k1", "bid_minor": 10, "budget_minor": 100, "daily_minor": 100, "targets": targets});
    let changed = json!({"name": "x", "creative": "k1", "bid_minor": 10, "budget_minor": 100, "daily_minor": 100, "targets": targets});
    let preview = json!({"weights": [1], "bids": []});
    let sealed = json!({"name": "x", "kind": "board", "value": "news", "slots": 1, "reserve_minor": 1, "deposit_minor": 1, "starts_at": "2026-11-01T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z", "closes_at": "2026-10-20T00:00:00Z", "extension_minutes": 5});
    let bid = json!({"merchant": "m1", "creative": "k1", "amount_minor": 100});
    vec![
        route("POST", "/api/bidding/campaigns", Some(campaign), [with("merchant_unknown", 404, &[LI, CHEN, DEVICE, APP, STRANGER, BO]), with("auction_managers_only", 403, &[AUDITOR, APP_READER])].concat()),
        route("GET", "/api/bidding/campaigns", None, advertisers()),
        route("GET", "/api/bidding/campaigns/{campaign}", None, nobody("bid_campaign_unknown")),
        route("PUT", "/api/bidding/campaigns/{campaign}", Some(changed), acted("bid_campaign_unknown")),
        route("POST", "/api/bidding/campaigns/{campaign}/activation", None, acted("bid_campaign_unknown")),
        route("POST", "/api/bidding/campaigns/{campaign}/pause", None, acted("bid_campaign_unknown")),
        route("POST", "/api/bidding/campaigns/{campaign}/end", None, acted("bid_campaign_unknown")),
        route("GET", "/api/bidding/campaigns/{campaign}/qualities", None, nobody("bid_campaign_unknown")),
        route("GET", "/api/bidding/campaigns/{campaign}/report", None, nobody("bid_campaign_unknown")),
        route("POST", "/api/bidding/rankings", Some(json!({"placement": "home", "keyword": "x"})), with("placement_unknown", 404, &[STRANGER])),
        route("POST", "/api/bidding/offers/{offer}/views", None, with("offer_unknown", 404, &[STRANGER])),
        route("POST", "/api/bidding/offers/{offer}/clicks", None, with("offer_unknown", 404, &[STRANGER])),
        route("GET", "/api/bidding/rounds", None, readers()),
        route("GET", "/api/bidding/rounds/{round}", None, with("auction_round_unknown", 404, &[LI, CHEN, DEVICE, APP, STRANGER, BO])),
        route("POST", "/api/bidding/rounds/{round}/replay", None, [managers(), with("auction_round_unknown", 404, &[STRANGER])].concat()),
        route("POST", "/api/bidding/previews", Some(preview), managers()),
        route("POST", "/api/bidding/sealed-rounds", Some(sealed), managers()),
        route("GET", "/api/bidding/sealed-rounds", None, advertisers()),
        route("GET", "/api/bidding/sealed-rounds/{sealed}", None, strangers("sealed_round_unknown")),
        route("POST", "/api/bidding/sealed-rounds/{sealed}/bids", Some(bid), [strangers("sealed_round_unknown"), with("merchant_unknown", 404, &[BO]), with("auction_managers_only", 403, &[AUDITOR, APP_READER])].concat()),
        route("POST", "/api/bidding/sealed-rounds/{sealed}/bids/{bid}/refund", None, [strangers("sealed_round_unknown"), with("auction_managers_only", 403, &[AUDITOR, APP_READER, MEI])].concat()),
        route("POST", "/api/bidding/sealed-rounds/{sealed}/bids/{bid}/forfeiture", Some(json!({"reason": "x"})), [strangers("sealed_round_unknown"), with("auction_managers_only", 403, &[AUDITOR, APP_READER, MEI])].concat()),
        route("POST", "/api/bidding/sealed-rounds/{sealed}/bids/{bid}/restitution", Some(json!({"reason": "x"})), [strangers("sealed_round_unknown"), with("auction_managers_only", 403, &[AUDITOR, APP_READER, MEI])].concat()),
        route("POST", "/api/bidding/sealed-rounds/{sealed}/cancellation", None, [strangers("sealed_round_unknown"), with("auction_managers_only", 403, &[AUDITOR, APP_READER, MEI])].concat()),
        route("POST", "/openrtb2/bid", None, vec![]),
        route("POST", "/openrtb2/auction", None, vec![]),
        route("OPTIONS", "/openrtb2/auction", None, vec![]),
        route("GET", "/openrtb2/notices/wins/{token}", None, vec![]),
        route("GET", "/openrtb2/notices/billings/{token}", None, vec![]),
        route("POST", "/openrtb2/notices/billings/{token}", None, vec![]),
        route("GET", "/openrtb2/notices/losses/{token}", None, vec![]),
        route("GET", "/openrtb2/notices/clicks/{token}", None, vec![]),
        route("GET", "/ads.txt", None, vec![]),
        route("GET", "/sellers.json", None, vec![]),
        route("POST", "/internal/ticks/bidding", None, with("token_invalid", 401, &[LI, STRANGER])),
    ]
}

/// Those that anybody may call.
fn is_open(route: &Route) -> bool {
    !route.path.starts_with("/api") && !route.path.starts_with("/internal")
}

async fn places(world: &mut World) -> Places {
    let campaign = world.bids(1, 100, ("keyword", "fish")).await;
    let page = world.looks(json!({"keyword": "fish"})).await;
    let sealed = routes()
        .into_iter()
        .find(|route| route.path.ends_with("sealed-rounds"))
        .unwrap();
    let made = world
        .post(sealed.path)
        .by(WANG)
        .json(&sealed.body.unwrap())
        .content()
        .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Places(vec![
        ("campaign", campaign),
        ("offer", text(&page["items"][0]["offer"])),
        ("round", text(&page["round"])),
        ("sealed", text(&made["id"])),
        ("bid", "b1".to_owned()),
        ("token", "demo.o1.AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |mut world| {
        let places = places(&mut world).await;
        let facts = world.facts().await;
        let mut routes = routes();
        routes.retain(|route| !is_open(route));
        refuse(&world, &routes, &places).await;
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |mut world| {
        let places = places(&mut world).await;
        let unknown = [
            "/api",
            "/api/bidding",
            "/openrtb2/notices/x/y",
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
