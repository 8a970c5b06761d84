//! Batches: the first to expire is sold first, what has expired is not sold, and the counters stay right.

use serde_json::{Value, json};

use crate::goods::variant;
use crate::support::{DAY_MS, FRUITER, LI, WANG, World, on_each_engine};

const MINUTES_31_MS: i64 = 31 * 60 * 1_000;

/// Yoghurt of the fruit shop: five that expire on the 5th, the price halved in the last two days.
async fn yoghurt(world: &World) -> (Value, String) {
    let yoghurt = json!({"merchant": "fruit", "category": "fruits", "name": "酸奶", "variants": [
        {"name": "杯", "price_minor": 1_000, "units": 5,
            "shelf": {"expires_on": "2026-11-05", "trace_code": "A-1", "near_days": 1, "markdown_bps": 5_000}}]});
    let made = world.offered(FRUITER, &yoghurt).await;
    let item = variant(&made, 0);
    (made, item)
}

async fn receive(world: &World, item: &str, batch: &Value) -> Value {
    let ask = world.post(&format!("/api/stock/{item}/batches"));
    ask.by(FRUITER).json(batch).content().await
}

/// Code and what is left of each batch, in the order in which they go.
async fn left(world: &World, item: &str) -> Vec<(String, i64)> {
    let path = format!("/api/stock/{item}/batches");
    let shown = world.get(&path).by(FRUITER).content().await;
    let items = shown["items"].as_array().unwrap().iter();
    let label = |batch: &Value| {
        (
            batch["trace_code"].as_str().unwrap_or("-").to_owned(),
            batch["left"].as_i64().unwrap(),
        )
    };
    items.map(label).collect()
}

/// What buyers see on the shelf: code and price.
async fn shelf(world: &World, product: &Value) -> (String, i64) {
    let path = format!("/api/products/{}", product["id"].as_str().unwrap());
    let shown = world.get(&path).by(LI).content().await;
    let variant = &shown["variants"][0];
    let code = variant["shelf"]["trace_code"].as_str().unwrap_or("-");
    (code.to_owned(), variant["price_minor"].as_i64().unwrap())
}

fn of(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs
        .iter()
        .map(|(code, left)| ((*code).to_owned(), *left))
        .collect()
}

#[tokio::test]
async fn the_batch_that_expires_first_is_sold_first_and_the_shelf_follows() {
    on_each_engine(async |world| {
        let (product, item) = yoghurt(&world).await;
        let later =
            json!({"units": 8, "expires_on": "2026-11-20", "trace_code": "C-3", "reason": "到货"});
        assert_eq!(receive(&world, &item, &later).await["available"], 13);
        receive(
            &world,
            &item,
            &json!({"units": 2, "expires_on": "2026-11-09", "trace_code": "B-2"}),
        )
        .await;
        assert_eq!(
            left(&world, &item).await,
            of(&[("A-1", 5), ("B-2", 2), ("C-3", 8)])
        );
        assert_eq!(shelf(&world, &product).await, ("A-1".to_owned(), 1_000));

        let bought = world.place(LI, &[(&item, 6)], 6_000).await;
        // What is set aside is still there.
        assert_eq!(
            left(&world, &item).await,
            of(&[("A-1", 5), ("B-2", 2), ("C-3", 8)])
        );
        world.pay(&bought).await;
        let done = world.tick().await;
        assert_eq!(done["orders"]["batches"], 1);
        assert_eq!(left(&world, &item).await, of(&[("B-2", 1), ("C-3", 8)]));
        assert_eq!(shelf(&world, &product).await, ("B-2".to_owned(), 1_000));
        assert_eq!(world.tick().await["orders"]["batches"], 0);

        let spoilt = json!({"kind": "issued", "units": 1});
        let path = format!("/api/stock/{item}/movements");
        world.post(&path).by(FRUITER).json(&spoilt).content().await;
        let found = json!({"kind": "counted", "units": 10});
        world.tick().await;
        world.post(&path).by(FRUITER).json(&found).content().await;
        assert_eq!(
            left(&world, &item).await,
            of(&[("C-3", 10)]),
            "what nobody knew of"
        );
        assert_eq!(world.stock(&item).await, (10, 0, 6));
    })
    .await;
}

