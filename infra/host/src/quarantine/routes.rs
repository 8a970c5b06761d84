//! The quarantine over HTTP, for the machine's operator: list, replay, delete.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Kept, Quarantine, store};

/// The most messages on one page.
pub const PAGE_ITEMS_MAX: u32 = 100;
const PREFIX: &str = "/internal/quarantine";

/// What matters of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path.
    pub path: &'a str,
    /// Its query, without the question mark.
    pub query: &'a str,
    /// The value of its Authorization header.
    pub authorization: Option<&'a str>,
}

impl Quarantine {
    /// Answers a request, if its path is one of the quarantine's.
    pub async fn handle(&self, request: Request<'_>) -> Option<Response<Bytes>> {
        let rest = request.path.strip_prefix(PREFIX)?;
        let segments: Vec<&str> = match rest.strip_prefix('/') {
            Some(rest) => rest.split('/').collect(),
            None if rest.is_empty() => Vec::new(),
            None => return None,
        };
        if !self.is_authorized(request.authorization) {
            let detail = "Present the internal token as a bearer token.";
            return Some(problem(StatusCode::UNAUTHORIZED, "unauthorized", detail));
        }
        let answer = match (request.method.as_str(), segments.as_slice()) {
            ("GET", []) => self.page(request.query).await,
            ("DELETE", [id]) => self.remove(id).await,
            ("POST", [id, "replay"]) => self.replay(id).await,
            (_, [] | [_] | [_, "replay"]) => Ok(problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Use another method here.",
            )),
            _ => Ok(not_found()),
        };
        Some(answer.unwrap_or_else(|error| {
            tracing::error!(
                error = format!("{error:#}"),
                path = request.path,
                "the quarantine failed"
            );
            let detail = "The host's file cannot be used. Its log says why.";
            problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
        }))
    }

    /// Whether the value of an Authorization header presents the internal token. Compares digests, so that the time taken tells nothing about the token.
    pub fn is_authorized(&self, authorization: Option<&str>) -> bool {
        let presented = authorization
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
        let differences = digest(presented)
            .iter()
            .zip(digest(&self.internal_token))
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        !self.internal_token.is_empty() && differences == 0
    }

    async fn page(&self, query: &str) -> anyhow::Result<Response<Bytes>> {
        let (mut limit, mut after) = (PAGE_ITEMS_MAX, 0);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let parsed = match pair.split_once('=') {
                Some(("limit", value)) => value.parse().map(|value| limit = value).is_ok(),
                Some(("after", value)) => value.parse().map(|value| after = value).is_ok(),
                _ => false,
            };
            if !parsed {
                let detail = "The parameters are limit (1 to 100) and after (an id).";
                return Ok(problem(
                    StatusCode::BAD_REQUEST,
                    "invalid_parameter",
                    detail,
                ));
            }
        }
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let (kept, total) = self
            .with(move |connection| {
                Ok((
                    store::list(connection, after, limit)?,
                    store::count(connection)?,
                ))
            })
            .await?;
        let next = if kept.len() == limit as usize {
            kept.last().map(|kept| kept.id.to_string())
        } else {
            None
        };
        let items: Vec<Value> = kept.iter().map(item).collect();
        Ok(reply(
            StatusCode::OK,
            &json!({ "items": items, "next": next, "total": total }),
        ))
    }

    async fn remove(&self, id: &str) -> anyhow::Result<Response<Bytes>> {
        let Ok(id) = id.parse() else {
            return Ok(not_found());
        };
        let was_there = self
            .with(move |connection| store::delete(connection, id))
            .await?;
        Ok(if was_there {
            empty(StatusCode::NO_CONTENT)
        } else {
            not_found()
        })
    }

    async fn replay(&self, id: &str) -> anyhow::Result<Response<Bytes>> {
        let Ok(id) = id.parse() else {
            return Ok(not_found());
        };
        let _one_at_a_time = self.replaying.lock().await;
        let Some(kept) = self
            .with(move |connection| store::get(connection, id))
            .await?
        else {
            return Ok(not_found());
        };
        let component: Arc<str> = kept.component.as_str().into();
        let reason = match (self.invoke)(component, kept.topic, kept.payload.into()).await {
            Ok(Ok(())) => {
                self.with(move |connection| store::delete(connection, id))
                    .await?;
                self.counts.replayed.fetch_add(1, Ordering::Relaxed);
                return Ok(reply(
                    StatusCode::OK,
                    &json!({ "id": id.to_string(), "outcome": "handled" }),
                ));
            }
            Ok(Err(reason)) => reason,
            Err(error) => format!("{error:#}"),
        };
        tracing::warn!(id, reason, "a replayed message failed again");
        let detail = format!(
            "The function did not take the message; it stays in quarantine. It said: {reason}"
        );
        Ok(problem(StatusCode::CONFLICT, "replay_failed", &detail))
    }
}

fn item(kept: &Kept) -> Value {
    let mut item = json!({
        "id": kept.id.to_string(), "component": kept.component, "topic": kept.topic, "reason": kept.reason,
        "tries": kept.tries, "at": time(kept.at),
    });
    match std::str::from_utf8(&kept.payload) {
        Ok(text) => item["payload"] = text.into(),
        Err(_) => item["payload_base64"] = base64(&kept.payload).into(),
    }
    item
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn time(at: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn not_found() -> Response<Bytes> {
    problem(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is no such message in quarantine.",
    )
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Response<Bytes> {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail,
    });
    let mut response = reply(status, &body);
    let kind = header::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn reply(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
