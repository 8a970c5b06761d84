//! Connected applications: keys, scopes, rotation and limits.

use kernel::ActorKind;
use serde_json::{Value, json};

use crate::support::{Answer, Function, SECRET, operator, run, token, token_of};

fn erp() -> Value {
    json!({ "id": "erp", "name": "ERP", "scopes": ["people:read", "doors:read"], "sessions_per_minute": 3 })
}

async fn connect(function: &Function) -> Answer {
    function
        .post("/api/applications", &operator(), erp())
        .await
        .expect(201, "");
    key(function, json!({})).await
}

async fn key(function: &Function, body: Value) -> Answer {
    function
        .post("/api/applications/erp/keys", &operator(), body)
        .await
        .expect(201, "")
}

async fn exchange(function: &Function, key: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    function
        .send(
            "POST",
            "/api/application-sessions",
            &[("authorization", &bearer)],
            "",
        )
        .await
}

#[test]
fn a_key_is_exchanged_for_a_token_with_the_scopes_of_its_application() {
    run(async |function| {
        let key = connect(&function).await.text("key");
        assert!(key.starts_with("lk_"));
        let session = exchange(&function, &key).await.expect(201, "");
        let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
        let actor =
            web::token::verify(&secret, &session.text("token"), function.context.now).unwrap();
        assert_eq!(
            (actor.kind, actor.id.as_str()),
            (ActorKind::Application, "erp")
        );
        assert!(actor.may("people:read") && !actor.may("people:write"));
        function
            .get("/api/people", &session.text("token"))
            .await
            .expect(200, "");
        function
            .get("/api/roles", &session.text("token"))
            .await
            .expect(403, "roles_forbidden");
        let in_body = function
            .ask("/api/application-sessions", json!({ "key": key }))
            .await
            .expect(201, "");
        assert_eq!(in_body.body["scopes"], json!(["doors:read", "people:read"]));
    });
}

#[test]
fn a_key_is_used_so_often_a_minute_and_then_waits() {
    run(async |mut function| {
        let key = connect(&function).await.text("key");
        for _ in 0..3 {
            exchange(&function, &key).await.expect(201, "");
        }
        function.wait(20_000);
        let often = exchange(&function, &key)
            .await
            .expect(429, "key_used_too_often");
        assert_eq!(often.header("retry-after"), "40");
        function.wait(40_000);
        exchange(&function, &key).await.expect(201, "");
    });
}

#[test]
fn after_a_rotation_the_old_key_holds_for_the_overlap() {
    run(async |mut function| {
        let old = connect(&function).await.text("key");
        let new = key(&function, json!({ "overlap_seconds": 60 })).await;
        assert!(new.body["previous_expires_at"].is_string());
        exchange(&function, &old).await.expect(201, "");
        function.wait(60_000);
        exchange(&function, &old).await.expect(401, "key_invalid");
        exchange(&function, &new.text("key")).await.expect(201, "");
        let shown = function
            .get("/api/applications/erp", &operator())
            .await
            .expect(200, "");
        assert_eq!(shown.body["keys"].as_array().unwrap().len(), 1);
        assert!(!shown.body.to_string().contains("lk_"));
        let path = format!("/api/applications/erp/keys/{}", new.text("id"));
        function.delete(&path, &operator()).await.expect(204, "");
        function
            .delete(&path, &operator())
            .await
            .expect(404, "key_unknown");
        exchange(&function, &new.text("key"))
            .await
            .expect(401, "key_invalid");
    });
}

#[test]
fn a_request_for_a_key_under_the_same_idempotency_key_gives_the_same_key() {
    run(async |function| {
        connect(&function).await;
        let (path, caller) = ("/api/applications/erp/keys", operator());
        let ask = || function.post_once(path, &caller, "k1", json!({}));
        let (first, again) = (ask().await.expect(201, ""), ask().await);
        assert_eq!(first, again);
    });
}

#[test]
fn what_is_no_key_and_a_disabled_application_are_refused_alike() {
    run(async |function| {
        let key = connect(&function).await.text("key");
        for wrong in ["lk_", "lk_a_b", "nonsense", &format!("{key}x")] {
            exchange(&function, wrong).await.expect(401, "key_invalid");
        }
        function
            .patch(
                "/api/applications/erp",
                &operator(),
                "\"1\"",
                json!({ "disabled": true }),
            )
            .await
            .expect(200, "");
        exchange(&function, &key).await.expect(401, "key_invalid");
        assert_eq!(
            function.fact("application.changed").await["disabled"],
            json!(true)
        );
    });
}

#[test]
fn only_operators_connect_applications_and_auditors_read_them() {
    run(async |function| {
        connect(&function).await;
        for kind in ActorKind::ALL {
            if kind == ActorKind::Operator {
                continue;
            }
            let caller = token(kind, "x", &["garden"]);
            let path = "/api/applications/erp";
            for answer in [
                function.post("/api/applications", &caller, erp()).await,
                function.patch(path, &caller, "*", json!({})).await,
                function
                    .post("/api/applications/erp/keys", &caller, json!({}))
                    .await,
                function
                    .delete("/api/applications/erp/keys/k", &caller)
                    .await,
            ] {
                answer.expect(403, "roles_forbidden");
            }
            let shown = function.get(path, &caller).await;
            assert_eq!(shown.status == 200, kind == ActorKind::Auditor);
        }
        let stranger = token_of("other", ActorKind::Operator, "boss", &[]);
        function
            .get("/api/applications/erp", &stranger)
            .await
            .expect(404, "application_unknown");
        function
            .post("/api/applications", &operator(), erp())
            .await
            .expect(409, "name_taken");
        let wrong = json!({ "id": "crm", "name": "CRM", "scopes": ["everything"] });
        function
            .post("/api/applications", &operator(), wrong)
            .await
            .expect(422, "wrong_type");
    });
}
