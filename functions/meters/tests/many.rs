//! The readings of a community at once: how many are taken a second, on SQLite, from request to commit.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{GATEWAY, WANG, World, ago, on_each_engine};

const METERS: usize = 500;
const ROUNDS: i64 = 10;

async fn fill(world: &World) {
    for n in 0..METERS {
        let meter = json!({"id": format!("m{n}"), "community": "garden", "commodity": "electricity", "name": "x",
            "area": "x", "gateway": "gateway-1", "digits": 6, "opening_milli": 0, "opened_at": ago(100)});
        let reply = world
            .post("/api/meters")
            .by(WANG)
            .json(&meter)
            .reply()
            .await;
        assert_eq!(reply.status, 201);
    }
}

fn round(hour: i64) -> Value {
    let readings: Vec<Value> = (0..METERS)
        .map(|n| {
            let id = format!("r-{hour}-{n}");
            json!({"id": id, "meter": format!("m{n}"), "at": ago(99 - hour), "register_milli": 500 * (hour + 1)})
        })
        .collect();
    json!({"readings": readings})
}

#[tokio::test]
async fn five_hundred_meters_are_taken_in_one_transaction_with_few_statements() {
    // Both engines take the same; one is enough to measure.
    let measured = std::cell::Cell::new(false);
    on_each_engine(async |world| {
        if measured.replace(true) {
            return;
        }
        fill(&world).await;
        let rounds: Vec<Value> = (0..ROUNDS).map(round).collect();
        let start = Instant::now();
        for round in &rounds {
            let ask = world.post("/api/meter-readings").by(GATEWAY);
            let answer = ask.json(round).content().await;
            assert_eq!(answer["items"][0]["result"], "counted");
        }
        let took = start.elapsed();
        let count = METERS * usize::try_from(ROUNDS).unwrap();
        println!(
            "measured: readings over HTTP, {METERS} in a request: {}/s",
            u128::try_from(count).unwrap() * 1_000 / took.as_millis().max(1)
        );
        let start = Instant::now();
        for n in 0..200_i64 {
            let read = (ago(80), 6_000 + n);
            world
                .message(&format!("q{n}"), &format!("m{n}"), read)
                .await;
        }
        let took = start.elapsed();
        println!(
            "measured: messages of one reading: {}/s",
            200_000 / took.as_millis().max(1)
        );
        assert_eq!(world.readings("m7").await[0]["total_milli"], 6_007);
    })
    .await;
}
