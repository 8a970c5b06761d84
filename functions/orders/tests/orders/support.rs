//! A world for the tests: the function on a database, people, requests, and what others record.

use bytes::Bytes;
use http::Method;
use kernel::{
    Actor, ActorId, ActorKind, CategoryId, CommunityId, Currency, EventId, MerchantId, Scope,
    TenantId, Timestamp,
};
use orders::context::Context;
use serde_json::Value;
use store::testing::Database;
use web::Reply;
use wire::event::{
    CategoryChanged, CommunityChanged, ContractChanged, Event, MerchantChanged,
    MerchantStandingChanged,
};
use wire::mall::{Collection, MerchantMode, SaleKind, Standing};

/// When every test starts: 2026-11-02, 10:00 in Shanghai.
pub const START: &str = "2026-11-02T02:00:00Z";
/// A secret of the tests.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
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

/// A person, by what their token says.
#[derive(Clone, Copy)]
pub struct Person(
    pub ActorKind,
    pub &'static str,
    pub &'static str,
    pub &'static [&'static str],
);

pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"]);
pub const MA: Person = Person(ActorKind::Resident, "ma", "demo", &["garden"]);
/// Acts for the fruit shop, which keeps itself.
pub const FRUITER: Person = Person(ActorKind::Merchant, "guo", "demo", &[]);
/// Acts for the laundry, which is hosted.
pub const LAUNDERER: Person = Person(ActorKind::Merchant, "xi", "demo", &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[]);
pub const APP_READER: Person = Person(ActorKind::Application, "app-reader", "demo", &[]);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[]);

impl Person {
    pub fn actor(self) -> Actor {
        let Self(kind, id, tenant, communities) = self;
        Actor {
            tenant: TenantId::parse(tenant).unwrap(),
            kind,
            id: ActorId::parse(id).unwrap(),
            communities: communities
                .iter()
                .map(|id| CommunityId::parse(id).unwrap())
                .collect(),
            scopes: match id {
                "app-reader" => vec![
                    Scope("goods:read".to_owned()),
                    Scope("orders:read".to_owned()),
                ],
                _ => vec![],
            },
        }
    }
}

/// A request in the making.
pub struct Ask<'a> {
    world: &'a World,
    builder: http::request::Builder,
    body: Bytes,
}

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
        store::tx(&self.context.db, &demo(), async |tx| {
            let id: EventId = self.context.new_id()?;
            store::events::append(tx, &id, self.context.now, fact).await
        })
        .await
        .unwrap();
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

    /// A token that holds for an hour.
    pub fn token(&self, person: Person) -> String {
        let Context {
            token_secret, now, ..
        } = &self.context;
        web::token::issue(token_secret, &person.actor(), *now, 3600).unwrap()
    }

    pub fn ask(&self, method: Method, uri: &str) -> Ask<'_> {
        let builder = http::Request::builder().method(method).uri(uri);
        Ask {
            world: self,
            builder,
            body: Bytes::new(),
        }
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
        let mut kinds = Vec::new();
        let mut after = 0;
        loop {
            let page = store::events::page(&self.context.db, &demo(), after, 200)
                .await
                .unwrap();
            let Some(last) = page.last() else {
                return kinds;
            };
            after = last.seq;
            kinds.extend(page.into_iter().map(|event| event.kind));
        }
    }

    /// Nothing is wrong with the books.
    pub async fn books_are_right(&self) {
        let report = ledger::verify(&self.context.db, &demo()).await.unwrap();
        assert_eq!(report.wrong, 0, "{:?}", report.findings);
    }
}

impl Ask<'_> {
    pub fn by(self, person: Person) -> Self {
        let token = self.world.token(person);
        self.bearer(&token)
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub fn json(mut self, content: &Value) -> Self {
        self.body = content.to_string().into();
        self.header("content-type", "application/json")
    }

    pub fn bytes(mut self, content_type: &str, content: &[u8]) -> Self {
        self.body = Bytes::copy_from_slice(content);
        self.header("content-type", content_type)
    }

    pub async fn reply(self) -> Reply {
        let request = self.builder.body(self.body).unwrap();
        orders::http::respond(&self.world.context, &request).await
    }

    /// The JSON of a reply that went well.
    pub async fn content(self) -> Value {
        let reply = self.reply().await;
        let content = content_of(&reply);
        assert!(reply.status.is_success(), "{} {content}", reply.status);
        content
    }

    /// Checks that the answer is this problem.
    pub async fn refused(self, status: u16, code: &str) -> Value {
        let reply = self.reply().await;
        let problem = content_of(&reply);
        assert_eq!(
            (reply.status.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{problem}"
        );
        problem
    }
}

pub fn content_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
}
