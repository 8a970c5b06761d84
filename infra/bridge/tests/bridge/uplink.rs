//! The session with the broker: it comes back, subscribes when it must, and drains a full spool.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use linli_bridge::bridge::Bridge;
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::counters::Counters;
use linli_bridge::names::new_id;
use linli_bridge::simulator::Behaviour;
use linli_bridge::spool::{Kind, Outgoing, Spool};
use linli_bridge::window::Want;
use wire::Message;
use wire::door::{Occurrence, OccurrenceKind, Outcome};
use wire::gateway::Availability;

use crate::broker::Broker;
use crate::estate::{Estate, PATIENCE, controller, eventually, started};

const SOON: Duration = Duration::from_secs(5);
const STATE: &str = "linli/demo/gateway/gate-1/state";

fn online(broker: &Broker) -> Option<bool> {
    broker.retained(STATE).map(|payload| {
        Message::<Availability>::from_payload(&payload)
            .unwrap()
            .body
            .online
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_says_that_it_is_there_and_that_it_goes() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let mut process = estate.process(&controller, &[5]).await;
    eventually("online", || {
        (online(&estate.broker) == Some(true)).then_some(())
    })
    .await;
    process.kill();
    eventually("offline by its will", || {
        (online(&estate.broker) == Some(false)).then_some(())
    })
    .await;
    let process = estate.process(&controller, &[5]).await;
    eventually("online again", || {
        (online(&estate.broker) == Some(true)).then_some(())
    })
    .await;
    assert!(process.terminate().await.success());
    eventually("offline by its own word", || {
        (online(&estate.broker) == Some(false)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_comes_back_and_a_kept_session_is_not_subscribed_again() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    let before = estate.broker.subscribes();
    estate.broker.cut();
    estate.order(5, "o1", SOON);
    assert_eq!(
        estate.outcome("o1").await,
        Outcome::Opened,
        "the broker kept the command for the session"
    );
    assert_eq!(estate.broker.subscribes(), before);
    estate.broker.forget();
    eventually("subscribed again", || {
        (estate.broker.subscribes() > before).then_some(())
    })
    .await;
    estate.order(5, "o2", SOON);
    assert_eq!(estate.outcome("o2").await, Outcome::Opened);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_asked_for_again_until_the_door_is_registered() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5, 6], Behaviour::default()).await,
    );
    let topic = "linli/demo/door/d6/cmd";
    estate.broker.deny(topic, true);
    let config = estate.config(&controller.port().to_string(), &[5, 6]);
    let mut bridge = Bridge::start(config, Clock::System).await.unwrap();
    eventually("asked once", || {
        (estate.broker.subscribes() >= 1).then_some(())
    })
    .await;
    eventually("the other door works", || {
        estate.order(5, "o5", SOON);
        (!estate.answers("o5").is_empty()).then_some(())
    })
    .await;
    assert!(
        tokio::time::timeout(Duration::from_millis(50), bridge.ready())
            .await
            .is_err(),
        "not all is granted yet"
    );
    estate.broker.deny(topic, false);
    tokio::time::timeout(PATIENCE, bridge.ready())
        .await
        .expect("granted");
    estate.order(6, "o6", SOON);
    assert_eq!(estate.outcome("o6").await, Outcome::Opened);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gets_no_receipt_is_said_again_with_the_same_id() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    estate.broker.receipts(false);
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.order(5, "o1", SOON);
    eventually("said twice", || {
        (estate.answers("o1").len() >= 2).then_some(())
    })
    .await;
    let answers = estate.answers("o1");
    assert_eq!(answers[0], answers[1]);
    estate.broker.receipts(true);
    let deadline = Instant::now() + PATIENCE;
    while bridge.spool().size().await.unwrap().0 > 0 {
        assert!(Instant::now() < deadline, "the receipt empties the spool");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bridge.stop().await;
}

/// Fills the spool before any bridge runs; what it holds, topic by topic, oldest first.
async fn fill(config: &Config, messages: u32) -> BTreeMap<String, Vec<String>> {
    let counters = Counters::default().into();
    let spool = Spool::open(
        &config.data,
        config.spool,
        "before".into(),
        Clock::System,
        counters,
    )
    .unwrap();
    let mut said = Vec::new();
    for number in 0..messages {
        let topic = format!("linli/demo/door/d{}/event", 5 + number % 2);
        let body = Occurrence {
            gateway: config.gateway.clone(),
            kind: OccurrenceKind::ControllerFound,
        };
        let (id, at) = (new_id(), Clock::System.now());
        let payload = Message {
            id: id.clone(),
            at,
            body,
        }
        .to_payload()
        .unwrap();
        let (spool, message) = (
            spool.clone(),
            Outgoing {
                id,
                topic,
                kind: Kind::Occurrence,
                payload,
            },
        );
        said.push(tokio::spawn(
            async move { spool.say(message).await.unwrap() },
        ));
    }
    for said in said {
        said.await.unwrap();
    }
    let mut filled = BTreeMap::new();
    for topic in spool.topics().await.unwrap() {
        let want = Want {
            topic: topic.clone(),
            after: 0,
            room: messages as usize,
        };
        let all = spool.fetch(vec![want]).await.unwrap().into_iter();
        filled.insert(
            topic,
            all.map(|stored| stored.message.id.to_string())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(
        filled.values().map(Vec::len).sum::<usize>(),
        messages as usize
    );
    filled
}

/// The ids that the broker saw on the topic, each where it came first.
fn first_seen(broker: &Broker, topic: &str) -> Vec<String> {
    let mut known = BTreeSet::new();
    let seen = broker.seen().into_iter().filter(|seen| seen.topic == topic);
    let ids = seen.map(|seen| {
        Message::<Occurrence>::from_payload(&seen.payload)
            .unwrap()
            .id
            .to_string()
    });
    ids.filter(|id| known.insert(id.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_of_ten_thousand_drains_quickly_and_in_order() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5, 6], Behaviour::default()).await,
    );
    let config = estate.config(&controller.port().to_string(), &[5, 6]);
    let filled = fill(&config, 10_000).await;
    let bridge = started(config).await;
    let began = Instant::now();
    while bridge.spool().size().await.unwrap().0 > 0 {
        assert!(
            began.elapsed() < PATIENCE,
            "{:?} are left",
            bridge.spool().size().await.unwrap()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("10,000 messages drained in {:?}", began.elapsed());
    for (topic, expected) in filled {
        assert!(
            first_seen(&estate.broker, &topic).starts_with(&expected),
            "{topic} in order, each at least once"
        );
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_amid_a_draining_spool_lose_nothing() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5, 6], Behaviour::default()).await,
    );
    let filled = fill(
        &estate.config(&controller.port().to_string(), &[5, 6]),
        3_000,
    )
    .await;
    for part in [100, 1_000, 2_000] {
        let mut process = estate.process(&controller, &[5, 6]).await;
        eventually("a part is said", || {
            (estate.broker.seen().len() > part).then_some(())
        })
        .await;
        process.kill();
    }
    let process = estate.process(&controller, &[5, 6]).await;
    for (topic, expected) in filled {
        let all: BTreeSet<String> = expected.into_iter().collect();
        eventually("all is said", || {
            all.is_subset(&first_seen(&estate.broker, &topic).into_iter().collect())
                .then_some(())
        })
        .await;
    }
    assert!(process.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_is_one_sentence_and_exit_code_one() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("bridge.toml");
    std::fs::write(&path, "tenant = \"demo\"\ncolour = 1\n").unwrap();
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_linli-bridge"))
        .args(["run", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    let sentence = String::from_utf8(out.stderr).unwrap();
    assert!(
        sentence.contains("bridge.toml is refused") && sentence.contains("colour"),
        "{sentence}"
    );
    assert!(out.stdout.is_empty());
}
