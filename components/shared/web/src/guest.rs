//! Where Spin meets the rest: reading a request, answering it, and the variables. Only built for the guest.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{StatusCode, request::Parts};
use http_body_util::BodyExt as _;
use kernel::Message;
use spin_sdk::http::{FullBody, IntoResponse};
use spin_sdk::wasip3::http::types;

use crate::body::too_large;
use crate::{BODY_BYTES_MAX, Problem, REQUEST_ID, Reply, Request, answer, new_id, now, request_id};

/// Reads the request with its body, at most [`BODY_BYTES_MAX`] of it, and gives it an id if it has none.
///
/// # Errors
/// The reply to send instead: the body is too large, or the client left in the middle of it.
pub async fn read(request: spin_sdk::http::Request) -> Result<Request, Reply> {
    read_up_to(request, |_| BODY_BYTES_MAX).await
}

/// Reads the request with its body, at most as many bytes of it as its head allows: for functions that take files.
///
/// # Errors
/// As [`read`].
pub async fn read_up_to(
    request: spin_sdk::http::Request,
    bytes_max: fn(&Request) -> usize,
) -> Result<Request, Reply> {
    let (parts, mut incoming) = request.into_parts();
    let head = with_id(parts);
    let bytes_max = bytes_max(&head);
    if declared_length(&head) > bytes_max {
        return Err(answer(&head, Err(too_large(bytes_max).into())));
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| answer(&head, Err(cut_off().into())))?;
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        if whole.len() + bytes.len() > bytes_max {
            return Err(answer(&head, Err(too_large(bytes_max).into())));
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(head.map(|_| whole.freeze()))
}

/// What was read before.
static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// The values of these variables of the component, in the same order. Each is asked of the host once in the life of an
/// instance: the manifest gives them, and a host that is told others starts anew.
///
/// # Errors
/// When one is not declared in the manifest, or has no value.
pub async fn variables<const COUNT: usize>(
    names: [&str; COUNT],
) -> anyhow::Result<[String; COUNT]> {
    let mut values = Vec::with_capacity(COUNT);
    for name in names {
        let found = known().get(name).cloned();
        values.push(match found {
            Some(value) => value,
            None => {
                let value = spin_sdk::variables::get(name).await;
                let value =
                    value.map_err(|error| anyhow::anyhow!("the variable {name}: {error}"))?;
                known().insert(name.to_owned(), value.clone());
                value
            }
        });
    }
    values
        .try_into()
        .map_err(|_| anyhow::anyhow!("as many values as names"))
}

fn known() -> MutexGuard<'static, BTreeMap<String, String>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl IntoResponse for Reply {
    fn into_response(self) -> Result<types::Response, types::ErrorCode> {
        let mut response = http::Response::new(FullBody::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.into_response()
    }
}

fn with_id(parts: Parts) -> Request {
    let mut head = Request::from_parts(parts, Bytes::new());
    if request_id(&head) == "-"
        && let Ok(id) = now().and_then(new_id)
        && let Ok(value) = HeaderValue::from_str(&id)
    {
        head.headers_mut()
            .insert(HeaderName::from_static(REQUEST_ID), value);
    }
    head
}

/// What the client announced; without an announcement the stream itself is counted.
fn declared_length(head: &Request) -> usize {
    let header = head.headers().get(CONTENT_LENGTH);
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or("0");
    text.parse().unwrap_or(0)
}

fn cut_off() -> Problem {
    let message = Message::new(
        "The body ended too early. Send it again.",
        "请求内容不完整，请重新发送。",
    );
    Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", message)
}
