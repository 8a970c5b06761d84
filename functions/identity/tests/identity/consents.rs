//! Consent: texts, giving and withdrawing.

use kernel::ActorKind;
use serde_json::{Value, json};

use crate::support::{PASSWORD, operator, run, token};

fn text(version: &str, chinese: &str) -> Value {
    json!({ "purpose": "marketing", "version": version, "english": "We send offers.", "chinese": chinese, "retention_days": 365 })
}

#[test]
fn a_person_agrees_to_the_newest_text_and_withdraws() {
    run(async |mut function| {
        function.add("li", "resident", &["garden"]).await;
        let li = function.sign_in("li", PASSWORD).await.text("token");
        function
            .put(
                "/api/consents/marketing",
                &li,
                json!({ "text_version": "1" }),
            )
            .await
            .expect(404, "purpose_unknown");
        function
            .post("/api/consents", &operator(), text("1", "我们会发送优惠。"))
            .await
            .expect(201, "");
        let none = function.get("/api/consents", &li).await.expect(200, "");
        assert_eq!(none.body["items"][0]["given"], false);
        let give = json!({ "text_version": "1" });
        for _ in 0..2 {
            let given = function
                .put("/api/consents/marketing", &li, give.clone())
                .await
                .expect(200, "");
            assert_eq!(given.body["given"], true);
        }
        function.wait(1);
        function
            .post("/api/consents", &operator(), text("2", "新的说明。"))
            .await
            .expect(201, "");
        function
            .put("/api/consents/marketing", &li, give)
            .await
            .expect(409, "text_version_old");
        let shown = function.get("/api/consents", &li).await.expect(200, "");
        let item = &shown.body["items"][0];
        assert_eq!(
            (&item["text_version"], &item["text"]["version"]),
            (&json!("1"), &json!("2"))
        );
        function
            .delete("/api/consents/marketing", &li)
            .await
            .expect(204, "");
        let shown = function.get("/api/consents", &li).await;
        assert_eq!(shown.body["items"][0]["given"], false);
        let fact = function.fact("consent.changed").await;
        assert_eq!(
            (&fact["person"], &fact["given"]),
            (&json!("li"), &json!(false))
        );
        let changes = function.facts().await;
        let changes = changes.iter().filter(|kind| *kind == "consent.changed");
        assert_eq!(changes.count(), 2);
    });
}

#[test]
fn a_published_text_stays_as_it_is_and_only_operators_publish() {
    run(async |function| {
        for _ in 0..2 {
            function
                .post("/api/consents", &operator(), text("1", "我们会发送优惠。"))
                .await
                .expect(201, "");
        }
        function
            .post("/api/consents", &operator(), text("1", "别的。"))
            .await
            .expect(409, "text_version_published");
        for kind in ActorKind::ALL {
            if kind == ActorKind::Operator {
                continue;
            }
            let caller = token(kind, "x", &["garden"]);
            function
                .post("/api/consents", &caller, text("2", "别的。"))
                .await
                .expect(403, "roles_forbidden");
        }
        for kind in [ActorKind::Device, ActorKind::Application] {
            let caller = token(kind, "x", &["garden"]);
            function
                .get("/api/consents", &caller)
                .await
                .expect(403, "people_only");
            function
                .put(
                    "/api/consents/marketing",
                    &caller,
                    json!({ "text_version": "1" }),
                )
                .await
                .expect(403, "people_only");
            function
                .delete("/api/consents/marketing", &caller)
                .await
                .expect(403, "people_only");
        }
    });
}
