//! Roles: who makes them, who has them, and what a token says of them.

use kernel::ActorKind;
use serde_json::json;

use crate::support::{PASSWORD, SECRET, operator, run, token, token_of};

#[test]
fn the_permissions_of_roles_travel_in_the_token() {
    run(async |function| {
        function.add("butler", "staff", &["garden"]).await;
        let role = json!({ "id": "gatekeeper", "permissions": ["doors:write", "doors:read"] });
        let made = function
            .post("/api/roles", &operator(), role)
            .await
            .expect(201, "");
        assert_eq!(
            made.body["permissions"],
            json!(["doors:read", "doors:write"])
        );
        let more = json!({ "id": "reader", "permissions": ["doors:read", "people:read"] });
        function
            .post("/api/roles", &operator(), more)
            .await
            .expect(201, "");
        let roles = json!({ "roles": ["reader", "gatekeeper"] });
        let of = function
            .put("/api/people/butler/roles", &operator(), roles)
            .await
            .expect(200, "");
        assert_eq!(
            of.body["permissions"],
            json!(["doors:read", "doors:write", "people:read"])
        );
        let session = function.sign_in("butler", PASSWORD).await.expect(201, "");
        let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
        let actor =
            web::token::verify(&secret, &session.text("token"), function.context.now).unwrap();
        assert!(actor.may("doors:write") && actor.may("people:read") && !actor.may("audit:read"));
        function
            .delete("/api/roles/gatekeeper", &operator())
            .await
            .expect(204, "");
        let next = function
            .refresh(&session.text("refresh_token"))
            .await
            .expect(201, "");
        let actor = web::token::verify(&secret, &next.text("token"), function.context.now).unwrap();
        assert!(!actor.may("doors:write") && actor.may("doors:read"));
    });
}

#[test]
fn only_operators_manage_roles_and_auditors_read_them() {
    run(async |function| {
        let role = json!({ "id": "gatekeeper", "permissions": ["doors:read"] });
        function
            .post("/api/roles", &operator(), role.clone())
            .await
            .expect(201, "");
        function.add("li", "resident", &["garden"]).await;
        for kind in ActorKind::ALL {
            if kind == ActorKind::Operator {
                continue;
            }
            let caller = token(kind, "x", &["garden"]);
            for answer in [
                function.post("/api/roles", &caller, role.clone()).await,
                function
                    .put(
                        "/api/roles/gatekeeper",
                        &caller,
                        json!({ "permissions": [] }),
                    )
                    .await,
                function.delete("/api/roles/gatekeeper", &caller).await,
                function
                    .put("/api/people/li/roles", &caller, json!({ "roles": [] }))
                    .await,
            ] {
                answer.expect(403, "roles_forbidden");
            }
            let list = function.get("/api/roles", &caller).await;
            assert_eq!(list.status == 200, kind == ActorKind::Auditor, "{list:?}");
        }
        let stranger = token_of("other", ActorKind::Operator, "boss", &[]);
        for path in ["/api/roles/gatekeeper", "/api/people/li/roles"] {
            let answer = function.get(path, &stranger).await;
            assert_eq!(answer.status, 404, "{answer:?}");
        }
    });
}

#[test]
fn a_role_is_made_once_changed_by_version_and_holds_known_permissions_only() {
    run(async |function| {
        let role = |permissions: &[&str]| json!({ "id": "gatekeeper", "permissions": permissions });
        function
            .post("/api/roles", &operator(), role(&["doors:destroy"]))
            .await
            .expect(422, "wrong_type");
        function
            .post("/api/roles", &operator(), role(&[]))
            .await
            .expect(201, "");
        function
            .post("/api/roles", &operator(), role(&[]))
            .await
            .expect(409, "role_exists");
        let path = "/api/roles/gatekeeper";
        let change = json!({ "permissions": ["doors:open"] });
        let changed = function
            .put(path, &operator(), change.clone())
            .await
            .expect(200, "");
        assert_eq!(changed.header("etag"), "\"2\"");
        assert_eq!(function.get(path, &operator()).await.body, changed.body);
        let bearer = format!("Bearer {}", operator());
        let stale = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        function
            .send("PUT", path, &stale, &change.to_string())
            .await
            .expect(412, "version_changed");
        function
            .put("/api/roles/other", &operator(), change)
            .await
            .expect(404, "role_unknown");
        function
            .put(
                "/api/people/boss/roles",
                &operator(),
                json!({ "roles": ["other"] }),
            )
            .await
            .expect(404, "role_unknown");
        let fact = function.fact("role.changed").await;
        assert_eq!(fact["permissions"], json!(["doors:open"]));
    });
}
