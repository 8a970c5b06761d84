//! Readings that cannot be right, and what people decide about them.

use serde_json::{Value, json};

use crate::support::{AUDITOR, CHEN, GATEWAY, HOUR_MS, LI, World, ago, on_each_engine};

/// Decides about the reading `id`.
async fn decide(world: &World, id: &str, decision: &Value) -> Value {
    world
        .put(&format!("/api/meter-reviews/{id}"))
        .by(CHEN)
        .json(decision)
        .content()
        .await
}

fn id(meter: &str, hours: i64, register_milli: i64) -> String {
    format!("{meter}-{}-{register_milli}", ago(hours).millis())
}

async fn held(world: &World) -> Vec<Value> {
    let list = world
        .get("/api/meter-reviews?community=garden")
        .by(AUDITOR)
        .content()
        .await;
    list["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_cannot_be_right_waits_for_review_with_its_reason() {
    on_each_engine(async |world| {
        for (hours, register_milli, expected) in [
            (8, 50_000, "counted"),
            (7, 49_000, "backwards"),
            (6, 500_000, "spike"),
            (5, 100_000_000, "beyond_digits"),
            (4, 51_000, "counted"),
        ] {
            let result = world
                .read(GATEWAY, "e101", (ago(hours), register_milli))
                .await;
            assert_eq!(result, expected, "{register_milli}");
        }
        let before = world.read(GATEWAY, "e101", (ago(24 * 30), 40_000)).await;
        assert_eq!(before, "counted");
        let reasons: Vec<Value> = held(&world)
            .await
            .iter()
            .map(|reading| reading["reason"].clone())
            .collect();
        assert_eq!(reasons.len(), 3);
        for reason in ["backwards", "spike", "beyond_digits"] {
            assert!(reasons.contains(&json!(reason)), "{reasons:?}");
        }
        assert_eq!(world.facts("reading.quarantined").await.len(), 3);
        let shown = world.get("/api/meters/e101").by(LI).content().await;
        assert_eq!(shown["register_milli"], 51_000);
    })
    .await;
}

#[tokio::test]
async fn an_accepted_spike_counts_and_what_came_after_it_counts_again() {
    on_each_engine(async |world| {
        world.read(GATEWAY, "e101", (ago(9), 50_000)).await;
        assert_eq!(
            world.read(GATEWAY, "e101", (ago(8), 200_000)).await,
            "spike"
        );
        assert_eq!(
            world.read(GATEWAY, "e101", (ago(7), 201_000)).await,
            "spike"
        );
        let accept = json!({"decision": "accept", "reason": "装修用电"});
        let shown = decide(&world, &id("e101", 8, 200_000), &accept).await;
        assert_eq!(
            (&shown["verdict"], &shown["review"]["actor"]),
            (&json!("counted"), &json!("chen"))
        );
        assert_eq!(held(&world).await, Vec::<Value>::new());
        assert_eq!(world.readings("e101").await[0]["total_milli"], 200_000);
        let fact = &world.facts("reading.reviewed").await[0];
        assert_eq!(
            (&fact["decision"], &fact["register_milli"]),
            (&json!("accepted"), &json!(200_000))
        );
    })
    .await;
}

#[tokio::test]
async fn an_edit_sets_right_what_came_after_and_keeps_what_was_read() {
    on_each_engine(async |world| {
        world.read(GATEWAY, "e101", (ago(9), 50_000)).await;
        // Somebody typed a digit too many, within what is plausible.
        assert_eq!(
            world.read(GATEWAY, "e101", (ago(8), 60_000)).await,
            "counted"
        );
        assert_eq!(
            world.read(GATEWAY, "e101", (ago(7), 52_000)).await,
            "backwards"
        );
        let edit = json!({"decision": "edit", "register_milli": 51_000, "reason": "照片显示 51.0"});
        let shown = decide(&world, &id("e101", 8, 60_000), &edit).await;
        assert_eq!(
            (&shown["register_milli"], &shown["counted_register_milli"]),
            (&json!(60_000), &json!(51_000))
        );
        let latest = &world.readings("e101").await[0];
        assert_eq!(
            (&latest["verdict"], &latest["total_milli"]),
            (&json!("counted"), &json!(51_000))
        );
    })
    .await;
}

#[tokio::test]
async fn a_rejected_reading_never_counts() {
    on_each_engine(async |world| {
        world.read(GATEWAY, "e101", (ago(9), 50_000)).await;
        world.read(GATEWAY, "e101", (ago(8), 60_000)).await;
        let reject = json!({"decision": "reject", "reason": "抄错表"});
        let shown = decide(&world, &id("e101", 8, 60_000), &reject).await;
        assert_eq!(shown["verdict"], "rejected");
        assert_eq!(
            world.read(GATEWAY, "e101", (ago(7), 52_000)).await,
            "counted"
        );
        assert_eq!(world.readings("e101").await[0]["total_milli"], 51_000);
    })
    .await;
}

#[tokio::test]
async fn nobody_accepts_a_register_that_goes_back() {
    on_each_engine(async |world| {
        world.read(GATEWAY, "e101", (ago(9), 50_000)).await;
        world.read(GATEWAY, "e101", (ago(8), 49_000)).await;
        let uri = format!("/api/meter-reviews/{}", id("e101", 8, 49_000));
        let accept = json!({"decision": "accept", "reason": "x"});
        let ask = world.put(&uri).by(CHEN).json(&accept);
        ask.refused(409, "reading_still_held").await;
        let with_value = json!({"decision": "accept", "register_milli": 1, "reason": "x"});
        let ask = world.put(&uri).by(CHEN).json(&with_value);
        ask.refused(422, "value_with_edit").await;
        assert_eq!(held(&world).await.len(), 1);
        assert_eq!(held(&world).await[0]["review"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_rollover_counts() {
    on_each_engine(async |world| {
        let meter = json!({"id": "e9", "community": "garden", "commodity": "electricity", "name": "x", "room": "r101",
            "gateway": "gateway-1", "digits": 5, "opening_milli": 99_999_000, "opened_at": ago(10)});
        world.post("/api/meters").by(CHEN).json(&meter).content().await;
        assert_eq!(world.read(GATEWAY, "e9", (ago(9), 1_500)).await, "counted");
        assert_eq!(world.readings("e9").await[0]["total_milli"], 2_500);
    })
    .await;
}

#[tokio::test]
async fn a_replacement_closes_the_old_register_and_the_usage_goes_on() {
    on_each_engine(async |world| {
        world.read(GATEWAY, "e101", (ago(9), 50_000)).await;
        // This one is of the new register already; who changed it comes home and writes it down later.
        assert_eq!(world.read(GATEWAY, "e101", (ago(3), 700)).await, "backwards");
        let uri = "/api/meters/e101/replacements";
        let new = json!({"at": ago(4), "closing_milli": 52_000, "opening_milli": 500, "multiplier": 2, "digits": 6,
            "serial": "SN-2", "reason": "到期轮换"});
        let lower = json!({"at": ago(4), "closing_milli": 40_000, "opening_milli": 0, "reason": "x"});
        let ask = world.post(uri).by(CHEN).json(&lower);
        ask.refused(409, "closing_backwards").await;
        let shown = world.post(uri).by(CHEN).json(&new).content().await;
        assert_eq!((&shown["digits"], &shown["serial"]), (&json!(6), &json!("SN-2")));
        assert_eq!(shown["register_milli"], 700);
        let latest = &world.readings("e101").await[0];
        assert_eq!(latest["verdict"], "counted");
        assert_eq!(latest["total_milli"], 51_000 + 2 * 200);
        assert_eq!(world.facts("meter.replaced").await[0]["closing_milli"], 52_000);
        let early = json!({"at": ago(5), "closing_milli": 52_000, "opening_milli": 0, "reason": "x"});
        let ask = world.post(uri).by(CHEN).json(&early);
        ask.refused(409, "replacement_too_early").await;
    })
    .await;
}

#[tokio::test]
async fn an_id_stands_for_one_reading() {
    on_each_engine(async |world| {
        let send = async |register_milli: i64| {
            let reading = json!({"id": "x1", "meter": "e101", "at": ago(1), "register_milli": register_milli});
            let ask = world.post("/api/meter-readings").by(GATEWAY);
            let answer = ask.json(&json!({"readings": [reading, reading]})).content().await;
            answer["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["reason"].as_str().or(item["result"].as_str()).unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(send(5_000).await, ["counted", "duplicate"]);
        assert_eq!(send(5_000).await, ["duplicate", "duplicate"]);
        assert_eq!(send(5_001).await, ["reading_id_reused", "reading_id_reused"]);
    })
    .await;
}

#[tokio::test]
async fn a_p99_above_the_breaker_lets_more_through() {
    on_each_engine(async |mut world| {
        // 39 kWh in each of 20 hours: three times the breaker, plausible one by one.
        for hour in 0..21 {
            let read = (ago(30 - hour), 1_000 + 39_000 * hour);
            assert_eq!(world.read(GATEWAY, "e101", read).await, "counted");
        }
        let next = (ago(8), 1_000 + 39_000 * 20 + 200_000);
        assert_eq!(world.read(GATEWAY, "e101", next).await, "spike");
        world.pass_ms(HOUR_MS);
        world.tick().await;
        let again = (ago(7), 1_000 + 39_000 * 20 + 200_000);
        assert_eq!(world.read(GATEWAY, "e101", again).await, "counted");
    })
    .await;
}
