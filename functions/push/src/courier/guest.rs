//! Spin's outgoing HTTP.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use spin_sdk::http::FullBody;

use super::{ANSWER_BYTES_MAX, Answered, Call, REQUEST_MS_MAX};

/// The way out.
#[derive(Debug, Default)]
pub struct Courier {}

impl Courier {
    /// Makes the request and waits for its answer.
    ///
    /// # Errors
    /// When nobody answers in time.
    pub async fn post(&self, call: Call) -> anyhow::Result<Answered> {
        let limit = spin_sdk::time::sleep(Duration::from_millis(REQUEST_MS_MAX));
        match first(send(call), limit).await {
            Some(answered) => answered,
            None => anyhow::bail!("no answer within {REQUEST_MS_MAX} ms"),
        }
    }
}

async fn send(call: Call) -> anyhow::Result<Answered> {
    // Without its length a body goes out in chunks, which small servers do not read.
    let mut request =
        ::http::Request::post(&call.url).header(::http::header::CONTENT_LENGTH, call.body.len());
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let request = request.body(FullBody::new(Bytes::from(call.body)))?;
    let response = spin_sdk::http::send(request)
        .await
        .map_err(|error| anyhow::anyhow!("nobody answered: {error:?}"))?;
    let (parts, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX
        && let Some(Ok(frame)) = incoming.frame().await
    {
        if let Ok(bytes) = frame.into_data() {
            body.extend_from_slice(&bytes);
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    let retry_after = parts
        .headers
        .get(::http::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    Ok(Answered {
        status: parts.status.as_u16(),
        retry_after,
        body,
    })
}

/// What `work` gives, unless `limit` ends before it.
async fn first<T>(work: impl Future<Output = T>, limit: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}
