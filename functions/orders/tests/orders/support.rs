//! A world for the tests: the function on a database, people, requests, and what others record.

use http::Method;
use kernel::{
    ActorId, ActorKind, CategoryId, CommunityId, Currency, MerchantId, TenantId, Timestamp,
};
use orders::context::Context;
use serde_json::Value;
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::{
    CategoryChanged, CommunityChanged, ContractChanged, Event, MerchantChanged,
    MerchantStandingChanged,
};
use wire::mall::{Collection, MerchantMode, SaleKind, Standing};

pub use testing::{Person, SECRET, content_of};

/// When every test starts: 2026-11-02, 10:00 in Shanghai.
pub const START: &str = "2026-11-02T02:00:00Z";
pub const MINUTE_MS: i64 = 60 * 1_000;
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

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
    ("orders", concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")),
];

/// Runs a story on each engine, in a mall with two shops; see [`World::found`].
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    for database in store::testing::databases(&MIGRATIONS).await {
        let world = World::on(database);
        world.found().await;
        story(world).await;
    }
}

pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[], &[]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const MA: Person = Person(ActorKind::Resident, "ma", "demo", &["garden"], &[]);
/// Acts for the fruit shop, which keeps itself.
pub const FRUITER: Person = Person(ActorKind::Merchant, "guo", "demo", &[], &[]);
/// Acts for the laundry, which is hosted.
pub const LAUNDERER: Person = Person(ActorKind::Merchant, "xi", "demo", &[], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"], &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "app-reader",
    "demo",
    &[],
    &["goods:read", "orders:read"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

pub fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

pub fn merchant(id: &str) -> MerchantId {
    MerchantId::parse(id).unwrap()
}

/// A merchant as it is told of; `member` acts for it.
pub fn merchant_changed(
    id: &str,
    mode: MerchantMode,
    (member, categories): (&str, &[&str]),
    version: i64,
) -> MerchantChanged {
    MerchantChanged {
        merchant: merchant(id),
        name: format!("店铺 {id}"),
        mode,
        open: true,
        communities: vec![],
        categories: categories
            .iter()
            .map(|id| CategoryId::parse(id).unwrap())
            .collect(),
        members: vec![ActorId::parse(member).unwrap()],
        version,
    }
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

    /// The community garden; the shop `fruit` (kept by Guo, goods) and the shop `laundry` (hosted, Xi, services), both
    /// without a deposit and open; the categories `food` with `fruits` in it, and `care`.
    pub async fn found(&self) {
        self.record(&CommunityChanged {
            community: CommunityId::parse("garden").unwrap(),
            name: "花园".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
        self.category("food", None, SaleKind::Goods).await;
        self.category("fruits", Some("food"), SaleKind::Goods).await;
        self.category("care", None, SaleKind::Service).await;
        let fruit = merchant_changed("fruit", MerchantMode::SelfRun, ("guo", &["fruits"]), 1);
        self.record(&fruit).await;
        self.contract("fruit", Collection::Platform, 0).await;
        let laundry = ("xi", ["care", "fruits"].as_slice());
        self.record(&merchant_changed(
            "laundry",
            MerchantMode::Hosted,
            laundry,
            1,
        ))
        .await;
        self.contract("laundry", Collection::Direct, 0).await;
    }

    pub async fn category(&self, id: &str, parent: Option<&str>, kind: SaleKind) {
        self.record(&CategoryChanged {
            category: CategoryId::parse(id).unwrap(),
            parent: parent.map(|id| CategoryId::parse(id).unwrap()),
            name: format!("品类 {id}"),
            kind,
            operator: None,
            gone: false,
        })
        .await;
    }

    /// A contract from 2026-01 on.
    pub async fn contract(&self, id: &str, collection: Collection, deposit_minor: i64) {
        self.record(&ContractChanged {
            merchant: merchant(id),
            version: 1,
            from: "2026-01".to_owned(),
            collection,
            due_day: 15,
            objection_days: 5,
            confirm_days: 3,
            deposit_minor,
            reopening_percent: 200,
            hosting_fee_minor: 0,
            maintenance_fee_minor: 0,
            platform_fee_minor: 0,
            currency: Currency::Cny,
        })
        .await;
    }

    /// Settlement says how a merchant stands.
    pub async fn stands(&self, id: &str, standing: Standing, version: i64) {
        self.record(&MerchantStandingChanged {
            merchant: merchant(id),
            standing,
            version,
            at: self.context.now,
        })
        .await;
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/orders")
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

    pub fn put(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PUT, uri)
    }

    pub fn delete(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::DELETE, uri)
    }

    /// The kinds of the tenant's events, in order.
    pub async fn facts(&self) -> Vec<String> {
        testing::kinds(&self.context.db).await
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
        orders::http::respond(&self.context, request).await
    }
}
