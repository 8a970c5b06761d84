//! Money for prepaid meters: from fees to the meter, and the meter's word back to fees.

use kernel::{ActorId, Commodity, CommunityId, RechargeId, RoomId};
use serde_json::{Value, json};
use trigger::Outcome;
use wire::event::{RechargeCommanded, RechargeFinished};
use wire::meter::Outcome as Answer;

use crate::support::{CHEN, HOUR_MS, WANG, World, on_each_engine};

const MINUTE_MS: i64 = 60_000;

/// A prepaid water meter in r101 that gateway-1 reads.
async fn prepaid(world: &World) {
    let meter = json!({"id": "p101", "community": "garden", "commodity": "water", "name": "预付费水表", "room": "r101",
        "gateway": "gateway-1", "digits": 5, "opening_milli": 0, "prepaid": true});
    let shown = world
        .post("/api/meters")
        .by(WANG)
        .json(&meter)
        .content()
        .await;
    assert_eq!(shown["prepaid"], true);
}

async fn paid(world: &World, id: &str, amount_minor: i64) {
    let fact = RechargeCommanded {
        recharge: RechargeId::parse(id).unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        room: RoomId::parse("r101").unwrap(),
        commodity: Commodity::Water,
        amount_minor,
    };
    world.record(&fact).await;
    let rung = meters::mqtt::receive(&world.context, "linli/demo/event", b"");
    assert_eq!(rung.await, Outcome::Done);
}

async fn answer(world: &World, message: &str, command: &str, outcome: Answer) {
    let stored = world.answer(("gateway-1", "p101"), (message, command), outcome);
    assert_eq!(stored.await, Outcome::Done);
}

async fn recharges(world: &World) -> Vec<Value> {
    let ask = world.get("/api/meters/p101/recharges").by(CHEN);
    ask.content().await["items"].as_array().unwrap().clone()
}

fn orders(world: &World) -> Vec<(String, Value, Value)> {
    let told = world.told().into_iter();
    let orders = told.map(|(meter, body)| {
        assert_eq!(
            (meter.as_str(), &body["action"]),
            ("p101", &json!("recharge"))
        );
        let command = body["command"].as_str().unwrap().to_owned();
        (
            command,
            body["amount_minor"].clone(),
            body["number"].clone(),
        )
    });
    orders.collect()
}

fn order(command: &str, amount: i64, number: Value) -> (String, Value, Value) {
    (command.to_owned(), json!(amount), number)
}

