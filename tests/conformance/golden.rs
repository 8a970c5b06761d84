//! The payloads on the wire stay what devices in the field already speak: each file is read as its type and
//! written again, and neither loses nor adds anything.

use std::fs;

use kernel::{DeviceId, MessageId, OpeningId, Timestamp};
use linli_tests::place;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use wire::{
    Message,
    door::{Acknowledgement, Command, Occurrence, OccurrenceKind, Outcome},
    gateway::{self, Availability},
};

fn message<Body>(body: Body) -> Message<Body> {
    Message {
        id: MessageId::parse("0199f1d2-7c3a-7e4b-9c5d-2f6a8b0c1d2e").unwrap(),
        at: Timestamp::parse("2026-03-01T00:00:00.250Z").unwrap(),
        body,
    }
}

/// Holds a file against a value in both directions.
fn check<Body: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, body: Body) {
    let file = place::root()
        .join("tests/conformance/golden")
        .join(format!("{name}.json"));
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let expected = message(body);
    let read =
        Message::<Body>::from_payload(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read, expected, "{name}, read");
    let written: Value = serde_json::from_slice(&expected.to_payload().unwrap()).unwrap();
    assert_eq!(
        written,
        serde_json::from_slice::<Value>(&bytes).unwrap(),
        "{name}, written"
    );
}

fn opening() -> OpeningId {
    OpeningId::parse("0199f1d2-7c3a-7e4b-9c5d-2f6a8b0c1d2e").unwrap()
}

fn gateway() -> DeviceId {
    DeviceId::parse("gateway-1").unwrap()
}

#[test]
fn a_command_to_open_a_door() {
    let expires_at = Timestamp::parse("2026-03-01T00:00:05.250Z").unwrap();
    check(
        "door_command_open",
        Command::Open {
            opening: opening(),
            expires_at,
            unlock_ms: 3000,
        },
    );
}

#[test]
fn what_became_of_a_command() {
    for (name, outcome) in [
        ("door_ack_opened", Outcome::Opened),
        ("door_ack_expired", Outcome::Expired),
        (
            "door_ack_failed",
            Outcome::Failed {
                reason: "the controller did not answer".to_owned(),
            },
        ),
    ] {
        check(
            name,
            Acknowledgement {
                opening: opening(),
                gateway: gateway(),
                outcome,
            },
        );
    }
}

#[test]
fn what_happens_at_a_door_by_itself() {
    for (name, kind) in [
        (
            "door_event_retained_command_refused",
            OccurrenceKind::RetainedCommandRefused,
        ),
        (
            "door_event_controller_lost",
            OccurrenceKind::ControllerLost {
                reason: "no answer to poll".to_owned(),
            },
        ),
        (
            "door_event_controller_found",
            OccurrenceKind::ControllerFound,
        ),
    ] {
        check(
            name,
            Occurrence {
                gateway: gateway(),
                kind,
            },
        );
    }
}

#[test]
fn what_is_said_to_and_by_a_gateway() {
    let messages = vec![MessageId::parse("0199f1d2-7c3a-7e4b-9c5d-2f6a8b0c1d2f").unwrap()];
    check(
        "gateway_command_receipt",
        gateway::Command::Receipt { messages },
    );
    check("gateway_state_offline", Availability { online: false });
}

#[test]
fn what_a_gateway_is_told_to_do() {
    let (command, expires_at) = (told(), later());
    let heartbeat = ("heartbeat_s".to_owned(), Value::from(60));
    let configure = gateway::Command::Configure {
        command,
        version: 2,
        configuration: [heartbeat].into_iter().collect(),
        expires_at,
    };
    check("gateway_command_configure", configure);
    let command = told();
    let restart = gateway::Command::Restart {
        command,
        expires_at,
    };
    check("gateway_command_restart", restart);
    let command = told();
    let ping = gateway::Command::Ping {
        command,
        expires_at,
    };
    check("gateway_command_ping", ping);
}

#[test]
fn what_a_gateway_reports() {
    let reason = "unknown field".to_owned();
    for (name, outcome) in [
        ("gateway_ack_accepted", gateway::Outcome::Accepted),
        ("gateway_ack_failed", gateway::Outcome::Failed { reason }),
    ] {
        let command = told();
        check(name, gateway::Report::Command { command, outcome });
    }
    let health = gateway::Health {
        software: "linli-bridge 0.1.0".to_owned(),
        started_at: Timestamp::parse("2026-03-01T00:00:00Z").unwrap(),
        configuration: 2,
        children: vec![gateway::ChildHealth {
            device: DeviceId::parse("north-gate").unwrap(),
            reachable: true,
        }],
    };
    check("gateway_ack_health", gateway::Report::Health(health));
}

fn told() -> MessageId {
    MessageId::parse("0199f1d2-7c3a-7e4b-9c5d-2f6a8b0c1d2e").unwrap()
}

fn later() -> Timestamp {
    Timestamp::parse("2026-03-01T01:00:00.250Z").unwrap()
}
