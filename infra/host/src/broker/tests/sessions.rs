//! Sessions within one run of the broker.

use std::{collections::HashSet, process::Stdio, time::Duration};

use rumqttc::QoS;
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

use super::support::{AccessService, Connect, WAIT, start_broker};

#[tokio::test]
async fn messages_wait_in_order_for_a_client_that_is_away() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let mut device = Connect::persistent("gate", "garden/gate")
        .open(broker.address())
        .await;
    assert!(!device.session_present);
    assert!(device.subscribe("linli/garden/gateway/gate/cmd").await);
    device.leave().await;
    let mut functions = Connect::clean("functions", "functions")
        .open(broker.address())
        .await;
    let sent: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    for text in &sent {
        functions
            .publish("linli/garden/gateway/gate/cmd", text)
            .await;
    }
    let mut device = Connect::persistent("gate", "garden/gate")
        .open(broker.address())
        .await;
    assert!(device.session_present);
    assert_eq!(device.texts(100).await, sent);
}

#[tokio::test]
async fn a_client_that_comes_back_at_once_is_let_in() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    for round in 0..100 {
        let connect = if round % 3 == 0 {
            Connect::clean("gate", "garden/gate")
        } else {
            Connect::persistent("gate", "garden/gate")
        };
        let device = connect.open(broker.address()).await;
        match round % 4 {
            0 => device.vanish().await,
            // The next one takes over while this one is still there.
            1 => drop(device),
            _ => device.leave().await,
        }
    }
}

#[tokio::test]
async fn what_was_not_acknowledged_is_sent_again_first_and_in_order() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let silent = || Connect {
        manual_acks: true,
        ..Connect::persistent("gate", "garden/gate")
    };
    let mut device = silent().open(broker.address()).await;
    assert!(device.subscribe("linli/garden/gateway/gate/cmd").await);
    let mut functions = Connect::clean("functions", "functions")
        .open(broker.address())
        .await;
    for number in 0..5 {
        functions
            .publish("linli/garden/gateway/gate/cmd", &number.to_string())
            .await;
    }
    assert_eq!(device.texts(5).await, ["0", "1", "2", "3", "4"]);
    device.vanish().await;
    functions
        .publish("linli/garden/gateway/gate/cmd", "5")
        .await;
    let mut device = silent().open(broker.address()).await;
    assert_eq!(device.texts(6).await, ["0", "1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn nothing_is_lost_while_a_subscriber_reconnects_again_and_again() {
    const MESSAGES: usize = 600;
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let slow = || Connect {
        manual_acks: true,
        ..Connect::persistent("gate", "garden/gate")
    };
    let mut device = slow().open(broker.address()).await;
    assert!(device.subscribe("linli/garden/gateway/gate/cmd").await);
    let address = broker.address();
    let publishing = tokio::spawn(async move {
        let mut functions = Connect::clean("functions", "functions").open(address).await;
        for number in 0..MESSAGES {
            functions
                .publish("linli/garden/gateway/gate/cmd", &number.to_string())
                .await;
        }
    });
    let mut seen = HashSet::new();
    let mut round = 0;
    while seen.len() < MESSAGES {
        for _ in 0..7 {
            if seen.len() < MESSAGES {
                let message = device.next().await;
                seen.insert(message.payload.clone());
                device.mqtt.ack(&message).await.unwrap();
            }
        }
        round += 1;
        // Once taken over by a new connection, once gone before it.
        let old = device;
        if round % 2 == 0 {
            old.vanish().await;
            device = slow().open(address).await;
        } else {
            device = slow().open(address).await;
            old.vanish().await;
        }
        assert!(device.session_present);
    }
    publishing.await.unwrap();
}

#[tokio::test]
async fn a_packet_that_is_too_large_ends_its_connection_only() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let mut functions = Connect::clean("functions", "functions")
        .open(broker.address())
        .await;
    let mut other = Connect::clean("other", "functions")
        .open(broker.address())
        .await;
    functions
        .mqtt
        .publish("linli/a", QoS::AtLeastOnce, false, vec![b'x'; 300 * 1024])
        .await
        .unwrap();
    functions.hung_up().await;
    other.publish("linli/a", "still here").await;
}

#[tokio::test]
async fn mosquittos_clients_work_with_mqtt_3_and_5() {
    let data = tempfile::tempdir().unwrap();
    let service = AccessService::start().await;
    let broker = start_broker(&service, data.path()).await;
    let port = broker.address().port().to_string();
    for version in ["mqttv311", "mqttv5"] {
        let common = [
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-V",
            version,
            "-u",
            "functions",
            "-P",
            "functions password",
            "-q",
            "1",
        ];
        let mut published = Command::new("mosquitto_pub");
        published
            .args(common)
            .args(["-t", "linli/garden/state", "-m", version, "-r"]);
        let Ok(done) = timeout(WAIT, published.status()).await.unwrap() else {
            eprintln!("SKIPPED: mosquitto_pub is not installed");
            return;
        };
        assert!(done.success(), "{version}");
        let mut subscriber = Command::new("mosquitto_sub")
            .args(common)
            .args(["-t", "linli/garden/#", "-C", "1", "-F", "%t %p %r"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut text = String::new();
        let mut output = subscriber.stdout.take().unwrap();
        timeout(Duration::from_secs(20), output.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(text.trim(), format!("linli/garden/state {version} 1"));
    }
}
