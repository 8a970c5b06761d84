//! A client of the HTTP API for set-up: one request, one JSON answer, or an error that says both.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as Connections, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// A client of one server, as one caller.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: String,
    connections: Connections<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// A client of the server at `http://ADDRESS`, presenting a bearer token.
    #[must_use]
    pub fn new(base: &str, token: &str) -> Self {
        let connections = Connections::builder(TokioExecutor::new()).build_http();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            connections,
        }
    }

    /// The same server as another caller.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// The bearer token that it presents.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request and returns the JSON of its answer; null where the answer has no body.
    ///
    /// # Errors
    /// When the server is not there, or its answer is not of success; with the answer.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = self.request(method, path, "application/json");
        self.send(format!("{method} {path}"), request, bytes).await
    }

    /// Sends a file with PUT.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn put_file(&self, path: &str, content_type: &str, file: Bytes) -> Result<Value> {
        let request = self.request("PUT", path, content_type);
        self.send(format!("PUT {path}"), request, file).await
    }

    /// POST with a JSON body under an Idempotency-Key: what moves money has its effect once.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn post_once(&self, path: &str, body: Value, key: &str) -> Result<Value> {
        let request = self.request("POST", path, "application/json");
        let request = request.header("idempotency-key", key);
        let bytes = Bytes::from(body.to_string());
        self.send(format!("POST {path}"), request, bytes).await
    }

    fn request(&self, method: &str, path: &str, content_type: &str) -> http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", content_type);
        if self.token.is_empty() {
            return request;
        }
        request.header("authorization", format!("Bearer {}", self.token))
    }

    async fn send(
        &self,
        asked: String,
        request: http::request::Builder,
        bytes: Bytes,
    ) -> Result<Value> {
        let request = request.body(Full::new(bytes))?;
        let answer = self
            .connections
            .request(request)
            .await
            .with_context(|| asked.clone())?;
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .with_context(|| asked.clone())?
            .to_bytes();
        if !status.is_success() {
            bail!("{asked}: {status} {}", String::from_utf8_lossy(&body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("{asked}: the answer is no JSON"))
    }

    /// GET.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None).await
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.call("POST", path, Some(body)).await
    }

    /// Logs a person in; a client that speaks for them.
    ///
    /// # Errors
    /// When the tenant, the name or the password is not right.
    pub async fn log_in(&self, tenant: &str, person: &crate::demo::Person) -> Result<Self> {
        let body = serde_json::json!({ "tenant": tenant, "username": person.username, "password": person.password });
        let session = self.with_token("").post("/api/sessions", body).await?;
        Ok(self.with_token(
            session["token"]
                .as_str()
                .context("the session has no token")?,
        ))
    }
}
