//! Cutting and restoring a supply: for a reason, once, and settled by the meter's answer or by time.

use serde_json::{Value, json};
use trigger::Outcome;
use wire::meter::Outcome as Answer;

use crate::support::{AUDITOR, CHEN, LI, World, on_each_engine};

const URI: &str = "/api/meters/e101/switchings";

async fn ask(world: &World, key: &str, body: &Value) -> Value {
    let ask = world.post(URI).by(CHEN).header("idempotency-key", key);
    ask.json(body).content().await
}

fn cut() -> Value {
    json!({"supply": "off", "reason": "danger", "note": "配电箱冒烟"})
}

async fn state(world: &World, asked: &Value) -> Value {
    let uri = format!("{URI}/{}", asked["id"].as_str().unwrap());
    world.get(&uri).by(LI).content().await
}

fn id(asked: &Value) -> &str {
    asked["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_supply_is_cut_by_one_order_and_done_when_the_meter_says_so() {
    on_each_engine(async |world| {
        let asked = ask(&world, "k1", &cut()).await;
        let again = ask(&world, "k1", &cut()).await;
        assert_eq!((&asked, &asked["state"]), (&again, &json!("requested")));
        let told = world.told();
        let [(meter, order)] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert_eq!(meter, "e101");
        assert_eq!(
            (&order["command"], &order["action"], &order["supply"]),
            (&asked["id"], &json!("switch"), &json!("off"))
        );
        assert_eq!(order["expires_at"], asked["expires_at"]);
        for message in ["a1", "a1", "a2"] {
            let gateway = ("gateway-1", "e101");
            let outcome = world.answer(gateway, (message, id(&asked)), Answer::Done);
            assert_eq!(outcome.await, Outcome::Done);
        }
        let shown = state(&world, &asked).await;
        assert_eq!(
            (&shown["state"], &shown["reason"], &shown["actor"]),
            (&json!("done"), &json!("danger"), &json!("chen"))
        );
        assert_eq!(world.facts("meter.switching_requested").await.len(), 1);
        let settled = world.facts("meter.switching_settled").await;
        assert_eq!(settled.len(), 1);
        assert_eq!(
            (&settled[0]["room"], &settled[0]["state"]),
            (&json!("r101"), &json!("done"))
        );
        let list = world.get(URI).by(AUDITOR).content().await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        let on = ask(&world, "k2", &json!({"supply": "on"})).await;
        assert_eq!(on["reason"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn nobodys_supply_is_cut_for_property_fees_or_without_a_reason() {
    on_each_engine(async |world| {
        for (body, code) in [
            (
                json!({"supply": "off", "reason": "unpaid_property_fees"}),
                "supply_protected",
            ),
            (
                json!({"supply": "off", "reason": "arrears"}),
                "supply_protected",
            ),
            (
                json!({"supply": "off", "reason": "whim"}),
                "switching_reason",
            ),
            (json!({"supply": "off"}), "switching_reason"),
        ] {
            let problem = world
                .post(URI)
                .by(CHEN)
                .json(&body)
                .refused(422, code)
                .await;
            if code == "supply_protected" {
                assert!(
                    problem["detail"].as_str().unwrap().contains("944"),
                    "{problem}"
                );
            }
        }
        let by_hand = world.post("/api/meters/w102/switchings").by(CHEN);
        by_hand.json(&cut()).refused(422, "meter_not_reached").await;
        assert!(world.told().is_empty());
        assert!(world.facts("meter.switching_requested").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_the_meter_refuses_is_refused_and_only_its_gateway_says_so() {
    on_each_engine(async |world| {
        let asked = ask(&world, "k1", &cut()).await;
        let other = ask_again(&world).await;
        assert_eq!(other, "switching_under_way");
        let foreign = world.answer(("gateway-2", "e101"), ("a1", id(&asked)), Answer::Done);
        assert!(matches!(foreign.await, Outcome::Reject(why) if why.contains("gateway_foreign")));
        let elsewhere = world.answer(("gateway-1", "lobby"), ("a2", id(&asked)), Answer::Done);
        assert!(matches!(elsewhere.await, Outcome::Reject(why) if why.contains("command_unknown")));
        let reason = "wrong password".to_owned();
        let refused = Answer::Refused { reason };
        let outcome = world.answer(("gateway-1", "e101"), ("a3", id(&asked)), refused);
        assert_eq!(outcome.await, Outcome::Done);
        let shown = state(&world, &asked).await;
        assert_eq!(
            (&shown["state"], &shown["detail"]),
            (&json!("refused"), &json!("wrong password"))
        );
        ask(&world, "k3", &cut()).await;
    })
    .await;
}

async fn ask_again(world: &World) -> String {
    let reply = world.post(URI).by(CHEN).json(&cut()).reply().await;
    let problem = crate::support::content_of(&reply);
    problem["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_an_answer_a_request_times_out_for_readers_first_and_by_the_heartbeat_for_good() {
    on_each_engine(async |mut world| {
        let asked = ask(&world, "k1", &cut()).await;
        world.pass_ms(89_999);
        assert_eq!(state(&world, &asked).await["state"], "requested");
        assert_eq!(world.tick().await["timed_out"], 0);
        world.pass_ms(1);
        assert_eq!(state(&world, &asked).await["state"], "timed_out");
        assert!(world.facts("meter.switching_settled").await.is_empty());
        assert_eq!(world.tick().await["timed_out"], 1);
        assert_eq!(world.tick().await["timed_out"], 0);
        let settled = world.facts("meter.switching_settled").await;
        assert_eq!(
            (settled.len(), &settled[0]["state"]),
            (1, &json!("timed_out"))
        );
        // The relay moved after all: that stands beside it.
        let late = world.answer(("gateway-1", "e101"), ("a1", id(&asked)), Answer::Done);
        assert_eq!(late.await, Outcome::Done);
        let shown = state(&world, &asked).await;
        assert_eq!(
            (&shown["state"], &shown["detail"]),
            (&json!("timed_out"), &json!("it was done too late"))
        );
        assert_eq!(world.facts("meter.switching_settled").await.len(), 1);
        // The next request does not wait for the heartbeat either.
        ask(&world, "k2", &cut()).await;
        world.pass_ms(90_000);
        ask(&world, "k3", &cut()).await;
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_is_away_leaves_the_request_to_time_out() {
    on_each_engine(async |mut world| {
        world.context.outbox.broken = true;
        let asked = ask(&world, "k1", &cut()).await;
        assert_eq!(asked["state"], "requested");
        world.pass_ms(90_000);
        assert_eq!(state(&world, &asked).await["state"], "timed_out");
    })
    .await;
}
