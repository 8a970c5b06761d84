//! People over HTTP: what each kind of caller may, versions, pages and keys.

use kernel::ActorKind;
use serde_json::{Value, json};

use crate::support::{Answer, Function, PASSWORD, operator, run, token, token_of};

fn ids(answer: &Answer) -> Vec<String> {
    let items = answer.body["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

fn new(username: &str, kind: &str, communities: &[&str]) -> Value {
    json!({ "username": username, "password": PASSWORD, "kind": kind, "communities": communities })
}

/// A resident of the garden, one of the harbour, and the garden's butler.
async fn settle(function: &Function) {
    function.add("li", "resident", &["garden"]).await;
    function.add("wang", "resident", &["harbour"]).await;
    function.add("butler", "staff", &["garden"]).await;
}

#[test]
fn adding_a_person_is_for_operators_and_for_staff_within_their_communities() {
    run(async |function| {
        for kind in ActorKind::ALL {
            let caller = token(kind, "caller", &["garden"]);
            let answer = function
                .post(
                    "/api/people",
                    &caller,
                    new(&format!("by-{}", kind.as_str()), "resident", &["garden"]),
                )
                .await;
            if matches!(kind, ActorKind::Operator | ActorKind::Staff) {
                let answer = answer.expect(201, "");
                assert_eq!(
                    answer.header("location"),
                    format!("/api/people/by-{}", kind.as_str())
                );
            } else {
                answer.expect(403, "person_registration_forbidden");
            }
        }
        let staff = token(ActorKind::Staff, "butler", &["garden"]);
        function
            .post("/api/people", &staff, new("x", "resident", &["harbour"]))
            .await
            .expect(403, "person_registration_forbidden");
        function
            .post("/api/people", &staff, new("x", "operator", &[]))
            .await
            .expect(403, "person_registration_forbidden");
        function
            .post("/api/people", &operator(), new("x", "device", &[]))
            .await
            .expect(422, "kind_not_a_person");
    });
}

#[test]
fn a_name_is_given_once_among_people_and_devices() {
    run(async |function| {
        function.add("li", "resident", &["garden"]).await;
        function
            .post(
                "/api/people",
                &operator(),
                new("LI", "resident", &["garden"]),
            )
            .await
            .expect(409, "name_taken");
        function
            .post(
                "/api/devices",
                &operator(),
                json!({ "id": "Li", "kind": "door" }),
            )
            .await
            .expect(409, "name_taken");
        function
            .post(
                "/api/devices",
                &operator(),
                json!({ "id": "Gate-1", "kind": "gateway" }),
            )
            .await
            .expect(201, "");
        function
            .post(
                "/api/people",
                &operator(),
                new("gate-1", "resident", &["garden"]),
            )
            .await
            .expect(409, "name_taken");
    });
}

#[test]
fn a_list_shows_what_the_caller_reaches_page_by_page() {
    run(async |function| {
        settle(&function).await;
        assert_eq!(
            ids(&function.get("/api/people", &operator()).await),
            ["boss", "butler", "li", "wang"]
        );
        assert_eq!(
            ids(&function
                .get(
                    "/api/people",
                    &token(ActorKind::Staff, "butler", &["garden"])
                )
                .await),
            ["butler", "li"]
        );
        let first = function.get("/api/people?limit=3", &operator()).await;
        assert_eq!(
            (ids(&first).len(), first.body["next"].as_str()),
            (3, Some("li"))
        );
        let second = function
            .get("/api/people?limit=3&after=li", &operator())
            .await;
        assert_eq!(
            (ids(&second), second.body["next"].as_str()),
            (vec!["wang".to_owned()], None)
        );
        function
            .get("/api/people?limit=0", &operator())
            .await
            .expect(400, "invalid_parameter");
        for kind in [
            ActorKind::Resident,
            ActorKind::Merchant,
            ActorKind::Device,
            ActorKind::Application,
        ] {
            function
                .get("/api/people", &token(kind, "x", &["garden"]))
                .await
                .expect(403, "people_forbidden");
        }
        assert!(
            ids(&function
                .get(
                    "/api/people",
                    &token_of("other", ActorKind::Operator, "op", &[])
                )
                .await)
            .is_empty()
        );
    });
}

#[test]
fn a_person_is_unknown_to_strangers() {
    run(async |function| {
        settle(&function).await;
        function
            .get(
                "/api/people/li",
                &token(ActorKind::Resident, "li", &["garden"]),
            )
            .await
            .expect(200, "");
        function
            .get("/api/people/li", &token(ActorKind::Auditor, "au", &[]))
            .await
            .expect(200, "");
        for (caller, id) in [
            (token(ActorKind::Resident, "wang", &["harbour"]), "li"),
            (token(ActorKind::Staff, "butler", &["garden"]), "wang"),
            (token_of("other", ActorKind::Operator, "op", &[]), "li"),
            (operator(), "nobody"),
            (operator(), "no%20id"),
        ] {
            function
                .get(&format!("/api/people/{id}"), &caller)
                .await
                .expect(404, "person_unknown");
        }
    });
}

#[test]
fn a_change_needs_the_version_that_was_read() {
    run(async |function| {
        settle(&function).await;
        let path = "/api/people/li";
        let read = function.get(path, &operator()).await;
        assert_eq!(read.header("etag"), "\"1\"");
        let change = json!({ "communities": ["garden", "harbour"] });
        function
            .patch(path, &operator(), "", change.clone())
            .await
            .expect(428, "if_match_required");
        let changed = function
            .patch(path, &operator(), "\"1\"", change.clone())
            .await
            .expect(200, "");
        assert_eq!(
            (changed.header("etag"), &changed.body["communities"]),
            ("\"2\"", &change["communities"])
        );
        function
            .patch(path, &operator(), "\"1\"", change.clone())
            .await
            .expect(412, "version_changed");
        assert_eq!(function.get(path, &operator()).await.body, changed.body);
        let fresh = [
            ("authorization", format!("Bearer {}", operator())),
            ("if-none-match", "\"2\"".to_owned()),
        ];
        let fresh = fresh
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        assert_eq!(function.send("GET", path, &fresh, "").await.status, 304);
        for kind in [
            ActorKind::Resident,
            ActorKind::Merchant,
            ActorKind::Auditor,
            ActorKind::Device,
            ActorKind::Application,
        ] {
            let caller = token(kind, "li", &["garden"]);
            function
                .patch(path, &caller, "\"2\"", change.clone())
                .await
                .expect(403, "person_change_forbidden");
        }
        assert_eq!(
            function
                .facts()
                .await
                .iter()
                .filter(|kind| *kind == "person.changed")
                .count(),
            1
        );
    });
}

#[test]
fn ones_own_password_is_changed_with_the_present_one() {
    run(async |function| {
        settle(&function).await;
        let (path, li) = (
            "/api/people/li/password",
            token(ActorKind::Resident, "li", &["garden"]),
        );
        let next = "another long password";
        function
            .post(path, &li, json!({ "password": next }))
            .await
            .expect(422, "current_password_missing");
        let wrong = json!({ "password": next, "current_password": "not the password" });
        function
            .post(path, &li, wrong)
            .await
            .expect(403, "current_password_wrong");
        let right = json!({ "password": next, "current_password": PASSWORD });
        assert_eq!(function.post(path, &li, right).await.status, 204);
        function
            .sign_in("li", PASSWORD)
            .await
            .expect(401, "credentials_wrong");
        function.sign_in("li", next).await.expect(201, "");
        let stranger = token(ActorKind::Resident, "wang", &["harbour"]);
        function
            .post(path, &stranger, json!({ "password": next }))
            .await
            .expect(404, "person_unknown");
        let auditor = token(ActorKind::Auditor, "au", &[]);
        function
            .post(path, &auditor, json!({ "password": next }))
            .await
            .expect(403, "password_change_forbidden");
        let butler = token(ActorKind::Staff, "butler", &["garden"]);
        assert_eq!(
            function
                .post(path, &butler, json!({ "password": PASSWORD }))
                .await
                .status,
            204
        );
        function.sign_in("li", PASSWORD).await.expect(201, "");
    });
}

#[test]
fn a_repeated_request_adds_one_person_and_another_content_under_its_key_is_refused() {
    run(async |function| {
        let add = async |password: &str| {
            let body = json!({ "username": "li", "password": password, "kind": "resident", "communities": ["garden"] });
            function
                .post_once("/api/people", &operator(), "k1", body)
                .await
        };
        let first = add(PASSWORD).await.expect(201, "");
        assert_eq!(add(PASSWORD).await, first);
        add("another long password")
            .await
            .expect(422, "idempotency_key_reused");
        assert_eq!(
            function
                .facts()
                .await
                .iter()
                .filter(|kind| *kind == "person.registered")
                .count(),
            2
        );
    });
}

#[test]
fn malformed_bodies_are_refused_with_the_place_of_the_fault() {
    run(async |function| {
        let bearer = format!("Bearer {}", operator());
        let headers = [("authorization", bearer.as_str())];
        function
            .send("POST", "/api/people", &headers, "{")
            .await
            .expect(400, "malformed_json");
        let text = [
            ("authorization", bearer.as_str()),
            ("content-type", "text/plain"),
        ];
        function
            .send("POST", "/api/people", &text, "{}")
            .await
            .expect(415, "content_type_unsupported");
        let mut body = new("li", "resident", &["garden"]);
        body["password"] = "short".into();
        let short = function
            .post("/api/people", &operator(), body)
            .await
            .expect(422, "wrong_type");
        assert_eq!(short.text("field"), "password");
        assert!(!short.body.to_string().contains("short\""));
    });
}
