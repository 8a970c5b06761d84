//! Plans: a time is run once, whoever runs it; missed ones are not made up for.

use serde_json::{Value, json};

use crate::killed::killed_after;
use crate::support::{LI, WANG, World, on_each_engine};

fn daily(hold_out_bps: u32) -> Value {
    json!({
        "name": "每日天气", "audience": {"all": true}, "time_zone": "Asia/Shanghai",
        "rhythm": {"day": 1, "points": ["11:00", "23:30"]},
        "notification": {"purpose": "notice", "title": {"zh": "天气"}, "body": {"zh": "晴"}},
        "quiet": {"from": "22:00", "until": "07:00", "then": "defer"},
        "hold_out_bps": hold_out_bps,
    })
}

async fn plan(world: &World, body: &Value) -> String {
    let made = world
        .post("/api/push/plans")
        .by(WANG)
        .json(body)
        .content()
        .await;
    made["id"].as_str().unwrap().to_owned()
}

async fn runs(world: &World, plan: &str) -> Vec<Value> {
    let page = world
        .get(&format!("/api/push/plans/{plan}/runs"))
        .by(WANG)
        .content()
        .await;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_tick_run_twice_and_on_two_replicas_tells_once() {
    on_each_engine(async |mut world| {
        let id = plan(&world, &daily(0)).await;
        world.tick().await;
        assert!(runs(&world, &id).await.is_empty());
        world.at("2026-11-23T03:00:10Z");
        let other = world.replica();
        let (one, two) = tokio::join!(push::cron::tick(&world.context), push::cron::tick(&other));
        assert!(one.is_ok() && two.is_ok());
        world.tick().await;
        assert_eq!(runs(&world, &id).await.len(), 1);
        assert_eq!(world.inbox(LI).await.len(), 1);
        assert_eq!(world.count("push.message_created").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_tick_that_is_killed_anywhere_loses_and_doubles_nothing() {
    on_each_engine(async |mut world| {
        world.browser(LI, "a").await;
        let id = plan(&world, &daily(0)).await;
        world.at("2026-11-23T03:00:10Z");
        let mut sent = 0;
        for polls in (1..=40).map(|step| 3 * step) {
            let killed = world.replica();
            killed_after(&killed, polls).await;
            sent += killed.courier.take().len();
        }
        world.tick().await;
        world.later(121_000);
        world.tick().await;
        world.tick().await;
        sent += world.context.courier.take().len();
        // A sender that was killed after it sent and before it said so is followed by one more try.
        assert!((1..=2).contains(&sent), "{sent}");
        assert_eq!(runs(&world, &id).await.len(), 1);
        assert_eq!(world.count("push.message_created").await, 1);
        assert_eq!(world.inbox(LI).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn quiet_hours_put_pushes_off_until_they_end() {
    on_each_engine(async |mut world| {
        world.browser(LI, "a").await;
        plan(&world, &daily(0)).await;
        world.at("2026-11-23T03:00:10Z");
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
        world.at("2026-11-23T15:30:10Z");
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        world.at("2026-11-23T23:00:00Z");
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_is_not_made_up_for_and_a_plan_that_is_over_ends() {
    on_each_engine(async |mut world| {
        let mut body = daily(0);
        body["rhythm"] = json!({"day": 1, "points": ["11:00"], "until": "2026-11-26"});
        let id = plan(&world, &body).await;
        world.at("2026-11-25T12:00:00Z");
        world.tick().await;
        let missed = runs(&world, &id).await;
        assert_eq!(missed.len(), 1);
        assert_eq!(missed[0]["message"], Value::Null);
        assert!(world.inbox(LI).await.is_empty());
        world.at("2026-11-26T03:00:00Z");
        world.tick().await;
        assert_eq!(world.inbox(LI).await.len(), 1);
        let shown = world
            .get(&format!("/api/push/plans/{id}"))
            .by(WANG)
            .content()
            .await;
        assert_eq!(
            (&shown["state"], &shown["next_at"]),
            (&json!("ended"), &Value::Null)
        );
    })
    .await;
}

#[tokio::test]
async fn a_share_is_held_out_to_measure_what_the_others_do() {
    on_each_engine(async |mut world| {
        world.crowd(60, false).await;
        plan(&world, &daily(5_000)).await;
        world.at("2026-11-23T03:00:10Z");
        world.tick().await;
        let id = world.last_fact("push.message_created").await;
        let shown = world.message(id["message"].as_str().unwrap()).await;
        let held: i64 = shown["funnel"]["parts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|part| part["reason"] == "hold_out")
            .map(|part| part["deliveries"].as_i64().unwrap())
            .sum();
        assert!((15..=48).contains(&held), "{held}");
        assert_eq!(shown["funnel"]["deliveries"], 63);
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_changed_by_its_version_and_paused() {
    on_each_engine(async |mut world| {
        let id = plan(&world, &daily(0)).await;
        let path = format!("/api/push/plans/{id}");
        let mut body = daily(0);
        body["state"] = json!("paused");
        let ask = || world.put(&path).by(WANG).json(&body);
        ask().refused(428, "if_match_required").await;
        ask()
            .header("if-match", "\"7\"")
            .refused(412, "version_changed")
            .await;
        let changed = ask().header("if-match", "\"1\"").content().await;
        assert_eq!(
            (&changed["version"], &changed["next_at"]),
            (&json!(2), &Value::Null)
        );
        world.at("2026-11-23T03:00:10Z");
        world.tick().await;
        assert!(world.inbox(LI).await.is_empty());
    })
    .await;
}
