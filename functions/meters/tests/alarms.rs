//! Leaks, meters that stand still, and masters whose sum is another.

use serde_json::{Value, json};

use crate::support::{CHEN, DAY_MS, GATEWAY, HOUR_MS, LI, WANG, World, ZHAO, ago, on_each_engine};

async fn alarms(world: &World, state: &str) -> Vec<Value> {
    let uri = format!("/api/meter-alarms?community=garden&state={state}");
    let list = world.get(&uri).by(CHEN).content().await;
    list["items"].as_array().unwrap().clone()
}

async fn meter(world: &World, meter: Value) {
    let reply = world
        .post("/api/meters")
        .by(WANG)
        .json(&meter)
        .reply()
        .await;
    assert_eq!(reply.status, 201);
}

async fn water_by_the_hour(world: &World) {
    meter(world, json!({"id": "w101", "community": "garden", "commodity": "water", "name": "101水表", "room": "r101",
        "gateway": "gateway-1", "digits": 5, "opening_milli": 0, "opened_at": ago(100)})).await;
}

#[tokio::test]
async fn water_that_never_stops_raises_a_leak_which_an_hour_without_clears() {
    on_each_engine(async |world| {
        water_by_the_hour(&world).await;
        let mut register = 0;
        for hour in 1..=24 {
            register += 10;
            world
                .read(GATEWAY, "w101", (ago(100 - hour), register))
                .await;
            let expected = usize::from(hour == 24);
            assert_eq!(alarms(&world, "active").await.len(), expected, "{hour}");
        }
        let raised = &world.facts("meter.alarm_raised").await[0];
        assert_eq!(
            (&raised["kind"], &raised["room"]),
            (&json!("leak"), &json!("r101"))
        );
        // The household sees its own leak, the neighbours do not.
        let own = world.get("/api/meter-alarms").by(LI).content().await;
        assert_eq!(own["items"][0]["kind"], "leak");
        let others = world.get("/api/meter-alarms").by(ZHAO).content().await;
        assert_eq!(others["items"], json!([]));
        let id = own["items"][0]["id"].as_str().unwrap();
        let uri = format!("/api/meter-alarms/{id}/acknowledgement");
        let note = json!({"note": "已派工程师上门"});
        let shown = world.put(&uri).by(CHEN).json(&note).content().await;
        assert_eq!(shown["acknowledged_by"], "chen");
        world.read(GATEWAY, "w101", (ago(75), register)).await;
        world.read(GATEWAY, "w101", (ago(74), register)).await;
        assert_eq!(alarms(&world, "active").await.len(), 0);
        assert_eq!(alarms(&world, "cleared").await[0]["note"], "已派工程师上门");
        assert_eq!(world.facts("meter.alarm_cleared").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn electricity_that_stands_still_for_three_days_raises_an_alarm() {
    on_each_engine(async |world| {
        world.read(GATEWAY, "e101", (ago(100), 9_000)).await;
        world.read(GATEWAY, "e101", (ago(29), 9_000)).await;
        assert_eq!(alarms(&world, "active").await.len(), 0);
        world.read(GATEWAY, "e101", (ago(28), 9_000)).await;
        assert_eq!(alarms(&world, "active").await[0]["kind"], "stuck");
        let shown = world.get("/api/meters/e101").by(LI).content().await;
        assert_eq!(shown["alarms"], json!(["stuck"]));
        world.read(GATEWAY, "e101", (ago(27), 9_001)).await;
        assert_eq!(alarms(&world, "active").await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_master_that_shows_a_tenth_more_than_its_meters_raises_an_alarm() {
    on_each_engine(async |mut world| {
        // 2027-01-14 00:00 in Shanghai, and a day later.
        let (start, end) = (ago(40), ago(16));
        for (id, master) in [("main", None), ("sub-1", Some("main")), ("sub-2", Some("main"))] {
            meter(&world, json!({"id": id, "community": "garden", "commodity": "electricity", "name": id, "area": "配电间",
                "gateway": "gateway-1", "master": master, "digits": 6, "opening_milli": 0, "opened_at": ago(100)})).await;
            world.read(GATEWAY, id, (start, 1_000)).await;
        }
        for (id, used) in [("main", 10_000), ("sub-1", 5_000), ("sub-2", 3_999)] {
            world.read(GATEWAY, id, (end, 1_000 + used)).await;
        }
        assert_eq!(world.tick().await["compared"], 1);
        assert_eq!(alarms(&world, "active").await[0]["kind"], "master_sum");
        assert_eq!(world.tick().await["compared"], 0);
        // The next day they agree.
        world.pass_ms(DAY_MS);
        for (id, used) in [("main", 20_000), ("sub-1", 10_000), ("sub-2", 8_000)] {
            let next = end.plus_millis(DAY_MS);
            world.read(GATEWAY, id, (next, 1_000 + used)).await;
            world.read(GATEWAY, id, (next.plus_millis(HOUR_MS), 1_000 + used)).await;
        }
        assert_eq!(world.tick().await["compared"], 1);
        assert_eq!(alarms(&world, "active").await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_master_does_not_stand_behind_its_own_meters() {
    on_each_engine(async |world| {
        meter(&world, json!({"id": "sub", "community": "garden", "commodity": "electricity", "name": "x", "area": "x",
            "master": "lobby", "digits": 6, "opening_milli": 0})).await;
        let elsewhere = json!({"id": "x", "community": "nowhere", "commodity": "water", "name": "x", "area": "x",
            "digits": 6, "opening_milli": 0});
        let ask = world.post("/api/meters").by(WANG).json(&elsewhere);
        ask.refused(404, "community_unknown").await;
        for master in ["sub", "lobby", "w102", "nothing"] {
            let ask = world.ask(http::Method::PATCH, "/api/meters/lobby").by(CHEN);
            let ask = ask.header("if-match", "*").json(&json!({"master": master}));
            ask.refused(422, "master_unfit").await;
        }
    })
    .await;
}
