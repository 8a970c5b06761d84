//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Refusals, Route, arms, is_listed, other_methods, refuse, route};

use crate::support::{
    APP, AUDITOR, CHEN, GATEWAY, LI, STRANGER, SUN, TANG, World, ZHAO, ago, on_each_engine,
};

/// Those who look after no meters, and staff of elsewhere.
fn managers(unknown: &'static str, has_id: bool) -> Refusals {
    let mut refused = vec![(TANG, 404, unknown)];
    for person in [LI, AUDITOR, GATEWAY, APP] {
        refused.push((person, 403, "managers_only"));
    }
    if has_id {
        refused.push((STRANGER, 404, unknown));
    }
    refused
}

/// Those who oversee no meters.
fn overseers() -> Refusals {
    [LI, SUN, GATEWAY, APP]
        .map(|person| (person, 403, "overseers_only"))
        .to_vec()
}

/// Those to whom the meter of r101, and what is read of it, is unknown.
fn others(unknown: &'static str) -> Refusals {
    [ZHAO, SUN, TANG, STRANGER, GATEWAY, APP]
        .map(|person| (person, 404, unknown))
        .to_vec()
}

fn lists() -> Refusals {
    vec![
        (GATEWAY, 403, "overseers_only"),
        (APP, 403, "overseers_only"),
    ]
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let meter = json!({"id": "new", "community": "garden", "commodity": "water", "name": "x", "area": "x", "digits": 5, "opening_milli": 0});
    let replacement = json!({"closing_milli": 9_000, "opening_milli": 0, "reason": "x"});
    let readings = json!({"readings": [{"id": "new", "meter": "nothing", "at": ago(1), "register_milli": 1}]});
    let decision = json!({"decision": "reject", "reason": "x"});
    let meter_route = json!({"id": "new", "community": "garden", "name": "x", "meters": ["e101"]});
    let limits = json!({"per": "year", "bounds_milli": [1]});
    let senders = || vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (APP, 403, "managers_only")];
    let decoding = json!({"commodity": "water", "decoding": {"step_milli": 10, "offset_milli": 0}, "bytes": "a500000000 00a5".replace(' ', "")});
    let senders_of_nothing = || [LI, AUDITOR, GATEWAY, APP].map(|person| (person, 403, "managers_only")).to_vec();
    let photo = || {
        let mut refused = managers("reading_unknown", true);
        refused.push((ZHAO, 403, "managers_only"));
        refused
    };
    vec![
        route("POST", "/api/meters", Some(meter), managers("community_unknown", false)),
        route("GET", "/api/meters", None, lists()),
        route("GET", "/api/meters/{meter}", None, others("meter_unknown")),
        route("PATCH", "/api/meters/{meter}", Some(json!({"name": "x"})), managers("meter_unknown", true)),
        route("GET", "/api/meters/{meter}/bindings", None, [others("meter_unknown"), vec![(LI, 403, "overseers_only")]].concat()),
        route("POST", "/api/meters/{meter}/bindings", Some(json!({"area": "x"})), managers("meter_unknown", true)),
        route("POST", "/api/meters/{meter}/replacements", Some(replacement), managers("meter_unknown", true)),
        route("PUT", "/api/meters/{meter}/removal", Some(json!({"closing_milli": 9_000, "reason": "x"})), managers("meter_unknown", true)),
        route("GET", "/api/meters/{meter}/readings", None, others("meter_unknown")),
        route("POST", "/api/meters/{meter}/switchings", Some(json!({"supply": "off", "reason": "leak"})), managers("meter_unknown", true)),
        route("GET", "/api/meters/{meter}/switchings", None, others("meter_unknown")),
        route("GET", "/api/meters/{meter}/switchings/{switching}", None, others("switching_unknown")),
        route("GET", "/api/meters/{meter}/recharges", None, [others("meter_unknown"), vec![(LI, 403, "overseers_only")]].concat()),
        route("POST", "/api/meter-decodings", Some(decoding), senders_of_nothing()),
        route("POST", "/api/meter-readings", Some(readings), senders()),
        route("GET", "/api/meter-readings/{reading}", None, others("reading_unknown")),
        route("PUT", "/api/meter-readings/{reading}/photo", None, photo()),
        route("GET", "/api/meter-readings/{reading}/photo", None, others("reading_unknown")),
        route("GET", "/api/meter-reviews", None, overseers()),
        route("PUT", "/api/meter-reviews/{reading}", Some(decision), managers("reading_unknown", true)),
        route("POST", "/api/meter-routes", Some(meter_route), managers("community_unknown", false)),
        route("GET", "/api/meter-routes", None, overseers()),
        route("GET", "/api/meter-routes/{meter_route}", None, [overseers(), vec![(TANG, 404, "meter_route_unknown"), (STRANGER, 404, "meter_route_unknown")]].concat()),
        route("PATCH", "/api/meter-routes/{meter_route}", Some(json!({"name": "x"})), managers("meter_route_unknown", true)),
        route("DELETE", "/api/meter-routes/{meter_route}", None, managers("meter_route_unknown", true)),
        route("POST", "/api/meter-periods", Some(json!({"community": "garden", "period": "2026-12"})), managers("community_unknown", false)),
        route("GET", "/api/meter-periods", None, lists()),
        route("GET", "/api/meter-alarms", None, lists()),
        route("PUT", "/api/meter-alarms/{meter_alarm}/acknowledgement", Some(json!({"note": "x"})), managers("meter_alarm_unknown", true)),
        route("GET", "/api/usage", None, lists()),
        route("GET", "/api/usage/limits/{community}/{commodity}", None, [lists(), vec![(SUN, 404, "community_unknown"), (TANG, 404, "community_unknown"), (STRANGER, 404, "usage_limits_unknown")]].concat()),
        route("PUT", "/api/usage/limits/{community}/{commodity}", Some(limits), managers("community_unknown", true)),
        route("POST", "/internal/ticks/meters", None, vec![(LI, 401, "token_invalid"), (STRANGER, 401, "token_invalid")]),
    ]
}

