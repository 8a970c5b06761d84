//! Sessions that go on: refresh tokens, signing out, and sessions ended by others.

use identity::domain::{IDLE_MS, SESSION_MS};
use kernel::ActorKind;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::{Function, PASSWORD, operator, run, token};

async fn live_tokens(function: &Function) -> i64 {
    let sql = "select count(1) from identity_refresh r join identity_session s on s.tenant = r.tenant and s.id = r.session
        where r.used_at is null and s.ended_at is null";
    let rows = function.database.db.rows(sql, &[]).await.unwrap();
    rows[0].integer(0).unwrap()
}

async fn signed_in(function: &Function) -> (String, String) {
    let session = function.sign_in("boss", PASSWORD).await.expect(201, "");
    (session.text("token"), session.text("refresh_token"))
}

#[test]
fn a_refresh_gives_new_tokens_and_the_old_one_is_used_up() {
    run(async |mut function| {
        let (_, first) = signed_in(&function).await;
        function.wait(60 * 60 * 1_000);
        let second = function.refresh(&first).await.expect(201, "");
        assert_ne!(second.text("refresh_token"), first);
        function
            .get("/api/sessions/current", &second.text("token"))
            .await
            .expect(200, "");
        let third = function
            .refresh(&second.text("refresh_token"))
            .await
            .expect(201, "");
        assert_eq!(third.body["id"], second.body["id"]);
        assert_eq!(live_tokens(&function).await, 1);
    });
}

#[test]
fn a_refresh_token_used_twice_ends_the_session_for_everybody() {
    run(async |function| {
        let (access, first) = signed_in(&function).await;
        let second = function.refresh(&first).await.expect(201, "");
        function
            .refresh(&first)
            .await
            .expect(401, "refresh_token_reused");
        function
            .refresh(&second.text("refresh_token"))
            .await
            .expect(401, "refresh_token_invalid");
        for token in [access, second.text("token")] {
            function
                .get("/api/sessions/current", &token)
                .await
                .expect(401, "session_ended");
        }
        let fact = function.fact("session.revoked").await;
        assert_eq!(fact["reason"], "refresh_token_reused");
    });
}

#[test]
fn of_two_refreshes_at_the_same_moment_one_goes_on_at_most() {
    run(async |function| {
        let (_, first) = signed_in(&function).await;
        let (left, right) = futures(&function, &first).await;
        let mut statuses = [left, right];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 401]);
        assert_eq!(live_tokens(&function).await, 0);
    });
}

async fn futures(function: &Function, refresh_token: &str) -> (u16, u16) {
    let (left, right) = tokio::join!(
        function.refresh(refresh_token),
        function.refresh(refresh_token)
    );
    (left.status, right.status)
}

