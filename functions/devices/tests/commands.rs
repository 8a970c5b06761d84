//! Commands and configuration: rows first, sent once the gateway is there, done by its own answer alone.

use http::Method;
use serde_json::{Value, json};
use trigger::Outcome;
use wire::gateway::Outcome as Answer;

use crate::support::{CHEN, DEVICE, WANG, World, on_each_engine};

const COMMANDS: &str = "/api/gateways/gateway-1/commands";
const CONFIGURATION: &str = "/api/gateways/gateway-1/configuration";

async fn ping(world: &World) -> String {
    let ask = json!({"action": "ping"});
    let queued = world.post(COMMANDS).by(WANG).json(&ask).content().await;
    queued["id"].as_str().unwrap().to_owned()
}

async fn state(world: &World, id: &str) -> Value {
    let command = world
        .get(&format!("{COMMANDS}/{id}"))
        .by(CHEN)
        .content()
        .await;
    command["state"].clone()
}

async fn configure(world: &World, version: i64, content: Value) -> Value {
    let ask = world.ask(Method::PUT, CONFIGURATION).by(WANG);
    ask.header("if-match", &format!("\"{version}\""))
        .json(&content)
        .content()
        .await
}

/// The commands that were published since the last look, without receipts.
fn commands(world: &World) -> Vec<Value> {
    let published = world.published().into_iter();
    let bodies = published.map(|(topic, message)| {
        assert_eq!(topic, "linli/demo/gateway/gateway-1/cmd");
        message["body"].clone()
    });
    bodies.filter(|body| body["action"] != "receipt").collect()
}

