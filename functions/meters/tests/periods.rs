//! Closing months: what is told to those who bill, and what is told again.

use serde_json::{Value, json};

use crate::support::{CHEN, DAY_MS, GATEWAY, HOUR_MS, LI, World, at, on_each_engine};

async fn close(world: &World, period: &str, estimate: bool) -> Value {
    let ask = json!({"community": "garden", "period": period, "estimate": estimate});
    world
        .post("/api/meter-periods")
        .by(CHEN)
        .json(&ask)
        .content()
        .await
}

/// A freeze at the midnight of the first of each month.
async fn freezes(world: &mut World) {
    for (month, register) in [
        ("2026-11", 101_000),
        ("2026-12", 341_000),
        ("2027-01", 400_000),
    ] {
        let midnight = at(&format!("{month}-01T00:00:00+08:00"));
        world.context.now = midnight.plus_millis(HOUR_MS);
        assert_eq!(
            world.read(GATEWAY, "e101", (midnight, register)).await,
            "counted"
        );
    }
}

#[tokio::test]
async fn a_closed_month_is_told_once_with_everything_a_bill_needs() {
    on_each_engine(async |mut world| {
        freezes(&mut world).await;
        let report = close(&world, "2026-11", false).await;
        assert_eq!((&report["closed"], &report["revised"]), (&json!(1), &json!(0)));
        assert_eq!(report["skipped"]["not_read"]["count"], 2, "{report}");
        let fact = world.facts("usage.closed").await[0].clone();
        let expected = json!({
            "usage": fact["usage"], "meter": "e101", "commodity": "electricity", "community": "garden", "room": "r101",
            "area": null, "period": "2026-11", "from": "2026-10-31T16:00:00.000Z", "until": "2026-11-30T16:00:00.000Z",
            "quantity_milli": 240_000, "unit": "kwh", "bands": [], "estimated": false, "revision": 1,
            "register_from_milli": 101_000, "register_until_milli": 341_000,
        });
        assert_eq!(fact, expected);
        let again = close(&world, "2026-11", false).await;
        assert_eq!((&again["closed"], &again["unchanged"]), (&json!(0), &json!(1)));
        assert_eq!(world.facts("usage.closed").await.len(), 1);
        let list = world.get("/api/meter-periods?period=2026-11").by(LI).content().await;
        assert_eq!(list["items"][0]["quantity_milli"], 240_000);
        let ask = json!({"community": "garden", "period": "2027-01"});
        let ask = world.post("/api/meter-periods").by(CHEN).json(&ask);
        ask.refused(409, "period_not_over").await;
    })
    .await;
}

#[tokio::test]
async fn the_months_of_a_meter_sum_to_what_its_register_moved() {
    on_each_engine(async |mut world| {
        freezes(&mut world).await;
        for period in ["2026-10", "2026-11", "2026-12"] {
            close(&world, period, false).await;
        }
        let facts = world.facts("usage.closed").await;
        let sum: i64 = facts
            .iter()
            .map(|fact| fact["quantity_milli"].as_i64().unwrap())
            .sum();
        assert_eq!((facts.len(), sum), (3, 399_000));
    })
    .await;
}

