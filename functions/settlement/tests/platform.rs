//! Platform fees: taken whole on the charge day or not at all; suspended, and resumed by a recharge.

use serde_json::{Value, json};

use crate::support::{LI, WANG, World, on_each_engine};

async fn open(world: &World) -> Value {
    let account = json!({"id": "company-1", "kind": "company", "name": "好邻居物业", "community": "garden",
        "holders": ["li"], "fee_minor": 10_000, "charge_day": 15});
    world
        .post("/api/platform-accounts")
        .by(WANG)
        .json(&account)
        .content()
        .await
}

async fn recharge(world: &World, minor: i64, key: &str) {
    world
        .post("/api/platform-accounts/company-1/recharges")
        .by(LI)
        .key(key)
        .json(&json!({"amount_minor": minor}))
        .content()
        .await;
    world.money_came().await;
    world.tick().await;
}

async fn shown(world: &World) -> Value {
    world
        .get("/api/platform-accounts/company-1")
        .by(LI)
        .content()
        .await
}

#[tokio::test]
async fn the_fee_is_taken_on_the_charge_day_once_and_to_the_fen() {
    on_each_engine(async |mut world| {
        open(&world).await;
        recharge(&world, 10_000, "a").await;
        assert_eq!(
            world.tick_at("2026-10-14T15:59:59.999Z").await["charged"],
            0
        );
        assert_eq!(
            world.tick_at("2026-10-14T16:00:00.000Z").await["charged"],
            1
        );
        assert_eq!(world.tick().await["charged"], 0);
        let account = shown(&world).await;
        assert_eq!(
            (
                &account["state"],
                &account["balance_minor"],
                &account["charge_at"]
            ),
            (
                &json!("active"),
                &json!(0),
                &json!("2026-11-14T16:00:00.000Z")
            )
        );
        assert_eq!(world.balance("platform_fee_income").await, 10_000);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn one_fen_short_suspends_without_taking_anything_and_the_fen_resumes() {
    on_each_engine(async |mut world| {
        open(&world).await;
        recharge(&world, 9_999, "a").await;
        world.tick_at("2026-10-14T16:00:00.000Z").await;
        let account = shown(&world).await;
        assert_eq!(
            (
                &account["suspended"],
                &account["balance_minor"],
                &account["owed_period"]
            ),
            (&json!(true), &json!(9_999), &json!("2026-10"))
        );
        let told = world.last_fact("platform_account.changed").await;
        assert_eq!(
            (&told["suspended"], &told["version"]),
            (&json!(true), &json!(2))
        );
        // A month later it is still one fee that is owed.
        assert_eq!(
            world.tick_at("2026-11-14T16:00:00.000Z").await["charged"],
            0
        );
        world.at("2026-11-20T00:00:00Z");
        recharge(&world, 1, "b").await;
        let account = shown(&world).await;
        assert_eq!(
            (
                &account["state"],
                &account["balance_minor"],
                &account["charge_at"]
            ),
            (
                &json!("active"),
                &json!(0),
                &json!("2026-12-14T16:00:00.000Z")
            )
        );
        let told = world.last_fact("platform_account.changed").await;
        assert_eq!(
            (&told["suspended"], &told["version"]),
            (&json!(false), &json!(3))
        );
        let charges = world
            .get("/api/platform-accounts/company-1/charges")
            .by(LI)
            .content()
            .await;
        assert_eq!(charges["items"].as_array().unwrap().len(), 1);
        let report = world
            .get("/api/settlements/revenue?from=2026-10&to=2026-10")
            .by(WANG)
            .content()
            .await;
        assert_eq!(
            report["months"][0]["kinds"]["platform"]["amount_minor"],
            10_000
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn an_account_is_changed_by_its_version_and_a_closed_one_is_not_charged() {
    on_each_engine(async |mut world| {
        open(&world).await;
        let path = "/api/platform-accounts/company-1";
        let change = |version: &str, day: i64| {
            let body = json!({"name": "好邻居物业", "holders": ["li"], "fee_minor": 5_000, "charge_day": day, "closed": true});
            world
                .ask(http::Method::PUT, path)
                .by(WANG)
                .header("if-match", version)
                .json(&body)
        };
        change("\"7\"", 15).refused(412, "version_changed").await;
        change("\"1\"", 29).refused(422, "platform_account_invalid").await;
        assert_eq!(change("\"1\"", 15).content().await["state"], "closed");
        world
            .post("/api/platform-accounts")
            .by(WANG)
            .json(&json!({"id": "company-1", "kind": "owner", "name": "x", "community": "garden",
                "holders": ["li"], "fee_minor": 1, "charge_day": 1}))
            .refused(409, "platform_account_taken")
            .await;
        assert_eq!(world.tick_at("2026-10-14T16:00:00.000Z").await["charged"], 0);
    })
    .await;
}
