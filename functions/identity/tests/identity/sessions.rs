//! Signing in: who may, what a wrong password tells, and how often it may be tried.

use identity::domain::{ATTEMPTS_MAX, ATTEMPTS_WINDOW_MS};
use kernel::ActorKind;
use serde_json::json;

use crate::support::{INTERNAL, PASSWORD, SECRET, operator, run, token};

#[test]
fn signing_in_gives_a_token_that_speaks_for_the_person_for_a_quarter_of_an_hour() {
    run(async |function| {
        function.add("Li", "resident", &["garden"]).await;
        let session = function.sign_in("li", PASSWORD).await.expect(201, "");
        assert_eq!(session.header("cache-control"), "no-store");
        let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
        let actor =
            web::token::verify(&secret, &session.text("token"), function.context.now).unwrap();
        assert_eq!((actor.kind, actor.id.as_str()), (ActorKind::Resident, "li"));
        assert_eq!(actor.communities.len(), 1);
        assert!(
            web::token::verify(
                &secret,
                &session.text("token"),
                function.context.now.plus_millis(900_000)
            )
            .is_err()
        );
        let current = function
            .get("/api/sessions/current", &session.text("token"))
            .await
            .expect(200, "");
        assert_eq!(current.body, session.body["person"]);
        assert!(
            function
                .facts()
                .await
                .contains(&"session.opened".to_owned())
        );
    });
}

#[test]
fn a_wrong_password_an_unknown_name_and_an_unknown_tenant_get_the_same_answer() {
    run(async |function| {
        let wrong = function
            .sign_in("boss", "not the password")
            .await
            .expect(401, "credentials_wrong");
        let unknown = function.sign_in("nobody", "not the password").await;
        assert_eq!(wrong, unknown);
        let body =
            json!({ "tenant": "nowhere", "username": "boss", "password": PASSWORD }).to_string();
        assert_eq!(
            function.send("POST", "/api/sessions", &[], &body).await,
            wrong
        );
    });
}

#[test]
fn after_ten_wrong_passwords_even_the_right_one_waits_for_its_time() {
    run(async |mut function| {
        for name in ["boss", "nobody"] {
            for _ in 0..ATTEMPTS_MAX {
                function
                    .sign_in(name, "not the password")
                    .await
                    .expect(401, "credentials_wrong");
            }
            let locked = function
                .sign_in(name, PASSWORD)
                .await
                .expect(429, "too_many_attempts");
            assert_eq!(locked.header("retry-after"), "900");
        }
        function.wait(ATTEMPTS_WINDOW_MS - 1);
        function
            .sign_in("boss", PASSWORD)
            .await
            .expect(429, "too_many_attempts");
        function.wait(1);
        function.sign_in("boss", PASSWORD).await.expect(201, "");
    });
}

#[test]
fn a_right_password_forgets_the_wrong_ones_before_it() {
    run(async |function| {
        for _ in 0..2 {
            for _ in 0..ATTEMPTS_MAX - 1 {
                function
                    .sign_in("boss", "not the password")
                    .await
                    .expect(401, "credentials_wrong");
            }
            function.sign_in("boss", PASSWORD).await.expect(201, "");
        }
    });
}

#[test]
fn attempts_at_the_same_moment_do_not_slip_through_together() {
    run(async |function| {
        let mut answers = Vec::new();
        let tries = (0..ATTEMPTS_MAX + 5).map(|_| function.sign_in("boss", "not the password"));
        let mut tries: Vec<_> = tries.map(Box::pin).collect();
        std::future::poll_fn(|context| {
            tries.retain_mut(|attempt| match attempt.as_mut().poll(context) {
                std::task::Poll::Ready(answer) => {
                    answers.push(answer.status);
                    false
                }
                std::task::Poll::Pending => true,
            });
            if tries.is_empty() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        assert_eq!(
            answers.iter().filter(|status| **status == 401).count(),
            ATTEMPTS_MAX
        );
        assert_eq!(answers.iter().filter(|status| **status == 429).count(), 5);
    });
}

#[test]
fn a_disabled_person_does_not_sign_in_and_learns_it_only_with_the_right_password() {
    run(async |function| {
        function.add("li", "resident", &["garden"]).await;
        let li = function.sign_in("li", PASSWORD).await.text("token");
        function
            .patch(
                "/api/people/li",
                &operator(),
                "\"1\"",
                json!({ "disabled": true }),
            )
            .await
            .expect(200, "");
        function
            .sign_in("li", PASSWORD)
            .await
            .expect(403, "person_disabled");
        function
            .sign_in("li", "not the password")
            .await
            .expect(401, "credentials_wrong");
        function
            .get("/api/sessions/current", &li)
            .await
            .expect(401, "person_disabled");
    });
}

#[test]
fn nobody_is_anybody_without_a_token() {
    run(async |function| {
        function
            .send("GET", "/api/sessions/current", &[], "")
            .await
            .expect(401, "token_missing");
        function
            .get("/api/sessions/current", "nonsense")
            .await
            .expect(401, "token_invalid");
        function
            .get(
                "/api/sessions/current",
                &token(ActorKind::Resident, "ghost", &["garden"]),
            )
            .await
            .expect(404, "person_unknown");
        function
            .patch("/api/sessions", &operator(), "", json!({}))
            .await
            .expect(405, "method_not_allowed");
        function
            .get("/api/sessions/other", &operator())
            .await
            .expect(405, "method_not_allowed");
        function
            .get("/api/sessions/other/tokens", &operator())
            .await
            .expect(404, "not_found");
    });
}

#[test]
fn a_tenant_is_founded_once_and_only_by_the_deployment() {
    run(async |function| {
        let body = |tenant: &str| json!({ "tenant": tenant, "name": "Second", "operator": { "username": "chief", "password": PASSWORD } });
        for token in ["", &operator(), "wrong"] {
            let answer = function
                .post("/internal/tenants", token, body("second"))
                .await;
            assert_eq!(answer.status, 401, "{answer:?}");
        }
        let first = function
            .post_once("/internal/tenants", INTERNAL, "k1", body("second"))
            .await
            .expect(201, "");
        let again = function
            .post_once("/internal/tenants", INTERNAL, "k1", body("second"))
            .await;
        assert_eq!(first, again);
        function
            .post("/internal/tenants", INTERNAL, body("second"))
            .await
            .expect(409, "tenant_exists");
        let short = json!({ "tenant": "third", "name": "Third", "operator": { "username": "chief", "password": "short" } });
        function
            .post("/internal/tenants", INTERNAL, short)
            .await
            .expect(422, "wrong_type");
        assert_eq!(
            function.facts().await,
            ["tenant.founded", "person.registered"]
        );
    });
}

#[test]
fn problems_are_told_in_the_readers_language() {
    run(async |function| {
        let body = json!({ "tenant": "demo", "username": "boss", "password": "wrong" }).to_string();
        let answer = function
            .send(
                "POST",
                "/api/sessions",
                &[("accept-language", "zh-CN")],
                &body,
            )
            .await;
        assert!(
            answer
                .expect(401, "credentials_wrong")
                .text("detail")
                .contains("密码不正确")
        );
    });
}
