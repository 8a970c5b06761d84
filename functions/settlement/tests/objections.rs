//! Confirming and disputing: line by line, within the window; a correction is a line of the open period.

use serde_json::{Value, json};

use crate::events::completed;
use crate::support::{MEI, RUN, WANG, World, on_each_engine};

/// A statement of two lines, 10.00 and 5.00; its path.
async fn sent(world: &mut World) -> String {
    for (line, commission) in [("l1", 1_000), ("l2", 500)] {
        world
            .record(&completed(("m1", line), commission, "2026-10-11T00:00:00Z"))
            .await;
    }
    world.tick_at(RUN).await;
    let statement = world.statement("m1").await;
    assert_eq!(statement["review"], "sent");
    format!("/api/statements/{}", statement["id"].as_str().unwrap())
}

fn lines(names: &[&str]) -> Value {
    json!({"lines": names, "reason": "数量有误"})
}

#[tokio::test]
async fn a_disputed_line_that_is_accepted_is_an_adjustment_of_the_open_period() {
    on_each_engine(async |mut world| {
        let path = sent(&mut world).await;
        let before = world.get(&path).by(MEI).content().await;
        let object = |names: &[&str]| {
            world
                .post(&format!("{path}/objections"))
                .by(MEI)
                .json(&lines(names))
        };
        object(&["commission.l1", "commission.l9"])
            .refused(404, "statement_line_unknown")
            .await;
        object(&["commission.l1", "commission.l2"]).content().await;
        object(&["commission.l1"])
            .refused(409, "line_disputed_before")
            .await;
        world
            .post(&format!("{path}/confirmation"))
            .by(MEI)
            .refused(409, "statement_disputed")
            .await;
        let decide = |line: &str, key: &'static str, body: Value| {
            let path = format!("{path}/objections/{line}/decision");
            world.post(&path).by(WANG).key(key).json(&body)
        };
        decide(
            "commission.l1",
            "a",
            json!({"adjustment_minor": -200, "note": "多收 2 元"}),
        )
        .content()
        .await;
        assert_eq!(
            world.get(&path).by(MEI).content().await["review"],
            "disputed"
        );
        decide("commission.l1", "b", json!({"note": "x"}))
            .refused(409, "objection_decided")
            .await;
        decide("commission.l2", "c", json!({"note": "核对无误"}))
            .content()
            .await;
        let after = world.get(&path).by(MEI).content().await;
        assert_eq!(after["review"], "confirmed");
        for field in ["total_minor", "owed_minor", "lines", "kinds"] {
            assert_eq!(before[field], after[field], "{field}");
        }
        world.pay((MEI, "m1"), 1_500, "pay").await;
        world.tick_at("2026-11-30T16:10:00Z").await;
        let next = world.statement("m1").await;
        assert_eq!(
            (&next["month"], &next["total_minor"]),
            (&json!("2026-11"), &json!(-200))
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn lines_are_disputed_until_the_window_is_over_to_the_millisecond() {
    on_each_engine(async |mut world| {
        let path = sent(&mut world).await;
        // Sent on 1 November in Shanghai; five days after it end with the 6th.
        world.at("2026-11-06T15:59:59.999Z");
        let object = |name: &str| {
            let path = format!("{path}/objections");
            world.post(&path).by(MEI).json(&lines(&[name]))
        };
        object("commission.l1").content().await;
        world.at("2026-11-06T16:00:00.000Z");
        world
            .post(&format!("{path}/objections"))
            .by(MEI)
            .json(&lines(&["commission.l2"]))
            .refused(409, "objection_window_over")
            .await;
    })
    .await;
}

#[tokio::test]
async fn silence_confirms_three_days_before_the_due_moment_and_a_word_before_that() {
    on_each_engine(async |mut world| {
        let path = sent(&mut world).await;
        assert_eq!(
            world.tick_at("2026-11-12T15:59:59.999Z").await["confirmed"],
            0
        );
        assert_eq!(
            world.tick_at("2026-11-12T16:00:00.000Z").await["confirmed"],
            1
        );
        assert_eq!(
            world.get(&path).by(MEI).content().await["state"],
            "confirmed"
        );
        assert!(world.last_fact("statement.confirmed").await["actor"].is_null());
        world
            .record(&completed(("m1", "l3"), 100, "2026-11-20T00:00:00Z"))
            .await;
        world.tick_at("2026-11-30T16:10:00Z").await;
        let id = world.statement("m1").await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let confirm = format!("/api/statements/{id}/confirmation");
        for _ in 0..2 {
            let confirmed = world.post(&confirm).by(MEI).content().await;
            assert_eq!(confirmed["review"], "confirmed");
        }
        assert_eq!(world.count("statement.confirmed").await, 2);
        world
            .post(&format!("/api/statements/{id}/objections"))
            .by(MEI)
            .json(&lines(&["commission.l3"]))
            .refused(409, "objection_window_over")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_correction_of_nothing_is_refused() {
    on_each_engine(async |world| {
        for (minor, revenue, code) in [
            (0, "hosting", "adjustment_invalid"),
            (1_000_000_001, "hosting", "adjustment_invalid"),
            (1, "sales", "revenue_unknown"),
        ] {
            let body =
                json!({"merchant": "m1", "revenue": revenue, "amount_minor": minor, "reason": "x"});
            world
                .post("/api/settlements/adjustments")
                .by(WANG)
                .key("x")
                .json(&body)
                .refused(422, code)
                .await;
        }
    })
    .await;
}
