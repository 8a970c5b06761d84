//! The rights of a person: export, correction, and being forgotten.

use identity::domain::RESEND_MS_MIN;
use kernel::ActorKind;
use serde_json::json;

use crate::support::{PASSWORD, operator, run, token, token_of};

const PHONE: &str = "13900139000";

#[test]
fn a_person_corrects_the_own_name_and_phone() {
    run(async |mut function| {
        let session = function.register(PHONE, "王小名").await;
        let (me, id) = (
            session.text("token"),
            session.body["person"]["id"].as_str().unwrap().to_owned(),
        );
        let path = format!("/api/people/{id}");
        let renamed = function
            .patch(&path, &me, "\"1\"", json!({ "name": "王小明" }))
            .await
            .expect(200, "");
        assert_eq!(renamed.body["name"], "王小明");
        function
            .patch(&path, &me, "\"2\"", json!({ "disabled": false }))
            .await
            .expect(403, "person_change_forbidden");
        let phone = format!("{path}/phone");
        let new = "13700137000";
        function
            .put(&phone, &me, json!({ "phone": new }))
            .await
            .expect(422, "code_missing");
        let code = function.code(new, "phone_change").await;
        function
            .put(&phone, &me, json!({ "phone": PHONE, "code": code }))
            .await
            .expect(401, "code_wrong");
        let changed = function
            .put(&phone, &me, json!({ "phone": new, "code": code }))
            .await
            .expect(200, "");
        assert_eq!(changed.body["phone"], "+8613700137000");
        assert!(
            !function
                .fact("person.phone_changed")
                .await
                .to_string()
                .contains(new)
        );
        function.wait(RESEND_MS_MIN);
        let code = function.code(new, "sign_in").await;
        let proof = json!({ "tenant": "demo", "phone": new, "code": code });
        let again = function.ask("/api/sessions", proof).await.expect(201, "");
        assert_eq!(again.body["person"]["id"].as_str(), Some(id.as_str()));
    });
}

#[test]
fn a_password_is_set_with_a_code_where_there_is_none() {
    run(async |mut function| {
        let session = function.register(PHONE, "王小明").await;
        let id = session.body["person"]["id"].as_str().unwrap();
        let path = format!("/api/people/{id}/password");
        function
            .post(
                &path,
                &session.text("token"),
                json!({ "password": PASSWORD }),
            )
            .await
            .expect(422, "current_password_missing");
        function.wait(RESEND_MS_MIN);
        let code = function.code(PHONE, "password").await;
        let body = json!({ "password": PASSWORD, "code": code });
        function
            .post(&path, &session.text("token"), body)
            .await
            .expect(204, "");
        function.sign_in(id, PASSWORD).await.expect(201, "");
    });
}

#[test]
fn another_persons_number_is_not_taken_over_and_shown_to_staff_in_part() {
    run(async |function| {
        function.register(PHONE, "王小明").await;
        function.add("li", "resident", &["garden"]).await;
        function
            .put(
                "/api/people/li/phone",
                &operator(),
                json!({ "phone": PHONE }),
            )
            .await
            .expect(409, "phone_taken");
        function
            .put(
                "/api/people/li/phone",
                &operator(),
                json!({ "phone": "13600136000" }),
            )
            .await
            .expect(200, "");
        let butler = token(ActorKind::Staff, "butler", &["garden"]);
        let shown = function
            .get("/api/people/li", &butler)
            .await
            .expect(200, "");
        assert_eq!(shown.body["phone"], "+86136****6000");
        function
            .put(
                "/api/people/li/phone",
                &butler,
                json!({ "phone": "13500135000" }),
            )
            .await
            .expect(403, "person_data_forbidden");
    });
}

