//! A community with two households and its people, on each engine there is.

use http::Method;
use kernel::{
    ActorId, ActorKind, BindingId, BuildingId, CommunityId, PassId, RoomId, Timestamp, UnitId,
};
use outgoing::Outbox;
use serde_json::{Value, json};
use store::testing::Database;
use visitors::context::{Context, Settings};
use web::{Reply, Request, Secret};
use wire::event::{BindingRole, BindingStarted, CommunityChanged, Event, PassUsed};

pub use testing::{Person, SECRET};

/// When every test starts: Friday 2027-01-15, 16:00 in Shanghai.
pub const START_MS: i64 = 1_800_000_000_000;

/// The function and its database.
pub struct World {
    pub context: Context,
    _database: Database,
}

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    for database in store::testing::databases(&[("visitors", folder)]).await {
        let settings = Settings {
            token_secret: SECRET.to_owned(),
            internal_token: SECRET.to_owned(),
            pass_secret: SECRET.to_owned(),
            retention_days: "90".to_owned(),
        };
        let now = Timestamp::from_millis(START_MS).unwrap();
        let outbox = Outbox::default();
        let world = World {
            context: Context::new(database.db.clone(), settings, now, outbox).unwrap(),
            _database: database,
        };
        world.found().await;
        story(world).await;
    }
}

pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const MA: Person = Person(ActorKind::Resident, "ma", "demo", &["garden"], &[]);
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &["garden"], &[]);
pub const SUN: Person = Person(ActorKind::Resident, "sun", "demo", &["harbour"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const GUARD_ELSEWHERE: Person = Person(ActorKind::Staff, "tang", "demo", &["harbour"], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"], &[]);
/// Connected applications, the first without any permission.
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "app-reader",
    "demo",
    &[],
    &["visits:read"],
);
pub const APP_WRITER: Person = Person(
    ActorKind::Application,
    "app-writer",
    "demo",
    &[],
    &["visits:write"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

impl World {
    /// The community garden, in which Li and Ma live in r101 and Zhao in r102.
    async fn found(&self) {
        self.record(&CommunityChanged {
            community: CommunityId::parse("garden").unwrap(),
            name: "花园".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
        for (person, room) in [("li", "r101"), ("ma", "r101"), ("zhao", "r102")] {
            self.bind(person, room, None).await;
        }
        self.tick().await;
    }

    /// Binds a person to a room, under a binding named after both.
    pub async fn bind(&self, person: &str, room: &str, until: Option<Timestamp>) {
        self.record(&BindingStarted {
            binding: BindingId::parse(&format!("{person}-{room}")).unwrap(),
            person: ActorId::parse(person).unwrap(),
            role: BindingRole::Owner,
            community: CommunityId::parse("garden").unwrap(),
            building: BuildingId::parse("b1").ok(),
            unit: UnitId::parse("u1").ok(),
            room: RoomId::parse(room).ok(),
            from: Timestamp::EPOCH,
            until,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// A gate has let somebody in with this pass.
    pub async fn use_pass(&self, pass: &str, used_at: Timestamp) {
        self.record(&PassUsed {
            pass: PassId::parse(pass).unwrap(),
            door: kernel::DeviceId::parse("north").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            used_at,
        })
        .await;
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/visitors")
            .bearer(SECRET)
            .content()
            .await
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

    /// Li invites somebody to r101.
    pub async fn invited(&self) -> Value {
        let ask = json!({"room": "r101", "visitor": {"name": "周", "phone": "13800138000"}});
        self.post("/api/visits").by(LI).json(&ask).content().await
    }

    /// Somebody registers at the gate for r101: the visit's id and the token.
    pub async fn registered(&self, phone: &str) -> (String, String) {
        let answer = self
            .post("/api/visitor-registrations")
            .json(&registration("r101", phone))
            .content()
            .await;
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("id"), text("token"))
    }

    /// The visit as Li reads it.
    pub async fn visit(&self, id: &str) -> Value {
        self.get(&format!("/api/visits/{id}"))
            .by(LI)
            .content()
            .await
    }

    /// The kinds of the tenant's events, in order.
    pub async fn facts(&self) -> Vec<String> {
        testing::kinds(&self.context.db).await
    }

    /// The data of the tenant's latest event of that kind.
    pub async fn last_fact(&self, kind: &str) -> Value {
        testing::last(&self.context.db, kind).await
    }
}

/// What a visitor writes at the gate.
pub fn registration(room: &str, phone: &str) -> Value {
    json!({"tenant": "demo", "community": "garden", "room": room, "name": "吴", "phone": phone, "purpose": "送花"})
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        visitors::http::respond(&self.context, request).await
    }
}
