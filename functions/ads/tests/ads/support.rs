//! A community, merchants, placements and what is shown there, on each engine there is.

use ads::context::Context;
use http::Method;
use kernel::{ActorId, CommunityId, Currency, EventId, MerchantId, TenantId, Timestamp};
use proptest::prelude::{Just, Strategy, prop_oneof};
use serde_json::{Value, json};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::{CommunityChanged, Event, MerchantChanged};
use wire::mall::MerchantMode;

pub use crate::people::*;
pub use testing::{SECRET, content_of};

/// When every test starts: Monday, 2026-11-02, 10:00 in Shanghai.
pub const START: &str = "2026-11-02T02:00:00Z";
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// What a phone's browser calls itself.
pub const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)";

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
    ("ads", concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")),
];

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    for database in store::testing::databases(&MIGRATIONS).await {
        let world = World::on(database);
        world.found().await;
        story(world).await;
    }
}

/// One thing that happens to a budget; a view and a click name one of the offers.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Offer,
    View(usize),
    Click(usize),
    Wait,
}

impl Step {
    /// Any of them, about one of the first so many offers.
    pub fn any(offers: usize) -> impl Strategy<Value = Self> {
        prop_oneof![
            4 => Just(Self::Offer),
            3 => (0..offers).prop_map(Self::View),
            3 => (0..offers).prop_map(Self::Click),
            1 => Just(Self::Wait),
        ]
    }
}

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

pub fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

pub fn id(shown: &Value) -> String {
    shown["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {shown}"))
        .to_owned()
}

/// A placement of that capacity at 10.00 a day.
pub fn placement(id: &str, format: &str, capacity: i64) -> Value {
    json!({"id": id, "name": "首页置顶", "surface": "home", "format": format, "ownership": "platform",
        "capacity": capacity, "floor_minor": 1_000})
}

/// A banner of that merchant.
pub fn banner(merchant: &str, title: &str) -> Value {
    json!({"merchant": merchant, "content": content("banner", title)})
}

pub fn content(format: &str, title: &str) -> Value {
    json!({"format": format, "width": 750, "height": 300, "landing": "https://fruit.example/sale", "title": title,
        "body": null, "image": "https://fruit.example/a.png", "advertiser_domain": "fruit.example",
        "subject": "general", "approval_number": null, "qualified_until": null})
}

pub fn merchant_changed(merchant: &str, member: &str) -> MerchantChanged {
    MerchantChanged {
        merchant: MerchantId::parse(merchant).unwrap(),
        name: format!("{merchant} 商店"),
        mode: MerchantMode::SelfRun,
        open: true,
        communities: vec![],
        categories: vec![],
        members: vec![ActorId::parse(member).unwrap()],
        version: 1,
    }
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

    /// The community garden; merchants m1 (Mei), m2 (Bo) and the cinema (Ke).
    pub async fn found(&self) {
        self.record(&CommunityChanged {
            community: CommunityId::parse("garden").unwrap(),
            name: "花园".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
        for (merchant, member) in [("m1", "mei"), ("m2", "bo"), ("cinema", "ke")] {
            self.record(&merchant_changed(merchant, member)).await;
        }
        self.tick().await;
    }

    /// Wang makes a placement.
    pub async fn place(&self, placement: &Value) {
        let ask = self.post("/api/ads/placements").by(WANG);
        ask.json(placement).content().await;
    }

    /// A creative that is approved.
    pub async fn approved(&self, by: Person<'_>, sent: &Value) -> String {
        let made = self.post("/api/ads/creatives").by(by).json(sent);
        let creative = id(&made.content().await);
        let path = format!("/api/ads/creatives/{creative}/review");
        let approve = json!({"decision": "approve", "reason": null});
        self.post(&path).by(ZHOU).json(&approve).content().await;
        creative
    }

    /// A draft of a line.
    pub async fn draft(&self, (by, merchant): (Person<'_>, &str), line: &Value) -> String {
        let order = json!({"merchant": merchant, "name": "秋季推广"});
        let order = self.post("/api/ads/orders").by(by).json(&order);
        let path = format!("/api/ads/orders/{}/lines", id(&order.content().await));
        id(&self.post(&path).by(by).json(line).content().await)
    }

    /// A line that is booked, with an approved creative of the placement's format.
    pub async fn booked(&self, who: (Person<'_>, &str), line: &Value) -> String {
        let creative = self.approved(who.0, &banner(who.1, "苹果")).await;
        let draft = self.draft(who, line).await;
        self.shows(who.0, &draft, &creative).await;
        self.act(who.0, &draft, "booking").content().await;
        draft
    }

    /// A line shows a creative.
    pub async fn shows(&self, by: Person<'_>, line: &str, creative: &str) {
        let path = format!("/api/ads/lines/{line}/creatives");
        let sent = json!({"creatives": [creative]});
        self.put(&path).by(by).json(&sent).content().await;
    }

    /// Something is done with a line.
    pub fn act(&self, by: Person<'_>, line: &str, verb: &str) -> Ask<'_> {
        let key: EventId = self.context.new_id().unwrap();
        let ask = self.post(&format!("/api/ads/lines/{line}/{verb}")).by(by);
        ask.key(key.as_str())
    }

    /// What somebody is shown in a placement.
    pub async fn decide(&self, by: Person<'_>, placement: &str) -> Option<Value> {
        let asked = json!({"placements": [placement]});
        let ask = self.post("/api/ads/decisions").by(by).json(&asked);
        ask.content().await["items"].as_array()?.first().cloned()
    }

    /// Somebody tells of an offer: `views` or `clicks`.
    pub fn tell(&self, offer: &Value, what: &str) -> Ask<'_> {
        let token = offer["offer"].as_str().unwrap();
        let ask = self.post(&format!("/api/ads/offers/{token}/{what}"));
        ask.header("user-agent", PHONE)
    }

    /// Somebody looks at a placement: offered and seen.
    pub async fn look(&self, by: Person<'_>, placement: &str) -> Option<Value> {
        let offer = self.decide(by, placement).await?;
        self.tell(&offer, "views").content().await;
        Some(offer)
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// What stands in an account of the books.
    pub async fn balance(&self, account: &str) -> i64 {
        let account = ledger::Account::parse(account).unwrap();
        let tenant = demo();
        let found = ledger::balance(&self.context.db, &tenant, &account, Currency::Cny);
        found.await.unwrap().posted().minor()
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/ads")
            .bearer(SECRET)
            .content()
            .await
    }

    /// Time passes to that moment, and a heartbeat after it.
    pub async fn tick_at(&mut self, moment: &str) -> Value {
        self.context.now = Timestamp::parse(moment).unwrap();
        self.tick().await
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

    /// A change of whatever version there is.
    pub fn put(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PUT, uri).header("if-match", "*")
    }

    /// How many of the tenant's facts there are.
    pub async fn facts(&self) -> usize {
        testing::kinds(&self.context.db).await.len()
    }

    /// The data of the tenant's events of that kind, in order.
    pub async fn facts_of(&self, kind: &str) -> Vec<Value> {
        testing::data_of(&self.context.db, kind).await
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        ads::http::respond(&self.context, request).await
    }
}