#[test]
fn an_export_holds_everything_and_is_for_the_person_and_operators() {
    run(async |function| {
        let session = function.register(PHONE, "王小明").await;
        let (me, id) = (
            session.text("token"),
            session.body["person"]["id"].as_str().unwrap(),
        );
        function
            .post("/api/feedback", &me, json!({ "text": "你好" }))
            .await
            .expect(201, "");
        let path = format!("/api/people/{id}/export");
        let export = function.get(&path, &me).await.expect(200, "");
        assert_eq!(export.header("cache-control"), "no-store");
        assert_eq!(export.body["person"]["phone"], "+8613900139000");
        assert_eq!(export.body["feedback"][0]["text"], "你好");
        assert_eq!(export.body["sessions"].as_array().unwrap().len(), 1);
        assert!(!export.body.to_string().contains("hash"));
        function.get(&path, &operator()).await.expect(200, "");
        function
            .get(&path, &token(ActorKind::Auditor, "au", &[]))
            .await
            .expect(403, "person_data_forbidden");
        for stranger in [
            token(ActorKind::Resident, "li", &["garden"]),
            token_of("other", ActorKind::Operator, "boss", &[]),
        ] {
            function
                .get(&path, &stranger)
                .await
                .expect(404, "person_unknown");
        }
    });
}

#[test]
fn who_is_erased_leaves_an_id_and_nothing_that_tells_who_it_was() {
    run(async |mut function| {
        let session = function.register(PHONE, "王小明").await;
        let (me, id) = (
            session.text("token"),
            session.body["person"]["id"].as_str().unwrap(),
        );
        function
            .post("/api/feedback", &me, json!({ "text": "我住在三楼" }))
            .await
            .expect(201, "");
        let path = format!("/api/people/{id}");
        for (stranger, status) in [
            (token(ActorKind::Resident, "li", &["garden"]), 404),
            (token(ActorKind::Auditor, "au", &[]), 403),
        ] {
            let answer = function.delete(&path, &stranger).await;
            assert_eq!(answer.status, status, "{answer:?}");
        }
        function.delete(&path, &me).await.expect(204, "");
        function.delete(&path, &operator()).await.expect(204, "");
        let count = function.facts().await;
        let count = count.iter().filter(|kind| *kind == "person.erased").count();
        assert_eq!(count, 1);
        function
            .get("/api/sessions/current", &me)
            .await
            .expect(401, "person_disabled");
        let list = function.get("/api/people", &operator()).await;
        assert!(!list.body.to_string().contains(id));
        let left = function.get(&path, &operator()).await.expect(200, "");
        assert!(!left.body.to_string().contains("王小明"));
        assert_eq!(left.body.get("phone"), None);
        for table in [
            "identity_feedback",
            "identity_consent",
            "identity_code",
            "identity_inbox",
        ] {
            let sql = format!("select count(1) from {table}");
            let rows = function.database.db.rows(&sql, &[]).await.unwrap();
            assert_eq!(rows[0].integer(0).unwrap(), 0, "{table}");
        }
        function.wait(RESEND_MS_MIN);
        let anew = function.register(PHONE, "王小明").await;
        assert_ne!(anew.body["person"]["id"].as_str(), Some(id));
    });
}

#[test]
fn an_operator_is_erased_by_another_one() {
    run(async |function| {
        function
            .delete("/api/people/boss", &operator())
            .await
            .expect(409, "cannot_erase_oneself");
        function.add("second", "operator", &[]).await;
        function
            .delete("/api/people/second", &operator())
            .await
            .expect(204, "");
        function
            .sign_in("second", PASSWORD)
            .await
            .expect(401, "credentials_wrong");
    });
}

#[test]
fn people_are_counted_by_kind_community_and_day() {
    run(async |mut function| {
        function.add("li", "resident", &["garden"]).await;
        let noon = function.context.now.plus_millis(1_000).to_string();
        function.wait(2_000);
        function.add("wang", "resident", &["harbour"]).await;
        function.add("butler", "staff", &["garden"]).await;
        for (query, count) in [
            ("", 4),
            ("?kind=resident", 2),
            ("?community=garden", 2),
            (&format!("?registered_from={noon}"), 2),
            (&format!("?registered_to={noon}"), 2),
            (
                &format!("?registered_from={noon}&kind=resident&community=harbour"),
                1,
            ),
        ] {
            let list = function
                .get(&format!("/api/people{query}"), &operator())
                .await
                .expect(200, "");
            assert_eq!(
                list.body["items"].as_array().unwrap().len(),
                count,
                "{query}"
            );
        }
        function
            .get("/api/people?kind=king", &operator())
            .await
            .expect(400, "invalid_parameter");
    });
}
