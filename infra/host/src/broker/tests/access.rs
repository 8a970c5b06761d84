//! Who gets in, and who may see and say what.

use std::sync::atomic::Ordering;

use rumqttc::{ConnectReturnCode, ConnectionError, LastWill, QoS};

use super::support::{AccessService, Client, Connect, start_broker};
use crate::broker::Broker;

async fn broker() -> (AccessService, Broker, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    (service, broker, data)
}

fn refusal(result: Result<Client, ConnectionError>) -> ConnectReturnCode {
    match result.err().expect("a refusal") {
        ConnectionError::ConnectionRefused(code) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let (_service, broker, _data) = broker().await;
    let refused = Connect::clean("gate", "garden/gate")
        .open_with(broker.address(), "guess")
        .await;
    assert_eq!(refusal(refused), ConnectReturnCode::BadUserNamePassword);
}

#[tokio::test]
async fn nobody_gets_in_when_nobody_can_say_who_may() {
    let data = tempfile::tempdir().unwrap();
    let mut service = AccessService::start().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    service.address = closed.local_addr().unwrap();
    drop(closed);
    let broker = start_broker(&service, data.path()).await;
    let refused = Connect::clean("gate", "garden/gate")
        .open_with(broker.address(), "garden/gate password")
        .await;
    assert_eq!(refusal(refused), ConnectReturnCode::BadUserNamePassword);
    assert_eq!(broker.statistics().questions_failed, 1);
}

#[tokio::test]
async fn a_device_sees_only_its_own_topics() {
    let (_service, broker, _data) = broker().await;
    let mut device = Connect::clean("gate", "garden/gate")
        .open(broker.address())
        .await;
    for filter in [
        "#",
        "$SYS/#",
        "+/garden/gateway/gate/cmd",
        "linli/#",
        "linli/+/gateway/gate/cmd",
        "linli/garden/#",
        "linli/garden/gateway/other/cmd",
    ] {
        assert!(!device.subscribe(filter).await, "{filter}");
    }
    assert!(device.subscribe("linli/garden/gateway/gate/#").await);
    let mut functions = Connect::clean("functions", "functions")
        .open(broker.address())
        .await;
    functions
        .publish("linli/garden/gateway/other/cmd", "not for you")
        .await;
    functions
        .publish("linli/garden/gateway/gate/cmd", "for you")
        .await;
    assert_eq!(device.next_text().await, "for you");
}

#[tokio::test]
async fn a_device_is_heard_only_on_its_own_topics() {
    let (_service, broker, _data) = broker().await;
    let mut functions = Connect::clean("functions", "functions")
        .open(broker.address())
        .await;
    assert!(functions.subscribe("linli/#").await);
    let mut device = Connect::clean("gate", "garden/gate")
        .open(broker.address())
        .await;
    device
        .publish("linli/garden/gateway/other/state", "a lie")
        .await;
    device
        .publish("linli/garden/gateway/gate/state", "the truth")
        .await;
    assert_eq!(functions.next_text().await, "the truth");
}

#[tokio::test]
async fn a_last_will_needs_the_same_permission_as_a_message() {
    let (_service, broker, _data) = broker().await;
    let will = |topic: &str| Some(LastWill::new(topic, "gone", QoS::AtLeastOnce, false));
    let foreign = Connect {
        will: will("linli/garden/gateway/other/state"),
        ..Connect::clean("gate", "garden/gate")
    };
    let refused = foreign
        .open_with(broker.address(), "garden/gate password")
        .await;
    assert_eq!(refusal(refused), ConnectReturnCode::NotAuthorized);

    let mut functions = Connect::clean("functions", "functions")
        .open(broker.address())
        .await;
    assert!(functions.subscribe("linli/garden/+/+/state").await);
    let own = Connect {
        will: will("linli/garden/gateway/gate/state"),
        ..Connect::clean("gate", "garden/gate")
    };
    own.open(broker.address()).await.vanish().await;
    assert_eq!(functions.next_text().await, "gone");
}

#[tokio::test]
async fn the_session_of_a_client_id_cannot_be_taken_over_by_another_user() {
    let (_service, broker, _data) = broker().await;
    Connect::persistent("gate", "garden/gate")
        .open(broker.address())
        .await
        .leave()
        .await;
    let thief = Connect::persistent("gate", "garden/thief")
        .open_with(broker.address(), "garden/thief password")
        .await;
    assert_eq!(refusal(thief), ConnectReturnCode::NotAuthorized);
    assert!(
        Connect::persistent("gate", "garden/gate")
            .open(broker.address())
            .await
            .session_present
    );
}

#[tokio::test]
async fn the_same_question_is_asked_once() {
    let (service, broker, _data) = broker().await;
    let mut device = Connect::clean("gate", "garden/gate")
        .open(broker.address())
        .await;
    for number in 0..50 {
        device
            .publish("linli/garden/gateway/gate/state", &number.to_string())
            .await;
    }
    assert_eq!(service.asked.load(Ordering::SeqCst), 2);
}
