//! The quarantine's bound, its routes and their guard.

use std::sync::Mutex;

use http::{Method, StatusCode};
use serde_json::Value;

use super::*;

const TOKEN: &str = "the internal token";

type Calls = Arc<Mutex<Vec<(String, String, Vec<u8>)>>>;

/// A quarantine whose replays are noted, and fail for payloads that begin with `bad`.
fn quarantine(data: &Path, rows_max: u32) -> (Quarantine, Calls) {
    let calls = Calls::default();
    let log = calls.clone();
    let invoke: Invoke = Arc::new(move |component, topic, payload| {
        log.lock()
            .unwrap()
            .push((component.to_string(), topic, payload.to_vec()));
        let result = if payload.starts_with(b"bad") {
            Err("still bad".to_owned())
        } else {
            Ok(())
        };
        Box::pin(async move { Ok(result) })
    });
    (
        Quarantine::open_bounded(data, TOKEN.to_owned(), invoke, rows_max).unwrap(),
        calls,
    )
}

fn rejected(payload: &[u8]) -> Rejected {
    Rejected {
        component: "doors".into(),
        topic: "linli/garden/door/a/ack".to_owned(),
        payload: Bytes::copy_from_slice(payload),
        reason: "reject: unknown opening".to_owned(),
        tries: 1,
    }
}

async fn ask(quarantine: &Quarantine, method: Method, target: &str) -> (StatusCode, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let authorization = format!("Bearer {TOKEN}");
    let request = Request {
        method: &method,
        path,
        query,
        authorization: Some(&authorization),
    };
    let response = quarantine
        .handle(request)
        .await
        .expect("a route of the quarantine");
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status(), body)
}

#[tokio::test]
async fn messages_are_listed_page_by_page_as_text_or_base64() {
    let data = tempfile::tempdir().unwrap();
    let (quarantine, _) = quarantine(data.path(), 10);
    for payload in [&b"{}"[..], b"\xff\x00", b"three"] {
        quarantine.put(rejected(payload)).await.unwrap();
    }
    let (status, page) = ask(&quarantine, Method::GET, "/internal/quarantine?limit=2").await;
    assert_eq!((status, page["total"].as_u64()), (StatusCode::OK, Some(3)));
    assert_eq!(page["items"][0]["payload"], "{}");
    assert_eq!(page["items"][1]["payload_base64"], "/wA=");
    assert_eq!(page["items"][1]["component"], "doors");
    let next = page["next"].as_str().unwrap();
    let (_, page) = ask(
        &quarantine,
        Method::GET,
        &format!("/internal/quarantine?after={next}"),
    )
    .await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&page["items"][0]["payload"], &page["next"]),
        (&Value::from("three"), &Value::Null)
    );
    for wrong in ["limit=many", "after=x", "page=1"] {
        let (status, _) = ask(
            &quarantine,
            Method::GET,
            &format!("/internal/quarantine?{wrong}"),
        )
        .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn a_replayed_message_leaves_the_quarantine_only_when_it_was_handled() {
    let data = tempfile::tempdir().unwrap();
    let (quarantine, calls) = quarantine(data.path(), 10);
    quarantine.put(rejected(b"good")).await.unwrap();
    quarantine.put(rejected(b"bad")).await.unwrap();
    let (status, answer) = ask(&quarantine, Method::POST, "/internal/quarantine/1/replay").await;
    assert_eq!(
        (status, &answer["outcome"]),
        (StatusCode::OK, &Value::from("handled"))
    );
    let (status, answer) = ask(&quarantine, Method::POST, "/internal/quarantine/2/replay").await;
    assert_eq!(
        (status, &answer["code"]),
        (StatusCode::CONFLICT, &Value::from("replay_failed"))
    );
    assert!(answer["detail"].as_str().unwrap().contains("still bad"));
    assert_eq!(
        ask(&quarantine, Method::POST, "/internal/quarantine/1/replay")
            .await
            .0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(quarantine.len().await.unwrap(), 1);
    let topic = "linli/garden/door/a/ack".to_owned();
    assert_eq!(
        calls.lock().unwrap()[0],
        ("doors".to_owned(), topic, b"good".to_vec())
    );
}

#[tokio::test]
async fn a_message_is_deleted_once() {
    let data = tempfile::tempdir().unwrap();
    let (quarantine, _) = quarantine(data.path(), 10);
    quarantine.put(rejected(b"x")).await.unwrap();
    assert_eq!(
        ask(&quarantine, Method::DELETE, "/internal/quarantine/1")
            .await
            .0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        ask(&quarantine, Method::DELETE, "/internal/quarantine/1")
            .await
            .0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        ask(&quarantine, Method::PUT, "/internal/quarantine/1")
            .await
            .0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        ask(&quarantine, Method::DELETE, "/internal/quarantine/x")
            .await
            .0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn without_the_internal_token_nothing_is_shown() {
    let data = tempfile::tempdir().unwrap();
    let (quarantine, _) = quarantine(data.path(), 10);
    for authorization in [None, Some("Bearer "), Some("Bearer guess"), Some(TOKEN)] {
        let request = Request {
            method: &Method::GET,
            path: "/internal/quarantine",
            query: "",
            authorization,
        };
        let response = quarantine.handle(request).await.unwrap();
        assert_eq!(
            response.status(),
            StatusCode::UNAUTHORIZED,
            "{authorization:?}"
        );
    }
    let other = Request {
        method: &Method::GET,
        path: "/internal/quarantined",
        query: "",
        authorization: None,
    };
    assert!(quarantine.handle(other).await.is_none());
}

#[tokio::test]
async fn the_oldest_messages_make_room_and_are_counted() {
    let data = tempfile::tempdir().unwrap();
    let (quarantine, _) = quarantine(data.path(), 3);
    for number in 0..5 {
        quarantine
            .put(rejected(number.to_string().as_bytes()))
            .await
            .unwrap();
    }
    assert_eq!(
        (
            quarantine.len().await.unwrap(),
            quarantine.counts().dropped.load(Ordering::Relaxed)
        ),
        (3, 2)
    );
    let (_, page) = ask(&quarantine, Method::GET, "/internal/quarantine").await;
    assert_eq!(page["items"][0]["payload"], "2");
}

#[tokio::test]
async fn the_client_id_and_the_filters_of_the_last_run_are_remembered() {
    let data = tempfile::tempdir().unwrap();
    let (first, _) = quarantine(data.path(), 3);
    let client_id = first.client_id().await.unwrap();
    assert!(
        first
            .remember_filters(&["a".to_owned()])
            .await
            .unwrap()
            .is_empty()
    );
    drop(first);
    let (second, _) = quarantine(data.path(), 3);
    assert_eq!(second.client_id().await.unwrap(), client_id);
    assert_eq!(
        second.remember_filters(&["b".to_owned()]).await.unwrap(),
        ["a"]
    );
}
