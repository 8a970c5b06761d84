//! Tariffs, rules and terms: what is refused, what is kept, and what usage would cost.

use serde_json::{Value, json};

use crate::support::{AUDITOR, CHEN, LI, World, on_each_engine};

fn tariff(periods: Value) -> Value {
    json!({"community": "garden", "name": "电价", "terms": {"periods": periods}})
}

fn tiers(second_above: i64) -> Value {
    json!([
        {"above_milli": 0, "up_to_milli": 240_000, "price": 4_883},
        {"above_milli": second_above, "up_to_milli": null, "price": 5_383},
    ])
}

async fn refused(world: &World, content: Value, code: &str) -> Value {
    world
        .post("/api/tariffs")
        .by(CHEN)
        .json(&content)
        .refused(422, code)
        .await
}

#[tokio::test]
async fn a_tariff_with_a_gap_an_overlap_or_two_prices_for_a_day_is_refused_with_the_reason() {
    on_each_engine(async |world| {
        let period =
            |second| json!([{"first_day": "2026-01-01", "prices": {"tiered": tiers(second)}}]);
        let gap = refused(&world, tariff(period(250_000)), "tier_gap").await;
        assert!(gap["detail"].as_str().unwrap().contains("250000"));
        refused(&world, tariff(period(230_000)), "tier_overlap").await;
        let twice = json!([
            {"first_day": "2026-01-01", "until_day": "2026-07-01", "prices": {"flat": 1}},
            {"first_day": "2026-06-30", "prices": {"flat": 2}},
        ]);
        refused(&world, tariff(twice), "price_period_overlap").await;
        refused(&world, tariff(json!([])), "prices_missing").await;
        let negative = json!([{"first_day": "2026-01-01", "prices": {"flat": -1}}]);
        refused(&world, tariff(negative), "price_invalid").await;
    })
    .await;
}

#[tokio::test]
async fn a_preview_rates_usage_and_stores_nothing() {
    on_each_engine(async |world| {
        let periods = json!([{"first_day": "2026-01-01", "prices": {"tiered": tiers(240_000)}}]);
        let made = world.post("/api/tariffs").by(CHEN).json(&tariff(periods)).content().await;
        let path = format!("/api/tariffs/{}/preview", made["id"].as_str().unwrap());
        let line = |quantity_milli: i64| json!({"first_day": "2026-10-01", "until_day": "2026-11-01", "quantity_milli": quantity_milli});
        let early = json!({"first_day": "2025-12-31", "until_day": "2026-01-02", "quantity_milli": 1});
        let asked = json!({"lines": [line(241_000), line(-1), early]});
        let facts = world.facts().await;
        let shown = world.post(&path).by(AUDITOR).json(&asked).content().await;
        assert_eq!(shown["lines"][0]["amount_minor"], 11_773);
        assert_eq!(shown["lines"][0]["parts"][1]["tier"], 2);
        assert_eq!(shown["lines"][1]["problem"]["code"], "usage_negative");
        assert_eq!(shown["lines"][2]["problem"]["code"], "price_missing");
        assert_eq!(world.facts().await, facts);
        world.post(&path).by(LI).json(&asked).refused(404, "tariff_unknown").await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_a_tariff_a_rule_or_terms_needs_the_version_that_was_read() {
    on_each_engine(async |world| {
        let rule = world.rule("物业费", json!({"kind": "area", "price": 28_000})).await;
        let path = format!("/api/fee-rules/{}", rule["id"].as_str().unwrap());
        let new = json!({"name": "物业服务费", "charge": {"kind": "area", "price": 30_000}, "first_day": "2026-01-01"});
        let put = |tag: &'static str| world.ask(http::Method::PUT, &path).by(CHEN).header("if-match", tag).json(&new);
        world.ask(http::Method::PUT, &path).by(CHEN).json(&new).refused(428, "if_match_required").await;
        assert_eq!(put("\"1\"").content().await["version"], 2);
        put("\"1\"").refused(412, "version_changed").await;
        assert_eq!(world.last_fact("fee_rule.changed").await["version"], 2);

        let terms = json!({"late_rate_per_100k": 50, "grace_days": 5, "late_cap_percent": 100, "due_days": 30});
        let put = |tag: &'static str| world.ask(http::Method::PUT, "/api/fee-terms/garden").by(CHEN).header("if-match", tag).json(&terms);
        assert_eq!(put("\"0\"").content().await["version"], 1);
        put("\"0\"").refused(412, "version_changed").await;
        let shown = world.get("/api/fee-terms/garden").by(AUDITOR).content().await;
        assert_eq!(shown["grace_days"], 5);
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_can_charge_nothing_is_refused() {
    on_each_engine(async |world| {
        let rule = |charge: Value, first: &str| json!({"community": "garden", "name": "x", "charge": charge, "first_day": first});
        let post = |content: Value| world.post("/api/fee-rules").by(CHEN).json(&content);
        post(rule(json!({"kind": "area", "price": -1}), "2026-01-01")).refused(422, "fee_rule_invalid").await;
        post(rule(json!({"kind": "rent", "amount_minor": 1}), "2026-01-01")).refused(422, "fee_rule_invalid").await;
        post(rule(json!({"kind": "dues", "amount_minor": 1}), "2026-01-01")).refused(422, "wrong_type").await;
        let tiered = json!({"kind": "tiered", "commodity": "water", "tariff": "nothing"});
        post(rule(tiered, "2026-01-01")).refused(404, "tariff_unknown").await;
        let elsewhere = json!({"community": "nowhere", "name": "x", "charge": {"kind": "area", "price": 1}, "first_day": "2026-01-01"});
        post(elsewhere).refused(403, "managers_only").await;
    })
    .await;
}
