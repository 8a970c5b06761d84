//! Commission rules: dated, never two of one scope at one moment, frozen once they have begun; and what they take.

use serde_json::{Value, json};

use crate::support::{AUDITOR, DAY_MS, WANG, World, id, on_each_engine};

fn rule(rate_bps: u32, from: &str) -> Value {
    json!({"rate_bps": rate_bps, "from": from})
}

async fn add(world: &World, sent: &Value) -> Value {
    world
        .post("/api/commission-rules")
        .by(WANG)
        .json(sent)
        .content()
        .await
}

#[tokio::test]
async fn two_rules_of_one_scope_never_hold_at_one_moment_and_the_refusal_names_the_other() {
    on_each_engine(async |world| {
        let post = |sent: &Value| world.post("/api/commission-rules").by(WANG).json(sent);
        let mut first = rule(500, "2026-11-01T00:00:00+08:00");
        first["category"] = json!("food");
        let first = add(&world, &first).await;
        let mut second = rule(600, "2027-01-01T00:00:00+08:00");
        second["category"] = json!("food");
        let refused = post(&second).refused(409, "commission_rule_overlap").await;
        assert!(
            refused["detail"].as_str().unwrap().contains(&id(&first)),
            "{refused}"
        );
        // Another scope is another matter.
        let mut goods = second.clone();
        goods["kind"] = json!("goods");
        add(&world, &goods).await;
        add(&world, &rule(100, "2026-11-01T00:00:00+08:00")).await;
        let path = format!("/api/commission-rules/{}", id(&first));
        let mut ended = rule(500, "2026-11-01T00:00:00+08:00");
        ended["until"] = json!("2027-01-01T00:00:00+08:00");
        world.put(&path).by(WANG).json(&ended).content().await;
        let second = add(&world, &second).await;
        let told = world.last_fact("commission_rule.changed").await;
        assert_eq!(
            (&told["rule"], &told["rate_bps"], &told["version"]),
            (&second["id"], &json!(600), &json!(1))
        );
        ended["until"] = json!("2027-01-01T00:00:01+08:00");
        world
            .put(&path)
            .by(WANG)
            .json(&ended)
            .refused(409, "commission_rule_overlap")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_has_begun_keeps_its_rate_and_one_that_has_not_can_be_taken_back() {
    on_each_engine(async |mut world| {
        let begun = add(&world, &rule(500, "2026-11-01T00:00:00+08:00")).await;
        let path = format!("/api/commission-rules/{}", id(&begun));
        world
            .put(&path)
            .by(WANG)
            .json(&rule(600, "2026-11-01T00:00:00+08:00"))
            .refused(409, "commission_rule_begun")
            .await;
        let delete = |path: &str| world.ask(http::Method::DELETE, path).by(WANG);
        delete(&path).refused(409, "commission_rule_begun").await;
        let mut ahead = rule(300, "2026-12-01T00:00:00+08:00");
        ahead["kind"] = json!("service");
        let later = add(&world, &ahead).await;
        let later = format!("/api/commission-rules/{}", id(&later));
        assert_eq!(delete(&later).reply().await.status, 204);
        let told = world.last_fact("commission_rule.changed").await;
        assert_eq!(told["from"], told["until"]);
        // What was taken back contradicts nothing.
        add(&world, &ahead).await;
        world.pass_ms(40 * DAY_MS);
        let preview =
            json!({"merchant": "m", "lines": [{"category": "laundry", "paid_minor": 10_000}]});
        let shown = world
            .post("/api/commission-rules/previews")
            .by(AUDITOR)
            .json(&preview)
            .content()
            .await;
        assert_eq!(shown["lines"][0]["rate_bps"], 300);
    })
    .await;
}

#[tokio::test]
async fn a_preview_takes_the_most_particular_rule_and_rounds_once() {
    on_each_engine(async |world| {
        let (merchant, _) = world.merchant().await;
        let from = "2026-11-01T00:00:00+08:00";
        let with = |rate: u32, name: &str, value: &str| {
            let mut sent = rule(rate, from);
            sent[name] = json!(value);
            sent
        };
        let line = json!({"category": "fruit", "paid_minor": 13_070, "subsidy_minor": 0, "freight_minor": 1_000});
        let asked = json!({"merchant": merchant, "lines": [line]});
        let preview = async || {
            let shown = world.post("/api/commission-rules/previews").by(AUDITOR).json(&asked).content().await;
            let line = &shown["lines"][0];
            (line["rate_bps"].as_i64().unwrap(), line["base_minor"].as_i64().unwrap(), line["commission_minor"].as_i64().unwrap())
        };
        assert_eq!(preview().await, (0, 13_070, 0));
        add(&world, &rule(100, from)).await;
        assert_eq!(preview().await, (100, 13_070, 131));
        add(&world, &with(200, "kind", "goods")).await;
        assert_eq!(preview().await, (200, 13_070, 261));
        add(&world, &with(1_500, "category", "food")).await;
        assert_eq!(preview().await, (1_500, 13_070, 1_961));
        let mut own = with(1_000, "merchant", &merchant);
        own["includes_freight"] = json!(true);
        add(&world, &own).await;
        assert_eq!(preview().await, (1_000, 14_070, 1_407));
        let facts = world.facts().await.len();
        let wrong = json!({"merchant": merchant, "lines": [{"category": "fruit", "paid_minor": -1}]});
        let shown = world.post("/api/commission-rules/previews").by(WANG).json(&wrong).content().await;
        assert_eq!(shown["lines"][0]["problem"]["code"], "negative_amount");
        assert_eq!(world.facts().await.len(), facts);
    })
    .await;
}

#[tokio::test]
async fn a_rate_above_all_an_end_before_the_begin_and_an_unknown_scope_are_refused() {
    on_each_engine(async |world| {
        let post = |sent: &Value| world.post("/api/commission-rules").by(WANG).json(sent);
        post(&rule(10_001, "2026-11-01T00:00:00Z"))
            .refused(422, "commission_rule_invalid")
            .await;
        let mut backwards = rule(1, "2026-11-01T00:00:00Z");
        backwards["until"] = json!("2026-11-01T00:00:00Z");
        post(&backwards)
            .refused(422, "commission_rule_invalid")
            .await;
        let mut of = rule(1, "2026-11-01T00:00:00Z");
        of["merchant"] = json!("nobody");
        post(&of).refused(404, "merchant_unknown").await;
        of["merchant"] = Value::Null;
        of["category"] = json!("nothing");
        post(&of).refused(404, "category_unknown").await;
        of["colour"] = json!("red");
        post(&of).refused(422, "wrong_type").await;
    })
    .await;
}
