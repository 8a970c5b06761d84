//! Every operation of every contract, against a running system: it refuses whom it has to, and then does what
//! its example says. An operation that does not say whom it refuses fails in the merge of the contracts already.
//!
//! The examples are sent in the order of their documents, `identity` first, each function's after the other; an id
//! that the system makes (`{grant}` after `POST .../grants`) is taken from the answer, in a body as `'{grant}'`,
//! and so is a secret that an example writes as `'{refresh_token}'`.

use std::collections::BTreeMap;

use kernel::ActorKind;
use linli_tests::{
    http::{Answer, Http},
    place,
    system::{Setup, System},
    tokens,
};
use serde_json::Value;
use xtask::openapi::{self, Access, Operation};

/// The tenant of the examples, and its community.
const TENANT: &str = "demo";
const COMMUNITY: &str = "garden";
/// What may be answered to somebody who may not: which one is the operation's choice.
const REFUSALS: [u16; 3] = [401, 403, 404];
/// What answers tell once, and later bodies present as `{name}`.
const SECRETS: [&str; 4] = ["code", "key", "password", "refresh_token"];

/// A running system with what the examples have made so far.
struct Walk {
    system: System,
    operator: Http,
    stranger: Http,
    /// Ids that answers have named, by the name of the path parameter.
    made: BTreeMap<String, String>,
    /// The last of each of [`SECRETS`] that an answer has told.
    told: BTreeMap<String, String>,
    faults: Vec<String>,
}

#[tokio::test]
async fn every_operation_refuses_whom_it_should_and_does_what_its_example_says() {
    let merged = openapi::merge(&place::root()).unwrap_or_else(|error| panic!("{error:#}"));
    let mut operations = merged.operations;
    // Nothing works before there is a tenant with an operator; people and devices come before doors; what takes
    // something away comes last, and from the inside out.
    operations.sort_by_key(|operation| {
        let depth = operation.path.matches('/').count();
        let takes_away = operation.method == "DELETE";
        (
            operation.path != "/internal/tenants",
            takes_away,
            operation.function != "identity",
            if takes_away {
                std::cmp::Reverse(depth)
            } else {
                std::cmp::Reverse(0)
            },
        )
    });
    let mut walk = Walk::begin();
    for operation in &operations {
        walk.refuses(operation).await;
        walk.does(operation).await;
        if operation.path == "/internal/tenants" {
            walk.log_in(operation).await;
        }
    }
    assert!(
        walk.faults.is_empty(),
        "{} faults:\n{}",
        walk.faults.len(),
        walk.faults.join("\n")
    );
}

