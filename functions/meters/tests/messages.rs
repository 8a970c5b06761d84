//! What gateways read: twice, late, out of order, with a wrong clock, or not theirs.

use kernel::{DeviceId, Timestamp};
use serde_json::{Value, json};
use trigger::Outcome;
use wire::meter::{Readings, Unit};

use crate::support::{HOUR_MS, WANG, World, ago, on_each_engine, reading};

fn receipts(published: &[(String, Value)]) -> usize {
    let is_receipt = |message: &Value| message["body"]["action"] == "receipt";
    published
        .iter()
        .filter(|(topic, message)| {
            topic == "linli/demo/gateway/gateway-1/cmd" && is_receipt(message)
        })
        .count()
}

fn is_rejected(outcome: &Outcome, because: &str) -> bool {
    matches!(outcome, Outcome::Reject(reason) if reason.contains(because))
}

async fn total(world: &World, meter: &str) -> i64 {
    let readings = world.readings(meter).await;
    readings[0]["total_milli"].as_i64().unwrap()
}

#[tokio::test]
async fn a_reading_that_comes_twice_is_stored_once_and_receipted_each_time() {
    on_each_engine(async |world| {
        for message in ["m1", "m1", "m2"] {
            let outcome = world.message(message, "e101", (ago(1), 5_000)).await;
            assert_eq!(outcome, Outcome::Done);
        }
        assert_eq!(receipts(&world.published()), 3);
        let readings = world.readings("e101").await;
        assert_eq!(readings.len(), 2);
        assert_eq!(readings[0]["total_milli"], 4_000);
        assert_eq!(readings[0]["gateway"], "gateway-1");
    })
    .await;
}

