//! A community, merchants, placements and what is shown there, on each engine there is.

use ads::context::Context;
use bytes::Bytes;
use http::Method;
use kernel::{ActorId, CommunityId, Currency, EventId, MerchantId, TenantId, Timestamp};
use proptest::prelude::{Just, Strategy, prop_oneof};
use serde_json::{Value, json};
use store::testing::Database;
use web::Reply;
use wire::event::{CommunityChanged, Event, MerchantChanged};
use wire::mall::MerchantMode;

pub use crate::people::*;

/// When every test starts: Monday, 2026-11-02, 10:00 in Shanghai.
pub const START: &str = "2026-11-02T02:00:00Z";
/// A secret of the tests.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
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
pub struct Ask<'a> {
    world: &'a World,
    builder: http::request::Builder,
    body: Bytes,
}

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
    pub async fn approved(&self, by: Person, sent: &Value) -> String {
        let made = self.post("/api/ads/creatives").by(by).json(sent);
        let creative = id(&made.content().await);
        let path = format!("/api/ads/creatives/{creative}/review");
        let approve = json!({"decision": "approve", "reason": null});
        self.post(&path).by(ZHOU).json(&approve).content().await;
        creative
    }

    /// A draft of a line.
    pub async fn draft(&self, (by, merchant): (Person, &str), line: &Value) -> String {
        let order = json!({"merchant": merchant, "name": "秋季推广"});
        let order = self.post("/api/ads/orders").by(by).json(&order);
        let path = format!("/api/ads/orders/{}/lines", id(&order.content().await));
        id(&self.post(&path).by(by).json(line).content().await)
    }

    /// A line that is booked, with an approved creative of the placement's format.
    pub async fn booked(&self, who: (Person, &str), line: &Value) -> String {
        let creative = self.approved(who.0, &banner(who.1, "苹果")).await;
        let draft = self.draft(who, line).await;
        self.shows(who.0, &draft, &creative).await;
        self.act(who.0, &draft, "booking").content().await;
        draft
    }

    /// A line shows a creative.
    pub async fn shows(&self, by: Person, line: &str, creative: &str) {
        let path = format!("/api/ads/lines/{line}/creatives");
        let sent = json!({"creatives": [creative]});
        self.put(&path).by(by).json(&sent).content().await;
    }

    /// Something is done with a line.
    pub fn act(&self, by: Person, line: &str, verb: &str) -> Ask<'_> {
        let key: EventId = self.context.new_id().unwrap();
        let ask = self.post(&format!("/api/ads/lines/{line}/{verb}")).by(by);
        ask.key(key.as_str())
    }

    /// What somebody is shown in a placement.
    pub async fn decide(&self, by: Person, placement: &str) -> Option<Value> {
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
    pub async fn look(&self, by: Person, placement: &str) -> Option<Value> {
        let offer = self.decide(by, placement).await?;
        self.tell(&offer, "views").content().await;
        Some(offer)
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

    /// A change of whatever version there is.
    pub fn put(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PUT, uri).header("if-match", "*")
    }

    /// How many of the tenant's facts there are.
    pub async fn facts(&self) -> usize {
        let (mut count, mut after) = (0, 0);
        loop {
            let page = store::events::page(&self.context.db, &demo(), after, 200).await;
            let page = page.unwrap();
            let Some(last) = page.last() else {
                return count;
            };
            (count, after) = (count + page.len(), last.seq);
        }
    }

    /// The data of the tenant's events of that kind, in order.
    pub async fn facts_of(&self, kind: &str) -> Vec<Value> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let page = store::events::page(&self.context.db, &demo(), after, 200).await;
            let page = page.unwrap();
            let Some(last) = page.last() else {
                return found;
            };
            after = last.seq;
            found.extend(
                page.into_iter()
                    .filter(|event| event.kind == kind)
                    .map(|event| event.data),
            );
        }
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

    /// A body as it is, whatever it is.
    pub fn text(mut self, content: &str) -> Self {
        self.body = content.to_owned().into();
        self.header("content-type", "application/json")
    }

    pub async fn reply(self) -> Reply {
        let request = self.builder.body(self.body).unwrap();
        ads::http::respond(&self.world.context, &request).await
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
