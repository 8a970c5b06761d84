//! The register: what identity knows shows here, operators describe it, staff see their communities'.

use http::Method;
use serde_json::{Value, json};

use crate::support::{AUDITOR, CHEN, DEVICE, GUARD_ELSEWHERE, WANG, World, on_each_engine};

fn ids(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap()).collect()
}

async fn put(world: &World, path: &str, said: Value) -> Value {
    world
        .ask(Method::PUT, path)
        .by(WANG)
        .json(&said)
        .content()
        .await
}

#[tokio::test]
async fn what_identity_registers_shows_here_at_once_with_its_children() {
    on_each_engine(async |world| {
        let all = world.get("/api/gateways").by(AUDITOR).content().await;
        assert_eq!(ids(&all), ["gateway-1", "gateway-2"]);
        let gateway = world.gateway().await;
        assert_eq!(
            (&gateway["presence"], &gateway["name"]),
            (&json!("unknown"), &json!("北门网关"))
        );
        assert_eq!(gateway["children"][0]["id"], "north");
        let terminals = world
            .get("/api/terminals?gateway=gateway-1")
            .by(WANG)
            .content()
            .await;
        assert_eq!(ids(&terminals), ["north"]);
        assert_eq!(terminals["items"][0]["kind"], "door");
    })
    .await;
}

#[tokio::test]
async fn staff_see_what_is_described_in_their_communities_and_a_gateway_itself() {
    on_each_engine(async |world| {
        let path = "/api/gateways/gateway-1";
        for person in [CHEN, DEVICE, AUDITOR] {
            assert_eq!(
                world.get(path).by(person).content().await["id"],
                "gateway-1"
            );
        }
        assert_eq!(
            ids(&world.get("/api/gateways").by(CHEN).content().await),
            ["gateway-1"]
        );
        assert_eq!(
            ids(&world
                .get("/api/gateways")
                .by(GUARD_ELSEWHERE)
                .content()
                .await),
            Vec::<&str>::new()
        );
        world
            .get("/api/terminals/north")
            .by(CHEN)
            .refused(404, "terminal_unknown")
            .await;
        put(
            &world,
            "/api/terminals/north",
            json!({"community": "garden", "name": "北门", "location": "北侧"}),
        )
        .await;
        let door = world.get("/api/terminals/north").by(CHEN).content().await;
        assert_eq!(
            (&door["gateway"], &door["location"], &door["version"]),
            (&json!("gateway-1"), &json!("北侧"), &json!(3))
        );
    })
    .await;
}

#[tokio::test]
async fn a_description_is_a_fact_once_and_holds_the_callers_version() {
    on_each_engine(async |world| {
        let said = json!({"community": "garden", "name": "西门网关", "model": "LB-2"});
        let path = "/api/gateways/gateway-1";
        let stale = world
            .ask(Method::PUT, path)
            .by(WANG)
            .header("if-match", "\"1\"")
            .json(&said);
        stale.refused(412, "version_changed").await;
        for _ in 0..2 {
            let gateway = put(&world, path, said.clone()).await;
            assert_eq!(
                (&gateway["version"], &gateway["model"], &gateway["profile"]),
                (&json!(3), &json!("LB-2"), &json!("wired"))
            );
        }
        let cellular = json!({"community": "garden", "name": "西门网关", "model": "LB-2", "profile": "cellular"});
        let gateway = put(&world, path, cellular).await;
        assert_eq!(
            (&gateway["version"], &gateway["profile"]),
            (&json!(4), &json!("cellular"))
        );
        let described = world
            .facts()
            .await
            .into_iter()
            .filter(|kind| kind == "device.described")
            .count();
        assert_eq!(described, 3);
    })
    .await;
}

#[tokio::test]
async fn what_identity_does_not_know_is_not_described() {
    on_each_engine(async |world| {
        let said = json!({"community": "garden", "name": "水表"});
        for (path, code) in [
            ("/api/terminals/w1", "terminal_unknown"),
            ("/api/terminals/gateway-1", "terminal_unknown"),
            ("/api/gateways/w1", "gateway_unknown"),
            ("/api/gateways/north", "gateway_unknown"),
        ] {
            let ask = world.ask(Method::PUT, path).by(WANG).json(&said);
            ask.refused(404, code).await;
        }
        let own = json!({"community": "garden", "name": "x", "gateway": "gateway-1"});
        let ask = world.ask(Method::PUT, "/api/gateways/gateway-1").by(WANG);
        ask.json(&own).refused(422, "own_gateway").await;
    })
    .await;
}
