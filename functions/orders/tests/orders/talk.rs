//! Reviews, conversations, the monitor, the export and the statistics.

use serde_json::json;

use crate::support::{
    APP_READER, AUDITOR, DAY_MS, FRUITER, LAUNDERER, LI, MA, WANG, on_each_engine,
};
use crate::trade::path;

#[tokio::test]
async fn a_review_follows_completion_once_a_line_and_hidden_ones_do_not_count() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let order = world.accepted(&[("apple", 1)], 500).await;
        let line = world.whole(LI, &order).await["lines"][0]["id"].clone();
        let review = json!({"line": line, "stars": 5, "words": "很甜, 电话 13812345678", "is_anonymous": true});
        let add = |key: &'static str| world.post(&path(&order, "reviews")).by(LI).key(key).json(&review);
        add("early").refused(409, "order_state").await;
        world.step(FRUITER, &order, "shipment", json!({})).await;
        world.step(LI, &order, "completion", json!({})).await;
        let made = add("one").content().await;
        assert_eq!(made["words"], "很甜, 电话 138******78");
        add("two").refused(409, "line_reviewed").await;
        let place = |step: &str| format!("/api/reviews/{}/{step}", made["id"].as_str().unwrap());
        let thanks = json!({"words": "谢谢"});
        world.put(&place("reply")).by(LAUNDERER).json(&thanks).refused(404, "review_unknown").await;
        world.put(&place("reply")).by(FRUITER).json(&thanks).content().await;
        let shown = world.get("/api/reviews?product=apple").by(MA).content().await;
        assert_eq!((&shown["reviews"], &shown["stars"]), (&json!(1), &json!(5)));
        assert_eq!((&shown["items"][0]["buyer"], &shown["items"][0]["reply"]), (&json!(null), &json!("谢谢")));
        world.put(&place("moderation")).by(FRUITER).json(&json!({"is_hidden": true, "reason": "x"})).refused(403, "operator_only").await;
        world.put(&place("moderation")).by(WANG).json(&json!({"is_hidden": true})).refused(422, "reason_missing").await;
        world.put(&place("moderation")).by(WANG).json(&json!({"is_hidden": true, "reason": "广告"})).content().await;
        let shown = world.get("/api/reviews?merchant=fruit").by(MA).content().await;
        assert_eq!((&shown["reviews"], shown["items"].as_array().unwrap().len()), (&json!(0), 0));
        world.get("/api/reviews").by(MA).refused(422, "review_subject").await;
    })
    .await;
}

