//! Publishing over shared connections against the embedded broker.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use rumqttc::QoS;

use super::*;
use crate::broker::tests::support::{AccessService, Connect, start_broker};

fn credentials(username: &str) -> (String, String) {
    (username.to_owned(), format!("{username} password"))
}

fn allowed(entries: &[&str]) -> AllowedHosts {
    AllowedHosts::parse(entries).unwrap()
}

#[test]
fn addresses_are_mqtt_with_or_without_a_port_and_a_client_id() {
    let local = Some(("broker.local".to_owned(), 1883));
    assert_eq!(Address::parse("mqtt://broker.local"), local);
    assert_eq!(
        Address::parse("mqtt://broker.local:1883?client_id=doors"),
        local
    );
    assert_eq!(
        Address::parse("mqtt://[::1]:1884/"),
        Some(("[::1]".to_owned(), 1884))
    );
    for wrong in [
        "",
        "broker.local",
        "http://broker.local",
        "mqtts://broker.local",
        "mqtt://user@broker.local",
        "mqtt://broker.local/path",
        "mqtt://broker.local:x",
    ] {
        assert_eq!(Address::parse(wrong), None, "{wrong}");
    }
}

#[tokio::test]
async fn only_allowed_hosts_are_connected_to() {
    let pools = Pools::default();
    let hosts = allowed(&["mqtt://127.0.0.1:1883"]);
    for (address, expected) in [
        ("mqtt://127.0.0.1:1884", "allowed_outbound_hosts"),
        ("mqtt://example.com:1883", "allowed_outbound_hosts"),
        ("tcp://127.0.0.1:1883", "InvalidAddress"),
    ] {
        let error = connect(
            &pools,
            &hosts,
            address,
            credentials("functions"),
            Duration::ZERO,
        )
        .await;
        let error = format!("{:?}", error.err().expect("a refusal"));
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_publish_returns_when_the_broker_has_acknowledged_it() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let mut subscriber = Connect::clean("subscriber", "functions")
        .open(broker.address())
        .await;
    assert!(subscriber.subscribe("linli/#").await);
    let pools = Pools::default();
    let address = format!("mqtt://{}?client_id=doors", broker.address());
    let hosts = allowed(&["mqtt://127.0.0.1:*"]);
    let pool = connect(
        &pools,
        &hosts,
        &address,
        credentials("functions"),
        Duration::ZERO,
    )
    .await
    .unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        pool.publish(
            "linli/garden/door/a/cmd".to_owned(),
            Bytes::from(format!("{qos:?}")),
            qos,
        )
        .await
        .unwrap();
        assert_eq!(subscriber.next_text().await, format!("{qos:?}"));
    }
    let again = connect(
        &pools,
        &hosts,
        &address,
        credentials("functions"),
        Duration::ZERO,
    )
    .await
    .unwrap();
    again
        .publish(
            "linli/garden/door/a/cmd".to_owned(),
            Bytes::from("again"),
            QoS::AtLeastOnce,
        )
        .await
        .unwrap();
    assert_eq!(
        pools.counts().connected.load(Ordering::Relaxed),
        1,
        "the connection is shared"
    );
    let wildcard = again
        .publish("linli/#".to_owned(), Bytes::new(), QoS::AtLeastOnce)
        .await;
    assert!(matches!(wildcard, Err(Failure::Refused(_))));
}

#[tokio::test]
async fn refused_credentials_and_absent_brokers_are_errors_at_once() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let pools = Pools::default();
    let hosts = allowed(&["mqtt://127.0.0.1:*"]);
    let address = format!("mqtt://{}", broker.address());
    let wrong = ("functions".to_owned(), "guess".to_owned());
    let pool = connect(&pools, &hosts, &address, wrong, Duration::ZERO)
        .await
        .unwrap();
    let failed = pool
        .publish("linli/a".to_owned(), Bytes::new(), QoS::AtLeastOnce)
        .await;
    assert!(
        matches!(&failed, Err(Failure::Connection(reason)) if reason.contains("BadUserNamePassword")),
        "{failed:?}"
    );

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let address = format!("mqtt://{closed}");
    let pool = connect(
        &pools,
        &hosts,
        &address,
        credentials("functions"),
        Duration::ZERO,
    )
    .await
    .unwrap();
    let failed = pool
        .publish("linli/a".to_owned(), Bytes::new(), QoS::AtLeastOnce)
        .await;
    assert!(matches!(failed, Err(Failure::Connection(_))), "{failed:?}");
}

/// Not a benchmark: only far too slow fails. The number is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_messages_a_second_are_stored_for_an_absent_subscriber() {
    const GUESTS: usize = 128;
    const MESSAGES_PER_GUEST: usize = 24;
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let mut subscriber = Connect::persistent("subscriber", "functions")
        .open(broker.address())
        .await;
    assert!(subscriber.subscribe("linli/#").await);
    subscriber.leave().await;
    let pools = Arc::new(Pools::default());
    let hosts = allowed(&["mqtt://127.0.0.1:*"]);
    let address = format!("mqtt://{}", broker.address());
    let started = std::time::Instant::now();
    let mut guests = tokio::task::JoinSet::new();
    for guest in 0..GUESTS {
        let pool = connect(
            &pools,
            &hosts,
            &address,
            credentials("functions"),
            Duration::ZERO,
        )
        .await
        .unwrap();
        guests.spawn(async move {
            for _ in 0..MESSAGES_PER_GUEST {
                let topic = format!("linli/garden/door/{guest}/cmd");
                pool.publish(topic, Bytes::from_static(&[b'x'; 200]), QoS::AtLeastOnce)
                    .await
                    .unwrap();
            }
        });
    }
    guests.join_all().await;
    let rate = (GUESTS * MESSAGES_PER_GUEST) as f64 / started.elapsed().as_secs_f64();
    println!("{rate:.0} durable messages/s");
    assert!(rate > 100.0, "{rate} messages/s");
}
