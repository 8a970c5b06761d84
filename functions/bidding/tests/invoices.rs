//! The month's invoice: once for each campaign, placement and month, whole fen, missed months included.

use serde_json::{Value, json};
use wire::advertising::ReserveMode;

use crate::events::board;
use crate::support::{World, on_each_engine};

async fn click(world: &World) {
    let page = world.looks(json!({"board": "news"})).await;
    world.clicks(&page["items"][0]["offer"]).await;
}

async fn charges(world: &World) -> Vec<Value> {
    let mut found = Vec::new();
    let page = store::events::page(&world.context.db, &crate::support::demo(), 0, 200)
        .await
        .unwrap();
    found.extend(
        page.into_iter()
            .filter(|event| event.kind == "advertising.charged")
            .map(|event| event.data),
    );
    found
}

#[tokio::test]
async fn each_month_is_invoiced_once_whenever_the_heart_beats() {
    on_each_engine(async |mut world| {
        world.record(&board(ReserveMode::Unweighted, 60)).await;
        let id = world.bids(1, 100, ("board", "news")).await;
        click(&world).await;
        click(&world).await;
        // The last moment of October in Shanghai, and the first of November.
        world.at("2026-10-31T15:59:59Z");
        click(&world).await;
        world.at("2026-10-31T16:00:00Z");
        click(&world).await;
        assert_eq!(world.tick().await["invoiced"], 0);
        assert_eq!(world.tick_at("2026-10-31T16:10:00Z").await["invoiced"], 1);
        // November is missed, and made up for in January.
        world.at("2027-01-05T00:00:00Z");
        let ticks = tokio::join!(world.tick(), world.tick());
        assert_eq!(
            ticks.0["invoiced"].as_i64().unwrap() + ticks.1["invoiced"].as_i64().unwrap(),
            1
        );
        let charges = charges(&world).await;
        let shown: Vec<(&Value, &Value, &Value)> = charges
            .iter()
            .map(|one| (&one["charge"], &one["month"], &one["amount_minor"]))
            .collect();
        let key = |month: &str| json!(format!("bidding.{id}.{month}.news-ranks"));
        assert_eq!(
            shown,
            [
                (&key("2026-10"), &json!("2026-10"), &json!(180)),
                (&key("2026-11"), &json!("2026-11"), &json!(60)),
            ]
        );
        let first = &charges[0];
        assert_eq!(
            (
                &first["source"],
                &first["ownership"],
                &first["community"],
                &first["placement"]
            ),
            (
                &json!("bidding"),
                &json!("common"),
                &json!("garden"),
                &json!("news-ranks")
            )
        );
    })
    .await;
}

#[tokio::test]
async fn parts_of_a_fen_are_carried_to_the_next_month() {
    on_each_engine(async |mut world| {
        let id = world.bids(1, 150, ("placement", "home")).await;
        let view = async |world: &World| {
            let page = world.looks(json!({"placement": "home"})).await;
            let path = format!(
                "/api/bidding/offers/{}/views",
                page["items"][0]["offer"].as_str().unwrap()
            );
            world.post(&path).by(crate::support::LI).content().await;
        };
        // A view costs the reserve, a tenth of a fen.
        for _ in 0..7 {
            view(&world).await;
        }
        world.at("2026-11-10T02:00:00Z");
        for _ in 0..5 {
            view(&world).await;
        }
        world.tick_at("2026-12-10T02:00:00Z").await;
        let charges = charges(&world).await;
        assert_eq!(charges.len(), 1);
        assert_eq!(
            (&charges[0]["month"], &charges[0]["amount_minor"]),
            (&json!("2026-11"), &json!(1))
        );
        let report = format!("/api/bidding/campaigns/{id}/report");
        let report = world.get(&report).by(crate::support::MEI).content().await;
        let months: Vec<(&Value, &Value)> = report["months"]
            .as_array()
            .unwrap()
            .iter()
            .map(|month| (&month["accrued_micros"], &month["charged_minor"]))
            .collect();
        assert_eq!(
            months,
            [(&json!(7_000), &json!(0)), (&json!(5_000), &json!(1))]
        );
    })
    .await;
}