#[tokio::test]
async fn buyer_and_shop_write_to_each_other_and_operators_read_along_in_a_dispute_alone() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        let begin = || {
            world
                .post("/api/conversations")
                .by(LI)
                .json(&json!({"merchant": "fruit"}))
        };
        let conversation = begin().content().await;
        assert_eq!(begin().content().await["id"], conversation["id"]);
        let place = |step: &str| {
            format!(
                "/api/conversations/{}/{step}",
                conversation["id"].as_str().unwrap()
            )
        };
        let words = json!({"words": "加我微信 138 1234 5678"});
        let said = world
            .post(&place("messages"))
            .by(LI)
            .json(&words)
            .content()
            .await;
        assert_eq!(said["words"], "加我微信 138******78");
        let seen = world
            .get("/api/conversations?merchant=fruit")
            .by(FRUITER)
            .content()
            .await;
        assert_eq!(seen["items"][0]["is_unread"], true);
        world
            .put(&place("read-marker"))
            .by(FRUITER)
            .json(&json!({"message": said["id"]}))
            .content()
            .await;
        let seen = world
            .get("/api/conversations?merchant=fruit")
            .by(FRUITER)
            .content()
            .await;
        assert_eq!(seen["items"][0]["is_unread"], false);
        for stranger in [MA, LAUNDERER, WANG, AUDITOR, APP_READER] {
            world
                .get(&place("messages"))
                .by(stranger)
                .refused(404, "conversation_unknown")
                .await;
        }
        let order = world.completed(&[("apple", 1)], 500).await;
        world
            .step(LI, &order, "disputes", json!({"claim": "x"}))
            .await;
        let read = world.get(&place("messages")).by(WANG).content().await;
        assert_eq!(read["items"].as_array().unwrap().len(), 1);
        world
            .post(&place("messages"))
            .by(WANG)
            .json(&words)
            .refused(403, "conversation_of_both")
            .await;
        world.pass_ms(365 * DAY_MS);
        assert_eq!(world.tick().await["orders"]["deleted"], 1);
        let read = world.get(&place("messages")).by(LI).content().await;
        assert!(read["items"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_monitor_shows_what_is_stuck_and_for_how_long() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        let checkout = world.place(LI, &[("apple", 1)], 500).await;
        world.pay(&checkout).await;
        let shipped = world.accepted(&[("apple", 1)], 500).await;
        let sent = world.accepted(&[("apple", 1)], 500).await;
        world.step(FRUITER, &sent, "shipment", json!({})).await;
        world.pass_ms(11 * DAY_MS);
        let monitor = world
            .get("/api/order-reports/stuck")
            .by(WANG)
            .content()
            .await;
        let of = |kind: &str| {
            let kinds = monitor["kinds"].as_array().unwrap();
            kinds.iter().find(|shown| shown["kind"] == kind).unwrap()["items"].clone()
        };
        assert_eq!(of("not_accepted")[0]["id"], checkout["orders"][0]["id"]);
        assert_eq!(of("not_shipped")[0]["id"], shipped["id"]);
        assert_eq!(
            (
                &of("not_completed")[0]["id"],
                &of("not_completed")[0]["age_hours"]
            ),
            (&sent["id"], &json!(264))
        );
        assert!(of("not_refunded").as_array().unwrap().is_empty());
        let later = world
            .get("/api/order-reports/stuck?not_accepted_hours=1000")
            .by(WANG)
            .content()
            .await;
        assert_eq!(later["kinds"][0]["limit_hours"], 1000);
        for stranger in [LI, FRUITER] {
            world
                .get("/api/order-reports/stuck")
                .by(stranger)
                .refused(403, "reports_readers_only")
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_orders_of_a_day_are_the_same_table_every_time() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        world.commission(1_000).await;
        world.completed(&[("apple", 2)], 1_000).await;
        world.place(LI, &[("apple", 1)], 500).await;
        world.pass_ms(14 * 60 * crate::support::MINUTE_MS);
        // The next day in Shanghai.
        world.place(LI, &[("apple", 1)], 500).await;
        let table = |day: &'static str| {
            let ask = world.get(&format!("/api/order-reports/export?day={day}")).by(AUDITOR);
            async move { String::from_utf8(ask.reply().await.body.to_vec()).unwrap() }
        };
        let first = table("2026-11-02").await;
        assert_eq!(first, table("2026-11-02").await);
        assert_eq!(first.lines().count(), 3);
        assert!(first.contains("completed,paid,delivered") || first.contains("completed,paid,shipped"), "{first}");
        assert_eq!(table("2026-11-03").await.lines().count(), 2);
        world.get("/api/order-reports/export").by(WANG).refused(422, "day_missing").await;
        let sums = |by: &'static str, who| world.get(&format!("/api/order-reports/statistics?merchant=fruit&from=2026-11-01&to=2026-11-30&by={by}")).by(who);
        for (by, key) in [("day", "2026-11-02"), ("category", "fruits"), ("shop", "fruit")] {
            let sums = sums(by, FRUITER).content().await;
            let item = &sums["items"][0];
            assert_eq!((&item["key"], &item["orders"], &item["paid_minor"]), (&json!(key), &json!(1), &json!(1_000)));
            assert_eq!((&item["units"], &item["commission_minor"]), (&json!(2), &json!(100)));
        }
        sums("day", LAUNDERER).refused(404, "merchant_unknown").await;
        world.get("/api/order-reports/statistics?from=2026-11-01&to=2026-11-30").by(LI).refused(403, "reports_readers_only").await;
    })
    .await;
}

#[tokio::test]
async fn of_a_person_who_was_forgotten_orders_keep_what_was_sold() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let order = world.completed(&[("apple", 1)], 500).await;
        world
            .record(&wire::event::PersonErased {
                person: kernel::ActorId::parse("li").unwrap(),
                actor: kernel::ActorId::parse("wang").unwrap(),
            })
            .await;
        world.tick().await;
        let seen = world.whole(FRUITER, &order).await;
        assert_eq!(
            (&seen["buyer"], &seen["state"], &seen["address"]),
            (&json!("erased"), &json!("completed"), &json!(null))
        );
    })
    .await;
}
