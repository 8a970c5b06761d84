//! A community with two doors and its people, on each engine there is.

use doors::context::Context;
use http::Method;
use kernel::{ActorKind, DeviceId, MessageId, OpeningId, Timestamp};
use outgoing::Outbox;
use serde_json::{Value, json};
use store::testing::Database;
use trigger::Outcome;
use web::{Reply, Request, Secret};

pub use testing::{Person, SECRET, content_of};

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
    for database in store::testing::databases(&[("doors", folder)]).await {
        let context = Context {
            db: database.db.clone(),
            token_secret: Secret::new("token_secret", SECRET.to_owned()).unwrap(),
            internal_token: Secret::new("internal_token", SECRET.to_owned()).unwrap(),
            pass_seed: wire::pass::seed_of(SECRET),
            pass_seed_previous: None,
            access_retention_days: 180,
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
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &["garden"], &[]);
pub const SUN: Person = Person(ActorKind::Resident, "sun", "demo", &["harbour"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "gateway-1", "demo", &["garden"], &[]);
pub const GATEWAY_2: Person = Person(ActorKind::Device, "gateway-2", "demo", &["harbour"], &[]);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

impl World {
    /// The community garden with the north gate, which Li may open, and the harbour with the pier.
    async fn found(&self) {
        let north =
            json!({"id": "north", "community": "garden", "name": "北门", "gateway": "gateway-1"});
        let pier =
            json!({"id": "pier", "community": "harbour", "name": "码头", "gateway": "gateway-2"});
        for door in [north, pier] {
            assert_eq!(
                self.post("/api/doors")
                    .by(WANG)
                    .json(&door)
                    .reply()
                    .await
                    .status,
                201
            );
        }
        let grant = json!({"person": "li"});
        assert_eq!(
            self.post("/api/doors/north/grants")
                .by(CHEN)
                .json(&grant)
                .reply()
                .await
                .status,
            201
        );
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

    /// Li's grant.
    pub async fn grant_of_li(&self) -> String {
        let list = self
            .get("/api/doors/north/grants?person=li")
            .by(WANG)
            .content()
            .await;
        list["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The id of a new opening of the north gate by Li.
    pub async fn opening_of_li(&self) -> String {
        let opening = self
            .post("/api/doors/north/openings")
            .by(LI)
            .content()
            .await;
        assert_eq!(opening["state"], "requested");
        opening["id"].as_str().unwrap().to_owned()
    }

    /// The opening of the north gate as Li reads it.
    pub async fn opening(&self, id: &str) -> Value {
        self.get(&format!("/api/doors/north/openings/{id}"))
            .by(LI)
            .content()
            .await
    }

    /// A message of a gateway about the north gate.
    pub async fn answer(
        &self,
        gateway: &str,
        opening: &str,
        outcome: wire::door::Outcome,
    ) -> Outcome {
        let body = wire::door::Acknowledgement {
            opening: OpeningId::parse(opening).unwrap(),
            gateway: DeviceId::parse(gateway).unwrap(),
            outcome,
        };
        let message = wire::Message {
            id: MessageId::parse("ack-1").unwrap(),
            at: self.context.now,
            body,
        };
        self.receive("linli/demo/door/north/ack", &message.to_payload().unwrap())
            .await
    }

    pub async fn receive(&self, topic: &str, payload: &[u8]) -> Outcome {
        doors::mqtt::receive(&self.context, topic, payload).await
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
        doors::http::respond(&self.context, request).await
    }
}
