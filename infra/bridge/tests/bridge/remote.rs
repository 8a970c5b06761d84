//! What the site says to the gateway itself, and fires.

use std::time::Duration;

use kernel::{MessageId, Timestamp};
use linli_bridge::clock::Clock;
use linli_bridge::simulator::Behaviour;
use wire::Message;
use wire::door::{self, OccurrenceKind, Outcome};
use wire::gateway::{self, Command, Health, Report};

use crate::estate::{Estate, controller, eventually};

const SOON: Duration = Duration::from_secs(10);

fn later() -> Timestamp {
    Clock::System.now().plus_millis(60_000)
}

fn id(text: &str) -> MessageId {
    MessageId::parse(text).unwrap()
}

impl Estate {
    /// Says something to the gateway.
    pub fn tell(&self, message: &str, body: Command) {
        let message = Message {
            id: id(message),
            at: Clock::System.now(),
            body,
        };
        self.broker.publish(
            "linli/demo/gateway/gate-1/cmd",
            message.to_payload().unwrap(),
        );
    }

    fn reports(&self) -> Vec<Report> {
        let seen = self.broker.seen().into_iter();
        let seen = seen.filter(|seen| seen.topic == "linli/demo/gateway/gate-1/ack");
        seen.map(|seen| Message::<Report>::from_payload(&seen.payload).unwrap().body)
            .collect()
    }

    fn outcomes(&self, wanted: &str) -> Vec<gateway::Outcome> {
        let outcomes = self
            .reports()
            .into_iter()
            .filter_map(|report| match report {
                Report::Command { command, outcome } if command == id(wanted) => Some(outcome),
                _ => None,
            });
        outcomes.collect()
    }

    fn health(&self) -> Option<Health> {
        let mut health = self
            .reports()
            .into_iter()
            .filter_map(|report| match report {
                Report::Health(health) => Some(health),
                Report::Command { .. } => None,
            });
        health.next_back()
    }

    fn configure(&self, command: &str, version: i64, configuration: &str) {
        let body = Command::Configure {
            command: id(command),
            version,
            configuration: serde_json::from_str(configuration).unwrap(),
            expires_at: later(),
        };
        self.tell(command, body);
    }

    fn fire(&self, held: bool) {
        let expires_at = later();
        let body = if held {
            door::Command::Release { expires_at }
        } else {
            door::Command::Restore { expires_at }
        };
        let message = Message {
            id: id("fire"),
            at: Clock::System.now(),
            body,
        };
        self.broker
            .publish("linli/demo/door/d5/cmd", message.to_payload().unwrap());
    }

    async fn occurred(&self, kind: OccurrenceKind) {
        eventually(&format!("{kind:?}"), || {
            self.occurrences(5).contains(&kind).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_applied_once_kept_and_reported_or_refused_with_a_reason() {
    let (estate, mut controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.configure(
        "c1",
        3,
        "{\"heartbeat_seconds\": 5, \"doors\": {\"d5\": {\"unlock_ms\": 1500}}}",
    );
    eventually("it is done", || {
        (estate.outcomes("c1") == [gateway::Outcome::Done]).then_some(())
    })
    .await;
    estate.configure("c2", 4, "{\"doors\": {\"d9\": {}}}");
    let refused = eventually("it is refused", || estate.outcomes("c2").pop()).await;
    let expected = gateway::Outcome::Failed {
        reason: "there is no door d9 at this gateway".into(),
    };
    assert_eq!(refused, expected);
    estate.configure("c3", 2, "{}");
    eventually("an older one is done and changes nothing", || {
        estate.outcomes("c3").pop()
    })
    .await;
    let expired = Command::Ping {
        command: id("p1"),
        expires_at: Clock::System.now(),
    };
    estate.tell("p1", expired);
    eventually("too late", || {
        (estate.outcomes("p1") == [gateway::Outcome::Expired]).then_some(())
    })
    .await;
    bridge.stop().await;
    let bridge = estate.bridge(&controller, &[5]).await;
    let health = eventually("it says what it runs with", || {
        estate.health().filter(|health| health.configuration == 3)
    })
    .await;
    assert!(health.software.starts_with("linli-bridge "));
    assert_eq!(health.children[0].device.as_str(), "d5");
    let expires_at = later();
    let order = door::Command::Open {
        opening: kernel::OpeningId::parse("o1").unwrap(),
        expires_at,
        unlock_ms: 0,
    };
    let message = Message {
        id: id("o1"),
        at: Clock::System.now(),
        body: order,
    };
    estate
        .broker
        .publish("linli/demo/door/d5/cmd", message.to_payload().unwrap());
    assert_eq!(controller.next_release().await.for_ms, 1_500);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_accepted_before_and_done_after_once() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let process = estate.process(&controller, &[5]).await;
    let started = eventually("it says how it is", || estate.health())
        .await
        .started_at;
    for _ in 0..2 {
        let restart = Command::Restart {
            command: id("r1"),
            expires_at: later(),
        };
        estate.tell("r1", restart);
    }
    eventually("it is done", || {
        let outcomes = estate.outcomes("r1");
        outcomes.contains(&gateway::Outcome::Done).then_some(())
    })
    .await;
    assert_eq!(estate.outcomes("r1")[0], gateway::Outcome::Accepted);
    eventually("it began anew", || {
        estate.health().filter(|health| health.started_at > started)
    })
    .await;
    estate.order(5, "o1", SOON);
    assert_eq!(estate.outcome("o1").await, Outcome::Opened);
    assert!(process.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fire_holds_the_door_open_over_restarts_until_it_is_restored() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.fire(true);
    estate.occurred(OccurrenceKind::Released).await;
    assert!(controller.is_on(5, 0));
    let before = controller.releases(5, 0);
    estate.order(5, "o1", SOON);
    assert_eq!(estate.outcome("o1").await, Outcome::Opened);
    assert_eq!(
        controller.releases(5, 0),
        before,
        "a release with a timer would end in a locked door"
    );
    bridge.stop().await;
    controller.restart(5);
    assert!(!controller.is_on(5, 0), "the controller forgot it");
    let bridge = estate.bridge(&controller, &[5]).await;
    eventually("it is held again", || controller.is_on(5, 0).then_some(())).await;
    estate.fire(false);
    estate.occurred(OccurrenceKind::Restored).await;
    assert!(!controller.is_on(5, 0));
    estate.order(5, "o2", SOON);
    assert_eq!(estate.outcome("o2").await, Outcome::Opened);
    assert!(controller.is_on(5, 0));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fire_moves_a_door_whose_controller_comes_later() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    controller.behave(|behaviour| behaviour.dead = vec![5]);
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.fire(true);
    eventually("it is written down", || {
        let held = bridge
            .snapshots()
            .is_held(&kernel::DeviceId::parse("d5").unwrap());
        held.then_some(())
    })
    .await;
    controller.behave(|behaviour| behaviour.dead.clear());
    eventually("it is held", || controller.is_on(5, 0).then_some(())).await;
    bridge.stop().await;
}