#[tokio::test]
async fn what_has_expired_is_taken_off_and_the_next_batch_is_sold_at_its_price() {
    on_each_engine(async |mut world| {
        let (product, item) = yoghurt(&world).await;
        receive(
            &world,
            &item,
            &json!({"units": 8, "expires_on": "2026-11-20", "trace_code": "B-2"}),
        )
        .await;
        world.pass_ms(2 * DAY_MS);
        assert_eq!(
            shelf(&world, &product).await,
            ("A-1".to_owned(), 500),
            "near its expiry"
        );
        let near = world
            .get("/api/shops/fruit/near-expiry?days=30")
            .by(FRUITER)
            .content()
            .await;
        let label = |place: usize| {
            (
                near["items"][place]["trace_code"].as_str(),
                near["items"][place]["available"].as_i64(),
            )
        };
        assert_eq!(
            (label(0), label(1)),
            ((Some("A-1"), Some(5)), (Some("B-2"), Some(8)))
        );
        assert_eq!(near["items"].as_array().unwrap().len(), 2);

        world.pass_ms(2 * DAY_MS);
        // The shelf's day keeps it from being sold until the heartbeat has looked.
        let wanted = world.buying(&[(&item, 1)], 1_000);
        let ask = world
            .post("/api/checkouts")
            .by(LI)
            .key("early")
            .json(&wanted);
        ask.refused(409, "product_expired").await;
        world.tick().await;
        assert_eq!(world.stock(&item).await, (8, 0, 0));
        assert_eq!(left(&world, &item).await, of(&[("B-2", 8)]));
        assert_eq!(shelf(&world, &product).await, ("B-2".to_owned(), 1_000));
        world.place(LI, &[(&item, 8)], 8_000).await;
        assert_eq!(world.stock(&item).await, (0, 8, 0));

        let path = format!("/api/stock/{item}/movements");
        let moved = world.get(&path).by(FRUITER).content().await;
        let moved = moved["items"].as_array().unwrap();
        let off = moved.iter().find(|one| one["kind"] == "issued").unwrap();
        assert_eq!(
            (&off["available"], &off["actor"]),
            (&json!(-5), &Value::Null)
        );
        let told = world.facts_of("stock.adjusted").await;
        let told = told.last().unwrap();
        assert_eq!(
            (&told["change"], &told["kind"], &told["actor"]),
            (&json!(-5), &json!("issued"), &json!("orders"))
        );
    })
    .await;
}

#[tokio::test]
async fn units_that_are_set_aside_outlive_their_last_day_and_come_back_to_nothing() {
    on_each_engine(async |mut world| {
        let (_, item) = yoghurt(&world).await;
        receive(
            &world,
            &item,
            &json!({"units": 1, "expires_on": "2026-11-05", "trace_code": "B-2"}),
        )
        .await;
        // A minute before the 6th in Shanghai.
        world.pass_ms(3 * DAY_MS + 14 * 3_600_000 - 60_000);
        world.place(LI, &[(&item, 4)], 2_000).await;
        world.pass_ms(60_000);
        world.tick().await;
        assert_eq!(
            world.stock(&item).await,
            (0, 4, 0),
            "what was free is taken off"
        );
        world.pass_ms(MINUTES_31_MS);
        world.tick().await;
        world.tick().await;
        assert_eq!(
            world.stock(&item).await,
            (0, 0, 0),
            "not paid, and not sold to others"
        );
        assert_eq!(left(&world, &item).await, of(&[]));
    })
    .await;
}

#[tokio::test]
async fn a_product_that_is_changed_keeps_what_its_batches_say() {
    on_each_engine(async |world| {
        let (product, item) = yoghurt(&world).await;
        receive(&world, &item, &json!({"units": 8, "expires_on": "2026-11-20", "trace_code": "B-2"})).await;
        let changed = json!({"category": "fruits", "name": "酸奶", "variants": [
            {"id": item, "name": "杯", "price_minor": 1_200, "shelf": {"expires_on": "2027-01-01", "trace_code": "X"}}]});
        let path = format!("/api/products/{}", product["id"].as_str().unwrap());
        let version = product["version"].to_string();
        let ask = world.put(&path).by(FRUITER).header("if-match", &format!("\"{version}\""));
        ask.json(&changed).content().await;
        assert_eq!(shelf(&world, &product).await, ("A-1".to_owned(), 1_200));
    })
    .await;
}

#[tokio::test]
async fn batches_that_cannot_be_are_refused_and_change_nothing() {
    on_each_engine(async |world| {
        let (_, item) = yoghurt(&world).await;
        let (_, slot) = world.laundry(1).await;
        let check = async |item: &str, batch: Value, status: u16, code: &str| {
            let ask = world.post(&format!("/api/stock/{item}/batches"));
            let who = if item == slot["id"] { WANG } else { FRUITER };
            ask.by(who).json(&batch).refused(status, code).await;
        };
        let day = "2026-11-20";
        check(
            &item,
            json!({"units": 1, "expires_on": "2026-11-01"}),
            422,
            "batch_expired",
        )
        .await;
        check(
            &item,
            json!({"units": 0, "expires_on": day}),
            422,
            "units_invalid",
        )
        .await;
        check(
            &item,
            json!({"units": 10_000_000, "expires_on": day}),
            422,
            "units_invalid",
        )
        .await;
        check(
            &item,
            json!({"units": 1, "expires_on": day, "trace_code": "x".repeat(65)}),
            422,
            "wrong_type",
        )
        .await;
        check(&item, json!({"units": 1}), 422, "wrong_type").await;
        check(
            slot["id"].as_str().unwrap(),
            json!({"units": 1, "expires_on": day}),
            404,
            "stock_unknown",
        )
        .await;
        check(
            "nothing",
            json!({"units": 1, "expires_on": day}),
            404,
            "stock_unknown",
        )
        .await;
        assert_eq!(left(&world, &item).await, of(&[]));
        assert_eq!(world.stock(&item).await, (5, 0, 0));
        let batch = json!({"units": 3, "expires_on": day});
        for _ in 0..2 {
            let ask = world
                .post(&format!("/api/stock/{item}/batches"))
                .by(FRUITER);
            let received = ask.key("once").json(&batch).content().await;
            assert_eq!(received["available"], 8);
        }
        assert_eq!(left(&world, &item).await, of(&[("A-1", 5), ("-", 3)]));
    })
    .await;
}