#[test]
fn whatever_tokens_are_presented_at_most_one_of_a_session_is_live() {
    let picks = prop::collection::vec(0_usize..5, 1..10);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(4)
    });
    runner
        .run(&picks, |picks| {
            run(async |function| {
                let (_, first) = signed_in(&function).await;
                let mut given = vec![first, "demo.none.nothing".to_owned()];
                for pick in &picks {
                    let token = &given[pick % given.len()];
                    let answer = function.refresh(token).await;
                    if answer.status == 201 {
                        given.push(answer.text("refresh_token"));
                    }
                    assert!(live_tokens(&function).await <= 1);
                }
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_session_that_nobody_uses_is_over_and_none_lasts_for_ever() {
    run(async |mut function| {
        let (_, idle) = signed_in(&function).await;
        let (_, mut used) = signed_in(&function).await;
        let mut waited = 0;
        while waited + IDLE_MS - 1 < SESSION_MS {
            function.wait(IDLE_MS - 1);
            waited += IDLE_MS - 1;
            let next = function.refresh(&used).await.expect(201, "");
            used = next.text("refresh_token");
        }
        function.wait(IDLE_MS - 1);
        for token in [idle, used] {
            function
                .refresh(&token)
                .await
                .expect(401, "refresh_token_invalid");
        }
        function.wait(identity::cron::OVER_MS + IDLE_MS);
        function.tick().await;
        for table in ["identity_session", "identity_refresh"] {
            let sql = format!("select count(1) from {table}");
            let rows = function.database.db.rows(&sql, &[]).await.unwrap();
            assert_eq!(rows[0].integer(0).unwrap(), 0, "{table}");
        }
    });
}

#[test]
fn nonsense_is_no_refresh_token() {
    run(async |function| {
        let (_, token) = signed_in(&function).await;
        let forged = format!("{}x", token);
        for text in [
            "",
            "a",
            "a.b",
            "demo.x.y",
            "nowhere.x.y",
            "门.门.门",
            &forged,
        ] {
            function
                .refresh(text)
                .await
                .expect(401, "refresh_token_invalid");
        }
        function.refresh(&token).await.expect(201, "");
    });
}

#[test]
fn signing_out_ends_this_session_and_no_other() {
    run(async |function| {
        let (here, refresh) = signed_in(&function).await;
        let (there, _) = signed_in(&function).await;
        function
            .delete("/api/sessions/current", &here)
            .await
            .expect(204, "");
        function
            .get("/api/sessions/current", &here)
            .await
            .expect(401, "session_ended");
        function
            .refresh(&refresh)
            .await
            .expect(401, "refresh_token_invalid");
        function
            .get("/api/sessions/current", &there)
            .await
            .expect(200, "");
        function
            .delete("/api/sessions/current", &operator())
            .await
            .expect(404, "session_unknown");
    });
}

#[test]
fn people_see_and_end_their_own_sessions_and_operators_everybodys() {
    run(async |function| {
        function.add("li", "resident", &["garden"]).await;
        let first = function.sign_in("li", PASSWORD).await.expect(201, "");
        let second = function.sign_in("li", PASSWORD).await.expect(201, "");
        let li = second.text("token");
        let list = function.get("/api/sessions", &li).await.expect(200, "");
        assert_eq!(list.body["items"].as_array().unwrap().len(), 2);
        let path = format!("/api/sessions/{}", first.text("id"));
        for kind in [ActorKind::Resident, ActorKind::Staff, ActorKind::Auditor] {
            let stranger = token(kind, "stranger", &["garden"]);
            function
                .delete(&path, &stranger)
                .await
                .expect(404, "session_unknown");
            function
                .get("/api/sessions?person=li", &stranger)
                .await
                .expect(403, "sessions_forbidden");
            function
                .delete("/api/people/li/sessions", &stranger)
                .await
                .expect(403, "sessions_forbidden");
        }
        function.delete(&path, &li).await.expect(204, "");
        function.delete(&path, &li).await.expect(204, "");
        function
            .get("/api/sessions/current", &first.text("token"))
            .await
            .expect(401, "session_ended");
        function
            .delete("/api/people/li/sessions", &operator())
            .await
            .expect(204, "");
        function
            .get("/api/sessions/current", &li)
            .await
            .expect(401, "session_ended");
        assert_eq!(function.fact("person.signed_out").await["person"], "li");
    });
}

#[test]
fn disabling_a_person_and_another_password_end_their_sessions() {
    run(async |function| {
        function.add("li", "resident", &["garden"]).await;
        let one = function.sign_in("li", PASSWORD).await.expect(201, "");
        let two = function.sign_in("li", PASSWORD).await.expect(201, "");
        let body = json!({ "password": "another long password", "current_password": PASSWORD });
        function
            .post("/api/people/li/password", &two.text("token"), body)
            .await
            .expect(204, "");
        function
            .get("/api/sessions/current", &one.text("token"))
            .await
            .expect(401, "session_ended");
        function
            .get("/api/sessions/current", &two.text("token"))
            .await
            .expect(200, "");
        function
            .patch(
                "/api/people/li",
                &operator(),
                "*",
                json!({ "disabled": true }),
            )
            .await
            .expect(200, "");
        function
            .refresh(&two.text("refresh_token"))
            .await
            .expect(401, "refresh_token_invalid");
    });
}

#[test]
fn a_password_that_was_handed_over_is_replaced_before_anything_else() {
    run(async |function| {
        let body = json!({ "username": "shop", "password": PASSWORD, "kind": "merchant", "password_temporary": true });
        function
            .post("/api/people", &operator(), body)
            .await
            .expect(201, "");
        let refused = function
            .sign_in("shop", PASSWORD)
            .await
            .expect(403, "password_change_required");
        assert_eq!(refused.text("field"), "new_password");
        let with = |new: &str| json!({ "tenant": "demo", "username": "shop", "password": PASSWORD, "new_password": new });
        function
            .ask("/api/sessions", with(PASSWORD))
            .await
            .expect(422, "password_unchanged");
        let next = "my very own password";
        function
            .ask("/api/sessions", with(next))
            .await
            .expect(201, "");
        function.sign_in("shop", next).await.expect(201, "");
        function
            .sign_in("shop", PASSWORD)
            .await
            .expect(401, "credentials_wrong");
        let reset = json!({ "password": PASSWORD, "temporary": true });
        function
            .post("/api/people/shop/password", &operator(), reset)
            .await
            .expect(204, "");
        function
            .sign_in("shop", PASSWORD)
            .await
            .expect(403, "password_change_required");
    });
}
