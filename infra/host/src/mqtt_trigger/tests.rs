//! The trigger against the embedded broker: order, acknowledgements, retries, quarantine, reconnection.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{Mutex, atomic::Ordering},
};

use tokio::sync::mpsc;

use super::*;
use crate::broker::{
    Broker,
    tests::support::{AccessService, ChildBroker, Connect, WAIT, start_broker},
};

/// What functions saw: component, topic, text.
type Seen = mpsc::UnboundedReceiver<(String, String, String)>;

struct Running {
    trigger: MqttTrigger,
    quarantine: Arc<Quarantine>,
    seen: Seen,
}

/// Functions that note what they get. What they answer stands in the text: `fail N` fails N times, `reject` is
/// rejected, `trap` never answers, `slow` takes half a second.
fn functions() -> (Invoke, Seen) {
    let (sender, seen) = mpsc::unbounded_channel();
    let tries: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let invoke: Invoke = Arc::new(move |component, topic, payload| {
        let text = String::from_utf8_lossy(&payload).into_owned();
        let (sender, tries) = (sender.clone(), tries.clone());
        Box::pin(async move {
            let so_far = {
                let mut tries = tries.lock().unwrap();
                let count = tries.entry(format!("{component} {text}")).or_default();
                *count += 1;
                *count
            };
            if text.starts_with("slow") {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let _ = sender.send((component.to_string(), topic, text.clone()));
            let failures = text
                .strip_prefix("fail ")
                .and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
            match failures {
                Some(failures) if so_far <= failures => Ok(Err("the database is busy".to_owned())),
                _ if text.starts_with("reject") => Ok(Err("reject: unknown opening".to_owned())),
                _ if text.starts_with("trap") => Err(anyhow::anyhow!("the function trapped")),
                _ => Ok(Ok(())),
            }
        })
    });
    (invoke, seen)
}

fn trigger(component: &str, filter: &str) -> Trigger {
    Trigger {
        component: component.into(),
        filter: filter.to_owned(),
        qos: QoS::AtLeastOnce,
    }
}

async fn start(broker: SocketAddr, data: &Path, triggers: Vec<Trigger>) -> Running {
    let (invoke, seen) = functions();
    let quarantine = Arc::new(Quarantine::open(data, "token".to_owned(), invoke.clone()).unwrap());
    let password = "functions password".to_owned();
    let keep_alive = Duration::from_secs(30);
    let mut settings = Settings::new(
        broker.ip().to_string(),
        broker.port(),
        "functions".to_owned(),
        password,
        keep_alive,
    );
    settings.pauses = (Duration::from_millis(5), Duration::from_millis(20));
    settings.reconnects = (Duration::from_millis(20), Duration::from_millis(200));
    let trigger = MqttTrigger::start(settings, triggers, invoke, quarantine.clone())
        .await
        .unwrap();
    Running {
        trigger,
        quarantine,
        seen,
    }
}

impl Running {
    async fn ready(&self) {
        wait_until(|| self.trigger.counts().is_ready.load(Ordering::Relaxed)).await;
    }

    async fn next(&mut self) -> (String, String, String) {
        tokio::time::timeout(WAIT, self.seen.recv())
            .await
            .expect("a message")
            .unwrap()
    }

    async fn next_text(&mut self) -> String {
        self.next().await.2
    }

    async fn acknowledged(&self, count: u64) {
        wait_until(|| self.trigger.counts().acknowledged.load(Ordering::Relaxed) >= count).await;
    }
}

async fn wait_until(condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + WAIT;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "it never happened");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn broker() -> (AccessService, Broker, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    (service, broker, data)
}

const ACKS: &str = "linli/+/door/+/ack";
const A: &str = "linli/garden/door/a/ack";
const B: &str = "linli/garden/door/b/ack";

#[tokio::test]
async fn messages_of_a_topic_keep_their_order_while_other_topics_go_on() {
    let (_service, broker, data) = broker().await;
    let mut running = start(broker.address(), data.path(), vec![trigger("doors", ACKS)]).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    bridge.publish(A, "slow 1").await;
    bridge.publish(A, "2").await;
    bridge.publish(B, "3").await;
    assert_eq!(running.next_text().await, "3");
    assert_eq!(running.next_text().await, "slow 1");
    assert_eq!(
        running.next().await,
        ("doors".to_owned(), A.to_owned(), "2".to_owned())
    );
    running.acknowledged(3).await;
}

#[tokio::test]
async fn of_messages_without_a_payload_one_waits_for_all() {
    let (_service, broker, data) = broker().await;
    let mut running = start(broker.address(), data.path(), vec![trigger("doors", ACKS)]).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    bridge.publish(A, "slow 1").await;
    for _ in 0..3 {
        bridge.publish(A, "").await;
    }
    bridge.publish(A, "2").await;
    for expected in ["slow 1", "", "2"] {
        assert_eq!(running.next_text().await, expected);
    }
    running.acknowledged(5).await;
}

#[tokio::test]
async fn a_failing_message_is_tried_again_and_its_successors_wait() {
    let (_service, broker, data) = broker().await;
    let mut running = start(broker.address(), data.path(), vec![trigger("doors", ACKS)]).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    bridge.publish(A, "fail 2 times").await;
    bridge.publish(A, "next").await;
    for expected in ["fail 2 times", "fail 2 times", "fail 2 times", "next"] {
        assert_eq!(running.next_text().await, expected);
    }
    running.acknowledged(2).await;
    assert_eq!(running.quarantine.len().await.unwrap(), 0);
}

#[tokio::test]
async fn rejected_and_hopeless_messages_go_to_quarantine_and_are_acknowledged() {
    let (_service, broker, data) = broker().await;
    let mut running = start(broker.address(), data.path(), vec![trigger("doors", ACKS)]).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    bridge.publish(A, "reject this").await;
    assert_eq!(running.next_text().await, "reject this");
    running.acknowledged(1).await;
    assert_eq!(
        running.quarantine.len().await.unwrap(),
        1,
        "rejected at the first try"
    );
    bridge.publish(A, "trap").await;
    for _ in 0..TRIES_MAX {
        assert_eq!(running.next_text().await, "trap");
    }
    running.acknowledged(2).await;
    assert_eq!(running.quarantine.len().await.unwrap(), 2);
}

#[tokio::test]
async fn every_component_whose_filter_matches_gets_the_message_once() {
    let (_service, broker, data) = broker().await;
    let triggers = vec![
        trigger("doors", ACKS),
        trigger("audit", "$share/audit/linli/garden/+/+/ack"),
        trigger("other", "linli/x/#"),
    ];
    let mut running = start(broker.address(), data.path(), triggers).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    bridge.publish(A, "hello").await;
    let mut components = vec![running.next().await.0, running.next().await.0];
    components.sort();
    components.dedup();
    assert_eq!(components, ["audit", "doors"]);
}

#[tokio::test]
async fn it_waits_for_a_broker_that_is_not_there_yet_and_survives_its_death() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let mut running = start(free, data.path(), vec![trigger("doors", ACKS)]).await;
    wait_until(|| {
        running
            .trigger
            .counts()
            .disconnections
            .load(Ordering::Relaxed)
            >= 2
    })
    .await;
    let broker = ChildBroker::start_at(&service, data.path(), free).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address)
        .await;
    bridge.publish(A, "before").await;
    assert_eq!(running.next_text().await, "before");
    running.acknowledged(1).await;
    broker.kill();
    wait_until(|| !running.trigger.counts().is_ready.load(Ordering::Relaxed)).await;

    // The broker comes back with its memory, and then without it.
    let broker = ChildBroker::start_at(&service, data.path(), free).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address)
        .await;
    bridge.publish(A, "after").await;
    while running.next_text().await != "after" {}
    broker.kill();
    let empty = tempfile::tempdir().unwrap();
    let broker = ChildBroker::start_at(&service, empty.path(), free).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address)
        .await;
    bridge.publish(A, "after the loss").await;
    while running.next_text().await != "after the loss" {}
    broker.kill();
}

