//! A function on a database of its own, and requests to it.

use std::future::Future;

use identity::context::Context;
use identity::http::respond;
use kernel::{Actor, ActorId, ActorKind, CommunityId, TenantId, Timestamp};
use outgoing::Outbox;
use serde_json::{Value, json};
use store::testing::Database;

pub const INTERNAL: &str = "internal-token-of-at-least-32-bytes";
pub const SECRET: &str = "token-secret-of-at-least-32-bytes!!";
pub const MQTT_PASSWORD: &str = "functions-password";
pub const PASSWORD: &str = "a long enough password";
pub const NOW: i64 = 1_800_000_000_000;

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    pub fn text(&self, field: &str) -> String {
        self.body[field]
            .as_str()
            .unwrap_or_else(|| panic!("no {field} in {self:?}"))
            .to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Checks the status, and the code of a problem.
    pub fn expect(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        self
    }
}

/// The function at a moment.
pub struct Function {
    pub context: Context,
    pub database: Database,
}

/// Runs a test with the function on each engine there is.
pub fn run<Test: Future<Output = ()>>(test: impl Fn(Function) -> Test) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        for database in store::testing::databases(&[("identity", folder)]).await {
            let mut context = Context::new(
                &database.url,
                (
                    SECRET.to_owned(),
                    INTERNAL.to_owned(),
                    MQTT_PASSWORD.to_owned(),
                ),
                Outbox::default(),
            )
            .unwrap();
            context.now = at(NOW);
            let function = Function { context, database };
            function.found_demo().await;
            test(function).await;
        }
    });
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

/// A token of that kind, whether or not there is such a person.
pub fn token(kind: ActorKind, id: &str, communities: &[&str]) -> String {
    token_of("demo", kind, id, communities)
}

pub fn token_of(tenant: &str, kind: ActorKind, id: &str, communities: &[&str]) -> String {
    let actor = Actor {
        tenant: TenantId::parse(tenant).unwrap(),
        kind,
        id: ActorId::parse(id).unwrap(),
        communities: communities
            .iter()
            .map(|id| CommunityId::parse(id).unwrap())
            .collect(),
        scopes: vec![],
    };
    let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
    web::token::issue(&secret, &actor, at(NOW), 7_200).unwrap()
}

pub fn operator() -> String {
    token(ActorKind::Operator, "boss", &[])
}

impl Function {
    /// Moves the clock.
    pub fn wait(&mut self, millis: i64) {
        self.context.now = self.context.now.plus_millis(millis);
    }

    async fn found_demo(&self) {
        let operator = json!({ "username": "boss", "password": PASSWORD });
        let body = json!({ "tenant": "demo", "name": "Demo 演示", "operator": operator });
        self.post("/internal/tenants", INTERNAL, body)
            .await
            .expect(201, "");
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(
            "GET",
            path,
            &[("authorization", &format!("Bearer {token}"))],
            "",
        )
        .await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("authorization", &format!("Bearer {token}"))],
            &body.to_string(),
        )
        .await
    }

    pub async fn post_once(&self, path: &str, token: &str, key: &str, body: Value) -> Answer {
        let headers = [
            ("authorization", format!("Bearer {token}")),
            ("idempotency-key", key.to_owned()),
        ];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        self.send("POST", path, &headers, &body.to_string()).await
    }

    pub async fn patch(&self, path: &str, token: &str, tag: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        let headers = if tag.is_empty() {
            &headers[..1]
        } else {
            &headers[..]
        };
        self.send("PATCH", path, headers, &body.to_string()).await
    }

    pub async fn put(&self, path: &str, token: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("if-match", "*")];
        self.send("PUT", path, &headers, &body.to_string()).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.send("DELETE", path, &[("authorization", &bearer)], "")
            .await
    }

    /// Asks without saying who.
    pub async fn ask(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], &body.to_string()).await
    }

    /// Has a code sent to the number and reads it in the inbox.
    pub async fn code(&self, phone: &str, purpose: &str) -> String {
        let body = json!({ "tenant": "demo", "phone": phone, "purpose": purpose });
        self.ask("/api/codes", body).await.expect(202, "");
        let inbox = self.get("/internal/inbox", INTERNAL).await.expect(200, "");
        // Messages of one moment have no order.
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let messages = inbox.body["items"].as_array().unwrap();
        let message = messages.iter().find(|message| {
            message["purpose"] == purpose && message["phone"].as_str().unwrap().ends_with(&digits)
        });
        message.unwrap_or_else(|| panic!("no code in {inbox:?}"))["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Registers with a code.
    pub async fn register(&self, phone: &str, name: &str) -> Answer {
        let code = self.code(phone, "registration").await;
        let body = json!({ "tenant": "demo", "phone": phone, "code": code, "name": name });
        self.ask("/api/registrations", body).await.expect(201, "")
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.ask(
            "/api/sessions/refresh",
            json!({ "refresh_token": refresh_token }),
        )
        .await
    }

    /// Lets the function learn what was recorded since.
    pub async fn tick(&self) {
        let done = self
            .post("/internal/ticks/identity", INTERNAL, json!({}))
            .await
            .expect(200, "");
        assert_eq!(done.body["parked"], 0, "{done:?}");
    }

    /// Appends a fact as another capability does.
    pub async fn append<Fact: wire::event::Event>(&self, fact: &Fact) {
        let tenant = TenantId::parse("demo").unwrap();
        store::tx(&self.context.db, &tenant, async |tx| {
            let id = self.context.new_id()?;
            store::events::append(tx, &id, self.context.now, fact).await
        })
        .await
        .unwrap();
    }

    /// The newest fact of that kind.
    pub async fn fact(&self, kind: &str) -> Value {
        let tenant = TenantId::parse("demo").unwrap();
        let page = store::events::page(&self.database.db, &tenant, 0, 200)
            .await
            .unwrap();
        let found = page.into_iter().rev().find(|event| event.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind}")).data
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = http::Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "content-type") && !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = respond(
            &self.context,
            &request.body(body.to_owned().into()).unwrap(),
        )
        .await;
        let body = if reply.body.is_empty() {
            Value::Null
        } else {
            // What is no JSON is a page for people.
            serde_json::from_slice(&reply.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&reply.body).into())
        };
        Answer {
            status: reply.status.as_u16(),
            headers: reply.headers,
            body,
        }
    }

    /// Adds a person.
    pub async fn add(&self, username: &str, kind: &str, communities: &[&str]) -> Answer {
        let body = json!({ "username": username, "password": PASSWORD, "kind": kind, "communities": communities });
        self.post("/api/people", &operator(), body)
            .await
            .expect(201, "")
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        let body = json!({ "tenant": "demo", "username": username, "password": password });
        self.send("POST", "/api/sessions", &[], &body.to_string())
            .await
    }

    /// The kinds of the tenant's facts, in their order.
    pub async fn facts(&self) -> Vec<String> {
        let tenant = TenantId::parse("demo").unwrap();
        let page = store::events::page(&self.database.db, &tenant, 0, 200)
            .await
            .unwrap();
        page.into_iter().map(|event| event.kind).collect()
    }
}