#[tokio::test]
async fn a_correction_after_closing_is_told_again_as_the_next_revision() {
    on_each_engine(async |mut world| {
        freezes(&mut world).await;
        close(&world, "2026-11", false).await;
        let id = format!("e101-{}-341000", at("2026-12-01T00:00:00+08:00").millis());
        let edit = json!({"decision": "edit", "register_milli": 340_000, "reason": "复核照片"});
        let uri = format!("/api/meter-reviews/{id}");
        world.put(&uri).by(CHEN).json(&edit).content().await;
        assert_eq!(world.tick().await["revised"], 1);
        let facts: Vec<Value> = world
            .facts("usage.closed")
            .await
            .into_iter()
            .filter(|fact| fact["period"] == "2026-11")
            .collect();
        assert_eq!(facts.len(), 2);
        assert_eq!(facts[0]["usage"], facts[1]["usage"]);
        assert_eq!(
            (&facts[1]["revision"], &facts[1]["quantity_milli"]),
            (&json!(2), &json!(239_000))
        );
        assert_eq!(world.tick().await["revised"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_meter_that_fell_silent_is_projected_and_set_right_when_it_speaks() {
    on_each_engine(async |mut world| {
        // 1 kWh a day until November 21st, then nothing.
        for day in 0..=51 {
            let moment = at("2026-10-01T00:00:00+08:00").plus_millis(day * DAY_MS + 1);
            world.context.now = moment;
            world
                .read(GATEWAY, "e101", (moment, 1_000 + 1_000 * day))
                .await;
        }
        world.go_to("2026-12-02T00:00:00+08:00");
        assert!(
            close(&world, "2026-11", false).await["skipped"]["not_read"]["samples"]
                .as_array()
                .unwrap()
                .contains(&json!("e101"))
        );
        close(&world, "2026-11", true).await;
        let told = world
            .facts("usage.closed")
            .await
            .into_iter()
            .find(|fact| fact["meter"] == "e101")
            .unwrap();
        assert_eq!(told["estimated"], true);
        let projected = told["quantity_milli"].as_i64().unwrap();
        assert!((29_990..=30_010).contains(&projected), "{projected}");
        // On the 5th it shows 70 kWh: more was used than projected.
        world.go_to("2026-12-05T00:00:00+08:00");
        let now = world.context.now;
        assert_eq!(world.read(GATEWAY, "e101", (now, 80_000)).await, "counted");
        world.tick().await;
        let told = world
            .facts("usage.closed")
            .await
            .into_iter()
            .rfind(|fact| fact["meter"] == "e101" && fact["period"] == "2026-11")
            .unwrap();
        assert_eq!(told["revision"], 2);
        assert!(told["quantity_milli"].as_i64().unwrap() > projected);
        assert_eq!(told["estimated"], true);
    })
    .await;
}

#[tokio::test]
async fn a_meter_read_by_hand_is_billed_from_reading_to_reading() {
    on_each_engine(async |mut world| {
        for (moment, register) in [
            ("2026-10-28T10:00:00+08:00", 9_000),
            ("2026-11-27T10:00:00+08:00", 20_000),
        ] {
            world.go_to(moment);
            assert_eq!(
                world.read(CHEN, "w102", (at(moment), register)).await,
                "counted"
            );
        }
        world.go_to("2026-12-01T08:00:00+08:00");
        close(&world, "2026-10", false).await;
        close(&world, "2026-11", false).await;
        let facts: Vec<Value> = world
            .facts("usage.closed")
            .await
            .into_iter()
            .filter(|fact| fact["meter"] == "w102")
            .collect();
        let told: Vec<(i64, &Value)> = facts
            .iter()
            .map(|fact| (fact["quantity_milli"].as_i64().unwrap(), &fact["estimated"]))
            .collect();
        assert_eq!(told, [(9_000, &json!(false)), (11_000, &json!(false))]);
        assert_eq!(
            (&facts[1]["from"], &facts[1]["unit"]),
            (&json!("2026-10-28T02:00:00.000Z"), &json!("m3"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_meter_that_changes_rooms_within_a_month_is_told_for_both() {
    on_each_engine(async |mut world| {
        freezes(&mut world).await;
        let bind = json!({"room": "r102", "from": "2026-11-16T00:00:00+08:00"});
        world
            .post("/api/meters/e101/bindings")
            .by(CHEN)
            .json(&bind)
            .content()
            .await;
        let early = json!({"area": "大堂", "from": "2026-11-15T00:00:00+08:00"});
        let ask = world
            .post("/api/meters/e101/bindings")
            .by(CHEN)
            .json(&early);
        ask.refused(409, "binding_overlaps").await;
        close(&world, "2026-11", false).await;
        let facts = world.facts("usage.closed").await;
        let told: Vec<(&Value, i64, &Value)> = facts
            .iter()
            .map(|fact| {
                (
                    &fact["room"],
                    fact["quantity_milli"].as_i64().unwrap(),
                    &fact["estimated"],
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (&json!("r101"), 120_000, &json!(true)),
                (&json!("r102"), 120_000, &json!(true))
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn cron_closes_the_month_before_by_itself_and_once() {
    on_each_engine(async |mut world| {
        freezes(&mut world).await;
        assert_eq!(
            world.tick().await["closed"],
            0,
            "six hours are left for what is on its way"
        );
        world.go_to("2027-01-01T06:00:00+08:00");
        assert_eq!(world.tick().await["closed"], 1);
        assert_eq!(world.tick().await["closed"], 0);
        assert_eq!(world.facts("usage.closed").await.len(), 1);
        world.go_to("2027-01-03T06:00:00+08:00");
        world.tick().await;
        let facts = world.facts("usage.closed").await;
        assert!(facts.iter().all(|fact| fact["period"] == "2026-12"));
        assert_eq!(
            facts.len(),
            1,
            "meters that nobody ever read cannot be projected"
        );
    })
    .await;
}

#[tokio::test]
async fn a_meter_that_was_taken_down_is_closed_with_its_last_value_and_never_again() {
    on_each_engine(async |mut world| {
        freezes(&mut world).await;
        world.go_to("2027-01-20T12:00:00+08:00");
        let removal =
            json!({"at": "2027-01-20T10:00:00+08:00", "closing_milli": 440_000, "reason": "拆除"});
        let uri = "/api/meters/e101/removal";
        for _ in 0..2 {
            let shown = world.put(uri).by(CHEN).json(&removal).content().await;
            assert_eq!(shown["removed_at"], "2027-01-20T02:00:00.000Z");
        }
        let lower = json!({"closing_milli": 1, "reason": "x"});
        let ask = world.put("/api/meters/w102/removal").by(CHEN).json(&lower);
        assert_eq!(ask.content().await["register_milli"], 1);
        let now = world.context.now;
        assert_eq!(
            world.read(GATEWAY, "e101", (now, 440_100)).await,
            "meter_removed"
        );
        let bind = json!({"area": "大堂"});
        let ask = world.post("/api/meters/e101/bindings").by(CHEN).json(&bind);
        ask.refused(409, "meter_removed").await;
        world.go_to("2027-03-02T00:00:00+08:00");
        close(&world, "2027-01", false).await;
        let told = world
            .facts("usage.closed")
            .await
            .into_iter()
            .find(|fact| fact["meter"] == "e101")
            .unwrap();
        assert_eq!(
            (&told["quantity_milli"], &told["estimated"]),
            (&json!(40_000), &json!(false))
        );
        assert_eq!(told["until"], "2027-01-20T02:00:00.000Z");
        close(&world, "2027-02", true).await;
        let told = world.facts("usage.closed").await;
        assert!(told.iter().all(|fact| fact["period"] == "2027-01"));
    })
    .await;
}