impl Walk {
    fn begin() -> Self {
        let system = System::start(Setup::functions());
        let stranger = tokens::token(
            &system,
            "elsewhere",
            ActorKind::Operator,
            "stranger",
            COMMUNITY,
        );
        let http = system.http();
        Self {
            operator: http.clone(),
            stranger: http.with_token(&stranger),
            system,
            made: BTreeMap::new(),
            told: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// The first operator of the tenant, with the password of the example.
    async fn log_in(&mut self, tenants: &Operation) {
        let body = json(tenants.body_example().expect("an example").1);
        let person = &body["operator"];
        let ask = serde_json::json!({
            "tenant": body["tenant"], "username": person["username"], "password": person["password"],
        });
        let session = self
            .system
            .http()
            .post("/api/sessions", &ask)
            .await
            .expect(201)
            .json();
        self.operator = self
            .system
            .http()
            .with_token(session["token"].as_str().expect("a token"));
        assert_eq!(body["tenant"], TENANT, "the examples' tenant");
    }

    async fn refuses(&mut self, operation: &Operation) {
        let nobody = self.system.http();
        let Access::Token { refused } = &operation.access else {
            if operation.access == Access::Internal {
                self.refused(operation, "nobody", &nobody).await;
                let operator = self.as_kind(ActorKind::Operator);
                self.refused(operation, "an operator's token", &operator)
                    .await;
            }
            return;
        };
        self.refused(operation, "nobody", &nobody).await;
        self.refused(
            operation,
            "a forged token",
            &nobody.with_token("eyJhbGciOiJub25lIn0.e30."),
        )
        .await;
        for name in refused {
            match ActorKind::parse(name) {
                Some(kind) => {
                    let caller = self.as_kind(kind);
                    self.refused(operation, name, &caller).await;
                }
                None => self.faults.push(format!(
                    "{}: x-linli-refused names {name:?}, which is no kind of actor",
                    operation.id
                )),
            }
        }
        self.is_foreign(operation).await;
    }

    fn as_kind(&self, kind: ActorKind) -> Http {
        self.system.http().with_token(&tokens::token(
            &self.system,
            TENANT,
            kind,
            "somebody",
            COMMUNITY,
        ))
    }

    /// Another tenant's operator finds nothing: what has an id is unknown, and a list does not hold it.
    async fn is_foreign(&mut self, operation: &Operation) {
        let stranger = self.stranger.clone();
        if operation.path.contains('{') {
            self.refused(operation, "another tenant's operator", &stranger)
                .await;
        } else if operation.method == "GET" {
            let answer = self.send(operation, &stranger).await;
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let leaked = self
                .made
                .values()
                .find(|id| body.contains(&format!("\"{id}\"")));
            if let Some(id) = leaked {
                self.faults.push(format!(
                    "{}: another tenant's operator sees {id}: {answer}",
                    operation.id
                ));
            }
        }
    }

    async fn refused(&mut self, operation: &Operation, who: &str, caller: &Http) {
        let answer = self.send(operation, caller).await;
        let is_nobody = who == "nobody" || who == "a forged token";
        let fine = if is_nobody {
            answer.status == 401
        } else {
            REFUSALS.contains(&answer.status.as_u16())
        };
        if !fine {
            self.faults
                .push(format!("{}: {who} is not refused: {answer}", operation.id));
        } else if answer.problem().is_empty() {
            self.faults.push(format!(
                "{}: the refusal of {who} has no code: {answer}",
                operation.id
            ));
        }
    }

    /// Sends the example as the one it is meant for, and keeps the id of what it made.
    async fn does(&mut self, operation: &Operation) {
        if let Some(reason) = &operation.not_replayed {
            println!("not replayed: {}: {reason}", operation.id);
            return;
        }
        let caller = match (&operation.access, &operation.caller) {
            (Access::Open, _) => self.system.http(),
            (Access::Internal, _) => self.system.internal(),
            (Access::Token { .. }, None) => self.operator.clone(),
            (Access::Token { .. }, Some(kind)) => match ActorKind::parse(kind) {
                Some(kind) => self.as_kind(kind),
                None => panic!(
                    "{}: x-linli-caller: {kind:?} is no kind of actor",
                    operation.id
                ),
            },
        };
        let answer = self.send(operation, &caller).await;
        let promised: Vec<u16> = operation
            .answers()
            .map(|(status, _)| status)
            .filter(|status| (200..300).contains(status))
            .collect();
        if !promised.contains(&answer.status.as_u16()) {
            self.faults.push(format!(
                "{}: the example promises {promised:?}: {answer}",
                operation.id
            ));
            return;
        }
        let last = operation.path.rsplit('/').next().unwrap_or_default();
        let content: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let mut told = BTreeMap::new();
        listen(&content, &mut told);
        self.told.extend(told);
        if operation.method != "POST" {
            return;
        }
        let named = |field: &str| content.get(field)?.as_str().map(str::to_owned);
        // Of a collection only: an action on one thing answers with that thing.
        let one = singular(last);
        let is_collection = one != last || !operation.path.contains('{');
        if let Some(id) = named("id").filter(|_| is_collection) {
            self.made.insert(one, id);
        }
        // What comes of another thing: a merchant of its application; what is paid elsewhere.
        for other in ["merchant", "payment"] {
            if let Some(id) = named(other) {
                self.made.insert(other.to_owned(), id);
            }
        }
        // What is read with a secret instead of an id.
        if let Some(token) = named("token") {
            self.made.insert("token".to_owned(), token);
        }
    }

    async fn send(&mut self, operation: &Operation, caller: &Http) -> Answer {
        let mut path = operation.path.clone();
        for (name, id) in &self.made {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let with_ids = Operation {
            path,
            ..operation.clone()
        };
        let path = with_ids.example_path();
        if path.contains('{') {
            self.faults.push(format!(
                "{}: {path}: no answer made this id, and the parameter has no example",
                operation.id
            ));
        }
        let mut headers = with_ids.header_examples();
        if with_ids.requires_header("If-Match") {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("If-Match"));
            headers.push(("If-Match".to_owned(), self.version(&path).await));
        }
        let mut headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let body = with_ids.body_example().map(|(kind, value)| {
            headers.push(("content-type", kind));
            let mut body = json(value);
            present(&mut body, &self.told);
            present(&mut body, &self.made);
            body
        });
        caller
            .call(&operation.method, &path, body.as_ref(), &headers)
            .await
    }

    /// The present version of what is changed.
    async fn version(&self, path: &str) -> String {
        let answer = self.operator.get(path).await;
        let etag = answer
            .headers
            .get("etag")
            .and_then(|etag| etag.to_str().ok());
        etag.unwrap_or("\"0\"").to_owned()
    }
}

/// Keeps the first of each of [`SECRETS`] in an answer.
fn listen(content: &Value, told: &mut BTreeMap<String, String>) {
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
fn present(body: &mut Value, told: &BTreeMap<String, String>) {
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

fn json(value: &serde_yaml_ng::Value) -> Value {
    serde_json::to_value(value).expect("an example is JSON")
}

/// The name of the path parameter for what a collection holds: `doors` -> `door`, `people` -> `person`.
fn singular(collection: &str) -> String {
    match collection {
        "people" => "person".to_owned(),
        "visitor-registrations" => "visit".to_owned(),
        "recurring-visits" => "recurring".to_owned(),
        "visitor-blacklist" => "entry".to_owned(),
        other => other.trim_end_matches('s').to_owned(),
    }
}
