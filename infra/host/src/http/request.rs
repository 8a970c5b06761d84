//! What the host does to a request before a function sees it: its id, its limits, and the headers that Spin
//! gives a function about its route.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::router::{Match, Route};

/// The header that carries the id of a request, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that a client may choose, in characters.
pub const REQUEST_ID_CHARACTERS_MAX: usize = 64;

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("spin-client-addr");

/// Makes ids that no other start of this host makes.
pub struct RequestIds {
    start: u64,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let start = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        Self {
            start,
            next: AtomicU64::new(0),
        }
    }
}

impl RequestIds {
    /// The client's id if it is a valid one, else a new one.
    #[must_use]
    pub fn of(&self, headers: &HeaderMap) -> Arc<str> {
        let chosen = headers
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_valid(id));
        match chosen {
            Some(id) => Arc::from(id),
            None => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                Arc::from(format!("{:x}-{number:x}", self.start))
            }
        }
    }
}

fn is_valid(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=REQUEST_ID_CHARACTERS_MAX).contains(&id.len()) && id.bytes().all(allowed)
}

/// The headers of a route that are the same for every request.
pub struct RouteHeaders {
    prefix: HeaderValue,
}

impl RouteHeaders {
    /// The headers of this route.
    ///
    /// # Errors
    /// When the route cannot stand in a header.
    pub fn new<T>(route: &Route<T>) -> anyhow::Result<Self> {
        Ok(Self {
            prefix: HeaderValue::from_str(route.prefix())?,
        })
    }
}

/// Gives the request its id, and removes the headers with which a client pretends to be the host.
pub fn identify(request: &mut Request<Incoming>, id: &str) {
    let headers = request.headers_mut();
    let pretended: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("spin-"))
        .cloned()
        .collect();
    for name in pretended {
        headers.remove(name);
    }
    headers.remove(header::CONNECTION);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Sets the headers that tell a function how it was reached. Of Spin's headers those that repeat another one are
/// left out: every header costs each request time.
pub fn describe(
    request: &mut Request<Incoming>,
    client: &HeaderValue,
    route: &RouteHeaders,
    found: &Found,
) {
    let url = full_url(request);
    let headers = request.headers_mut();
    headers.insert(PATH_INFO, found.path_info.clone());
    if let Some(url) = url {
        headers.insert(FULL_URL, url);
    }
    headers.insert(COMPONENT_ROUTE, route.prefix.clone());
    headers.insert(CLIENT_ADDRESS, client.clone());
    for (name, value) in &found.names {
        headers.insert(name, value.clone());
    }
}

/// What a path matched, as headers.
pub struct Found {
    path_info: HeaderValue,
    names: Vec<(HeaderName, HeaderValue)>,
}

impl Found {
    /// The headers of this match.
    #[must_use]
    pub fn new<T>(found: &Match<'_, '_, T>) -> Self {
        let value =
            |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let named = found.names.iter().filter_map(|(name, found)| {
            let name =
                HeaderName::try_from(format!("spin-path-match-{}", name.to_ascii_lowercase()));
            Some((name.ok()?, value(found)))
        });
        Self {
            path_info: value(found.rest),
            names: named.collect(),
        }
    }
}

fn full_url(request: &Request<Incoming>) -> Option<HeaderValue> {
    let uri = request.uri();
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = match (uri.authority(), request.headers().get(header::HOST)) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().ok()?,
        (None, None) => "localhost",
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut url = String::with_capacity(scheme.len() + host.len() + path.len() + 3);
    for part in [scheme, "://", host, path] {
        url.push_str(part);
    }
    HeaderValue::from_maybe_shared(Bytes::from(url)).ok()
}

/// What was left of a body when it turned out to be longer than its limit.
#[derive(Clone, Default)]
pub struct TooLong(Option<Arc<Mutex<Option<Incoming>>>>);

impl TooLong {
    /// What was left, if the body was too long.
    #[must_use]
    pub fn leftover(&self) -> Option<Incoming> {
        let leftover = self.0.as_ref()?;
        leftover
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// What of a body that is too long is read and thrown away, so that a client that sends all of it before it
/// listens gets its answer.
pub const SWALLOWED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The longest time for that.
pub const SWALLOW_TIME_MAX: Duration = Duration::from_secs(2);

/// Reads and throws away a body that nobody wants.
pub async fn swallow(mut body: Incoming) {
    let mut left = SWALLOWED_BYTES_MAX;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
            if left == 0 {
                break;
            }
        }
    };
    if tokio::time::timeout(SWALLOW_TIME_MAX, reading)
        .await
        .is_err()
    {
        tracing::debug!("a client sent a body that is too long, and slowly");
    }
}

/// The body for the function, at most so many bytes of it; the body itself where its announced length is above
/// the limit.
///
/// # Errors
/// When the announced length is above the limit.
pub fn limited(body: Incoming, bytes_max: u64) -> Result<(WasiBody, TooLong), Incoming> {
    let size = body.size_hint();
    if size.lower() > bytes_max {
        return Err(body);
    }
    if size.upper().is_some_and(|upper| upper <= bytes_max) {
        return Ok((body.map_err(Error::from).boxed_unsync(), TooLong::default()));
    }
    let leftover = Arc::new(Mutex::new(None));
    let body = Limited {
        body: Some(body),
        left: bytes_max,
        leftover: leftover.clone(),
    };
    Ok((body.boxed_unsync(), TooLong(Some(leftover))))
}

struct Limited {
    /// `None` once it was too long.
    body: Option<Incoming>,
    left: u64,
    leftover: Arc<Mutex<Option<Incoming>>>,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        let length = frame
            .data_ref()
            .map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                let leftover = self.body.take();
                *self.leftover.lock().unwrap_or_else(PoisonError::into_inner) = leftover;
                Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_id_of_the_client_is_kept_and_another_replaced() {
        let ids = RequestIds::default();
        let of = |id: &str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(id).unwrap())]);
            ids.of(&headers)
        };
        assert_eq!(&*of("a-B_1.x"), "a-B_1.x");
        for id in ["", "a b", "a\"b", &"x".repeat(65)] {
            assert_ne!(&*of(id), id);
        }
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
        assert!(is_valid(&ids.of(&HeaderMap::new())));
    }
}
