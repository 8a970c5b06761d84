//! The clock that functions read: the machine's. For demonstrations and tests it can be set ahead, so that a month end
//! is stepped to and not waited for; never back, because what was recorded is in order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use wasmtime_wasi::HostWallClock;
use wasmtime_wasi_http::WasiBody;

use crate::http::{HostRoute, whole};

/// Where it is asked for and set ahead, when the host was started with `--movable-clock`.
pub const PATH: &str = "/internal/clock";

/// The furthest it is set ahead with one request: ten years.
pub const AHEAD_SECONDS_MAX: u64 = 10 * 366 * 24 * 60 * 60;

/// The clock of all functions of one host.
#[derive(Debug, Clone, Default)]
pub struct FunctionClock {
    ahead_seconds: Arc<AtomicU64>,
}

impl FunctionClock {
    /// How far it is ahead of the machine's.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        Duration::from_secs(self.ahead_seconds.load(Ordering::Relaxed))
    }

    /// The route under [`PATH`]: `POST ?seconds=N` sets it ahead by so many more. `is_internal` says whether the value of an
    /// Authorization header is the machine's own operator's.
    #[must_use]
    pub fn route(
        self,
        is_internal: impl Fn(Option<&str>) -> bool + Send + Sync + 'static,
    ) -> HostRoute {
        HostRoute {
            prefix: PATH,
            answer: Box::new(move |request| {
                let authorization = request.headers().get(http::header::AUTHORIZATION);
                let is_allowed = is_internal(authorization.and_then(|value| value.to_str().ok()));
                let answer = if is_allowed {
                    self.answer(&request)
                } else {
                    refused()
                };
                Box::pin(async { answer })
            }),
        }
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<WasiBody> {
        match *request.method() {
            Method::GET => {}
            Method::POST => {
                let seconds = request
                    .uri()
                    .query()
                    .and_then(|query| query.strip_prefix("seconds="));
                let seconds = seconds.and_then(|text| text.parse().ok());
                match seconds.filter(|seconds| *seconds <= AHEAD_SECONDS_MAX) {
                    Some(seconds) => self.ahead_seconds.fetch_add(seconds, Ordering::Relaxed),
                    None => return invalid(),
                };
            }
            _ => {
                return problem(
                    StatusCode::METHOD_NOT_ALLOWED,
                    (
                        "method_not_allowed",
                        "GET tells how far the clock is ahead, POST sets it further ahead.",
                    ),
                );
            }
        }
        let told = serde_json::json!({ "ahead_seconds": self.ahead().as_secs() });
        whole(StatusCode::OK, "application/json", told.to_string())
    }
}

impl HostWallClock for FunctionClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH);
        machine.unwrap_or_default().saturating_add(self.ahead())
    }
}

fn invalid() -> Response<WasiBody> {
    let detail = "Say by how many seconds the clock is to be set ahead: ?seconds=N, at most ten years; it is never set back.";
    problem(StatusCode::BAD_REQUEST, ("invalid_parameter", detail))
}

fn refused() -> Response<WasiBody> {
    problem(
        StatusCode::UNAUTHORIZED,
        (
            "unauthorized",
            "Present the internal token as a bearer token.",
        ),
    )
}

fn problem(status: StatusCode, (code, detail): (&str, &str)) -> Response<WasiBody> {
    let body = serde_json::json!({ "status": status.as_u16(), "code": code, "detail": detail });
    whole(status, "application/problem+json", body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(clock: &FunctionClock, method: Method, uri: &str) -> StatusCode {
        let request = Request::builder().method(method).uri(uri);
        clock.answer(&request.body(Bytes::new()).unwrap()).status()
    }

    #[test]
    fn it_goes_ahead_by_what_is_said_and_never_back() {
        let clock = FunctionClock::default();
        let before = clock.now();
        assert_eq!(
            asked(&clock, Method::POST, "/internal/clock?seconds=86400"),
            StatusCode::OK
        );
        assert_eq!(
            asked(&clock, Method::POST, "/internal/clock?seconds=60"),
            StatusCode::OK
        );
        for wrong in [
            "",
            "?seconds=-1",
            "?seconds=1.5",
            "?seconds=99999999999",
            "?days=1",
        ] {
            let uri = format!("/internal/clock{wrong}");
            assert_eq!(
                asked(&clock, Method::POST, &uri),
                StatusCode::BAD_REQUEST,
                "{uri}"
            );
        }
        assert_eq!(
            asked(&clock, Method::DELETE, "/internal/clock"),
            StatusCode::METHOD_NOT_ALLOWED
        );
        assert_eq!(clock.ahead(), Duration::from_secs(86_460));
        assert!(clock.now() >= before + clock.ahead());
    }
}
