//! Openings against their deadlines, to the millisecond, without waiting for any of them.

use kernel::{ActorKind, DeviceId, MessageId, OpeningId, Timestamp};
use linli_tests::guest::{BEGIN_MS, Guest};
use serde_json::{Value, json};
use wire::{
    Message,
    door::{Acknowledgement, Outcome},
};

const OPENINGS: &str = "/api/doors/gate/openings";
const ACK: &str = "linli/demo/door/gate/ack";

/// The doors function with one door that li may open.
async fn doors() -> Guest {
    let guest = Guest::of("doors").await;
    let door = json!({ "id": "gate", "community": "garden", "name": "Gate", "gateway": "g1" });
    guest
        .ask(
            ActorKind::Operator,
            "boss",
            "POST",
            "/api/doors",
            Some(door),
        )
        .await
        .expect(201);
    let grant = json!({ "person": "li" });
    guest
        .ask(
            ActorKind::Operator,
            "boss",
            "POST",
            "/api/doors/gate/grants",
            Some(grant),
        )
        .await
        .expect(201);
    guest
}

async fn open(guest: &Guest) -> String {
    let opening = guest
        .ask(ActorKind::Resident, "li", "POST", OPENINGS, None)
        .await
        .expect(202)
        .json();
    opening["id"].as_str().unwrap().to_owned()
}

async fn look(guest: &Guest, id: &str) -> Value {
    guest
        .ask(
            ActorKind::Resident,
            "li",
            "GET",
            &format!("{OPENINGS}/{id}"),
            None,
        )
        .await
        .expect(200)
        .json()
}

fn acknowledge(opening: &str, outcome: Outcome) -> Vec<u8> {
    let message = Message {
        id: MessageId::parse(&format!("ack-{opening}")).unwrap(),
        at: Timestamp::from_millis(i64::try_from(BEGIN_MS).unwrap()).unwrap(),
        body: Acknowledgement {
            opening: OpeningId::parse(opening).unwrap(),
            gateway: DeviceId::parse("g1").unwrap(),
            outcome,
        },
    };
    message.to_payload().unwrap()
}

#[tokio::test]
async fn an_opening_waits_until_its_deadline_and_not_a_millisecond_longer() {
    let guest = doors().await;
    let id = open(&guest).await;
    guest.advance(4_999);
    assert_eq!(look(&guest, &id).await["state"], "requested");
    guest.advance(1);
    let timed_out = look(&guest, &id).await;
    assert_eq!(timed_out["state"], "timed_out");
    // Nothing was stored yet: the answer comes from the clock. The tick stores the same.
    guest.advance(60_000);
    guest.tick().await.unwrap();
    assert_eq!(look(&guest, &id).await, timed_out);
    guest.tick().await.unwrap();
    assert_eq!(look(&guest, &id).await, timed_out);
}

#[tokio::test]
async fn the_latency_is_from_the_request_to_the_stored_confirmation() {
    let guest = doors().await;
    let id = open(&guest).await;
    guest.advance(1_234);
    // Without a broker the receipt cannot be said, and the message comes again: once more changes nothing.
    drop(guest.message(ACK, &acknowledge(&id, Outcome::Opened)).await);
    let opened = look(&guest, &id).await;
    assert_eq!(
        (&opened["state"], &opened["latency_ms"]),
        (&json!("opened"), &json!(1_234))
    );
    guest.advance(500);
    drop(guest.message(ACK, &acknowledge(&id, Outcome::Opened)).await);
    assert_eq!(look(&guest, &id).await, opened);
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_kept_beside_and_changes_nothing() {
    let guest = doors().await;
    let id = open(&guest).await;
    guest.advance(5_000);
    drop(guest.message(ACK, &acknowledge(&id, Outcome::Opened)).await);
    let late = look(&guest, &id).await;
    assert_eq!(
        (&late["state"], &late["late"]["result"]),
        (&json!("timed_out"), &json!("opened"))
    );
    guest.tick().await.unwrap();
    assert_eq!(look(&guest, &id).await, late);
}

#[tokio::test]
async fn what_is_no_message_is_rejected_and_stored_nowhere() {
    let guest = doors().await;
    for (topic, payload) in [
        (ACK, &b"{"[..]),
        (ACK, b"{}"),
        ("linli/demo/door/gate/event", b"[]"),
        ("linli/demo/lamp/x/ack", b"{}"),
    ] {
        let said = guest.message(topic, payload).await.unwrap_err();
        assert!(said.starts_with("reject:"), "{topic}: {said}");
    }
}

#[tokio::test]
async fn a_grant_holds_only_in_its_time() {
    let guest = Guest::of("doors").await;
    let door = json!({ "id": "gate", "community": "garden", "name": "Gate", "gateway": "g1" });
    guest
        .ask(
            ActorKind::Operator,
            "boss",
            "POST",
            "/api/doors",
            Some(door),
        )
        .await
        .expect(201);
    let grant = json!({ "person": "li", "valid_from": "2026-03-01T01:00:00Z", "valid_until": "2026-03-01T02:00:00Z" });
    guest
        .ask(
            ActorKind::Operator,
            "boss",
            "POST",
            "/api/doors/gate/grants",
            Some(grant),
        )
        .await
        .expect(201);
    for (step_ms, status) in [
        (0, 403),
        (3_599_999, 403),
        (1, 202),
        (3_599_999, 202),
        (1, 403),
    ] {
        guest.advance(step_ms);
        guest
            .ask(ActorKind::Resident, "li", "POST", OPENINGS, None)
            .await
            .expect(status);
    }
}
