//! How fast bills are made: printed, and not asserted, for a machine's speed is no law.

use std::time::Instant;

use kernel::EventId;
use serde_json::{Value, json};

use crate::events::{room_changed, usage_closed};
use crate::support::{CHEN, MIGRATIONS, World, demo};

/// A community of that many rooms, each with usage of October.
async fn community(rooms: usize) -> World {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    world.open_community().await;
    store::tx(&world.context.db, &demo(), async |tx| {
        let (mut places, mut used) = (Vec::new(), Vec::new());
        for number in 0..rooms {
            let room = format!("r{number:06}");
            let id: EventId = world.context.new_id()?;
            places.push((id, room_changed(&room, 10_000)));
            let id: EventId = world.context.new_id()?;
            used.push((id, usage_closed((&room, "2026-10"), 350, 1, &[])));
        }
        store::events::append_all(tx, world.context.now, &places).await?;
        store::events::append_all(tx, world.context.now, &used).await
    })
    .await
    .unwrap();
    for _ in 0..=(2 * rooms + 1) / store::events::DRAIN_EVENTS_MAX {
        world.tick().await;
    }
    world
}

/// Four rules of four kinds.
async fn rules(world: &World) {
    let tiers = json!([
        {"above_milli": 0, "up_to_milli": 240_000, "price": 4_883},
        {"above_milli": 240_000, "up_to_milli": null, "price": 5_383},
    ]);
    let tariff = json!({"community": "garden", "name": "电价", "terms": {
        "periods": [{"first_day": "2020-01-01", "prices": {"tiered": tiers}}],
    }});
    let tariff = world
        .post("/api/tariffs")
        .by(CHEN)
        .json(&tariff)
        .content()
        .await;
    world
        .rule("物业费", json!({"kind": "area", "price": 28_000}))
        .await;
    world
        .rule("停车费", json!({"kind": "fixed", "amount_minor": 15_000}))
        .await;
    world
        .rule(
            "公摊",
            json!({"kind": "shared", "cost": {"amount_minor": 10_000_000}, "by": "area"}),
        )
        .await;
    let tiered = json!({"kind": "tiered", "commodity": "electricity", "tariff": tariff["id"]});
    world.rule("电费", tiered).await;
}

async fn rate(rooms: usize, lines: usize) -> Value {
    let world = community(rooms).await;
    rules(&world).await;
    let start = Instant::now();
    let mut run = world.run("2026-10", false).await;
    let path = format!("/api/bill-runs/{}", run["id"].as_str().unwrap());
    while run["state"] == "running" {
        run = world
            .post(&format!("{path}/steps"))
            .by(CHEN)
            .content()
            .await;
    }
    let made = start.elapsed();
    assert_eq!(run["bills"], lines);
    run = world
        .post(&format!("{path}/publication"))
        .by(CHEN)
        .key("p")
        .content()
        .await;
    while run["state"] == "publishing" {
        run = world
            .post(&format!("{path}/steps"))
            .by(CHEN)
            .content()
            .await;
    }
    let all = start.elapsed();
    let per_second = |time: std::time::Duration| (lines as u128 * 1_000) / time.as_millis().max(1);
    let first = run;
    println!(
        "measured: a bill run of {lines} lines: {made:.2?}, {} lines/s",
        per_second(made)
    );
    println!(
        "measured: publishing {lines} bills in the books: {:.2?}, {} bills/s",
        all - made,
        per_second(all - made)
    );
    let again = Instant::now();
    let mut run = world.run("2026-10", false).await;
    let path = format!("/api/bill-runs/{}", run["id"].as_str().unwrap());
    while run["state"] == "running" {
        run = world
            .post(&format!("{path}/steps"))
            .by(CHEN)
            .content()
            .await;
    }
    assert_eq!(run["bills"], 0, "a second run adds nothing");
    println!(
        "measured: a second run over {lines} lines, which adds nothing: {:.2?}",
        again.elapsed()
    );
    if lines >= LARGE_LINES {
        let minutes = u128::from(CITY_LINES) / per_second(made).max(1) / 60;
        println!(
            "measured: a bill run of a city of {CITY_LINES} lines at this rate: {minutes} min"
        );
    }
    first
}

/// A run that is large enough to say what a city's would take.
const LARGE_LINES: usize = 75_000;
/// The lines of a city's month.
const CITY_LINES: u32 = 1_800_000;

#[tokio::test]
async fn six_thousand_lines_are_made_and_published() {
    rate(1_500, 6_000).await;
}

#[tokio::test]
#[ignore = "minutes in a debug build: `cargo xtask bench` runs it in release"]
async fn a_community_that_is_too_large_to_share_a_cost_is_billed_by_its_other_rules() {
    let run = rate(25_000, LARGE_LINES).await;
    assert_eq!(run["skipped"]["too_many_rooms"]["count"], 1, "{run}");
}