#[tokio::test]
async fn a_command_goes_to_a_gateway_that_is_there_and_its_answer_is_receipted() {
    on_each_engine(async |world| {
        world.state(true).await;
        let id = ping(&world).await;
        let sent = commands(&world);
        assert_eq!(
            (&sent[0]["action"], &sent[0]["command"]),
            (&json!("ping"), &json!(id))
        );
        assert_eq!(state(&world, &id).await, "sent");
        for outcome in [
            Answer::Accepted,
            Answer::Done,
            Answer::Done,
            Answer::Failed { reason: "x".into() },
        ] {
            assert_eq!(world.answer(&id, outcome).await, Outcome::Done);
        }
        assert_eq!(world.published().len(), 4);
        assert_eq!(state(&world, &id).await, "done");
        let settled = world
            .facts()
            .await
            .into_iter()
            .filter(|kind| kind == "gateway.command_settled")
            .count();
        assert_eq!(settled, 1);
        assert!(matches!(
            world.answer("nothing", Answer::Done).await,
            Outcome::Reject(_)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_command_waits_for_its_gateway_and_can_be_taken_back_until_then() {
    on_each_engine(async |world| {
        let (first, second) = (ping(&world).await, ping(&world).await);
        assert!(commands(&world).is_empty());
        for _ in 0..2 {
            let path = format!("{COMMANDS}/{first}");
            assert_eq!(
                world.ask(Method::DELETE, &path).by(WANG).content().await["state"],
                "cancelled"
            );
        }
        world.state(true).await;
        let sent = commands(&world);
        assert_eq!((sent.len(), &sent[0]["command"]), (1, &json!(second)));
        let path = format!("{COMMANDS}/{second}");
        world
            .ask(Method::DELETE, &path)
            .by(WANG)
            .refused(409, "command_state")
            .await;
    })
    .await;
}

#[tokio::test]
async fn past_its_deadline_a_command_is_expired_or_timed_out_stored_or_not() {
    on_each_engine(async |mut world| {
        let waiting = ping(&world).await;
        world.pass_ms(5 * 60_000);
        assert_eq!(state(&world, &waiting).await, "expired");
        world.state(true).await;
        assert!(commands(&world).is_empty());
        let unanswered = ping(&world).await;
        world.pass_ms(5 * 60_000);
        assert_eq!(state(&world, &unanswered).await, "timeout");
        assert_eq!(world.tick().await["overdue"], 2);
        assert_eq!(world.tick().await["overdue"], 0);
        world.answer(&unanswered, Answer::Done).await;
        assert_eq!(state(&world, &unanswered).await, "timeout");
    })
    .await;
}

#[tokio::test]
async fn what_the_broker_did_not_take_is_sent_by_the_next_heartbeat_under_the_same_id() {
    on_each_engine(async |mut world| {
        world.state(true).await;
        world.context.outbox.broken = true;
        let id = ping(&world).await;
        assert_eq!(state(&world, &id).await, "queued");
        world.context.outbox.broken = false;
        assert_eq!(world.tick().await["sent"], 1);
        assert_eq!(commands(&world)[0]["command"], json!(id));
        assert_eq!(world.tick().await["sent"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_configuration_is_versioned_sent_and_known_to_be_applied() {
    on_each_engine(async |world| {
        world.state(true).await;
        let set = configure(&world, 0, json!({"heartbeat_s": 60})).await;
        assert_eq!(
            (&set["version"], &set["applied"]),
            (&json!(1), &json!(null))
        );
        let sent = commands(&world);
        assert_eq!(
            (&sent[0]["version"], &sent[0]["configuration"]),
            (&json!(1), &json!({"heartbeat_s": 60}))
        );
        world
            .answer(sent[0]["command"].as_str().unwrap(), Answer::Done)
            .await;
        let shown = world.get(CONFIGURATION).by(DEVICE).content().await;
        assert_eq!(
            (&shown["applied"], &shown["configuration"]),
            (&json!(1), &json!({"heartbeat_s": 60}))
        );
        let stale = world
            .ask(Method::PUT, CONFIGURATION)
            .by(WANG)
            .header("if-match", "\"0\"")
            .json(&json!({}));
        stale.refused(412, "version_changed").await;
        let without = world
            .ask(Method::PUT, CONFIGURATION)
            .by(WANG)
            .json(&json!({}));
        without.refused(428, "if_match_required").await;
        let list = world
            .ask(Method::PUT, CONFIGURATION)
            .by(WANG)
            .header("if-match", "*")
            .json(&json!([]));
        list.refused(422, "wrong_type").await;
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_was_away_is_told_its_configuration_when_it_comes_back() {
    on_each_engine(async |mut world| {
        configure(&world, 0, json!({"heartbeat_s": 60})).await;
        world.pass_ms(24 * 3_600_000);
        world.tick().await;
        assert!(commands(&world).is_empty());
        world.health(0, true).await;
        let sent = commands(&world);
        assert_eq!(
            (sent.len(), &sent[0]["action"], &sent[0]["version"]),
            (1, &json!("configure"), &json!(1))
        );
        world.pass_ms(60_000);
        world.health(0, true).await;
        assert!(commands(&world).is_empty(), "it is being told");
        let refused = Answer::Failed {
            reason: "unknown field".into(),
        };
        world
            .answer(sent[0]["command"].as_str().unwrap(), refused)
            .await;
        commands(&world);
        world.pass_ms(60_000);
        world.health(0, true).await;
        assert!(
            commands(&world).is_empty(),
            "what it refused it is not told again"
        );
        configure(&world, 1, json!({"heartbeat_s": 30})).await;
        assert_eq!(commands(&world)[0]["version"], 2);
        world.health(2, true).await;
        assert_eq!(world.gateway().await["configuration_applied"], 2);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_commands_once() {
    on_each_engine(async |world| {
        world.state(true).await;
        let ask = || {
            let ask = json!({"action": "restart"});
            world
                .post(COMMANDS)
                .by(WANG)
                .header("idempotency-key", "k")
                .json(&ask)
        };
        assert_eq!(ask().content().await["id"], ask().content().await["id"]);
        assert_eq!(commands(&world).len(), 1);
    })
    .await;
}
