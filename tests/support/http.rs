//! A client over HTTP that says what it asked when an answer is not the expected one.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::poll::PATIENCE;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for messages.
    pub asked: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// This answer, if it has the status.
    ///
    /// # Panics
    /// When it has another one; with the answer.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self}");
        self
    }

    /// The stable code of a problem document.
    ///
    /// # Panics
    /// When it is no problem document.
    #[must_use]
    pub fn problem(&self) -> String {
        let kind = self
            .headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        assert!(
            kind.starts_with("application/problem+json"),
            "{self} has the content type {kind:?}"
        );
        let problem = self.json();
        for field in ["title", "status", "code", "detail"] {
            assert!(problem.get(field).is_some(), "{self} has no {field}");
        }
        assert_eq!(problem["status"], self.status.as_u16(), "{self}");
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} -> {} {}",
            self.asked,
            self.status,
            String::from_utf8_lossy(&self.body)
        )
    }
}

/// A client of one server.
#[derive(Clone)]
pub struct Http {
    base: String,
    token: Option<String>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    /// A client of the server at `http://ADDRESS`, without a token.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            token: None,
            client: Client::builder(TokioExecutor::new())
                // A host that is killed and started again leaves connections that look alive.
                .pool_max_idle_per_host(0)
                .build_http(),
        }
    }

    /// The same with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The bearer token.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Sends a request as it is, the token added.
    ///
    /// # Errors
    /// When the server is not there, or breaks off.
    pub async fn try_send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        let (mut parts, body) = request.into_parts();
        let asked = format!("{} {}", parts.method, parts.uri);
        let target = format!("{}{}", self.base, parts.uri);
        parts.uri = target
            .parse()
            .map_err(|error| format!("{target}: {error}"))?;
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}")
                .parse()
                .map_err(|error| format!("{asked}: {error}"))?;
            parts.headers.insert("authorization", value);
        }
        let work = async {
            let answer = self
                .client
                .request(Request::from_parts(parts, Full::new(body)))
                .await
                .map_err(|error| format!("{asked}: {error:?}"))?;
            let (parts, body) = answer.into_parts();
            let body = body
                .collect()
                .await
                .map_err(|error| format!("{asked}: {error}"))?
                .to_bytes();
            Ok(Answer {
                asked: asked.clone(),
                status: parts.status,
                headers: parts.headers,
                body,
            })
        };
        tokio::time::timeout(PATIENCE, work)
            .await
            .unwrap_or_else(|_| Err(format!("{asked}: no answer in {} s", PATIENCE.as_secs())))
    }

    /// Sends a request with a JSON body and further headers.
    ///
    /// # Errors
    /// When the server is not there, or breaks off.
    ///
    /// # Panics
    /// When the request itself is malformed.
    pub async fn try_json(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        if body.is_some()
            && !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            request = request.header("content-type", "application/json");
        }
        self.try_send(
            request
                .body(bytes)
                .unwrap_or_else(|error| panic!("{method} {path}: {error}")),
        )
        .await
    }

    /// GET.
    ///
    /// # Panics
    /// When the server is not there, or breaks off.
    pub async fn get(&self, path: &str) -> Answer {
        self.try_json("GET", path, None, &[])
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// POST with a JSON body.
    ///
    /// # Panics
    /// When the server is not there, or breaks off.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_json("POST", path, Some(body), &[])
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Any method, a body where there is one, further headers.
    ///
    /// # Panics
    /// When the server is not there, or breaks off.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.try_json(method, path, body, headers)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
