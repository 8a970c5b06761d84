//! A tenant with two communities, a house and its people, on each engine there is.

use community::context::Context;
use http::Method;
use kernel::{ActorKind, EventId, Phone, TenantId, Timestamp};
use outgoing::Outbox;
use serde_json::{Value, json};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::Event;

pub use testing::{Person, SECRET};

/// When every test starts: 2027-01-15T08:00:00Z.
pub const START_MS: i64 = 1_800_000_000_000;

/// The function and its database.
pub struct World {
    pub context: Context,
    _database: Database,
}

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    for database in store::testing::databases(&[("community", folder)]).await {
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
pub const HU: Person = Person(ActorKind::Staff, "hu", "demo", &["harbour"], &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &[], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "gateway-1", "demo", &["garden"], &[]);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

/// What was made for a story.
pub struct House {
    pub building: String,
    pub unit: String,
    pub room: String,
}

impl World {
    /// The garden and the harbour, run by one company.
    async fn found(&self) {
        self.post("/api/companies")
            .by(WANG)
            .json(&json!({"id": "green", "name": "绿城物业", "phone": "13900139000"}))
            .content()
            .await;
        for (id, name) in [("garden", "阳光花园"), ("harbour", "海港城")] {
            let community =
                json!({"id": id, "name": name, "address": "幸福路 1 号", "company": "green"});
            let made = self.post("/api/communities").by(WANG).json(&community);
            assert_eq!(made.content().await["time_zone"], "Asia/Shanghai");
        }
    }

    /// Room 101 of entrance 1 of building 1 of the garden.
    pub async fn house(&self) -> House {
        let building = self
            .made("/api/communities/garden/buildings", json!({"name": "1栋"}))
            .await;
        let unit = self
            .made(
                &format!("/api/buildings/{building}/units"),
                json!({"name": "1单元"}),
            )
            .await;
        let room = self
            .made(
                &format!("/api/units/{unit}/rooms"),
                json!({"number": "101", "area_dm2": 8950, "floor": 1}),
            )
            .await;
        House {
            building,
            unit,
            room,
        }
    }

    /// The id of what Chen makes.
    pub async fn made(&self, path: &str, content: Value) -> String {
        let made = self.post(path).by(CHEN).json(&content).content().await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// A person of the garden.
    pub async fn resident(&self, name: &str, phone: &str) -> String {
        let content = json!({"community": "garden", "name": name, "phones": [phone]});
        self.made("/api/residents", content).await
    }

    /// A binding of a person to a room.
    pub async fn bound(&self, person: &str, room: &str, role: &str) -> String {
        let content = json!({"room": room, "role": role});
        self.made(&format!("/api/residents/{person}/bindings"), content)
            .await
    }

    /// Sends a file of a kind and runs it; the report.
    pub async fn import(&self, kind: &str, file: &str, mode: Value) -> Value {
        let id = self.upload(kind, file.as_bytes()).await;
        let run = self.post(&format!("/api/imports/{id}/run")).by(CHEN);
        run.json(&mode).content().await
    }

    /// Sends a CSV file; the import.
    pub async fn upload(&self, kind: &str, file: &[u8]) -> String {
        let content = json!({"community": "garden", "kind": kind, "format": "csv"});
        let id = self.made("/api/imports", content).await;
        for (part, bytes) in (1..).zip(file.chunks(1024 * 1024)) {
            let put = self
                .ask(Method::PUT, &format!("/api/imports/{id}/parts/{part}"))
                .by(CHEN);
            put.bytes("text/csv", bytes).content().await;
        }
        id
    }

    /// Lets time pass.
    pub fn pass_ms(&mut self, millis: i64) {
        self.context.now = self.context.now.plus_millis(millis);
    }

    /// Something another function records.
    pub async fn records<Fact: Event>(&self, fact: &Fact) {
        let tenant = TenantId::parse("demo").unwrap();
        store::tx(&self.context.db, &tenant, async |tx| {
            let id: EventId = self.context.new_id()?;
            store::events::append(tx, &id, self.context.now, fact).await
        })
        .await
        .unwrap();
        self.tick().await;
    }

    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/community")
            .bearer(SECRET)
            .content()
            .await
    }

    /// The digest of a number, as identity makes it.
    pub fn digest(&self, phone: &str) -> String {
        let tenant = TenantId::parse("demo").unwrap();
        let phone = Phone::parse(phone).unwrap();
        web::phone_digest(&self.context.token_secret, &tenant, &phone).unwrap()
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

    pub fn patch(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PATCH, uri).header("if-match", "*")
    }

    /// The facts of a kind, in order.
    pub async fn facts<Fact: Event>(&self) -> Vec<Fact> {
        let all = self.log().await;
        all.iter()
            .filter_map(|event| event.read().unwrap())
            .collect()
    }

    pub async fn log(&self) -> Vec<store::events::Recorded> {
        let tenant = TenantId::parse("demo").unwrap();
        let (mut all, mut after) = (vec![], 0);
        loop {
            let page = store::events::page(&self.context.db, &tenant, after, 200)
                .await
                .unwrap();
            let Some(last) = page.last() else { return all };
            after = last.seq;
            all.extend(page);
        }
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        community::http::respond(&self.context, request).await
    }
}

/// A field of each item of a list.
pub fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[field].as_str().unwrap_or(""))
        .collect()
}
