//! How fast a month is settled: printed, and not asserted, for a machine's speed is no law.

use std::time::Instant;

use kernel::MerchantId;
use serde_json::json;
use settlement::domain::{Item, of_completed};
use settlement::store::items::insert_items;

use crate::events::{completed, contract_changed, merchant_changed, opened};
use crate::support::{MIGRATIONS, WANG, World, demo};

/// Merchants with that many completed lines of October each.
async fn settled(merchants: usize, lines: usize) {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    world.record(&opened()).await;
    for number in 0..merchants {
        let id = format!("m{number:05}");
        world.record(&merchant_changed(&id, "mei", 1)).await;
        world.record(&contract_changed(&id)).await;
        let of_line = |line: usize| Item {
            merchant: MerchantId::parse(&id).unwrap(),
            ..of_completed(&completed(
                (&id, &format!("{id}-{line:06}")),
                1_000,
                "2026-10-11T00:00:00Z",
            ))
        };
        let items: Vec<Item> = (0..lines).map(of_line).collect();
        store::tx(&world.context.db, &demo(), async |tx| {
            insert_items(tx, &items).await
        })
        .await
        .unwrap();
    }
    world.tick().await;
    let mut world = world;
    world.at("2026-10-31T16:00:00Z");
    let start = Instant::now();
    let mut run = world.run("2026-10", false).await;
    let path = format!(
        "/api/settlements/runs/{}/steps",
        run["id"].as_str().unwrap()
    );
    while run["state"] == "running" {
        run = world.post(&path).by(WANG).content().await;
    }
    let first = start.elapsed();
    assert_eq!(run["lines"], merchants * lines);
    assert_eq!(run["statements"], merchants);
    let start = Instant::now();
    let mut again = world.run("2026-10", false).await;
    let path = format!(
        "/api/settlements/runs/{}/steps",
        again["id"].as_str().unwrap()
    );
    while again["state"] == "running" {
        again = world.post(&path).by(WANG).content().await;
    }
    assert_eq!(again["statements"], json!(0));
    println!(
        "measured: settlement of {} lines: {:.2} s ({merchants} merchants; a second run {:.2} s)",
        merchants * lines,
        first.as_secs_f64(),
        start.elapsed().as_secs_f64()
    );
}

#[tokio::test]
#[ignore = "takes a while; it measures"]
async fn a_hundred_thousand_lines_are_settled() {
    settled(500, 200).await;
    settled(1, 100_000).await;
}