#[tokio::test]
async fn the_order_of_arrival_does_not_matter() {
    let registers = [2_000, 3_000, 2_500, 200_000, 4_000, 5_000, 4_900, 6_000];
    let mut seen: Vec<Vec<Value>> = Vec::new();
    for order in [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [7, 6, 5, 4, 3, 2, 1, 0],
        [3, 7, 0, 6, 1, 5, 2, 4],
    ] {
        let results = std::cell::RefCell::new(Vec::new());
        on_each_engine(async |world| {
            for index in order {
                let hour = 10 - i64::try_from(index).unwrap();
                let read = (ago(hour), registers[index]);
                world.message(&format!("m{index}"), "e101", read).await;
                world.message(&format!("m{index}"), "e101", read).await;
            }
            let readings = world.readings("e101").await;
            let stands = readings.iter().map(|reading| {
                json!([
                    reading["at"],
                    reading["verdict"],
                    reading["reason"],
                    reading["total_milli"]
                ])
            });
            results.borrow_mut().push(stands.collect::<Vec<_>>());
        })
        .await;
        seen.extend(results.into_inner());
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
    let verdicts: Vec<&Value> = seen[0].iter().map(|reading| &reading[1]).collect();
    let held = verdicts
        .iter()
        .filter(|verdict| **verdict == "held")
        .count();
    assert_eq!(held, 3, "{:#?}", seen[0]);
}

#[tokio::test]
async fn a_clock_of_1970_waits_for_review_and_counts_at_our_time_once_accepted() {
    on_each_engine(async |mut world| {
        let epoch = Timestamp::EPOCH;
        world.message("m1", "e101", (epoch, 5_000)).await;
        let first = &world.readings("e101").await[0];
        assert_eq!(first["clock_believed"], false);
        assert_eq!(first["at"], json!(world.context.now));
        assert_eq!(first["device_at"], json!(epoch));
        assert_eq!(
            (&first["verdict"], &first["reason"]),
            (&json!("held"), &json!("clock_invalid"))
        );
        let shown = world.get("/api/meters/e101").by(WANG).content().await;
        assert_eq!(shown["register_milli"], 1_000, "it does not count yet");
        let quarantined = world.facts("reading.quarantined").await;
        assert_eq!(quarantined[0]["reason"], "clock_invalid");
        // The next message says the same moment and is another reading; the same message again is not.
        world.pass_ms(HOUR_MS);
        world.message("m2", "e101", (epoch, 6_000)).await;
        world.message("m2", "e101", (epoch, 6_000)).await;
        assert_eq!(world.readings("e101").await.len(), 3);
        let uri = "/api/meter-reviews?community=garden";
        let queue = world.get(uri).by(WANG).content().await;
        assert_eq!(queue["items"].as_array().unwrap().len(), 2);
        let id = first["id"].as_str().unwrap();
        let accept = json!({"decision": "accept", "reason": "网关时钟未校准，读数与现场一致"});
        let ask = world.put(&format!("/api/meter-reviews/{id}")).by(WANG);
        let accepted = ask.json(&accept).content().await;
        assert_eq!(accepted["verdict"], "counted");
        assert_eq!(accepted["at"], first["at"], "at our time of arrival");
        assert_eq!(total(&world, "e101").await, 4_000);
        // A good reading afterwards counts on from there, and the other one still waits.
        let now = world.context.now.plus_millis(1_000);
        world.message("m3", "e101", (now, 7_000)).await;
        assert_eq!(total(&world, "e101").await, 6_000);
        let queue = world.get(uri).by(WANG).content().await;
        assert_eq!(queue["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_the_gateway_of_a_meter_is_believed_about_it() {
    on_each_engine(async |world| {
        let foreign = Readings {
            gateway: DeviceId::parse("gateway-2").unwrap(),
            readings: vec![reading("e101", (ago(1), 5_000))],
        };
        let topic = "linli/demo/meter/e101/reading";
        let outcome = world.receive(topic, "m1", foreign.clone()).await;
        assert!(is_rejected(&outcome, "gateway_foreign"), "{outcome:?}");
        let own = |readings| Readings {
            gateway: DeviceId::parse("gateway-1").unwrap(),
            readings,
        };
        let other = own(vec![reading("w102", (ago(1), 5_000))]);
        let outcome = world.receive(topic, "m2", other).await;
        assert!(is_rejected(&outcome, "topic_foreign"), "{outcome:?}");
        let mut litres = reading("e101", (ago(1), 5_000));
        litres.registers[0].unit = Unit::CubicMetre;
        let outcome = world.receive(topic, "m3", own(vec![litres])).await;
        assert!(is_rejected(&outcome, "unit_foreign"), "{outcome:?}");
        let outcome = world.receive(topic, "m4", own(vec![])).await;
        assert!(is_rejected(&outcome, "readings_count"), "{outcome:?}");
        let outcome = world
            .receive("linli/demo/gateway/gateway-1/reading", "m5", foreign)
            .await;
        assert!(is_rejected(&outcome, "topic_foreign"), "{outcome:?}");
        assert_eq!(world.readings("e101").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_gateway_sends_many_meters_at_once_and_what_is_wrong_of_them_is_left_out() {
    on_each_engine(async |world| {
        let many = Readings {
            gateway: DeviceId::parse("gateway-1").unwrap(),
            readings: vec![
                reading("e101", (ago(2), 4_000)),
                reading("nothing", (ago(2), 4_000)),
                reading("e101", (ago(1), 6_000)),
            ],
        };
        let topic = "linli/demo/gateway/gateway-1/reading";
        assert_eq!(world.receive(topic, "m1", many).await, Outcome::Done);
        assert_eq!(total(&world, "e101").await, 5_000);
    })
    .await;
}

#[tokio::test]
async fn a_message_of_which_nothing_is_taken_is_receipted_too() {
    on_each_engine(async |world| {
        let unknown = Readings {
            gateway: DeviceId::parse("gateway-1").unwrap(),
            readings: vec![
                reading("nothing", (ago(2), 4_000)),
                reading("nowhere", (ago(2), 4_000)),
            ],
        };
        let topic = "linli/demo/gateway/gateway-1/reading";
        let outcome = world.receive(topic, "m1", unknown).await;
        assert!(is_rejected(&outcome, "meter_unknown"), "{outcome:?}");
        assert_eq!(receipts(&world.published()), 1);
        // A newer gateway may say what is not known here: put aside, and not sent again.
        let newer = json!({"id": "m2", "at": ago(1), "body": {"gateway": "gateway-1", "readings": [{"meter": 7}]}});
        let payload = newer.to_string().into_bytes();
        let outcome = meters::mqtt::receive(&world.context, topic, &payload).await;
        assert!(is_rejected(&outcome, "message_unreadable"), "{outcome:?}");
        assert_eq!(receipts(&world.published()), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_message_is_rejected_and_a_broker_that_is_away_loses_nothing() {
    on_each_engine(async |mut world| {
        for (topic, payload) in [
            ("linli/demo/meter/e101/reading", "{"),
            ("linli/demo/meter/e101/state", "{}"),
            ("linli/demo/door/e101/reading", "{}"),
            ("elsewhere", "{}"),
        ] {
            let outcome = meters::mqtt::receive(&world.context, topic, payload.as_bytes()).await;
            assert!(matches!(outcome, Outcome::Reject(_)), "{topic}");
        }
        world.context.outbox.broken = true;
        let outcome = world.message("m1", "e101", (ago(1), 5_000)).await;
        assert_eq!(outcome, Outcome::Done);
        let shown = world.get("/api/meters/e101").by(WANG).content().await;
        assert_eq!(shown["register_milli"], 5_000);
    })
    .await;
}

#[tokio::test]
async fn a_ring_is_heard_at_once_and_closing_a_month_rings() {
    on_each_engine(async |mut world| {
        world.room("r103").await;
        let ring = || meters::mqtt::receive(&world.context, "linli/demo/event", b"");
        assert_eq!(ring().await, Outcome::Done);
        assert_eq!(world.tick().await["heard"], 0);
        let _ = world.context.outbox.take_rung();
        world.message("m1", "e101", (ago(1), 5_000)).await;
        assert!(
            world.context.outbox.take_rung().is_empty(),
            "nobody waits for readings"
        );
        world.go_to("2027-02-02T00:00:00+08:00");
        let now = world.context.now;
        world.message("m2", "e101", (now, 6_000)).await;
        let period = json!({"community": "garden", "period": "2027-01"});
        let ask = world.post("/api/meter-periods").by(WANG).json(&period);
        ask.content().await;
        assert_eq!(world.context.outbox.take_rung().len(), 1);
    })
    .await;
}
