//! Asking a function over HTTP.

use bytes::Bytes;
use http::Method;
use kernel::Timestamp;
use serde_json::Value;
use web::{Reply, Request, Secret};

use crate::Person;

/// A function and its database.
#[allow(async_fn_in_trait, reason = "tests await in place")]
pub trait Function {
    /// With what it signs tokens, and its present moment.
    fn signs(&self) -> (&Secret, Timestamp);

    /// Its answer.
    async fn respond(&self, request: &Request) -> Reply;
}

/// A token that holds for an hour.
///
/// # Panics
/// When none can be made.
pub fn token(function: &impl Function, person: Person<'_>) -> String {
    let (secret, now) = function.signs();
    web::token::issue(secret, &person.actor(), now, 3600).unwrap()
}

/// A request in the making.
#[must_use]
pub struct Ask<'a, Of> {
    function: &'a Of,
    builder: http::request::Builder,
    body: Bytes,
}

impl<'a, Of: Function> Ask<'a, Of> {
    /// A request without a body, of nobody in particular.
    pub fn new(function: &'a Of, method: Method, uri: &str) -> Self {
        Self {
            function,
            builder: http::Request::builder().method(method).uri(uri),
            body: Bytes::new(),
        }
    }

    /// Asked by somebody.
    pub fn by(self, person: Person<'_>) -> Self {
        let token = token(self.function, person);
        self.bearer(&token)
    }

    /// With a token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Under an Idempotency-Key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With JSON.
    pub fn json(self, content: &Value) -> Self {
        self.raw(content.to_string())
    }

    /// With a body that claims to be JSON.
    pub fn raw(self, body: impl AsRef<[u8]>) -> Self {
        self.bytes("application/json", body)
    }

    /// With a body of any kind.
    pub fn bytes(self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        self.plain(body).header("content-type", content_type)
    }

    /// With a body of no kind.
    pub fn plain(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Bytes::copy_from_slice(body.as_ref());
        self
    }

    /// The reply, whatever it is.
    ///
    /// # Panics
    /// When it is no request.
    pub async fn reply(self) -> Reply {
        let request = self.builder.body(self.body).unwrap();
        self.function.respond(&request).await
    }

    /// The JSON of a reply that went well.
    ///
    /// # Panics
    /// When it did not.
    pub async fn content(self) -> Value {
        let reply = self.reply().await;
        let content = content_of(&reply);
        assert!(reply.status.is_success(), "{} {content}", reply.status);
        content
    }

    /// The problem that is answered, which is this one.
    ///
    /// # Panics
    /// When it is not.
    pub async fn refused(self, status: u16, code: &str) -> Value {
        let reply = self.reply().await;
        let problem = content_of(&reply);
        assert_eq!(
            (reply.status.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{problem}"
        );
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        problem
    }
}

/// The JSON of a reply; null when it is none.
#[must_use]
pub fn content_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
}
