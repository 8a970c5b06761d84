//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::{Value, json};
use testing::{Places, Refusals, Route, arms, is_listed, other_methods, refuse, route};

use crate::support::{
    AUDITOR, CHEN, DEVICE, GATEWAY_2, LI, STRANGER, SUN, WANG, World, ZHAO, on_each_engine,
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let door = json!({"id": "south", "community": "garden", "name": "南门", "gateway": "gateway-1"});
    let unknown_door = |wrong: Refusals| {
        [wrong, vec![(SUN, 404, "door_unknown"), (STRANGER, 404, "door_unknown")]].concat()
    };
    let unknown_grant = |wrong: Refusals| {
        [wrong, vec![(ZHAO, 404, "grant_unknown"), (SUN, 404, "grant_unknown"), (STRANGER, 404, "grant_unknown")]].concat()
    };
    // What those do who run the community: nobody else of it, and nobody of elsewhere.
    let runners = |unknown: &'static str, has_id: bool| {
        let elsewhere = if has_id { vec![(STRANGER, 404, unknown)] } else { vec![] };
        [vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (DEVICE, 403, "managers_only"), (SUN, 404, unknown)], elsewhere].concat()
    };
    vec![
        route("POST", "/api/doors", Some(door), vec![(LI, 403, "operator_only"), (CHEN, 403, "operator_only"), (AUDITOR, 403, "operator_only")]),
        route("GET", "/api/doors", None, vec![]),
        route("GET", "/api/doors/{door}", None, unknown_door(vec![])),
        route("PATCH", "/api/doors/{door}", Some(json!({"name": "西门"})), unknown_door(vec![(LI, 403, "operator_only"), (AUDITOR, 403, "operator_only")])),
        route("GET", "/api/doors/{door}/occurrences", None, unknown_door(vec![(LI, 403, "overseers_only")])),
        route("POST", "/api/doors/{door}/grants", Some(json!({"person": "zhao"})), unknown_door(vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only")])),
        route("GET", "/api/doors/{door}/grants", None, unknown_door(vec![(DEVICE, 403, "own_records_only")])),
        route("GET", "/api/grants/{grant}", None, unknown_grant(vec![])),
        route("DELETE", "/api/grants/{grant}", None, unknown_grant(vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only")])),
        route("PUT", "/api/grants/{grant}/suspension", Some(json!({"reason": "x"})), unknown_grant(vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only")])),
        route("DELETE", "/api/grants/{grant}/suspension", None, unknown_grant(vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only")])),
        route("POST", "/api/doors/{door}/openings", Some(json!({})), unknown_door(vec![(ZHAO, 403, "no_grant"), (AUDITOR, 403, "kind_may_not_open")])),
        route("GET", "/api/doors/{door}/openings", None, unknown_door(vec![(DEVICE, 403, "own_records_only")])),
        route("GET", "/api/doors/{door}/openings/{opening}", None, vec![(ZHAO, 404, "opening_unknown"), (SUN, 404, "opening_unknown"), (STRANGER, 404, "opening_unknown")]),
        route("POST", "/api/doors/{door}/pass-checks", Some(json!({"text": "x"})), vec![(LI, 403, "gateways_only"), (WANG, 403, "gateways_only"), (GATEWAY_2, 404, "door_unknown")]),
        route("POST", "/api/door-schedules", Some(schedule("nights")), runners("community_unknown", false)),
        route("GET", "/api/door-schedules", None, vec![]),
        route("GET", "/api/door-schedules/{schedule}", None, vec![(SUN, 404, "schedule_unknown"), (STRANGER, 404, "schedule_unknown")]),
        route("PATCH", "/api/door-schedules/{schedule}", Some(json!({"name": "x"})), runners("schedule_unknown", true)),
        route("DELETE", "/api/door-schedules/{schedule}", None, runners("schedule_unknown", true)),
        route("POST", "/api/door-groups", Some(json!({"id": "others", "community": "garden", "name": "x"})), runners("community_unknown", false)),
        route("GET", "/api/door-groups", None, vec![]),
        route("GET", "/api/door-groups/{group}", None, vec![(SUN, 404, "group_unknown"), (STRANGER, 404, "group_unknown")]),
        route("PATCH", "/api/door-groups/{group}", Some(json!({"name": "x"})), runners("group_unknown", true)),
        route("DELETE", "/api/door-groups/{group}", None, runners("group_unknown", true)),
        route("GET", "/api/door-groups/{group}/members", None, vec![(LI, 403, "overseers_only"), (SUN, 404, "group_unknown"), (STRANGER, 404, "group_unknown")]),
        route("PUT", "/api/door-groups/{group}/members/{person}", Some(json!({})), runners("group_unknown", true)),
        route("DELETE", "/api/door-groups/{group}/members/{person}", None, runners("group_unknown", true)),
        route("GET", "/api/suspensions/{community}", None, vec![(LI, 403, "overseers_only"), (SUN, 404, "community_unknown"), (STRANGER, 404, "community_unknown")]),
        route("PUT", "/api/suspensions/{community}/{person}", Some(json!({"reason": "x"})), runners("community_unknown", true)),
        route("DELETE", "/api/suspensions/{community}/{person}", None, runners("community_unknown", true)),
        route("POST", "/api/cards", Some(json!({"number": 7, "community": "garden", "person": "zhao"})), runners("community_unknown", false)),
        route("GET", "/api/cards", None, vec![(DEVICE, 403, "own_records_only")]),
        route("GET", "/api/cards/{card}", None, vec![(LI, 404, "card_unknown"), (SUN, 404, "card_unknown"), (STRANGER, 404, "card_unknown")]),
        route("DELETE", "/api/cards/{card}", None, vec![(ZHAO, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (LI, 404, "card_unknown"), (STRANGER, 404, "card_unknown")]),
        route("PUT", "/api/cards/{card}/block", Some(json!({"reason": "x"})), vec![(AUDITOR, 403, "managers_only"), (LI, 404, "card_unknown"), (STRANGER, 404, "card_unknown")]),
        route("DELETE", "/api/cards/{card}/block", None, vec![(ZHAO, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (LI, 404, "card_unknown"), (STRANGER, 404, "card_unknown")]),
        route("POST", "/api/passes", Some(json!({"community": "garden"})), vec![(ZHAO, 403, "no_grant"), (AUDITOR, 403, "kind_may_not_open"), (DEVICE, 403, "kind_may_not_open"), (SUN, 404, "community_unknown")]),
        route("GET", "/api/passes/keys", None, vec![]),
        route("GET", "/api/releases/{community}", None, vec![(LI, 403, "overseers_only"), (SUN, 404, "community_unknown"), (STRANGER, 404, "community_unknown")]),
        route("PUT", "/api/releases/{community}", Some(json!({"reason": "x"})), runners("community_unknown", true)),
        route("DELETE", "/api/releases/{community}", None, runners("community_unknown", true)),
        route("GET", "/api/access-log", None, vec![(LI, 400, "invalid_parameter")]),
        route("GET", "/api/gateways/{gateway}/snapshot", None, vec![(LI, 403, "gateways_only"), (CHEN, 403, "gateways_only"), (STRANGER, 403, "gateways_only"), (GATEWAY_2, 404, "gateway_unknown")]),
        route("GET", "/api/gateways/{gateway}/audit", None, vec![(LI, 403, "overseers_only"), (DEVICE, 403, "overseers_only"), (SUN, 404, "gateway_unknown"), (STRANGER, 404, "gateway_unknown")]),
        route("POST", "/internal/ticks/doors", None, vec![(LI, 401, "token_invalid"), (STRANGER, 401, "token_invalid")]),
    ]
}

fn schedule(id: &str) -> Value {
    let weekly = json!([{"days": ["mon"], "from": "08:00", "until": "22:00"}]);
    json!({"id": id, "community": "garden", "name": "白天", "weekly": weekly})
}

async fn places(world: &World) -> Places {
    let (grant, opening) = (world.grant_of_li().await, world.opening_of_li().await);
    let ask = world.post("/api/door-schedules").by(CHEN);
    ask.json(&schedule("days")).content().await;
    let group = json!({"id": "gates", "community": "garden", "name": "大门", "doors": ["north"]});
    let ask = world.post("/api/door-groups").by(CHEN);
    ask.json(&group).content().await;
    let card = json!({"number": 6, "community": "garden", "person": "zhao"});
    let card = world
        .post("/api/cards")
        .by(CHEN)
        .json(&card)
        .content()
        .await;
    let known = [
        ("door", "north"),
        ("schedule", "days"),
        ("group", "gates"),
        ("community", "garden"),
        ("person", "zhao"),
        ("gateway", "gateway-1"),
        ("card", card["id"].as_str().unwrap()),
        ("grant", &grant),
        ("opening", &opening),
    ];
    Places(known.map(|(name, id)| (name, id.to_owned())).to_vec())
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let grant = world
            .get(&places.fill("/api/grants/{grant}"))
            .by(LI)
            .content()
            .await;
        refuse(&world, &routes(), &places).await;
        assert_eq!(
            world
                .get(&places.fill("/api/grants/{grant}"))
                .by(LI)
                .content()
                .await,
            grant
        );
        let expected = [
            "door.registered",
            "door.registered",
            "door.granted",
            "door.opening_requested",
            "door_schedule.changed",
            "door_group.changed",
            "card.changed",
            "door.opening_refused",
            "door.opening_refused",
        ];
        assert_eq!(world.facts().await, expected);
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    on_each_engine(async |mut world| {
        let token = world.token(LI);
        assert_eq!(
            world.get("/api/doors").bearer(&token).reply().await.status,
            200
        );
        world.pass_ms(3_600_000);
        world
            .get("/api/doors")
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
            "/api/doors/north/keys",
            "/api/grants",
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

#[tokio::test]
async fn the_internal_token_opens_the_heartbeat() {
    on_each_engine(async |world| testing::beats(&world, "doors").await).await;
}
