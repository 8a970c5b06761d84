//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Refusals, Route, arms, is_listed, other_methods, refuse, route};

use crate::support::{
    AUDITOR, CHEN, DEVICE, GUARD_ELSEWHERE, LI, OTHER_GATEWAY, STRANGER, WANG, World,
    on_each_engine,
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let unknown = |code: &'static str| [LI, GUARD_ELSEWHERE, OTHER_GATEWAY, STRANGER].map(|person| (person, 404, code)).to_vec();
    let operators = |strangers: Refusals| {
        let others = [LI, CHEN, AUDITOR, DEVICE].map(|person| (person, 403, "operator_only"));
        [others.to_vec(), strangers].concat()
    };
    let stranger = |code| vec![(STRANGER, 404, code)];
    let overseers = || [LI, DEVICE].map(|person| (person, 403, "overseers_only")).to_vec();
    let described = json!({"community": "garden", "name": "x"});
    vec![
        route("GET", "/api/gateways", None, overseers()),
        route("PUT", "/api/gateways/{gateway}", Some(described.clone()), operators(stranger("gateway_unknown"))),
        route("GET", "/api/gateways/{gateway}", None, unknown("gateway_unknown")),
        route("PUT", "/api/gateways/{gateway}/configuration", Some(json!({})), operators(stranger("gateway_unknown"))),
        route("GET", "/api/gateways/{gateway}/configuration", None, unknown("gateway_unknown")),
        route("POST", "/api/gateways/{gateway}/commands", Some(json!({"action": "ping"})), operators(stranger("gateway_unknown"))),
        route("GET", "/api/gateways/{gateway}/commands", None, unknown("gateway_unknown")),
        route("GET", "/api/gateways/{gateway}/commands/{command}", None, unknown("gateway_unknown")),
        route("DELETE", "/api/gateways/{gateway}/commands/{command}", None, operators(stranger("gateway_unknown"))),
        route("GET", "/api/terminals", None, overseers()),
        route("PUT", "/api/terminals/{terminal}", Some(described), operators(stranger("terminal_unknown"))),
        route("GET", "/api/terminals/{terminal}", None, unknown("terminal_unknown")),
        route("POST", "/internal/ticks/devices", None, vec![(LI, 401, "token_invalid"), (STRANGER, 401, "token_invalid")]),
    ]
}

async fn places(world: &World) -> Places {
    let ask = json!({"action": "ping"});
    let path = "/api/gateways/gateway-1/commands";
    let command = world.post(path).by(WANG).json(&ask).content().await;
    Places(vec![
        ("gateway", "gateway-1".to_owned()),
        ("terminal", "north".to_owned()),
        ("command", command["id"].as_str().unwrap().to_owned()),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let gateway = world.gateway().await;
        let facts = world.facts().await;
        refuse(&world, &routes(), &places).await;
        assert_eq!(world.gateway().await, gateway);
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    on_each_engine(async |mut world| {
        let token = world.token(CHEN);
        assert_eq!(
            world
                .get("/api/gateways")
                .bearer(&token)
                .reply()
                .await
                .status,
            200
        );
        world.pass_ms(3_600_000);
        world
            .get("/api/gateways")
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
            "/api/gateways/x/keys",
            "/api/terminals/x/y",
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
    on_each_engine(async |world| testing::beats(&world, "devices").await).await;
}
