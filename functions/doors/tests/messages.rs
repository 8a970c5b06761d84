//! What doors say, and what the heartbeat does about those that say nothing.

use kernel::{DeviceId, MessageId};
use serde_json::{Value, json};
use trigger::Outcome;
use wire::door::{OccurrenceKind, Outcome as Answer};

use crate::support::{CHEN, SECRET, WANG, World, on_each_engine};

fn is_rejected(outcome: &Outcome, because: &str) -> bool {
    matches!(outcome, Outcome::Reject(reason) if reason.contains(because))
}

fn receipts(published: &[(String, Value)]) -> usize {
    published
        .iter()
        .filter(|(_, message)| message["body"]["action"] == "receipt")
        .count()
}

async fn tick(world: &World) -> Value {
    world
        .post("/internal/ticks/doors")
        .bearer(SECRET)
        .content()
        .await
}

#[tokio::test]
async fn an_answer_twice_and_out_of_order_is_stored_once_and_receipted_each_time() {
    on_each_engine(async |mut world| {
        let id = world.opening_of_li().await;
        world.published();
        for outcome in [
            Answer::Opened,
            Answer::Opened,
            Answer::Expired,
            Answer::Failed {
                reason: "NAK".into(),
            },
        ] {
            world.pass_ms(10);
            assert_eq!(world.answer("gateway-1", &id, outcome).await, Outcome::Done);
        }
        assert_eq!(receipts(&world.published()), 4);
        let opening = world.opening(&id).await;
        assert_eq!(
            (&opening["state"], &opening["latency_ms"]),
            (&json!("opened"), &json!(10))
        );
        assert_eq!(
            world
                .facts()
                .await
                .iter()
                .filter(|kind| kind.starts_with("door.open"))
                .count(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_controller_says_is_shown() {
    on_each_engine(async |mut world| {
        let failed = world.opening_of_li().await;
        world
            .answer(
                "gateway-1",
                &failed,
                Answer::Failed {
                    reason: "NAK 03\n".into(),
                },
            )
            .await;
        let failed = world.opening(&failed).await;
        assert_eq!(
            (&failed["state"], &failed["reason"]),
            (&json!("failed"), &json!("NAK 03"))
        );
        world.pass_ms(3_000);
        let expired = world.opening_of_li().await;
        world.answer("gateway-1", &expired, Answer::Expired).await;
        assert_eq!(world.opening(&expired).await["state"], "expired");
        assert_eq!(
            world
                .facts()
                .await
                .iter()
                .filter(|kind| *kind == "door.opening_failed")
                .count(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_recorded_and_changes_nothing() {
    on_each_engine(async |mut world| {
        for stored_before in [true, false] {
            let id = world.opening_of_li().await;
            world.pass_ms(6_000);
            if stored_before {
                assert_eq!(tick(&world).await["timed_out"], 1);
            }
            for _ in 0..2 {
                assert_eq!(
                    world.answer("gateway-1", &id, Answer::Opened).await,
                    Outcome::Done
                );
                world.pass_ms(50);
            }
            let opening = world.opening(&id).await;
            assert_eq!(
                (&opening["state"], &opening["late"]["result"]),
                (&json!("timed_out"), &json!("opened"))
            );
            let facts = world.facts().await;
            assert_eq!(
                facts[facts.len() - 2..],
                ["door.opening_timed_out", "door.opening_answered_late"]
            );
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_nothing_is_rejected_and_receipted() {
    on_each_engine(async |world| {
        let outcome = world
            .answer("gateway-1", "no-such-opening", Answer::Opened)
            .await;
        assert!(is_rejected(&outcome, "opening_unknown"), "{outcome:?}");
        assert_eq!(receipts(&world.published()), 1);
    })
    .await;
}

#[tokio::test]
async fn another_gateway_cannot_answer_for_the_door() {
    on_each_engine(async |world| {
        let id = world.opening_of_li().await;
        let outcome = world.answer("gateway-2", &id, Answer::Opened).await;
        assert!(is_rejected(&outcome, "gateway_foreign"), "{outcome:?}");
        assert_eq!(world.opening(&id).await["state"], "requested");
    })
    .await;
}

#[tokio::test]
async fn an_answer_of_another_tenant_or_door_settles_nothing() {
    on_each_engine(async |world| {
        let id = world.opening_of_li().await;
        let body = json!({"opening": id, "gateway": "gateway-1", "outcome": {"result": "opened"}});
        let payload = json!({"id": "m", "at": "2027-01-15T08:00:00Z", "body": body}).to_string();
        for topic in ["linli/other/door/north/ack", "linli/demo/door/pier/ack"] {
            assert!(
                is_rejected(
                    &world.receive(topic, payload.as_bytes()).await,
                    "opening_unknown"
                ),
                "{topic}"
            );
        }
        assert_eq!(world.opening(&id).await["state"], "requested");
        assert_eq!(
            world
                .receive("linli/demo/door/north/ack", payload.as_bytes())
                .await,
            Outcome::Done
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_no_message_is_rejected_with_its_reason() {
    on_each_engine(async |world| {
        for (topic, payload, because) in [
            ("linli/demo/door/north/ack", "{", "not the message"),
            (
                "linli/demo/door/north/ack",
                r#"{"id":"a b","at":"2027-01-15T08:00:00Z","body":{}}"#,
                "1 to 64",
            ),
            ("linli/demo/door/north/event", "7", "not the message"),
            ("linli/demo/door/north/cmd", "{}", "channel"),
            ("linli/demo/meter/m1/event", "{}", "topic"),
            ("nonsense", "{}", "topic"),
        ] {
            let outcome = world.receive(topic, payload.as_bytes()).await;
            assert!(
                is_rejected(&outcome, because),
                "{topic} {payload}: {outcome:?}"
            );
        }
        let long = vec![b'x'; wire::PAYLOAD_BYTES_MAX + 1];
        assert!(is_rejected(
            &world.receive("linli/demo/door/north/ack", &long).await,
            "bytes"
        ));
        assert_eq!(world.published(), []);
    })
    .await;
}

#[tokio::test]
async fn an_occurrence_is_kept_once_and_listed_with_the_latest_first() {
    on_each_engine(async |mut world| {
        for (id, kind) in [
            ("m1", OccurrenceKind::RetainedCommandRefused),
            (
                "m2",
                OccurrenceKind::ControllerLost {
                    reason: "no answer".into(),
                },
            ),
            ("m1", OccurrenceKind::RetainedCommandRefused),
            ("m0", OccurrenceKind::ControllerFound),
        ] {
            let body = wire::door::Occurrence {
                gateway: DeviceId::parse("gateway-1").unwrap(),
                kind,
            };
            let message = wire::Message {
                id: MessageId::parse(id).unwrap(),
                at: world.context.now,
                body,
            };
            let outcome = world
                .receive(
                    "linli/demo/door/north/event",
                    &message.to_payload().unwrap(),
                )
                .await;
            assert_eq!(outcome, Outcome::Done);
            world.pass_ms(1_000);
        }
        assert_eq!(receipts(&world.published()), 4);
        let list = world
            .get("/api/doors/north/occurrences?limit=2")
            .by(CHEN)
            .content()
            .await;
        let kinds: Vec<_> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["occurrence"].clone())
            .collect();
        assert_eq!(kinds, ["controller_found", "controller_lost"]);
        let rest = world
            .get("/api/doors/north/occurrences?limit=2&after=m2")
            .by(WANG)
            .content()
            .await;
        assert_eq!(rest["items"][0]["occurrence"], "retained_command_refused");
        assert_eq!(rest["next"], json!(null));
        let facts = world.facts().await;
        assert_eq!(
            facts
                .iter()
                .filter(|kind| *kind == "door.occurrence_reported")
                .count(),
            3
        );
    })
    .await;
}

#[tokio::test]
async fn a_tick_settles_what_is_owed_and_a_second_one_nothing() {
    on_each_engine(async |mut world| {
        let overdue = world.opening_of_li().await;
        world.pass_ms(3_000);
        let waiting = world.opening_of_li().await;
        world.pass_ms(2_000);
        let done = tick(&world).await;
        assert_eq!(
            (&done["timed_out"], &done["forgotten"], &done["more"]),
            (&json!(1), &json!(0), &json!(false))
        );
        assert_eq!(tick(&world).await["timed_out"], 0);
        assert_eq!(world.opening(&overdue).await["state"], "timed_out");
        assert_eq!(world.opening(&waiting).await["state"], "requested");
        assert_eq!(
            world.facts().await.last().unwrap(),
            "door.opening_timed_out"
        );
    })
    .await;
}

#[tokio::test]
async fn a_tick_stops_at_its_limit_and_the_next_one_goes_on() {
    on_each_engine(async |mut world| {
        for _ in 0..=doors::cron::TICK_OPENINGS_MAX {
            let ask = world.post("/api/doors/north/openings").by(CHEN);
            ask.json(&json!({"reason": "测试"})).content().await;
        }
        world.pass_ms(5_000);
        let done = tick(&world).await;
        assert_eq!(
            (&done["timed_out"], &done["more"]),
            (&json!(doors::cron::TICK_OPENINGS_MAX), &json!(true))
        );
        let done = tick(&world).await;
        assert_eq!(
            (&done["timed_out"], &done["more"]),
            (&json!(1), &json!(false))
        );
    })
    .await;
}

#[tokio::test]
async fn a_tick_forgets_old_keys() {
    on_each_engine(async |mut world| {
        let ask = world
            .post("/api/doors/north/openings")
            .by(WANG)
            .header("idempotency-key", "k");
        ask.json(&json!({"reason": "巡检"})).content().await;
        world.pass_ms(store::RETENTION_MS + 1);
        assert_eq!(tick(&world).await["forgotten"], 1);
    })
    .await;
}
