//! A community, its people and the platform's, on each engine there is.

use http::Method;
use kernel::{ActorId, ActorKind, CommunityId, TenantId, Timestamp};
use merchants::context::Context;
use serde_json::{Value, json};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::{CommunityChanged, Event};

pub use testing::{Person, SECRET};

/// When every test starts: 2026-11-02, 10:00 in Shanghai.
pub const START: &str = "2026-11-02T02:00:00Z";
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// A small PDF, in base64.
pub const PDF: &str = "JVBERi0xLjc=";

/// The function and its database.
pub struct World {
    pub context: Context,
    _database: Database,
}

/// The migrations that the function works on.
pub const MIGRATIONS: [(&str, &str); 1] = [(
    "merchants",
    concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"),
)];

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    for database in store::testing::databases(&MIGRATIONS).await {
        let world = World::on(database);
        world.found().await;
        story(world).await;
    }
}

pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &["garden"], &[]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
/// Staff who decide, and who keep shops.
pub const AUDIT: Person = Person(
    ActorKind::Staff,
    "zhou",
    "demo",
    &["garden"],
    &["merchants:audit"],
);
pub const WRITER: Person = Person(
    ActorKind::Staff,
    "xu",
    "demo",
    &["garden"],
    &["merchants:write"],
);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const MA: Person = Person(ActorKind::Resident, "ma", "demo", &["garden"], &[]);
/// A merchant's account that acts for nobody here.
pub const SOMEBODY: Person = Person(ActorKind::Merchant, "somebody", "demo", &["garden"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &["garden"], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"], &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &["garden"], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "reader",
    "demo",
    &["garden"],
    &["merchants:read"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &["garden"], &[]);

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

pub fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

/// What an applicant writes, with a phone.
pub fn content(phone: &str) -> Value {
    json!({
        "phone": phone, "company": "林氏商贸有限公司", "credit_code": "91350100M000100Y43", "shop": "林记杂货",
        "contact": "林芳", "address": null, "community": "garden", "mode": "self_run", "categories": ["fruit"],
        "note": null,
    })
}

/// A paper of that kind, in force until a day.
pub fn paper(kind: &str, until: Option<&str>) -> Value {
    json!({
        "kind": kind, "name": "执照", "media_type": "application/pdf", "content": PDF,
        "valid_from": "2024-01-01", "valid_until": until,
    })
}

/// What was agreed.
pub fn terms(deposit_minor: i64) -> Value {
    json!({
        "collection": "platform", "due_day": 15, "objection_days": 7, "confirm_days": 3,
        "deposit_minor": deposit_minor, "reopening_percent": 200, "hosting_fee_minor": 0,
        "maintenance_fee_minor": 1_000, "platform_fee_minor": 2_000, "currency": "CNY",
    })
}

pub fn id(shown: &Value) -> String {
    shown["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {shown}"))
        .to_owned()
}

impl World {
    /// The function on that database, at the start of every test.
    pub fn on(database: Database) -> Self {
        let now = Timestamp::parse(START).unwrap();
        let secrets = (SECRET.to_owned(), SECRET.to_owned());
        let outbox = outgoing::Outbox::default();
        Self {
            context: Context::new(database.db.clone(), secrets, now, outbox).unwrap(),
            _database: database,
        }
    }

    /// The community garden; goods: food above fruit, which needs a food licence; services: laundry.
    async fn found(&self) {
        self.record(&CommunityChanged {
            community: CommunityId::parse("garden").unwrap(),
            name: "花园".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
        for (category, parent, kind) in [
            ("food", None, "goods"),
            ("fruit", Some("food"), "goods"),
            ("tools", None, "goods"),
            ("laundry", None, "service"),
        ] {
            let required = match category {
                "food" => json!(["food_licence"]),
                _ => json!([]),
            };
            let sent = json!({"id": category, "parent": parent, "kind": kind, "name": category, "operator": "wang", "required": required});
            self.post("/api/categories")
                .by(WANG)
                .json(&sent)
                .content()
                .await;
        }
    }

    /// Li's application with its papers, submitted.
    pub async fn submitted(&self) -> String {
        let begun = self
            .post("/api/merchant-applications")
            .by(LI)
            .json(&content("13800138000"))
            .content()
            .await;
        let path = format!("/api/merchant-applications/{}", id(&begun));
        for (kind, until) in [
            ("business_licence", None),
            ("food_licence", Some("2027-06-30")),
        ] {
            let papers = format!("{path}/qualifications");
            self.post(&papers)
                .by(LI)
                .json(&paper(kind, until))
                .content()
                .await;
        }
        self.post(&format!("{path}/submission"))
            .by(LI)
            .content()
            .await;
        id(&begun)
    }

    /// A merchant that was let in by its application: its id, and its owner's.
    pub async fn merchant(&self) -> (String, String) {
        let application = self.submitted().await;
        let path = format!("/api/merchant-applications/{application}/decision");
        let decided = self
            .post(&path)
            .by(AUDIT)
            .json(&json!({"decision": "approve"}))
            .content()
            .await;
        let of = |name: &str| decided[name].as_str().unwrap().to_owned();
        (of("merchant"), of("account"))
    }

    /// A merchant with a contract and its shop open.
    pub async fn open_merchant(&self) -> (String, String) {
        let (merchant, owner) = self.merchant().await;
        self.contract(&merchant, "2026-11").await;
        let path = format!("/api/merchants/{merchant}/opening");
        self.put(&path)
            .by(owner_of(&owner))
            .json(&json!({"open": true}))
            .content()
            .await;
        (merchant, owner)
    }

    /// Wang agrees on a contract.
    pub async fn contract(&self, merchant: &str, from: &str) -> Value {
        let sent = json!({"merchant": merchant, "from": from, "terms": terms(0)});
        self.post("/api/merchant-contracts")
            .by(WANG)
            .json(&sent)
            .content()
            .await
    }

    /// A merchant as Wang sees it.
    pub async fn shown(&self, merchant: &str) -> Value {
        self.get(&format!("/api/merchants/{merchant}"))
            .by(WANG)
            .content()
            .await
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/merchants")
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

    /// A change of whatever version there is.
    pub fn put(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PUT, uri).header("if-match", "*")
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

/// The owner of a merchant, by the id of the account.
pub fn owner_of(account: &str) -> Person<'_> {
    Person(ActorKind::Merchant, account, "demo", &["garden"], &[])
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        merchants::http::respond(&self.context, request).await
    }
}
