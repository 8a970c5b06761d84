//! Devices over HTTP: a credential for a token.

use kernel::ActorKind;
use serde_json::json;

use crate::support::{Answer, Function, SECRET, operator, run};

async fn open(function: &Function, device: &str, secret: &str) -> Answer {
    let body = json!({ "tenant": "demo", "device": device, "secret": secret });
    function.ask("/api/device-sessions", body).await
}

async fn add(function: &Function, body: serde_json::Value) -> Answer {
    function
        .post("/api/devices", &operator(), body)
        .await
        .expect(201, "")
}

#[test]
fn a_credential_is_exchanged_for_a_token_that_speaks_for_the_device_for_an_hour() {
    run(async |mut function| {
        let device = add(&function, json!({ "id": "g1", "kind": "gateway" })).await;
        let secret = device.body["credential"]["password"].as_str().unwrap();
        let session = open(&function, "g1", secret).await.expect(201, "");
        let key = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
        let verify = |now| web::token::verify(&key, &session.text("token"), now);
        let actor = verify(function.context.now).unwrap();
        assert_eq!((actor.kind, actor.id.as_str()), (ActorKind::Device, "g1"));
        assert!(verify(function.context.now.plus_millis(3_599_000)).is_ok());
        assert!(verify(function.context.now.plus_millis(3_600_000)).is_err());
        function
            .post(
                "/api/devices/g1/credentials",
                &operator(),
                json!({ "overlap_seconds": 60 }),
            )
            .await
            .expect(201, "");
        open(&function, "g1", secret).await.expect(201, "");
        function.wait(60_000);
        open(&function, "g1", secret)
            .await
            .expect(401, "credentials_wrong");
    });
}

#[test]
fn nobody_locks_a_gateway_out_by_guessing_and_a_chosen_secret_is_guessed_ten_times() {
    run(async |function| {
        let made = add(&function, json!({ "id": "g1", "kind": "gateway" })).await;
        let secret = made.body["credential"]["password"].as_str().unwrap();
        let chosen = "a secret from a label";
        add(
            &function,
            json!({ "id": "g2", "kind": "gateway", "password": chosen }),
        )
        .await;
        for _ in 0..10 {
            open(&function, "g1", "wrong")
                .await
                .expect(401, "credentials_wrong");
            open(&function, "g2", "wrong")
                .await
                .expect(401, "credentials_wrong");
        }
        open(&function, "g1", secret).await.expect(201, "");
        open(&function, "g2", chosen)
            .await
            .expect(429, "too_many_attempts");
        open(&function, "nobody", "wrong")
            .await
            .expect(401, "credentials_wrong");
    });
}