#[tokio::test]
async fn the_meter_is_asked_for_its_number_and_then_takes_the_money_once() {
    on_each_engine(async |world| {
        prepaid(&world).await;
        paid(&world, "r1", 5_000).await;
        assert_eq!(orders(&world), [order("r1-1", 5_000, Value::Null)]);
        assert_eq!(world.tick().await["sent"], 0, "it waits for the answer");
        answer(&world, "a1", "r1-1", Answer::Counted { number: 6 }).await;
        assert_eq!(orders(&world), [order("r1-2", 5_000, json!(7))]);
        for message in ["a2", "a2", "a3"] {
            answer(&world, message, "r1-2", Answer::Done).await;
        }
        assert_eq!(recharges(&world).await[0]["state"], "done");
        let told = world.facts("meter.recharged").await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (&told[0]["recharge"], &told[0]["taken"], &told[0]["gateway"]),
            (&json!("r1"), &json!(true), &json!("gateway-1"))
        );
        let foreign = world.answer(("gateway-2", "p101"), ("a4", "r1-2"), Answer::Done);
        assert!(matches!(foreign.await, Outcome::Reject(why) if why.contains("gateway_foreign")));
        let unknown = world.answer(("gateway-1", "p101"), ("a5", "r2-1"), Answer::Done);
        assert!(matches!(unknown.await, Outcome::Reject(why) if why.contains("command_unknown")));
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_number() {
    on_each_engine(async |mut world| {
        prepaid(&world).await;
        paid(&world, "r1", 5_000).await;
        answer(&world, "a1", "r1-1", Answer::Counted { number: 6 }).await;
        let _ = world.told();
        let reason = "interrupted".to_owned();
        answer(&world, "a2", "r1-2", Answer::Unanswered { reason }).await;
        assert!(orders(&world).is_empty());
        world.pass_ms(10 * MINUTE_MS);
        assert_eq!(world.tick().await["sent"], 1);
        assert_eq!(orders(&world), [order("r1-3", 5_000, json!(7))]);
        answer(&world, "a3", "r1-3", Answer::Done).await;
        assert_eq!(world.facts("meter.recharged").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn recharges_of_one_meter_go_one_after_another() {
    on_each_engine(async |mut world| {
        prepaid(&world).await;
        paid(&world, "r1", 5_000).await;
        paid(&world, "r2", 5_000).await;
        assert_eq!(orders(&world), [order("r1-1", 5_000, Value::Null)]);
        answer(&world, "a1", "r1-1", Answer::Counted { number: 0 }).await;
        answer(&world, "a2", "r1-2", Answer::Done).await;
        let _ = world.told();
        world.pass_ms(MINUTE_MS);
        world.tick().await;
        assert_eq!(orders(&world), [order("r2-1", 5_000, Value::Null)]);
        answer(&world, "a3", "r2-1", Answer::Counted { number: 1 }).await;
        assert_eq!(orders(&world), [order("r2-2", 5_000, json!(2))]);
    })
    .await;
}

#[tokio::test]
async fn what_no_meter_takes_is_left_to_people_and_what_it_refuses_is_told() {
    on_each_engine(async |mut world| {
        // Without a prepaid meter somebody brings it there.
        paid(&world, "r0", 5_000).await;
        assert!(orders(&world).is_empty());
        prepaid(&world).await;
        paid(&world, "r1", 5_000).await;
        let reason = || "no".to_owned();
        answer(
            &world,
            "a1",
            "r1-1",
            Answer::Unsupported { reason: reason() },
        )
        .await;
        assert_eq!(recharges(&world).await[0]["state"], "unsupported");
        assert!(world.facts("meter.recharged").await.is_empty());
        paid(&world, "r2", 5_000).await;
        answer(&world, "a2", "r2-1", Answer::Refused { reason: reason() }).await;
        let told = world.facts("meter.recharged").await;
        assert_eq!(
            (&told[0]["taken"], &told[0]["detail"]),
            (&json!(false), &json!("no"))
        );
        // The gateway is away for most of a day; then the money goes back.
        paid(&world, "r3", 5_000).await;
        let _ = world.told();
        for _ in 0..3 {
            world.pass_ms(HOUR_MS);
            assert_eq!(world.tick().await["sent"], 1);
        }
        world.pass_ms(17 * HOUR_MS);
        assert_eq!(world.tick().await["sent"], 0);
        let stands = recharges(&world).await;
        assert_eq!(
            (&stands[0]["state"], &stands[0]["attempts"]),
            (&json!("timed_out"), &json!(4))
        );
    })
    .await;
}

#[tokio::test]
async fn a_recharge_that_fees_have_ended_is_tried_no_more() {
    on_each_engine(async |mut world| {
        prepaid(&world).await;
        paid(&world, "r1", 5_000).await;
        let finished = RechargeFinished {
            recharge: RechargeId::parse("r1").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            room: RoomId::parse("r101").unwrap(),
            amount_minor: 5_000,
            state: "confirmed".to_owned(),
            actor: ActorId::parse("chen").ok(),
        };
        world.record(&finished).await;
        let _ = world.told();
        world.pass_ms(HOUR_MS);
        assert_eq!(world.tick().await["sent"], 0);
        assert_eq!(recharges(&world).await[0]["state"], "cancelled");
    })
    .await;
}