#[tokio::test]
async fn what_is_in_hand_is_finished_at_shutdown_and_the_rest_comes_at_the_next_start() {
    let (_service, broker, data) = broker().await;
    let mut running = start(broker.address(), data.path(), vec![trigger("doors", ACKS)]).await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    bridge.publish(A, "slow 1").await;
    bridge.publish(A, "2").await;
    wait_until(|| running.trigger.counts().received.load(Ordering::Relaxed) == 2).await;
    let counts = running.trigger.counts().clone();
    running.trigger.stop(WAIT).await;
    assert_eq!(counts.acknowledged.load(Ordering::Relaxed), 1);
    assert_eq!(running.seen.recv().await.unwrap().2, "slow 1");
    drop(running.quarantine);

    let mut running = start(broker.address(), data.path(), vec![trigger("doors", ACKS)]).await;
    assert_eq!(running.next_text().await, "2");
    running.acknowledged(1).await;
}

#[tokio::test]
async fn filters_of_an_earlier_manifest_are_dropped() {
    let (_service, broker, data) = broker().await;
    let running = start(broker.address(), data.path(), vec![trigger("doors", ACKS)]).await;
    running.ready().await;
    running.trigger.stop(WAIT).await;
    drop(running.quarantine);
    let mut running = start(
        broker.address(),
        data.path(),
        vec![trigger("doors", "linli/+/door/+/event")],
    )
    .await;
    running.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    bridge.publish(A, "unwanted").await;
    bridge.publish("linli/garden/door/a/event", "wanted").await;
    assert_eq!(running.next_text().await, "wanted");
    assert_eq!(running.trigger.counts().received.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn of_two_hosts_with_a_shared_filter_one_gets_each_message() {
    let (_service, broker, data) = broker().await;
    let other = tempfile::tempdir().unwrap();
    let shared = || vec![trigger("doors", "$share/hosts/linli/+/door/+/ack")];
    let mut one = start(broker.address(), data.path(), shared()).await;
    let mut two = start(broker.address(), other.path(), shared()).await;
    one.ready().await;
    two.ready().await;
    let mut bridge = Connect::clean("bridge", "functions")
        .open(broker.address())
        .await;
    for number in 0..10 {
        bridge.publish(A, &number.to_string()).await;
    }
    let received = |running: &Running| running.trigger.counts().received.load(Ordering::Relaxed);
    wait_until(|| received(&one) + received(&two) == 10).await;
    assert_eq!((received(&one), received(&two)), (5, 5));
    let _ = (one.next().await, two.next().await);
}
