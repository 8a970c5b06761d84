//! Messages that come twice, in the wrong order, too late, retained, or from nowhere.

use kernel::{DeviceId, MessageId, OpeningId, Timestamp};
use linli_tests::{
    estate::{Estate, openings},
    mqtt::Mqtt,
    poll,
    system::Setup,
};
use serde_json::Value;
use wire::{
    Message,
    door::{Acknowledgement, Command, Outcome},
    gateway,
};

const DOOR: &str = "north-gate";

fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis()).unwrap()
}

fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The test as the gateway itself.
async fn gateway(estate: &Estate) -> Mqtt {
    let mut gateway = estate
        .system
        .mqtt(
            "demo-gateway-1",
            "demo/gateway-1",
            &estate.demo.gateway.password,
        )
        .await
        .unwrap();
    for topic in [
        "linli/demo/gateway/gateway-1/cmd",
        "linli/demo/door/north-gate/cmd",
    ] {
        assert!(gateway.subscribe(topic).await, "{topic}");
    }
    gateway
}

fn acknowledgement(opening: &str, outcome: Outcome) -> (String, Vec<u8>) {
    let body = Acknowledgement {
        opening: OpeningId::parse(opening).unwrap(),
        gateway: DeviceId::parse("gateway-1").unwrap(),
        outcome,
    };
    let id = new_id();
    let message = Message {
        id: MessageId::parse(&id).unwrap(),
        at: now(),
        body,
    };
    (id, message.to_payload().unwrap())
}

/// Waits until the function has said that it has stored these messages.
async fn receipts(gateway: &mut Mqtt, awaited: &[&str]) {
    let mut missing: Vec<&str> = awaited.to_vec();
    while !missing.is_empty() {
        let message = gateway.message().await;
        if let Ok(message) = Message::<gateway::Command>::from_payload(&message.payload)
            && let gateway::Command::Receipt { messages } = message.body
        {
            missing.retain(|id| !messages.iter().any(|stored| stored.as_str() == *id));
        }
    }
}

const ACK: &str = "linli/demo/door/north-gate/ack";

#[tokio::test]
async fn an_acknowledgement_that_comes_twice_counts_once() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let mut gateway = gateway(&estate).await;
    let opening = estate.open(DOOR).await;
    let (id, payload) = acknowledgement(&opening, Outcome::Opened);
    assert!(gateway.publish(ACK, &payload).await);
    receipts(&mut gateway, &[&id]).await;
    let first = estate.opening(DOOR, &opening).await;
    assert_eq!(first["state"], "opened");
    for _ in 0..3 {
        assert!(gateway.publish(ACK, &payload).await);
        receipts(&mut gateway, &[&id]).await;
    }
    assert_eq!(estate.opening(DOOR, &opening).await, first);
}

#[tokio::test]
async fn acknowledgements_in_the_wrong_order_settle_the_right_openings_and_the_first_word_holds() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let mut gateway = gateway(&estate).await;
    let one = estate.open_as_staff(DOOR).await;
    let two = estate.open_as_staff(DOOR).await;
    let (second, second_payload) = acknowledgement(&two, Outcome::Opened);
    let (first, first_payload) = acknowledgement(
        &one,
        Outcome::Failed {
            reason: "jammed".to_owned(),
        },
    );
    let (contrary, contrary_payload) = acknowledgement(&one, Outcome::Opened);
    for payload in [second_payload, first_payload, contrary_payload] {
        assert!(gateway.publish(ACK, &payload).await);
    }
    receipts(&mut gateway, &[&second, &first, &contrary]).await;
    assert_eq!(estate.opening(DOOR, &two).await["state"], "opened");
    let failed = estate.opening(DOOR, &one).await;
    assert_eq!(
        (&failed["state"], &failed["reason"]),
        (&Value::from("failed"), &Value::from("jammed"))
    );
}

