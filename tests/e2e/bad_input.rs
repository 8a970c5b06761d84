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
use serde_json::{Value, json};

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

/// What was sent, what came back, and which statuses are right.
type Case = (&'static str, Answer, &'static [u16]);

fn door() -> Value {
    json!({ "id": "west-gate", "community": "garden", "name": "West gate", "gateway": "gateway-1" })
}

fn door_with(field: &str, value: Value) -> String {
    let mut door = door();
    door[field] = value;
    door.to_string()
}

async fn bad_bodies(operator: &Http) -> Vec<Case> {
    let post = async |kind: &str, body: Bytes| raw(operator, "/api/doors", kind, body).await;
    let json_type = "application/json";
    let spaces = |bytes: usize| Bytes::from(vec![b' '; bytes]);
    vec![
        (
            "malformed JSON",
            post(json_type, "{\"id\":".into()).await,
            &[400],
        ),
        (
            "a wrong type",
            post(json_type, door_with("name", json!(7)).into()).await,
            &[400, 422],
        ),
        (
            "an unknown field",
            post(json_type, door_with("colour", json!("red")).into()).await,
            &[400, 422],
        ),
        (
            "an id with a slash",
            post(json_type, door_with("id", json!("west gate/..")).into()).await,
            &[400, 422],
        ),
        (
            "another content type",
            post("text/plain", door().to_string().into()).await,
            &[415],
        ),
        (
            "a body of 1 MB",
            post(json_type, spaces(1_000_000)).await,
            &[413],
        ),
        (
            "a body above the host's limit",
            post(json_type, spaces(3_000_000)).await,
            &[413],
        ),
    ]
}

async fn bad_questions(estate: &Estate) -> Vec<Case> {
    let Estate {
        operator, resident, ..
    } = estate;
    let nobody = estate.system.http();
    vec![
        ("no token", nobody.post("/api/doors", &door()).await, &[401]),
        (
            "a token of somebody else's making",
            nobody.with_token("e30.e30.e30").get("/api/doors").await,
            &[401],
        ),
        (
            "an unknown door",
            operator.get("/api/doors/nowhere").await,
            &[404],
        ),
        (
            "an opening of an unknown door",
            resident.call("POST", &openings("nowhere"), None, &[]).await,
            &[404],
        ),
        (
            "an unknown route",
            operator.get("/api/doors/north-gate/windows").await,
            &[404],
        ),
        (
            "no route at all",
            operator.get("/nothing/here").await,
            &[404],
        ),
        (
            "another method",
            operator.call("DELETE", "/api/doors", None, &[]).await,
            &[405],
        ),
        (
            "a limit that is no number",
            operator.get("/api/doors?limit=many").await,
            &[400, 422],
        ),
    ]
}

#[tokio::test]
async fn bad_input_is_a_clear_error_and_changes_nothing() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let before = estate.operator.get("/api/doors").await.expect(200).json();
    let mut cases = bad_bodies(&estate.operator).await;
    cases.extend(bad_questions(&estate).await);
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
