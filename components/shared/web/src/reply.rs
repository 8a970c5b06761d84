//! Replies: a status, headers and a body whose length is known, so that nothing is sent in chunks.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers; `content-length` is already among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// 200 with this JSON.
    pub fn ok(content: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, "application/json", content)
    }

    /// 201 with this JSON, which from now on stands at `location`.
    pub fn created(location: &str, content: &impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, "application/json", content).with_header(LOCATION, location)
    }

    /// 202 with this JSON; what becomes of it is read at `location`.
    pub fn accepted(location: &str, content: &impl Serialize) -> Self {
        Self::json(StatusCode::ACCEPTED, "application/json", content)
            .with_header(LOCATION, location)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// 304: the caller's copy of this version is still the present one.
    #[must_use]
    pub fn not_modified(version: i64) -> Self {
        Self::empty(StatusCode::NOT_MODIFIED).with_etag(version)
    }

    /// Any status with this JSON, under that content type.
    pub fn json(status: StatusCode, content_type: &'static str, content: &impl Serialize) -> Self {
        match serde_json::to_vec(content) {
            Ok(body) => Self::with_body(status, content_type, body.into()),
            // Only a `Serialize` of our own that fails comes here; the reply must still be one.
            Err(error) => {
                crate::log("error", "-", &format!("writing a reply: {error}"));
                Self::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// Any status with a body that is already bytes.
    #[must_use]
    pub fn with_body(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let mut reply = Self::empty(status);
        reply
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        reply
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        reply.body = body;
        reply
    }

    /// Any status without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        let mut headers = HeaderMap::new();
        if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        Self {
            status,
            headers,
            body: Bytes::new(),
        }
    }

    /// Adds a header; a value that no header may hold is left out and logged.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => _ = self.headers.insert(name, value),
            Err(_) => crate::log(
                "error",
                "-",
                &format!("header {name} left out: its value is no header text"),
            ),
        }
        self
    }

    /// States the version that this reply shows.
    #[must_use]
    pub fn with_etag(self, version: i64) -> Self {
        self.with_header(ETAG, &format!("\"{version}\""))
    }

    /// Tells the caller to come back after that many seconds.
    #[must_use]
    pub fn with_retry_after(self, seconds: u32) -> Self {
        self.with_header(RETRY_AFTER, &seconds.to_string())
    }
}

/// A reply that nobody may keep: it says what is only for the caller, or a secret.
#[must_use]
pub fn private(reply: Reply) -> Reply {
    reply.with_header(CACHE_CONTROL, "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_states_its_length() {
        let reply = Reply::created("/api/doors/d1", &serde_json::json!({"id": "d1"})).with_etag(1);
        assert_eq!(reply.status, 201);
        assert_eq!(reply.headers["content-length"], "11");
        assert_eq!(reply.headers["location"], "/api/doors/d1");
        assert_eq!(reply.headers["etag"], "\"1\"");
        assert_eq!(Reply::empty(StatusCode::OK).headers["content-length"], "0");
        assert!(!Reply::no_content().headers.contains_key("content-length"));
        assert_eq!(Reply::not_modified(7).headers["etag"], "\"7\"");
    }

    #[test]
    fn a_header_value_cannot_smuggle_a_second_header() {
        let reply = Reply::no_content().with_header(LOCATION, "/a\r\nset-cookie: b");
        assert!(!reply.headers.contains_key("location"));
    }
}