#[tokio::test]
async fn an_acknowledgement_of_nothing_is_kept_aside_and_receipted() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let mut gateway = gateway(&estate).await;
    let (id, payload) = acknowledgement(&new_id(), Outcome::Opened);
    assert!(gateway.publish(ACK, &payload).await);
    receipts(&mut gateway, &[&id]).await;
    assert!(gateway.publish(ACK, b"{ no message").await);
    let listed = poll::until("both are in quarantine", async || {
        let listed = estate
            .system
            .internal()
            .get("/internal/quarantine")
            .await
            .expect(200)
            .json();
        listed["items"]
            .as_array()
            .filter(|items| items.len() >= 2)
            .cloned()
    })
    .await;
    assert!(listed.iter().all(|item| item["topic"] == ACK), "{listed:?}");
    // Replayed, the malformed one comes back; deleted, it is gone.
    for item in listed {
        let path = format!(
            "/internal/quarantine/{}",
            item["id"]
                .as_str()
                .map_or_else(|| item["id"].to_string(), str::to_owned)
        );
        let deleted = estate
            .system
            .internal()
            .call("DELETE", &path, None, &[])
            .await;
        assert!(deleted.status.is_success(), "{deleted}");
    }
    let listed = estate
        .system
        .internal()
        .get("/internal/quarantine")
        .await
        .expect(200)
        .json();
    assert_eq!(
        listed["items"].as_array().map(Vec::len),
        Some(0),
        "{listed}"
    );
}

#[tokio::test]
async fn an_expired_command_leaves_the_door_shut() {
    let mut estate = Estate::start().await;
    // Frozen, not killed: the command reaches it, and it looks at it too late.
    estate.bridge().signal("STOP");
    let id = estate.open(DOOR).await;
    let opening = estate.settled(DOOR, &id).await;
    assert_eq!(opening["state"], "timed_out", "{opening}");
    estate.bridge().signal("CONT");
    let late = poll::until("the late answer is kept beside the opening", async || {
        let opening = estate.opening(DOOR, &id).await;
        opening.get("late").filter(|late| !late.is_null()).cloned()
    })
    .await;
    assert_eq!(late["result"], "expired", "{late}");
    assert_eq!(estate.releases(), 0, "{}", estate.controller.shown());
}

#[tokio::test]
async fn a_retained_command_is_refused_and_reported() {
    let mut estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let opening = estate.open(DOOR).await;
    let body = Command::Open {
        opening: OpeningId::parse(&opening).unwrap(),
        expires_at: now().plus_millis(60_000),
        unlock_ms: 3_000,
    };
    let command = Message {
        id: MessageId::parse(&opening).unwrap(),
        at: now(),
        body,
    };
    let password = estate.system.secret("mqtt_password");
    let mut functions = estate
        .system
        .mqtt("intruder", "functions", &password)
        .await
        .unwrap();
    assert!(
        functions
            .publish_retained(
                "linli/demo/door/north-gate/cmd",
                &command.to_payload().unwrap()
            )
            .await
    );
    // The retained command waits for the bridge at the broker.
    estate.start_bridge();
    poll::until("the refusal is reported", async || {
        let page = estate
            .operator
            .get(&format!("/api/doors/{DOOR}/occurrences"))
            .await
            .expect(200)
            .json();
        page["items"]
            .as_array()?
            .iter()
            .any(|entry| entry["occurrence"] == "retained_command_refused")
            .then_some(())
    })
    .await;
    assert_eq!(estate.releases(), 0, "{}", estate.controller.shown());
}

#[tokio::test]
async fn a_device_cannot_answer_for_another_door() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let mut gateway = gateway(&estate).await;
    let opening = estate.open(DOOR).await;
    // The topic is one of its own doors, the opening another's.
    let (id, payload) = acknowledgement(&opening, Outcome::Opened);
    assert!(
        gateway
            .publish("linli/demo/door/south-gate/ack", &payload)
            .await
    );
    receipts(&mut gateway, &[&id]).await;
    assert_eq!(estate.opening(DOOR, &opening).await["state"], "requested");
    let page = estate
        .operator
        .get(&openings("south-gate"))
        .await
        .expect(200)
        .json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(0), "{page}");
}
