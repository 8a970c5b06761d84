//! The host's own answers in the form of RFC 9457: what went wrong, under a code that never changes.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::WasiBody;

/// What the host itself has to say to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Nothing stands under this path.
    NotFound,
    /// The path takes another method.
    MethodNotAllowed,
    /// The caller may not do this.
    Forbidden,
    /// The body is longer than the limit.
    BodyTooLarge,
    /// Too many requests wait already.
    Overloaded,
    /// The function did not answer in time.
    Timeout,
    /// The function broke.
    FunctionFailed,
    /// The host is stopping or not ready.
    Unavailable,
}

/// After so many seconds a refused client may try again.
pub const RETRY_AFTER_SECONDS: u64 = 1;

impl Problem {
    /// The status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::FunctionFailed => StatusCode::BAD_GATEWAY,
        }
    }

    /// The code, which programs may rely on.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Forbidden => "forbidden",
            Self::BodyTooLarge => "body_too_large",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::FunctionFailed => "function_failed",
            Self::Unavailable => "unavailable",
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::NotFound => "There is nothing under this path.",
            Self::MethodNotAllowed => "This path takes another method.",
            Self::Forbidden => "Present the internal token as a bearer token.",
            Self::BodyTooLarge => "The body is too long; send less at once.",
            Self::Overloaded => {
                "Too many requests are waiting; try again after the time in Retry-After."
            }
            Self::Timeout => {
                "The answer took too long; try again, with the same Idempotency-Key if you sent one."
            }
            Self::FunctionFailed => {
                "The function broke; try again, and report the request_id if it happens again."
            }
            Self::Unavailable => {
                "The service is not ready; try again after the time in Retry-After."
            }
        }
    }

    /// The answer.
    #[must_use]
    pub fn response(self, request_id: &str) -> Response<WasiBody> {
        let status = self.status();
        let body = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "code": self.code(),
            "detail": self.detail(),
            "request_id": request_id,
        });
        let mut response = whole(status, "application/problem+json", body.to_string());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

/// An answer whose body is at hand.
#[must_use]
pub fn whole(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<WasiBody> {
    let body = body.into();
    let length = body.len();
    let mut response = Response::new(
        Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}
