//! How an example is sent: by whom, with what was made and told before in its places; and what its answer tells.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use kernel::ActorKind;
use linli_tests::{
    http::{Answer, Http},
    tokens,
};
use serde_json::Value;
use xtask::openapi::{Access, Operation};

use super::{COMMUNITY, PICTURES, SECRETS, TENANT, Walk};

impl Walk {
    pub(super) fn as_kind(&self, kind: ActorKind) -> Http {
        self.as_actor(kind, "somebody")
    }

    fn as_actor(&self, kind: ActorKind, id: &str) -> Http {
        let now = chrono::Utc::now() + chrono::TimeDelta::seconds(self.ahead_seconds);
        let token = tokens::token_at(&self.system, (TENANT, COMMUNITY), (kind, id), now);
        self.system.http().with_token(&token)
    }

    /// The API as somebody: a kind of actor and an id, the bearer of a key, or the operator who has logged in; `nobody` too.
    pub(super) fn caller(&self, who: &str) -> Http {
        let (kind, id) = who.split_once(' ').unwrap_or((who, "somebody"));
        let id = self.named(id);
        match (kind, ActorKind::parse(kind)) {
            ("nobody", _) => self.system.http(),
            ("internal", _) => self.system.internal(),
            ("bearer", _) => self.system.http().with_token(&id),
            ("operator", _) if who == kind => self.operator.clone(),
            (_, Some(kind)) => self.as_actor(kind, &id),
            _ => panic!("{who:?} is no kind of actor"),
        }
    }

    /// Who sends the example of an operation.
    pub(super) fn sender(&self, operation: &Operation) -> Http {
        match (&operation.access, &operation.caller) {
            (_, Some(who)) => self.caller(who),
            (Access::Open, _) => self.system.http(),
            (Access::Internal, _) => self.system.internal(),
            (Access::Token { .. }, None) => self.operator.clone(),
        }
    }

    /// Keeps the id of what an example made, and of what came with it.
    pub(super) fn keep_made(&mut self, operation: &Operation, content: &Value) {
        if let Some(name) = self.made_by(operation) {
            self.keep(&name, &content["id"]);
        }
        // What comes of another thing: a merchant of its application; what is paid elsewhere. What is read with a
        // secret instead of an id.
        for other in ["merchant", "payment", "token"] {
            self.keep(other, &content[other]);
        }
        // What comes inside of another thing.
        for (inner, name) in [("variants", "variant"), ("orders", "order")] {
            self.keep(name, &content[inner][0]["id"]);
        }
    }

    /// The path parameter that names what an operation makes: the one that its function has after the collection.
    fn made_by(&self, operation: &Operation) -> Option<String> {
        let collection = operation.path.rsplit('/').next()?;
        if collection == "visitor-registrations" {
            // What is registered is a visit; the registration itself is read with a token.
            return Some("visit".to_owned());
        }
        let named = |path: &str| {
            let parts = path.split('/').skip_while(|part| *part != collection);
            let mut parts = parts.skip(1).map(parameter);
            let name = parts.next()??.to_owned();
            // Two in a row are no id.
            parts.next().flatten().is_none().then_some(name)
        };
        let below = format!("{}/", operation.path);
        let own = self.operations.iter();
        let own = own.filter(|other| other.function == operation.function);
        let beneath = |other: &&Operation| other.path.starts_with(&below);
        let known = own
            .clone()
            .filter(beneath)
            .chain(own)
            .find_map(|other| named(&other.path));
        // Of a collection only: an action on one thing answers with that thing.
        let one = collection.trim_end_matches('s');
        let is_collection = one != collection || !operation.path.contains('{');
        known.or_else(|| is_collection.then(|| one.to_owned()))
    }

    /// Keeps an id under a name, where there is one.
    pub(super) fn keep(&mut self, name: &str, id: &Value) {
        if let Some(id) = id.as_str() {
            self.made.insert(name.to_owned(), id.to_owned());
        }
    }

    /// A text with the ids of what was made in the place of `{name}`.
    pub(super) fn named(&self, text: &str) -> String {
        self.made.iter().fold(text.to_owned(), |text, (name, id)| {
            text.replace(&format!("{{{name}}}"), id)
        })
    }

    pub(super) async fn send(&mut self, operation: &Operation, caller: &Http) -> Answer {
        let with_ids = Operation {
            path: self.named(&operation.path),
            ..operation.clone()
        };
        let path = self.named(&with_ids.example_path());
        if path.contains('{') {
            self.faults.push(format!(
                "{}: {path}: no answer made this id, and the parameter has no example",
                operation.id
            ));
        }
        let mut request = Request::builder()
            .method(operation.method.as_str())
            .uri(&path);
        for (name, value) in with_ids.header_examples() {
            request = match name.to_ascii_lowercase().as_str() {
                "if-match" => request,
                // A key is one request's own.
                "idempotency-key" => request.header(name, &operation.id),
                _ => request.header(name, value),
            };
        }
        if with_ids.requires_header("If-Match") {
            request = request.header("if-match", self.version(operation, &path).await);
        }
        let mut content = Bytes::new();
        if let Some((kind, value)) = with_ids.body_example() {
            request = request.header("content-type", kind);
            content = self.content(kind, value);
        }
        let request = request.body(content).expect("an example is a request");
        let answer = caller.try_send(request).await;
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The bytes of an example: what was made and told in the place of its names.
    fn content(&self, kind: &str, value: &serde_yaml_ng::Value) -> Bytes {
        if let Some((_, picture)) = PICTURES.iter().find(|(known, _)| *known == kind) {
            return Bytes::from_static(picture);
        }
        let mut body = json(value);
        present(&mut body, &self.told);
        present(&mut body, &self.made);
        match body {
            Value::String(text) if !kind.contains("json") => text.into(),
            body => body.to_string().into(),
        }
    }

    /// The present version of what is changed, or of what it is a part of.
    async fn version(&self, operation: &Operation, path: &str) -> String {
        let whole = path.rsplit_once('/').map_or(path, |(whole, _)| whole);
        for path in [path, whole] {
            let answer = self.sender(operation).get(path).await;
            let etag = answer.headers.get("etag");
            if let Some(etag) = etag.and_then(|etag| etag.to_str().ok()) {
                return etag.to_owned();
            }
        }
        "\"0\"".to_owned()
    }
}

/// The name of a path parameter.
fn parameter(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// Keeps the first of each of [`SECRETS`] in an answer.
pub(super) fn listen(content: &Value, told: &mut BTreeMap<String, String>) {
    match content {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRETS.contains(&name.as_str()) => {
                        told.entry(name.clone()).or_insert_with(|| text.clone());
                    }
                    other => listen(other, told),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| listen(item, told)),
        _ => {}
    }
}

/// Puts what was told in the place of `{name}`.
pub(super) fn present(body: &mut Value, told: &BTreeMap<String, String>) {
    match body {
        Value::String(text) => {
            let name = text
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            if let Some(secret) = name.and_then(|name| told.get(name)) {
                *text = secret.clone();
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| present(value, told)),
        Value::Array(items) => items.iter_mut().for_each(|item| present(item, told)),
        _ => {}
    }
}

pub(super) fn json(value: &serde_yaml_ng::Value) -> Value {
    serde_json::to_value(value).expect("an example is JSON")
}
