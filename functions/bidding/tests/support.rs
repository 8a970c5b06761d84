//! Two merchants with something to show, and what they bid, on each engine there is.

use bidding::context::{Context, Settings};
use http::Method;
use kernel::{TenantId, Timestamp};
use serde_json::{Value, json};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::Event;
use wire::mall::Standing;

use crate::events::{creative, merchant_changed, opened, placement, stands, succeeded};
pub use crate::people::*;
pub use testing::{SECRET, content_of};

/// When every test starts: 2026-10-10, 10:00 in Shanghai.
pub const START: &str = "2026-10-10T02:00:00Z";

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
    (
        "bidding",
        concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"),
    ),
];

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    for database in store::testing::databases(&MIGRATIONS).await {
        let world = World::on(database);
        world.found().await;
        story(world).await;
    }
}

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

pub fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

impl World {
    /// The function on that database, at the start of every test.
    pub fn on(database: Database) -> Self {
        let settings = Settings {
            token_secret: SECRET.to_owned(),
            internal_token: SECRET.to_owned(),
            auction_increment: "0".to_owned(),
            exchange_tenant: "demo".to_owned(),
            public_url: "https://linli.example/".to_owned(),
        };
        let now = Timestamp::parse(START).unwrap();
        let outbox = outgoing::Outbox::default();
        Self {
            context: Context::new(database.db.clone(), settings, now, outbox).unwrap(),
            _database: database,
        }
    }

    /// Merchants m1 (Mei) and m2 (Bo) in good standing, with the banners k1 and k2, and the placement home.
    pub async fn found(&self) {
        self.record(&opened()).await;
        for (number, member) in [(1, "mei"), (2, "bo")] {
            let (merchant, shown) = (format!("m{number}"), format!("k{number}"));
            self.merchant(&merchant, member).await;
            self.record(&creative(&shown, &merchant)).await;
        }
        self.record(&placement("home")).await;
        self.tick().await;
    }

    /// A merchant in good standing.
    pub async fn merchant(&self, merchant: &str, member: &str) {
        self.record(&merchant_changed(merchant, member, 1)).await;
        self.record(&stands(merchant, Standing::Good, 1)).await;
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// Payments has received the money that was asked for last.
    pub async fn money_came(&self) {
        let asked = self.last_fact("payment.requested").await;
        self.record(&succeeded(&asked, self.context.now)).await;
        self.tick().await;
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/bidding")
            .bearer(SECRET)
            .content()
            .await
    }

    /// It is this moment from now on.
    pub fn at(&mut self, moment: &str) {
        self.context.now = Timestamp::parse(moment).unwrap();
    }

    /// It is this moment, and the heart beats.
    pub async fn tick_at(&mut self, moment: &str) -> Value {
        self.at(moment);
        self.tick().await
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

    /// A campaign of that merchant with its creative that bids; Wang makes it.
    pub async fn bids(&self, number: u8, bid_minor: i64, target: (&str, &str)) -> String {
        let budget = bid_minor * 100;
        self.bids_up_to(number, (bid_minor, budget), target).await
    }

    /// As [`World::bids`], with that budget, for a day and in all.
    pub async fn bids_up_to(
        &self,
        number: u8,
        (bid_minor, budget_minor): (i64, i64),
        (kind, value): (&str, &str),
    ) -> String {
        let sold = match kind {
            "placement" | "exchange" => "display",
            _ => "rank",
        };
        let body = json!({"merchant": format!("m{number}"), "name": "x", "kind": sold,
            "creative": format!("k{number}"), "bid_minor": bid_minor, "budget_minor": budget_minor,
            "daily_minor": budget_minor, "targets": [{"kind": kind, "value": value}]});
        let key = format!("{number}-{bid_minor}-{budget_minor}-{kind}-{}", value.len());
        let made = self
            .post("/api/bidding/campaigns")
            .by(WANG)
            .key(&key)
            .json(&body);
        let id = made.content().await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/bidding/campaigns/{id}/activation");
        self.post(&path).by(WANG).content().await;
        id
    }

    /// How a campaign stands.
    pub async fn campaign(&self, id: &str) -> Value {
        let path = format!("/api/bidding/campaigns/{id}");
        self.get(&path).by(WANG).content().await
    }

    /// Li looks at a place.
    pub async fn looks(&self, place: Value) -> Value {
        self.post("/api/bidding/rankings")
            .by(LI)
            .json(&place)
            .content()
            .await
    }

    /// Li sees what was offered, and clicks it.
    pub async fn clicks(&self, offer: &Value) -> Value {
        let path = format!("/api/bidding/offers/{}", offer.as_str().unwrap());
        self.post(&format!("{path}/views")).by(LI).content().await;
        self.post(&format!("{path}/clicks")).by(LI).content().await
    }

    /// What stands in an account of the books, in fen.
    pub async fn balance(&self, account: &str) -> i64 {
        let account = ledger::Account::parse(account).unwrap();
        let tenant = demo();
        let found = ledger::balance(&self.context.db, &tenant, &account, kernel::Currency::Cny);
        found.await.unwrap().posted().minor()
    }

    /// A round as the operator sees it.
    pub async fn round(&self, id: &Value) -> Value {
        let path = format!("/api/bidding/rounds/{}", id.as_str().unwrap());
        self.get(&path).by(WANG).content().await
    }

    /// The kinds of the tenant's events, in order.
    pub async fn facts(&self) -> Vec<String> {
        testing::kinds(&self.context.db).await
    }

    /// How often an event of that kind was recorded.
    pub async fn count(&self, kind: &str) -> usize {
        let facts = self.facts().await;
        facts.iter().filter(|fact| *fact == kind).count()
    }

    /// The data of the tenant's latest event of that kind.
    pub async fn last_fact(&self, kind: &str) -> Value {
        testing::last(&self.context.db, kind).await
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        bidding::http::respond(&self.context, request).await
    }
}
