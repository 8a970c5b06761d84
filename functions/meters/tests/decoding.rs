//! Messages in a vendor's own format: decoded by the plugin, judged like any other reading.

use kernel::{DeviceId, MessageId, Timestamp};
use serde_json::{Value, json};
use trigger::Outcome;
use wire::meter::{RawReading, RawReadings};

use crate::support::{CHEN, WANG, World, ago, on_each_engine};

/// A pulse counter's message: `A5 status pulses checksum`.
fn message(pulses: u32) -> String {
    let mut bytes = vec![0xA5, 0x00];
    bytes.extend(pulses.to_le_bytes());
    bytes.push(bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn counter(world: &World) {
    let meter = json!({"id": "c101", "community": "garden", "commodity": "water", "name": "脉冲水表", "room": "r101",
        "gateway": "gateway-1", "digits": 5, "opening_milli": 5_000, "opened_at": ago(100),
        "decoding": {"step_milli": 10, "offset_milli": 5_000}});
    let shown = world
        .post("/api/meters")
        .by(WANG)
        .json(&meter)
        .content()
        .await;
    assert_eq!(
        shown["decoding"],
        json!({"step_milli": 10, "offset_milli": 5_000})
    );
}

async fn say(world: &World, id: &str, said: &[(&str, Timestamp, &str)]) -> Outcome {
    let raw = |(meter, read_at, bytes): &(&str, Timestamp, &str)| RawReading {
        meter: DeviceId::parse(meter).unwrap(),
        read_at: *read_at,
        bytes: (*bytes).to_owned(),
    };
    let message = wire::Message {
        id: MessageId::parse(id).unwrap(),
        at: world.context.now,
        body: RawReadings {
            gateway: DeviceId::parse("gateway-1").unwrap(),
            messages: said.iter().map(raw).collect(),
        },
    };
    let topic = "linli/demo/gateway/gateway-1/reading";
    meters::mqtt::receive(&world.context, topic, &message.to_payload().unwrap()).await
}

fn is_rejected(outcome: &Outcome, because: &str) -> bool {
    matches!(outcome, Outcome::Reject(why) if why.contains(because))
}

#[tokio::test]
async fn what_a_vendors_device_says_is_decoded_and_judged() {
    on_each_engine(async |world| {
        counter(&world).await;
        let (first, next, back) = (message(100), message(250), message(200));
        let outcome = say(
            &world,
            "m1",
            &[("c101", ago(9), &first), ("c101", ago(8), &next)],
        )
        .await;
        assert_eq!(outcome, Outcome::Done);
        assert_eq!(
            say(&world, "m2", &[("c101", ago(7), &back)]).await,
            Outcome::Done
        );
        let readings = world.readings("c101").await;
        assert_eq!(
            (&readings[0]["verdict"], &readings[0]["reason"]),
            (&json!("held"), &json!("backwards"))
        );
        assert_eq!(
            (&readings[1]["register_milli"], &readings[1]["total_milli"]),
            (&json!(7_500), &json!(2_500))
        );
        assert_eq!(readings[1]["flags"], json!(["gateway_clock"]));
        // The same message again is the same reading; a clock of 1970 waits.
        say(&world, "m2", &[("c101", ago(7), &back)]).await;
        assert_eq!(world.readings("c101").await.len(), readings.len());
        let epoch = Timestamp::EPOCH;
        say(&world, "m3", &[("c101", epoch, &message(300))]).await;
        assert_eq!(world.readings("c101").await[0]["reason"], "clock_invalid");
    })
    .await;
}

#[tokio::test]
async fn what_the_decoder_makes_nothing_of_is_put_aside_with_its_words() {
    on_each_engine(async |world| {
        counter(&world).await;
        let good = message(100);
        let broken = good.replace("a5", "a6");
        let spoilt = format!("{}00", &good[..12]);
        for (id, meter, bytes, because) in [
            ("m1", "c101", broken.as_str(), "wrong-format"),
            ("m2", "c101", spoilt.as_str(), "wrong-checksum"),
            ("m3", "c101", &good[..12], "wrong-length"),
            ("m4", "c101", "xyz", "bytes_invalid"),
            ("m5", "e101", good.as_str(), "decoding_missing"),
            ("m6", "nothing", good.as_str(), "meter_unknown"),
        ] {
            let outcome = say(&world, id, &[(meter, ago(1), bytes)]).await;
            assert!(is_rejected(&outcome, because), "{because}: {outcome:?}");
        }
        assert!(is_rejected(&say(&world, "m7", &[]).await, "readings_count"));
        assert_eq!(world.readings("c101").await.len(), 1, "the opening");
        let mixed = [
            ("c101", ago(2), broken.as_str()),
            ("c101", ago(1), good.as_str()),
        ];
        assert_eq!(say(&world, "m8", &mixed).await, Outcome::Done);
        assert_eq!(world.readings("c101").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_preview_says_what_a_message_is_worth_and_stores_nothing() {
    on_each_engine(async |world| {
        let ask = |bytes: &str, step: i64| json!({"commodity": "water", "decoding": {"step_milli": step, "offset_milli": 5_000}, "bytes": bytes});
        let post = async |body: &Value| {
            let ask = world.post("/api/meter-decodings").by(CHEN);
            ask.json(body).content().await
        };
        let shown = post(&ask(&message(1_234), 10)).await;
        let total = json!({"register": "total", "value_milli": 17_340, "unit": "m3"});
        assert_eq!(shown, json!({"registers": [total]}));
        let refuse = async |body: Value, code: &str| {
            let ask = world.post("/api/meter-decodings").by(CHEN);
            ask.json(&body).refused(422, code).await
        };
        let problem = refuse(ask("a500", 10), "not_decoded").await;
        assert!(problem["detail"].as_str().unwrap().contains("wrong-length"));
        refuse(ask("", 10), "bytes_invalid").await;
        refuse(ask(&message(1), 0), "decoding_invalid").await;
    })
    .await;
}
