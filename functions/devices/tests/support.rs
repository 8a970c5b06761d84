//! A tenant with two gateways that identity has registered, on each engine there is.

use devices::context::Context;
use http::Method;
use kernel::{ActorId, ActorKind, DeviceId, MessageId, Timestamp};
use outgoing::Outbox;
use serde_json::{Value, json};
use store::testing::Database;
use trigger::Outcome;
use web::{Reply, Request, Secret};
use wire::DeviceKind;
use wire::event::{DeviceChildAssigned, DeviceRegistered, Event};
use wire::gateway::{Availability, ChildHealth, Health, Report};

pub use testing::{Person, SECRET};

/// When every test starts.
pub const START_MS: i64 = 1_800_000_000_000;

/// The function and its database.
pub struct World {
    pub context: Context,
    _database: Database,
}

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    for database in store::testing::databases(&[("devices", folder)]).await {
        let context = Context {
            db: database.db.clone(),
            token_secret: Secret::new("token_secret", SECRET.to_owned()).unwrap(),
            internal_token: Secret::new("internal_token", SECRET.to_owned()).unwrap(),
            now: Timestamp::from_millis(START_MS).unwrap(),
            outbox: Outbox::default(),
        };
        let world = World {
            context,
            _database: database,
        };
        world.found().await;
        story(world).await;
    }
}

pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[], &[]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const GUARD_ELSEWHERE: Person = Person(ActorKind::Staff, "tang", "demo", &["harbour"], &[]);
pub const OTHER_GATEWAY: Person = Person(ActorKind::Device, "gateway-2", "demo", &["garden"], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "gateway-1", "demo", &["garden"], &[]);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

impl World {
    /// Identity knows gateway-1 with the north gate, and gateway-2; an operator has described gateway-1.
    async fn found(&self) {
        for (device, kind) in [
            ("gateway-1", DeviceKind::Gateway),
            ("gateway-2", DeviceKind::Gateway),
            ("north", DeviceKind::Door),
        ] {
            let device = DeviceId::parse(device).unwrap();
            let actor = ActorId::parse("wang").unwrap();
            self.record(&DeviceRegistered {
                device,
                kind,
                actor,
            })
            .await;
        }
        self.record(&DeviceChildAssigned {
            gateway: DeviceId::parse("gateway-1").unwrap(),
            kind: DeviceKind::Door,
            child: DeviceId::parse("north").unwrap(),
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
        self.ask(Method::PUT, "/api/gateways/gateway-1")
            .by(WANG)
            .json(&json!({"community": "garden", "name": "北门网关", "profile": "wired"}))
            .content()
            .await;
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/devices")
            .bearer(SECRET)
            .content()
            .await
    }

    /// gateway-1 as an operator reads it.
    pub async fn gateway(&self) -> Value {
        self.get("/api/gateways/gateway-1").by(WANG).content().await
    }

    /// gateway-1 says that it is there, or the broker says that it is not.
    pub async fn state(&self, online: bool) -> Outcome {
        self.says(
            "linli/demo/gateway/gateway-1/state",
            Availability { online },
        )
        .await
    }

    /// gateway-1 reports.
    pub async fn report(&self, report: Report) -> Outcome {
        self.says("linli/demo/gateway/gateway-1/ack", report).await
    }

    /// The heartbeat of gateway-1, which runs with that configuration and reaches its door or not.
    pub async fn health(&self, configuration: i64, reachable: bool) -> Outcome {
        self.report(Report::Health(Health {
            software: "linli-bridge 0.1.0".to_owned(),
            started_at: Timestamp::from_millis(START_MS).unwrap(),
            configuration,
            children: vec![ChildHealth {
                device: DeviceId::parse("north").unwrap(),
                reachable,
            }],
        }))
        .await
    }

    /// What became of a command.
    pub async fn answer(&self, command: &str, outcome: wire::gateway::Outcome) -> Outcome {
        let command = MessageId::parse(command).unwrap();
        self.report(Report::Command { command, outcome }).await
    }

    async fn says<Body>(&self, topic: &str, body: Body) -> Outcome
    where
        Body: serde::Serialize + serde::de::DeserializeOwned,
    {
        let message = wire::Message {
            id: MessageId::parse("m-1").unwrap(),
            at: self.context.now,
            body,
        };
        self.receive(topic, &message.to_payload().unwrap()).await
    }

    /// Lets time pass.
    pub fn pass_ms(&mut self, millis: i64) {
        self.context.now = self.context.now.plus_millis(millis);
    }

    /// A token that holds for an hour.
    pub fn token(&self, person: Person<'_>) -> String {
        testing::token(self, person)
    }

    pub fn ask(&self, method: Method, uri: &str) -> Ask<'_> {
        Ask::new(self, method, uri)
    }

    pub fn get(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::GET, uri)
    }

    pub fn post(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::POST, uri)
    }

    pub async fn receive(&self, topic: &str, payload: &[u8]) -> Outcome {
        devices::mqtt::receive(&self.context, topic, payload).await
    }

    /// The kinds of the tenant's events, in order.
    pub async fn facts(&self) -> Vec<String> {
        testing::kinds(&self.context.db).await
    }

    /// What was published since the last look: topics and payloads.
    pub fn published(&self) -> Vec<(String, Value)> {
        let parse = |(topic, payload): (String, Vec<u8>)| {
            (topic, serde_json::from_slice(&payload).unwrap())
        };
        self.context.outbox.take().into_iter().map(parse).collect()
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        devices::http::respond(&self.context, request).await
    }
}
