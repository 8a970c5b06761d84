//! Usage by hour, day and month, beside the tiers; and who may see it.

use serde_json::{Value, json};

use crate::support::{
    APP, APP_READER, AUDITOR, CHEN, DAY_MS, GATEWAY, HOUR_MS, LI, STRANGER, SUN, World, ZHAO, at,
    on_each_engine,
};

async fn curve(world: &World, query: &str) -> Value {
    world
        .get(&format!("/api/usage?meter=e101&{query}"))
        .by(CHEN)
        .content()
        .await
}

fn quantities(curve: &Value) -> Vec<i64> {
    let items = curve["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["quantity_milli"].as_i64().unwrap())
        .collect()
}

/// Ten watt hours more in every hour of the day, from the midnight of 2027-01-12 on, for `days`.
async fn days_of_readings(world: &World, days: i64) {
    let midnight = at("2027-01-12T00:00:00+08:00");
    let mut register = 1_000;
    let mut readings = Vec::new();
    for hour in 0..=days * 24 {
        let moment = midnight.plus_millis(hour * HOUR_MS);
        readings.push(json!({"id": format!("h{hour}"), "meter": "e101", "at": moment, "register_milli": register}));
        register += 10 * (hour % 24 + 1);
    }
    let ask = world.post("/api/meter-readings").by(GATEWAY);
    let answer = ask.json(&json!({"readings": readings})).content().await;
    let all = answer["items"].as_array().unwrap();
    assert!(
        all.iter().all(|item| item["result"] == "counted"),
        "{answer}"
    );
}

#[tokio::test]
async fn hours_days_and_months_sum_to_the_same() {
    on_each_engine(async |world| {
        days_of_readings(&world, 3).await;
        let hours = curve(
            &world,
            "by=hour&from=2027-01-13T00:00:00%2B08:00&until=2027-01-14T00:00:00%2B08:00",
        )
        .await;
        let expected: Vec<i64> = (1..=24).map(|hour| hour * 10).collect();
        assert_eq!(quantities(&hours), expected);
        assert!(
            hours["items"]
                .as_array()
                .unwrap()
                .iter()
                .all(|item| item["estimated"] == false)
        );
        let days = curve(&world, "by=day&from=2027-01-12T00:00:00%2B08:00").await;
        assert_eq!(quantities(&days), [3_000, 3_000, 3_000]);
        let months = curve(&world, "by=month&from=2026-10-01T00:00:00%2B08:00").await;
        assert_eq!(quantities(&months), [0, 0, 0, 9_000]);
        assert_eq!(months["total_milli"], 9_000);
        assert_eq!(months["items"][3]["until"], "2027-01-14T16:00:00.000Z");
    })
    .await;
}

#[tokio::test]
async fn a_gap_of_a_day_is_filled_by_the_profile_of_the_week_before() {
    on_each_engine(async |mut world| {
        world.go_to("2027-01-21T00:00:00+08:00");
        days_of_readings(&world, 3).await;
        // The same day a week later: 3 kWh between two midnights, nothing in between.
        for (day, register) in [(7, 20_000), (8, 23_000)] {
            let moment = at("2027-01-12T00:00:00+08:00").plus_millis(day * DAY_MS);
            assert_eq!(
                world.read(GATEWAY, "e101", (moment, register)).await,
                "counted"
            );
        }
        let hours = curve(
            &world,
            "by=hour&from=2027-01-19T00:00:00%2B08:00&until=2027-01-20T00:00:00%2B08:00",
        )
        .await;
        let expected: Vec<i64> = (1..=24).map(|hour| hour * 10).collect();
        assert_eq!(quantities(&hours), expected);
        let first = &hours["items"][0];
        assert_eq!(
            (&first["estimated"], &first["method"]),
            (&json!(true), &json!("profile"))
        );
    })
    .await;
}

#[tokio::test]
async fn bands_are_told_where_the_meter_tells_them() {
    on_each_engine(async |world| {
        let midnight = at("2027-01-14T00:00:00+08:00");
        let bands = |n: i64| json!({"sharp": n, "peak": 2 * n, "flat": 3 * n, "valley": 4 * n});
        let readings: Vec<Value> = (0..2)
            .map(|day| json!({"id": format!("b{day}"), "meter": "e101", "at": midnight.plus_millis(day * DAY_MS),
                "register_milli": 2_000 + 1_000 * day, "bands_milli": bands(200 + 100 * day)}))
            .collect();
        let ask = world.post("/api/meter-readings").by(GATEWAY);
        ask.json(&json!({"readings": readings})).content().await;
        let days = curve(&world, "by=day&from=2027-01-14T00:00:00%2B08:00").await;
        assert_eq!(days["items"][0]["bands_milli"], bands(100));
    })
    .await;
}

#[tokio::test]
async fn usage_is_laid_into_the_tiers_of_the_community() {
    on_each_engine(async |world| {
        days_of_readings(&world, 3).await;
        assert_eq!(curve(&world, "by=day").await["tiers"], Value::Null);
        let uri = "/api/usage/limits/garden/electricity";
        world
            .get(uri)
            .by(LI)
            .refused(404, "usage_limits_unknown")
            .await;
        for wrong in [
            json!([]),
            json!([0]),
            json!([5, 5]),
            json!([1, 2, 3, 4, 5, 6]),
        ] {
            let limits = json!({"per": "month", "bounds_milli": wrong});
            world
                .put(uri)
                .by(CHEN)
                .json(&limits)
                .refused(422, "bounds_invalid")
                .await;
        }
        let limits = json!({"per": "month", "bounds_milli": [6_000, 8_000]});
        world.put(uri).by(CHEN).json(&limits).content().await;
        let shown = world.get("/api/usage?meter=e101").by(LI).content().await;
        let tiers = &shown["tiers"];
        assert_eq!(tiers["used_milli"], 9_000);
        let used: Vec<&Value> = tiers["tiers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tier| &tier["used_milli"])
            .collect();
        assert_eq!(used, [&json!(6_000), &json!(2_000), &json!(1_000)]);
    })
    .await;
}

#[tokio::test]
async fn people_see_the_meters_of_their_own_rooms_since_they_live_there() {
    on_each_engine(async |world| {
        days_of_readings(&world, 3).await;
        let seen = |person| {
            world
                .get("/api/usage?meter=e101&by=day&from=2027-01-12T00:00:00%2B08:00")
                .by(person)
        };
        assert_eq!(quantities(&seen(LI).content().await), [3_000, 3_000, 3_000]);
        for person in [ZHAO, SUN, STRANGER, GATEWAY, APP] {
            let reply = seen(person).reply().await;
            assert!(
                [403, 404].contains(&reply.status.as_u16()),
                "{person:?}",
                person = person.1
            );
        }
        for person in [AUDITOR, APP_READER] {
            seen(person).content().await;
        }
        // Sun moves in on the 14th and sees nothing of before.
        world
            .bind("sun", "r101", at("2027-01-14T00:00:00+08:00"))
            .await;
        assert_eq!(quantities(&seen(SUN).content().await), [3_000]);
        let list = world.get("/api/meters").by(ZHAO).content().await;
        let ids: Vec<&Value> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|meter| &meter["id"])
            .collect();
        assert_eq!(ids, [&json!("w102")]);
        world
            .get("/api/meters/lobby")
            .by(LI)
            .refused(404, "meter_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn of_old_days_the_first_and_last_reading_stay_and_the_usage_with_them() {
    on_each_engine(async |mut world| {
        days_of_readings(&world, 3).await;
        let edit = json!({"decision": "edit", "register_milli": 1_060, "reason": "复核"});
        world
            .put("/api/meter-reviews/h3")
            .by(CHEN)
            .json(&edit)
            .content()
            .await;
        let days = "by=day&from=2027-01-12T00:00:00%2B08:00&until=2027-01-15T00:00:00%2B08:00";
        let before = curve(&world, days).await;
        world.tick().await;
        assert_eq!(world.readings("e101").await.len(), 3 * 24 + 2);
        world.pass_ms(95 * DAY_MS);
        world.tick().await;
        let kept = world.readings("e101").await;
        // Two of each day, the next midnight, the opening, and the one that was edited.
        assert_eq!(kept.len(), 3 * 2 + 1 + 1 + 1);
        assert_eq!(quantities(&curve(&world, days).await), quantities(&before));
    })
    .await;
}

#[tokio::test]
async fn a_curve_has_a_limit() {
    on_each_engine(async |world| {
        let ask = world
            .get("/api/usage?meter=e101&by=hour&from=2026-10-01T00:00:00Z")
            .by(LI);
        ask.refused(422, "span_too_long").await;
        world
            .get("/api/usage")
            .by(LI)
            .refused(422, "meter_required")
            .await;
        let ask = world.get("/api/usage?meter=e101&by=week").by(LI);
        ask.refused(400, "invalid_parameter").await;
    })
    .await;
}
