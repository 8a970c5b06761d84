//! Devices over HTTP: their credentials, shown once and stored never, and whom they speak for.

use identity::domain::OVERLAP_SECONDS_MAX;
use kernel::ActorKind;
use serde_json::{Value, json};

use crate::support::{Answer, Function, operator, run, token};

fn gateway() -> Value {
    json!({ "id": "g1", "kind": "gateway", "name": "Gate room", "children": [{ "kind": "door", "id": "d1" }] })
}

fn password(answer: &Answer) -> String {
    answer.body["credential"]["password"]
        .as_str()
        .unwrap_or_else(|| panic!("no password in {answer:?}"))
        .to_owned()
}

async fn connects(function: &Function, password: &str) -> bool {
    crate::broker::connects(function, "demo-g1", "demo/g1", password).await
}

#[test]
fn a_device_gets_a_credential_that_is_stored_nowhere_and_shown_again_to_the_same_request() {
    run(async |function| {
        let first = function
            .post_once("/api/devices", &operator(), "k1", gateway())
            .await
            .expect(201, "");
        assert_eq!(first.header("cache-control"), "no-store");
        assert_eq!(first.body["credential"]["username"], "demo/g1");
        assert_eq!(first.body["credential"]["client_id"], "demo-g1");
        assert!(connects(&function, &password(&first)).await);
        assert!(!connects(&function, "something else").await);
        assert_eq!(
            function
                .post_once("/api/devices", &operator(), "k1", gateway())
                .await,
            first
        );
        let shown = function
            .get("/api/devices/g1", &operator())
            .await
            .expect(200, "");
        assert!(shown.body.get("credential").is_none());
        for table in [
            "select body from once",
            "select hash from identity_credential",
            "select data from event",
        ] {
            for row in function.database.db.rows(table, &[]).await.unwrap() {
                assert!(!row.text(0).unwrap().contains(&password(&first)), "{table}");
            }
        }
        function
            .post("/api/devices", &operator(), gateway())
            .await
            .expect(409, "name_taken");
    });
}

#[test]
fn a_device_may_bring_its_own_password() {
    run(async |function| {
        let mut asked = gateway();
        asked["password"] = "printed on the case".into();
        let answer = function
            .post("/api/devices", &operator(), asked)
            .await
            .expect(201, "");
        assert!(answer.body["credential"].get("password").is_none());
        assert!(connects(&function, "printed on the case").await);
    });
}

#[test]
fn after_a_rotation_both_credentials_hold_for_the_overlap_and_then_the_new_one() {
    run(async |mut function| {
        let old = password(
            &function
                .post("/api/devices", &operator(), gateway())
                .await
                .expect(201, ""),
        );
        let path = "/api/devices/g1/credentials";
        let rotated = function
            .post_once(path, &operator(), "k1", json!({ "overlap_seconds": 60 }))
            .await
            .expect(201, "");
        let new = rotated.text("password");
        assert_ne!(old, new);
        assert_eq!(
            function
                .post_once(path, &operator(), "k1", json!({ "overlap_seconds": 60 }))
                .await,
            rotated
        );
        assert!(connects(&function, &old).await && connects(&function, &new).await);
        function.wait(60_000);
        assert!(!connects(&function, &old).await && connects(&function, &new).await);
        let newest = function
            .post(path, &operator(), json!({ "overlap_seconds": 0 }))
            .await
            .expect(201, "")
            .text("password");
        assert!(!connects(&function, &new).await && connects(&function, &newest).await);
        let long = json!({ "overlap_seconds": OVERLAP_SECONDS_MAX + 1 });
        function
            .post(path, &operator(), long)
            .await
            .expect(422, "overlap_too_long");
        function
            .post("/api/devices/g2/credentials", &operator(), json!({}))
            .await
            .expect(404, "device_unknown");
    });
}

#[test]
fn a_child_moves_to_the_gateway_that_it_is_put_under() {
    run(async |function| {
        function
            .post("/api/devices", &operator(), gateway())
            .await
            .expect(201, "");
        function
            .post(
                "/api/devices",
                &operator(),
                json!({ "id": "g2", "kind": "gateway" }),
            )
            .await
            .expect(201, "");
        let put = async |gateway: &str, kind: &str, child: &str| {
            let bearer = format!("Bearer {}", operator());
            function
                .send(
                    "PUT",
                    &format!("/api/devices/{gateway}/children/{kind}/{child}"),
                    &[("authorization", &bearer)],
                    "",
                )
                .await
        };
        let moved = put("g2", "door", "d1").await.expect(200, "");
        assert_eq!(
            (&moved.body["children"], moved.header("etag")),
            (&json!([{ "kind": "door", "id": "d1" }]), "\"2\"")
        );
        assert_eq!(put("g2", "door", "d1").await, moved);
        let before = function.get("/api/devices/g1", &operator()).await;
        assert_eq!(
            (&before.body["children"], before.header("etag")),
            (&json!([]), "\"2\"")
        );
        put("g2", "gateway", "g1")
            .await
            .expect(422, "gateway_as_child");
        put("g2", "lamp", "l1").await.expect(404, "device_unknown");
        put("g3", "door", "d1").await.expect(404, "device_unknown");
    });
}

#[test]
fn devices_are_for_operators_and_auditors_read_them() {
    run(async |function| {
        function
            .post("/api/devices", &operator(), gateway())
            .await
            .expect(201, "");
        for kind in ActorKind::ALL
            .into_iter()
            .filter(|kind| *kind != ActorKind::Operator)
        {
            let caller = token(kind, "x", &["garden"]);
            let reads = if kind == ActorKind::Auditor {
                (200, "")
            } else {
                (403, "devices_forbidden")
            };
            function
                .get("/api/devices", &caller)
                .await
                .expect(reads.0, reads.1);
            function
                .get("/api/devices/g1", &caller)
                .await
                .expect(reads.0, reads.1);
            function
                .post(
                    "/api/devices",
                    &caller,
                    json!({ "id": "g9", "kind": "gateway" }),
                )
                .await
                .expect(403, "devices_forbidden");
            function
                .post("/api/devices/g1/credentials", &caller, json!({}))
                .await
                .expect(403, "devices_forbidden");
            let bearer = format!("Bearer {caller}");
            let put = function
                .send(
                    "PUT",
                    "/api/devices/g1/children/door/d2",
                    &[("authorization", &bearer)],
                    "",
                )
                .await;
            put.expect(403, "devices_forbidden");
        }
        let list = function
            .get("/api/devices?limit=1", &operator())
            .await
            .expect(200, "");
        assert_eq!(
            (
                list.body["items"].as_array().unwrap().len(),
                &list.body["next"]
            ),
            (1, &Value::Null)
        );
    });
}

#[test]
fn two_tenants_never_share_a_client_id() {
    run(async |function| {
        let operator_of =
            |tenant: &str| crate::support::token_of(tenant, ActorKind::Operator, "op", &[]);
        for tenant in ["a", "a-b"] {
            let operator = json!({ "username": "op", "password": crate::support::PASSWORD });
            let body = json!({ "tenant": tenant, "name": tenant, "operator": operator });
            function
                .post("/internal/tenants", crate::support::INTERNAL, body)
                .await
                .expect(201, "");
        }
        function
            .post(
                "/api/devices",
                &operator_of("a-b"),
                json!({ "id": "c", "kind": "door" }),
            )
            .await
            .expect(201, "");
        function
            .post(
                "/api/devices",
                &operator_of("a"),
                json!({ "id": "b-c", "kind": "door" }),
            )
            .await
            .expect(409, "name_taken");
    });
}
