//! Whether gateways are there: by session, by last will, by silence. A heartbeat writes nothing by itself.

use serde_json::json;
use trigger::Outcome;

use crate::support::{World, on_each_engine};

async fn changes(world: &World) -> usize {
    let facts = world.facts().await;
    facts
        .iter()
        .filter(|kind| *kind == "gateway.availability_changed")
        .count()
}

#[tokio::test]
async fn a_session_and_a_last_will_are_facts_once_however_often_they_are_told() {
    on_each_engine(async |mut world| {
        for online in [true, true, false, false, true] {
            assert_eq!(world.state(online).await, Outcome::Done);
            world.pass_ms(10);
        }
        assert_eq!(changes(&world).await, 3);
        assert_eq!(world.gateway().await["presence"], "online");
    })
    .await;
}

#[tokio::test]
async fn heartbeats_change_nothing_but_the_minute_they_were_heard_in() {
    on_each_engine(async |mut world| {
        world.health(0, true).await;
        let first = world.gateway().await;
        assert_eq!(
            (&first["software"], &first["children"][0]["reachable"]),
            (&json!("linli-bridge 0.1.0"), &json!(true))
        );
        let facts = world.facts().await;
        world.pass_ms(59_999);
        world.health(0, true).await;
        assert_eq!(world.gateway().await["last_seen"], first["last_seen"]);
        world.pass_ms(1);
        world.health(0, true).await;
        assert_eq!(world.gateway().await["last_seen"], json!(world.context.now));
        assert_eq!(world.facts().await, facts);
        world.pass_ms(1);
        world.health(0, false).await;
        assert_eq!(world.gateway().await["children"][0]["reachable"], false);
    })
    .await;
}

#[tokio::test]
async fn silence_longer_than_the_window_of_the_profile_is_offline() {
    on_each_engine(async |mut world| {
        world.state(true).await;
        world.pass_ms(3 * 60_000 - 1);
        assert_eq!(world.tick().await["silent"], 0);
        world.pass_ms(1);
        for silent in [1, 0] {
            assert_eq!(world.tick().await["silent"], silent);
        }
        let gateway = world.gateway().await;
        assert_eq!(
            (&gateway["presence"], &gateway["cause"]),
            (&json!("offline"), &json!("inactivity"))
        );
        world.health(0, true).await;
        assert_eq!(world.gateway().await["presence"], "online");
        assert_eq!(changes(&world).await, 3);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_message_of_a_known_gateway_is_rejected() {
    on_each_engine(async |world| {
        let state = br#"{"id":"m","at":"2027-01-15T08:00:00Z","body":{"online":true}}"#;
        for (topic, payload) in [
            ("linli/demo/gateway/nobody/state", state.as_slice()),
            ("linli/other/gateway/gateway-1/state", state.as_slice()),
            ("linli/demo/door/north/state", state.as_slice()),
            ("linli/demo/gateway/gateway-1/event", state.as_slice()),
            ("linli/demo/gateway/gateway-1/state", b"{}".as_slice()),
            ("linli/demo/gateway/gateway-1/ack", state.as_slice()),
        ] {
            let outcome = world.receive(topic, payload).await;
            assert!(
                matches!(outcome, Outcome::Reject(_)),
                "{topic}: {outcome:?}"
            );
        }
    })
    .await;
}
