//! Who sees what on the broker: an operator everything of the tenant, a device only its own, others nothing.

use std::{path::Path, process::Command};

use linli_tests::{estate::Estate, process::Process, system::Setup};

const DOOR: &str = "north-gate";

/// Debian's own client, so that the broker is not only tried with the library it is built from.
fn mosquitto_sub(estate: &Estate, user: &str, password: &str, topic: &str) -> Process {
    // A device has one client id that is its alone: `{tenant}-{device}`.
    let client_id = user.replace('/', "-");
    let (host, port) = estate.system.mqtt_address.rsplit_once(':').unwrap();
    let mut command = Command::new("stdbuf");
    // Into a pipe it would print only when its buffer is full.
    command.args(["-oL", "mosquitto_sub"]);
    command.args([
        "-i", &client_id, "-h", host, "-p", port, "-u", user, "-P", password, "-t", topic, "-q",
        "1", "-v", "-d",
    ]);
    Process::spawn("mosquitto_sub", command)
}

fn is_installed() -> bool {
    let there = ["/usr/bin/mosquitto_sub", "/usr/local/bin/mosquitto_sub"]
        .iter()
        .any(|path| Path::new(path).exists());
    if !there {
        eprintln!(
            "skipped: 1 test needs mosquitto_sub: `cargo xtask test` installs it where it may"
        );
    }
    there
}

#[tokio::test]
async fn an_operator_sees_the_traffic_of_the_tenant_with_mosquitto_sub() {
    if !is_installed() {
        return;
    }
    let estate = Estate::start().await;
    let operator = estate.demo.person("operator").unwrap();
    let mut seen = mosquitto_sub(&estate, "demo/operator", &operator.password, "linli/demo/#");
    seen.line("Subscribed (mid");
    let id = estate.open(DOOR).await;
    let command = seen.line(&format!("linli/demo/door/{DOOR}/cmd "));
    assert!(command.contains(&id), "{command}");
    seen.line(&format!("linli/demo/door/{DOOR}/ack "));
    seen.line("linli/demo/gateway/gateway-1/cmd ");
}

#[tokio::test]
async fn a_device_sees_only_its_own_with_mosquitto_sub() {
    if !is_installed() {
        return;
    }
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let password = estate.demo.gateway.password.clone();
    let mut own = mosquitto_sub(
        &estate,
        "demo/gateway-1",
        &password,
        &format!("linli/demo/door/{DOOR}/cmd"),
    );
    own.line("Subscribed (mid");
    let id = estate.open(DOOR).await;
    assert!(
        own.line(&format!("linli/demo/door/{DOOR}/cmd "))
            .contains(&id)
    );
    for foreign in [
        "linli/demo/#",
        "#",
        "linli/+/door/+/cmd",
        "$SYS/#",
        "linli/demo/door/garage/cmd",
        "linli/other/#",
    ] {
        let mut denied = mosquitto_sub(&estate, "demo/gateway-1", &password, foreign);
        // MQTT 3.1.1 has one code for a refused subscription, 128; a broker may end the session instead.
        let line = denied.line_of(&[
            "QoS 128",
            "Subscribed (mid: 1): 128",
            "All subscription requests were denied",
            "disconnect",
        ]);
        assert!(!line.is_empty(), "{foreign}");
    }
}

#[tokio::test]
async fn a_device_publishes_only_as_itself_and_nobody_without_a_password() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let gateway = estate.demo.gateway.clone();
    assert!(
        estate
            .system
            .mqtt("wrong", "demo/gateway-1", "wrong")
            .await
            .is_err()
    );
    assert!(estate.system.mqtt("nobody", "", "").await.is_err());
    assert!(
        estate
            .system
            .mqtt("person", "functions", "wrong")
            .await
            .is_err()
    );
    let operator = estate.demo.person("operator").unwrap();
    let mut spy = estate
        .system
        .mqtt("spy", "demo/operator", &operator.password)
        .await
        .unwrap();
    assert!(spy.subscribe("linli/demo/#").await);
    for foreign in [
        format!("linli/demo/door/{DOOR}/cmd"),
        "linli/demo/door/garage/ack".to_owned(),
        "linli/other/door/x/ack".to_owned(),
    ] {
        let mut device = estate
            .system
            .mqtt("demo-gateway-1", "demo/gateway-1", &gateway.password)
            .await
            .unwrap();
        // A broker of MQTT 3.1.1 may acknowledge what it drops; what counts is that nobody gets it.
        device.publish(&foreign, b"forged").await;
    }
    // Something that is allowed, afterwards: when it has come, the forged ones would have come, too.
    let id = estate.open(DOOR).await;
    let mut topics = Vec::new();
    loop {
        let message = spy.message().await;
        assert_ne!(&message.payload[..], b"forged", "{}", message.topic);
        topics.push(message.topic.clone());
        if String::from_utf8_lossy(&message.payload).contains(&id) {
            break;
        }
    }
    let person = estate
        .system
        .mqtt("op", "demo/operator", &operator.password)
        .await
        .unwrap();
    drop(person);
}