/// A reading and a route.
async fn places(world: &World) -> Places {
    let reading = json!({"id": "first", "meter": "e101", "at": ago(1), "register_milli": 5_000});
    let ask = world.post("/api/meter-readings").by(GATEWAY);
    ask.json(&json!({"readings": [reading]})).content().await;
    let route = json!({"id": "round-1", "community": "garden", "name": "x", "meters": ["e101"]});
    let ask = world.post("/api/meter-routes").by(CHEN);
    ask.json(&route).content().await;
    let known = [
        ("meter", "e101"),
        ("reading", "first"),
        ("switching", "nothing"),
        ("meter_route", "round-1"),
        ("meter_alarm", "nothing"),
        ("community", "garden"),
        ("commodity", "water"),
    ];
    Places(known.map(|(name, id)| (name, id.to_owned())).to_vec())
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let meter = world.get("/api/meters/e101").by(LI).content().await;
        refuse(&world, &routes(), &places).await;
        let after = world.get("/api/meters/e101").by(LI).content().await;
        assert_eq!(after, meter);
        assert_eq!(world.facts("meter.changed").await.len(), 0);
        assert_eq!(world.facts("meter.switching_requested").await.len(), 0);
        assert_eq!(world.facts("reading.reviewed").await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    on_each_engine(async |mut world| {
        let token = world.token(LI);
        assert_eq!(
            world.get("/api/meters").bearer(&token).reply().await.status,
            200
        );
        world.pass_ms(3_600_000);
        world
            .get("/api/meters")
            .bearer(&token)
            .refused(401, "token_expired")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let unknown = [
            "/",
            "/api",
            "/api/meters/e101/keys",
            "/api/meter-readings/x/y",
            "/internal/ticks/doors",
        ];
        other_methods(&world, &routes(), &places, &unknown).await;
    })
    .await;
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    is_listed(&routes(), &arms(include_str!("../src/http.rs")));
}

#[tokio::test]
async fn the_internal_token_opens_the_heartbeat() {
    on_each_engine(async |world| testing::beats(&world, "meters").await).await;
}
