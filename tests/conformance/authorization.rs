//! Every operation of every contract, against a running system: it refuses whom it has to, and then does what
//! its example says. An operation that does not say whom it refuses fails in the merge of the contracts already.
//!
//! The examples are sent in the order of their documents, `identity` first, each function's after the other; an id
//! that the system makes (`{grant}` after `POST .../grants`) is taken from the answer, in a body as `'{grant}'`,
//! and so is a secret that an example writes as `'{refresh_token}'`. What an example finds there, besides what those
//! before it made, it says by `x-linli-given`; [`given`] makes that, over the API alone. Who sends it, it says by
//! `x-linli-caller`: a kind of actor, and an id where it matters; else it is the tenant's operator.

/// What examples find.
mod given;
/// How they are sent.
mod sending;

use std::collections::BTreeMap;

use kernel::ActorKind;
use linli_tests::{
    http::Http,
    place,
    system::{Setup, System},
    tokens,
};
use serde_json::Value;
use xtask::openapi::{self, Access, Operation};

use sending::{json, listen};

/// The tenant of the examples, and its community.
const TENANT: &str = "demo";
const COMMUNITY: &str = "garden";
/// What may be answered to somebody who may not: which one is the operation's choice.
const REFUSALS: [u16; 3] = [401, 403, 404];
/// What answers tell once, and later bodies present as `{name}`.
const SECRETS: [&str; 4] = ["code", "key", "password", "refresh_token"];
/// In which order the functions' examples are sent; those of all others before them. People and devices come before
/// doors, merchants before what they sell and advertise; settlement sets the clock ahead.
const ORDER: [&str; 7] = [
    "merchants",
    "payments",
    "orders",
    "bidding",
    "push",
    "settlement",
    "ads",
];
/// With what the host is started: a clock to be set ahead, and whom push services may write to.
const SETUP: [(&str, &str); 2] = [
    ("LINLI_MOVABLE_CLOCK", "true"),
    ("SPIN_VARIABLE_PUSH_CONTACT", "mailto:push@linli.cn"),
];
/// What a picture begins with, in the place of an example that only names it.
const PICTURES: [(&str, &[u8]); 2] = [
    ("image/jpeg", b"\xff\xd8\xff\xe0"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
];

/// A running system with what the examples have made so far.
struct Walk {
    system: System,
    operations: Vec<Operation>,
    /// With what the operator logs in.
    login: Value,
    operator: Http,
    stranger: Http,
    /// Ids that answers have named, by the name of the path parameter.
    made: BTreeMap<String, String>,
    /// The last of each of [`SECRETS`] that an answer has told.
    told: BTreeMap<String, String>,
    /// How far the functions' clock was set ahead.
    ahead_seconds: i64,
    faults: Vec<String>,
}

#[tokio::test]
async fn every_operation_refuses_whom_it_should_and_does_what_its_example_says() {
    let merged = openapi::merge(&place::root()).unwrap_or_else(|error| panic!("{error:#}"));
    let mut operations = merged.operations;
    // Nothing works before there is a tenant with an operator; what takes something away comes last, and from the
    // inside out.
    operations.sort_by_key(|operation| {
        let depth = operation.path.matches('/').count();
        let takes_away = operation.method == "DELETE";
        (
            operation.path != "/internal/tenants",
            takes_away,
            operation.function != "identity",
            ORDER.iter().position(|name| *name == operation.function),
            if takes_away {
                std::cmp::Reverse(depth)
            } else {
                std::cmp::Reverse(0)
            },
        )
    });
    let mut walk = Walk::begin(&operations);
    for operation in &operations {
        if !walk.finds(operation).await {
            continue;
        }
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
    fn begin(operations: &[Operation]) -> Self {
        let mut setup = Setup::functions();
        for (name, value) in SETUP {
            setup = setup.with(name, value);
        }
        let system = System::start(setup);
        let stranger = tokens::token(
            &system,
            "elsewhere",
            ActorKind::Operator,
            "stranger",
            COMMUNITY,
        );
        let http = system.http();
        Self {
            operations: operations.to_vec(),
            login: Value::Null,
            operator: http.clone(),
            stranger: http.with_token(&stranger),
            system,
            made: BTreeMap::new(),
            told: BTreeMap::new(),
            ahead_seconds: 0,
            faults: Vec::new(),
        }
    }

    /// The first operator of the tenant, with the password of the example.
    async fn log_in(&mut self, tenants: &Operation) {
        let body = json(tenants.body_example().expect("an example").1);
        let person = &body["operator"];
        self.login = serde_json::json!({
            "tenant": body["tenant"], "username": person["username"], "password": person["password"],
        });
        self.log_in_again().await;
        assert_eq!(body["tenant"], TENANT, "the examples' tenant");
    }

    async fn log_in_again(&mut self) {
        let http = self.system.http();
        let session = http.post("/api/sessions", &self.login).await.expect(201);
        let session = session.json();
        self.operator = http.with_token(session["token"].as_str().expect("a token"));
    }

    /// Makes what the example finds, before anybody is refused it; whether it is there.
    async fn finds(&mut self, operation: &Operation) -> bool {
        let Some(what) = &operation.given else {
            return true;
        };
        let made = self.given(what).await;
        if let Err(error) = &made {
            self.faults
                .push(format!("{}: {what}: {error:#}", operation.id));
        }
        made.is_ok()
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
        let caller = self.sender(operation);
        let answer = self.send(operation, &caller).await;
        let promised: Vec<u16> = operation
            .answers()
            .map(|(status, _)| status)
            .filter(|status| (200..400).contains(status))
            .collect();
        if !promised.contains(&answer.status.as_u16()) {
            self.faults.push(format!(
                "{}: the example promises {promised:?}: {answer}",
                operation.id
            ));
            return;
        }
        let content: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let mut told = BTreeMap::new();
        listen(&content, &mut told);
        self.told.extend(told);
        if operation.method == "POST" {
            self.keep_made(operation, &content);
        }
    }
}
