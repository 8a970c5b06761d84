//! A community with three rooms, its people and its usage, on each engine there is.

use fees::context::Context;
use http::Method;
use kernel::{
    ActorId, ActorKind, BindingId, BuildingId, CommunityId, Currency, RoomId, TenantId, Timestamp,
    UnitId,
};
use ledger::{Account, Posting};
use serde_json::{Value, json};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::{BindingRole, BindingStarted, CommunityChanged, Event};

use crate::events::{room_changed, succeeded, usage_closed};

pub use testing::{Person, SECRET, content_of};

/// When every test starts: 2026-11-02, 10:00 in Shanghai.
pub const START: &str = "2026-11-02T02:00:00Z";
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The function and its database.
pub struct World {
    pub context: Context,
    _database: Database,
}

/// The migrations that the function works on.
pub const MIGRATIONS: [(&str, &str); 2] = [
    (
        "ledger",
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../components/shared/ledger/migrations"
        ),
    ),
    ("fees", concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")),
];

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    for database in store::testing::databases(&MIGRATIONS).await {
        let world = World::on(database);
        world.found().await;
        story(world).await;
    }
}

pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const MA: Person = Person(ActorKind::Resident, "ma", "demo", &["garden"], &[]);
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &["garden"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const STAFF_ELSEWHERE: Person = Person(ActorKind::Staff, "tang", "demo", &["harbour"], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"], &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "app-reader",
    "demo",
    &[],
    &["fees:read"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

pub fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

fn garden() -> CommunityId {
    CommunityId::parse("garden").unwrap()
}

impl World {
    /// The function on that database, at the start of every test.
    pub fn on(database: Database) -> Self {
        let now = Timestamp::parse(START).unwrap();
        let secret = || SECRET.to_owned();
        Self {
            context: Context::new(
                database.db.clone(),
                (secret(), secret()),
                now,
                outgoing::Outbox::default(),
            )
            .unwrap(),
            _database: database,
        }
    }

    /// The community garden: Li and Ma live in r101 (100.00 m2), Zhao in r102 (50.00 m2), r103 (30.00 m2) is vacant.
    async fn found(&self) {
        self.open_community().await;
        for (room, area) in [("r101", 10_000), ("r102", 5_000), ("r103", 3_000)] {
            self.room(room, area).await;
        }
        for (person, room) in [("li", "r101"), ("ma", "r101"), ("zhao", "r102")] {
            self.bind(person, room).await;
        }
    }

    pub async fn open_community(&self) {
        self.open_community_in("Asia/Shanghai").await;
    }

    /// The community stands in that zone.
    pub async fn open_community_in(&self, time_zone: &str) {
        self.record(&CommunityChanged {
            community: garden(),
            name: "花园".to_owned(),
            time_zone: time_zone.to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
    }

    /// Adds a room, or gives it another area.
    pub async fn room(&self, room: &str, area_dm2: i64) {
        self.record(&room_changed(room, area_dm2)).await;
    }

    pub async fn bind(&self, person: &str, room: &str) {
        self.record(&BindingStarted {
            binding: BindingId::parse(&format!("{person}-{room}")).unwrap(),
            person: ActorId::parse(person).unwrap(),
            role: BindingRole::Owner,
            community: garden(),
            building: BuildingId::parse("b1").ok(),
            unit: UnitId::parse("u1").ok(),
            room: RoomId::parse(room).ok(),
            from: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            until: None,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
    }

    /// A closed usage of electricity, in kWh: of a room, or of the area `大堂` when the room is empty.
    pub async fn usage(&self, room: &str, period: &str, kwh: i64, revision: u32) {
        self.record(&usage_closed((room, period), kwh, revision, &[]))
            .await;
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// Payments has received the money: in the books, and told.
    pub async fn money_came(&self, purpose: &str, asked: &Value) {
        let posted = store::tx(&self.context.db, &demo(), async |tx| {
            let amount = kernel::Money::new(asked["amount_minor"].as_i64().unwrap(), Currency::Cny);
            let clearing = Account::parse("channel_clearing:simulated")?;
            let reference = asked["payment"].as_str().unwrap();
            let posting = Posting::new("payment", reference, self.context.now)
                .debit(clearing, amount)
                .credit(Account::suspense(), amount);
            Ok(ledger::post(tx, &posting).await?.id)
        })
        .await
        .unwrap();
        self.record(&succeeded(purpose, asked, posted, self.context.now))
            .await;
    }

    /// The balance of an account, on its own side, in fen.
    pub async fn balance(&self, account: &str) -> i64 {
        let account = Account::parse(account).unwrap();
        let balance = ledger::balance(&self.context.db, &demo(), &account, Currency::Cny).await;
        balance.unwrap().posted().minor()
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/fees")
            .bearer(SECRET)
            .content()
            .await
    }

    /// Lets time pass.
    pub fn pass_ms(&mut self, millis: i64) {
        self.context.now = self.context.now.plus_millis(millis);
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

    /// Chen adds a rule with that charge, for all rooms.
    pub async fn rule(&self, name: &str, charge: Value) -> Value {
        let rule = json!({"community": "garden", "name": name, "charge": charge, "first_day": "2026-01-01"});
        self.post("/api/fee-rules")
            .by(CHEN)
            .json(&rule)
            .content()
            .await
    }

    /// Chen runs the bills of a month.
    pub async fn run(&self, period: &str, dry_run: bool) -> Value {
        let ask = json!({"community": "garden", "period": period, "dry_run": dry_run});
        self.post("/api/bill-runs")
            .by(CHEN)
            .json(&ask)
            .content()
            .await
    }

    /// Chen runs and publishes the bills of a month.
    pub async fn published(&self, period: &str) -> Value {
        let run = self.run(period, false).await;
        let path = format!("/api/bill-runs/{}/publication", run["id"].as_str().unwrap());
        self.post(&path)
            .by(CHEN)
            .key(&format!("publish-{}", run["id"]).replace('"', ""))
            .content()
            .await
    }

    /// The bills that a person sees, the query starting with `?` or empty.
    pub async fn bills(&self, person: Person<'_>, query: &str) -> Vec<Value> {
        let page = self
            .get(&format!("/api/bills{query}"))
            .by(person)
            .content()
            .await;
        page["items"].as_array().unwrap().clone()
    }

    /// A person asks to pay bills.
    pub async fn pay(
        &self,
        person: Person<'_>,
        key: &str,
        bills: &[&Value],
        use_credit: bool,
    ) -> Value {
        let ids: Vec<&Value> = bills.iter().map(|bill| &bill["id"]).collect();
        self.post("/api/bill-payments")
            .by(person)
            .key(key)
            .json(&json!({"bills": ids, "use_credit": use_credit}))
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

    /// Nothing is wrong with the books.
    pub async fn books_are_right(&self) {
        let report = ledger::verify(&self.context.db, &demo()).await.unwrap();
        assert_eq!(report.wrong, 0, "{:?}", report.findings);
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        fees::http::respond(&self.context, request).await
    }
}
