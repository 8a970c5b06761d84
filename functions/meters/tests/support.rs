//! A community with two households, a lobby and their meters, on each engine there is.

use http::Method;
use kernel::{
    ActorId, ActorKind, BindingId, BuildingId, CommunityId, DeviceId, MessageId, RoomId, Timestamp,
    UnitId,
};
use meters::context::Context;
use outgoing::Outbox;
use serde_json::{Value, json};
use store::testing::Database;
use trigger::Outcome;
use web::{Reply, Request, Secret};
use wire::event::{BindingRole, BindingStarted, CommunityChanged, Event, RoomChanged};
use wire::meter::{Reading, Readings, Register, RegisterValue, Source, Unit};

pub use testing::{Person, SECRET, content_of};

/// When every test starts: Friday 2027-01-15, 16:00 in Shanghai.
pub const START_MS: i64 = 1_800_000_000_000;
pub const HOUR_MS: i64 = 60 * 60 * 1_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The function and its database.
pub struct World {
    pub context: Context,
    _database: Database,
}

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    for database in store::testing::databases(&[("meters", folder)]).await {
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
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &["garden"], &[]);
pub const SUN: Person = Person(ActorKind::Resident, "sun", "demo", &["harbour"], &[]);
pub const TANG: Person = Person(ActorKind::Staff, "tang", "demo", &["harbour"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const GATEWAY: Person = Person(ActorKind::Device, "gateway-1", "demo", &["garden"], &[]);
pub const GATEWAY_2: Person = Person(ActorKind::Device, "gateway-2", "demo", &["garden"], &[]);
/// Connected applications, the first without any permission.
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "app-reader",
    "demo",
    &[],
    &["meters:read"],
);
pub const APP_WRITER: Person = Person(
    ActorKind::Application,
    "app-writer",
    "demo",
    &[],
    &["meters:write"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

/// A moment that many hours before the start.
pub fn ago(hours: i64) -> Timestamp {
    Timestamp::from_millis(START_MS - hours * HOUR_MS).unwrap()
}

/// A moment as people write it.
pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

impl World {
    /// The garden: Li in r101 with a meter that gateway-1 reads, Zhao in r102 with one that is read by hand, and the
    /// lobby's. Meters stand since 2026-10-01.
    async fn found(&self) {
        for community in ["garden", "harbour"] {
            self.record(&CommunityChanged {
                community: CommunityId::parse(community).unwrap(),
                name: "花园".to_owned(),
                time_zone: "Asia/Shanghai".to_owned(),
                version: 1,
                actor: ActorId::parse("wang").unwrap(),
            })
            .await;
        }
        for (person, room) in [("li", "r101"), ("zhao", "r102")] {
            self.room(room).await;
            self.bind(person, room, Timestamp::EPOCH).await;
        }
        let opened_at = "2026-10-01T00:00:00+08:00";
        for meter in [
            json!({"id": "e101", "community": "garden", "commodity": "electricity", "name": "101电表", "room": "r101", "gateway": "gateway-1", "digits": 5, "opening_milli": 1000, "opened_at": opened_at}),
            json!({"id": "w102", "community": "garden", "commodity": "water", "name": "102水表", "room": "r102", "digits": 5, "opening_milli": 0, "opened_at": opened_at}),
            json!({"id": "lobby", "community": "garden", "commodity": "electricity", "name": "大堂电表", "area": "大堂", "digits": 6, "multiplier": 40, "opening_milli": 0, "opened_at": opened_at}),
        ] {
            let reply = self.post("/api/meters").by(WANG).json(&meter).reply().await;
            assert_eq!(reply.status, 201, "{}", content_of(&reply));
        }
    }

    /// A room is added.
    pub async fn room(&self, room: &str) {
        self.record(&RoomChanged {
            room: RoomId::parse(room).unwrap(),
            unit: UnitId::parse("u1").unwrap(),
            building: BuildingId::parse("b1").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            name: format!("1栋1单元{}", &room[1..]),
            keys: vec![],
            area_dm2: 10_000,
            usage: "residential".to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
    }

    /// Binds a person to a room.
    pub async fn bind(&self, person: &str, room: &str, from: Timestamp) {
        self.record(&BindingStarted {
            binding: BindingId::parse(&format!("{person}-{room}")).unwrap(),
            person: ActorId::parse(person).unwrap(),
            role: BindingRole::Owner,
            community: CommunityId::parse("garden").unwrap(),
            building: BuildingId::parse("b1").ok(),
            unit: UnitId::parse("u1").ok(),
            room: RoomId::parse(room).ok(),
            from,
            until: None,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/meters")
            .bearer(SECRET)
            .content()
            .await
    }

    /// Lets time pass.
    pub fn pass_ms(&mut self, millis: i64) {
        self.context.now = self.context.now.plus_millis(millis);
    }

    /// Moves to a moment.
    pub fn go_to(&mut self, moment: &str) {
        self.context.now = at(moment);
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

    pub fn patch(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PATCH, uri)
    }

    pub fn put(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PUT, uri)
    }

    /// Sends one reading; what became of it: `counted`, or why not.
    pub async fn read(
        &self,
        person: Person<'_>,
        meter: &str,
        (at, register_milli): (Timestamp, i64),
    ) -> String {
        let id = format!("{meter}-{}-{register_milli}", at.millis());
        let reading = json!({"id": id, "meter": meter, "at": at, "register_milli": register_milli});
        let answer = self
            .post("/api/meter-readings")
            .by(person)
            .json(&json!({"readings": [reading]}))
            .content()
            .await;
        let item = &answer["items"][0];
        let text = |name: &str| item[name].as_str().map(str::to_owned);
        text("reason").or_else(|| text("result")).unwrap()
    }

    /// A reading that gateway-1 sends over MQTT.
    pub async fn message(
        &self,
        id: &str,
        meter: &str,
        (read_at, value_milli): (Timestamp, i64),
    ) -> Outcome {
        let readings = Readings {
            gateway: DeviceId::parse("gateway-1").unwrap(),
            readings: vec![reading(meter, (read_at, value_milli))],
        };
        self.receive(&format!("linli/demo/meter/{meter}/reading"), id, readings)
            .await
    }

    pub async fn receive(&self, topic: &str, id: &str, body: Readings) -> Outcome {
        let message = wire::Message {
            id: MessageId::parse(id).unwrap(),
            at: self.context.now,
            body,
        };
        meters::mqtt::receive(&self.context, topic, &message.to_payload().unwrap()).await
    }

    /// The readings of a meter, the latest first.
    pub async fn readings(&self, meter: &str) -> Vec<Value> {
        let list = self
            .get(&format!("/api/meters/{meter}/readings?limit=200"))
            .by(WANG)
            .content()
            .await;
        list["items"].as_array().unwrap().clone()
    }

    /// The facts of that kind, in order.
    pub async fn facts(&self, kind: &str) -> Vec<Value> {
        testing::data_of(&self.context.db, kind).await
    }

    /// What was published since the last look: topics and payloads.
    pub fn published(&self) -> Vec<(String, Value)> {
        let parse = |(topic, payload): (String, Vec<u8>)| {
            (topic, serde_json::from_slice(&payload).unwrap())
        };
        self.context.outbox.take().into_iter().map(parse).collect()
    }
}

/// What a gateway says about a meter of electricity.
pub fn reading(meter: &str, (read_at, value_milli): (Timestamp, i64)) -> Reading {
    Reading {
        meter: DeviceId::parse(meter).unwrap(),
        source: Source::Interval,
        read_at,
        registers: vec![RegisterValue {
            register: Register::Total,
            value_milli,
            unit: Unit::KilowattHour,
        }],
        flags: vec![],
        raw: None,
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        meters::http::respond(&self.context, request).await
    }
}
