//! What a broker is told: who may connect, publish and subscribe.

use serde_json::{Value, json};

use crate::support::{Function, INTERNAL, MQTT_PASSWORD, PASSWORD, operator, run};

/// Whether the broker is told to let the client in.
pub async fn connects(
    function: &Function,
    client_id: &str,
    username: &str,
    password: &str,
) -> bool {
    let body = json!({ "clientid": client_id, "username": username, "password": password, "peerhost": "10.0.0.1" });
    verdict(function, "authentication", body).await
}

async fn may(function: &Function, username: &str, action: &str, topic: &str) -> bool {
    let body = json!({
        "clientid": "x", "username": username, "action": action, "topic": topic, "qos": 1, "retain": false,
    });
    verdict(function, "authorization", body).await
}

async fn verdict(function: &Function, question: &str, body: Value) -> bool {
    let answer = function
        .post(&format!("/internal/mqtt/{question}"), INTERNAL, body)
        .await
        .expect(200, "");
    let ok = answer.body["ok"].as_bool().unwrap();
    assert_eq!(
        answer.body,
        json!({ "result": if ok { "allow" } else { "deny" }, "is_superuser": false, "ok": ok })
    );
    ok
}

/// A gateway with a door, and another gateway; their passwords.
async fn settle(function: &Function) -> (String, String) {
    let first =
        json!({ "id": "g1", "kind": "gateway", "children": [{ "kind": "door", "id": "d1" }] });
    let mut passwords = Vec::new();
    for body in [first, json!({ "id": "g2", "kind": "gateway" })] {
        let answer = function
            .post("/api/devices", &operator(), body)
            .await
            .expect(201, "");
        passwords.push(
            answer.body["credential"]["password"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    (passwords.remove(0), passwords.remove(0))
}

#[test]
fn only_the_deployment_asks() {
    run(async |function| {
        for question in ["authentication", "authorization"] {
            for token in ["", "wrong", &operator()] {
                let body = json!({ "action": "publish", "topic": "linli/demo/event" });
                let answer = function
                    .post(&format!("/internal/mqtt/{question}"), token, body)
                    .await;
                assert_eq!(answer.status, 401, "{answer:?}");
            }
        }
    });
}

#[test]
fn functions_devices_and_watching_people_connect_with_their_own_passwords() {
    run(async |function| {
        let (first, second) = settle(&function).await;
        function.add("li", "resident", &["garden"]).await;
        function.add("eye", "auditor", &[]).await;
        for (username, password, allowed) in [
            ("functions", MQTT_PASSWORD, true),
            ("functions", PASSWORD, false),
            ("functions", "", false),
            ("demo/g1", first.as_str(), true),
            ("demo/g1", second.as_str(), false),
            ("demo/g1", "", false),
            ("other/g1", first.as_str(), false),
            ("demo/boss", PASSWORD, true),
            ("demo/Boss", PASSWORD, true),
            ("demo/eye", PASSWORD, true),
            ("demo/boss", "not the password", false),
            ("demo/li", PASSWORD, false),
            ("demo/nobody", PASSWORD, false),
            ("nowhere/boss", PASSWORD, false),
            ("boss", PASSWORD, false),
            ("", "", false),
            ("demo/", PASSWORD, false),
        ] {
            assert_eq!(
                connects(&function, "any", username, password).await,
                allowed,
                "{username} {password}"
            );
        }
    });
}

#[test]
fn nobody_takes_over_the_session_of_a_device() {
    run(async |function| {
        let (first, second) = settle(&function).await;
        assert!(connects(&function, "demo-g1", "demo/g1", &first).await);
        assert!(!connects(&function, "demo-g1", "demo/g2", &second).await);
        assert!(!connects(&function, "demo-g1", "demo/boss", PASSWORD).await);
        assert!(!connects(&function, "demo-g1", "functions", MQTT_PASSWORD).await);
    });
}

#[test]
fn a_brokers_form_is_understood_like_its_json() {
    run(async |function| {
        let (first, _) = settle(&function).await;
        let bearer = format!("Bearer {INTERNAL}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let form =
            format!("clientid=demo-g1&username=demo%2Fg1&password={first}&peerhost=10.0.0.1");
        let answer = function
            .send("POST", "/internal/mqtt/authentication", &headers, &form)
            .await
            .expect(200, "");
        assert_eq!(answer.body["result"], "allow");
        let form = "clientid=x&username=demo%2Fg1&action=publish&topic=linli%2Fdemo%2Fdoor%2Fd1%2Fack&qos=1&retain=true";
        let answer = function
            .send("POST", "/internal/mqtt/authorization", &headers, form)
            .await
            .expect(200, "");
        assert_eq!(answer.body["result"], "deny");
    });
}

#[test]
fn topics_are_decided_by_what_is_registered_now() {
    run(async |function| {
        settle(&function).await;
        function.add("li", "resident", &["garden"]).await;
        for (username, action, topic, allowed) in [
            ("demo/g1", "publish", "linli/demo/door/d1/ack", true),
            ("demo/g1", "subscribe", "linli/demo/door/d1/cmd", true),
            ("demo/g1", "subscribe", "linli/demo/#", false),
            ("demo/g2", "subscribe", "linli/demo/door/d1/cmd", false),
            ("demo/boss", "subscribe", "linli/demo/#", true),
            ("demo/boss", "publish", "linli/demo/door/d1/cmd", false),
            ("demo/boss", "subscribe", "linli/other/#", false),
            ("demo/li", "subscribe", "linli/demo/#", false),
            ("functions", "publish", "linli/demo/door/d1/cmd", true),
            ("functions", "subscribe", "linli/+/door/+/ack", true),
            ("nobody", "subscribe", "linli/demo/#", false),
            ("demo/g1", "unsubscribe", "linli/demo/door/d1/cmd", false),
        ] {
            assert_eq!(
                may(&function, username, action, topic).await,
                allowed,
                "{username} {action} {topic}"
            );
        }
        let bearer = format!("Bearer {}", operator());
        let put = function
            .send(
                "PUT",
                "/api/devices/g2/children/door/d1",
                &[("authorization", &bearer)],
                "",
            )
            .await;
        put.expect(200, "");
        assert!(may(&function, "demo/g2", "subscribe", "linli/demo/door/d1/cmd").await);
        assert!(!may(&function, "demo/g1", "subscribe", "linli/demo/door/d1/cmd").await);
    });
}

#[test]
fn guessing_at_the_broker_is_as_limited_as_guessing_at_the_door() {
    run(async |function| {
        for _ in 0..identity::domain::ATTEMPTS_MAX {
            assert!(!connects(&function, "any", "demo/boss", "not the password").await);
        }
        assert!(!connects(&function, "any", "demo/boss", PASSWORD).await);
        function
            .sign_in("boss", PASSWORD)
            .await
            .expect(429, "too_many_attempts");
    });
}
