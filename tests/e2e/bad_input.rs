//! Bad input: each a clear error, and nothing changed.

use bytes::Bytes;
use http::Request;
use kernel::ActorKind;
use linli_tests::{
    estate::{Estate, openings},
    http::{Answer, Http},
    system::Setup,
    tokens,
};
use serde_json::json;

const DOOR: &str = "north-gate";

async fn raw(http: &Http, path: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
    let request = Request::post(path)
        .header("content-type", kind)
        .body(body.into())
        .unwrap();
    http.try_send(request)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn bad_input_is_a_clear_error_and_changes_nothing() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let before = estate.operator.get("/api/doors").await.expect(200).json();
    let operator = &estate.operator;
    let door = json!({ "id": "west-gate", "community": "garden", "name": "West gate", "gateway": "gateway-1" });

    let mut wrong_type = door.clone();
    wrong_type["name"] = json!(7);
    let mut foreign_key = door.clone();
    foreign_key["colour"] = json!("red");
    let mut no_id = door.clone();
    no_id["id"] = json!("west gate/..");
    let cases = [
        (
            "malformed JSON",
            raw(operator, "/api/doors", "application/json", "{\"id\":").await,
            vec![400],
        ),
        (
            "a wrong type",
            raw(
                operator,
                "/api/doors",
                "application/json",
                wrong_type.to_string(),
            )
            .await,
            vec![400, 422],
        ),
        (
            "an unknown field",
            raw(
                operator,
                "/api/doors",
                "application/json",
                foreign_key.to_string(),
            )
            .await,
            vec![400, 422],
        ),
        (
            "an id with a slash",
            raw(
                operator,
                "/api/doors",
                "application/json",
                no_id.to_string(),
            )
            .await,
            vec![400, 422],
        ),
        (
            "another content type",
            raw(operator, "/api/doors", "text/plain", door.to_string()).await,
            vec![415],
        ),
        (
            "a body of 1 MB",
            raw(
                operator,
                "/api/doors",
                "application/json",
                vec![b' '; 1024 * 1024],
            )
            .await,
            vec![413],
        ),
        (
            "a body above the host's limit",
            raw(
                operator,
                "/api/doors",
                "application/json",
                vec![b' '; 3 * 1024 * 1024],
            )
            .await,
            vec![413],
        ),
        (
            "no token",
            raw(
                &estate.system.http(),
                "/api/doors",
                "application/json",
                door.to_string(),
            )
            .await,
            vec![401],
        ),
        (
            "an unknown door",
            operator.get("/api/doors/nowhere").await,
            vec![404],
        ),
        (
            "an opening of an unknown door",
            estate
                .resident
                .call("POST", &openings("nowhere"), None, &[])
                .await,
            vec![404],
        ),
        (
            "an unknown route",
            operator.get("/api/doors/north-gate/windows").await,
            vec![404],
        ),
        (
            "no route at all",
            operator.get("/nothing/here").await,
            vec![404],
        ),
        (
            "another method",
            operator.call("DELETE", "/api/doors", None, &[]).await,
            vec![405],
        ),
        (
            "a limit that is no number",
            operator.get("/api/doors?limit=many").await,
            vec![400, 422],
        ),
    ];
    for (what, answer, statuses) in cases {
        assert!(
            statuses.contains(&answer.status.as_u16()),
            "{what}: {answer}"
        );
        assert!(!answer.problem().is_empty(), "{what}: {answer}");
        assert!(
            answer.headers.contains_key("x-request-id"),
            "{what}: {answer}"
        );
    }
    assert_eq!(
        estate.operator.get("/api/doors").await.expect(200).json(),
        before
    );
}

#[tokio::test]
async fn another_communitys_door_is_unknown() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let neighbour = tokens::token(&estate.system, "demo", ActorKind::Resident, "wu", "harbour");
    let stranger = tokens::token(
        &estate.system,
        "elsewhere",
        ActorKind::Operator,
        "wu",
        "garden",
    );
    for token in [neighbour, stranger] {
        let http = estate.system.http().with_token(&token);
        assert!(
            !http
                .call("POST", &openings(DOOR), None, &[])
                .await
                .expect(404)
                .problem()
                .is_empty()
        );
        assert!(
            !http
                .get(&format!("/api/doors/{DOOR}"))
                .await
                .expect(404)
                .problem()
                .is_empty()
        );
    }
    let page = estate
        .operator
        .get(&openings(DOOR))
        .await
        .expect(200)
        .json();
    assert_eq!(
        page["items"],
        json!([]),
        "a stranger's attempt is not kept as an opening"
    );
}

#[tokio::test]
async fn a_wrong_password_says_no_more_than_an_unknown_name() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let http = estate.system.http();
    let ask = |tenant: &str, name: &str| json!({ "tenant": tenant, "username": name, "password": "not this one" });
    let known = http
        .post("/api/sessions", &ask("demo", "li"))
        .await
        .expect(401);
    for (tenant, name) in [("demo", "nobody"), ("nowhere", "li")] {
        let unknown = http
            .post("/api/sessions", &ask(tenant, name))
            .await
            .expect(401);
        assert_eq!(unknown.problem(), known.problem());
    }
}
