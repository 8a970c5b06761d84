//! Two merchants, their people and their contracts, on each engine there is.

use http::Method;
use kernel::{Currency, MerchantId, Money, TenantId, Timestamp};
use ledger::{Account, Posting};
use serde_json::{Value, json};
use settlement::context::{Context, Settings};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::Event;

use crate::events::{contract_changed, merchant_changed, opened, succeeded};
pub use crate::people::*;
pub use testing::{SECRET, content_of};

/// When every test starts: 2026-10-10, 10:00 in Shanghai.
pub const START: &str = "2026-10-10T02:00:00Z";
/// When cron runs October: ten minutes after its end.
pub const RUN: &str = "2026-10-31T16:10:00Z";
/// When a statement of October is overdue: the end of 15 November in Shanghai.
pub const DUE: &str = "2026-11-15T16:00:00Z";

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
        "settlement",
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

pub fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

impl World {
    /// The function on that database, at the start of every test.
    pub fn on(database: Database) -> Self {
        let settings = Settings {
            token_secret: SECRET.to_owned(),
            internal_token: SECRET.to_owned(),
            simulated_channel: "on".to_owned(),
        };
        let now = Timestamp::parse(START).unwrap();
        let outbox = outgoing::Outbox::default();
        Self {
            context: Context::new(database.db.clone(), settings, now, outbox).unwrap(),
            _database: database,
        }
    }

    /// Merchants m1 (Mei) and m2 (Bo) with the contract of the tests: direct, deposit 60.00, due on the 15th.
    pub async fn found(&self) {
        self.record(&opened()).await;
        for (merchant, member) in [("m1", "mei"), ("m2", "bo")] {
            self.record(&merchant_changed(merchant, member, 1)).await;
            self.record(&contract_changed(merchant)).await;
        }
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// Posts to the books what another capability posts.
    pub async fn post_books(&self, kind: &str, reference: &str, legs: &[(&str, i64)]) {
        let mut posting = Posting::new(kind, reference, self.context.now);
        for (account, minor) in legs.iter().filter(|(_, minor)| *minor != 0) {
            let account = Account::parse(account).unwrap();
            posting = if *minor > 0 {
                posting.debit(account, fen(*minor))
            } else {
                posting.credit(account, fen(-minor))
            };
        }
        store::tx(&self.context.db, &demo(), async |tx| {
            ledger::post(tx, &posting).await
        })
        .await
        .unwrap();
    }

    /// Payments has received the money that was asked for last: in the books, and told.
    pub async fn money_came(&self) {
        let asked = self.last_fact("payment.requested").await;
        self.money_of(&asked).await;
    }

    /// Payments has received the money of that request.
    pub async fn money_of(&self, asked: &Value) {
        let posted = store::tx(&self.context.db, &demo(), async |tx| {
            let amount = fen(asked["amount_minor"].as_i64().unwrap());
            let clearing = Account::parse("channel_clearing:simulated")?;
            let reference = asked["payment"].as_str().unwrap();
            let posting = Posting::new("payment", reference, self.context.now)
                .debit(clearing, amount)
                .credit(Account::suspense(), amount);
            Ok(ledger::post(tx, &posting).await?.id)
        })
        .await
        .unwrap();
        self.record(&succeeded(asked, posted, self.context.now))
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
        self.post("/internal/ticks/settlement")
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

    /// Money is paid to a merchant's deposit.
    pub async fn deposit(&self, merchant: &str, minor: i64, key: &str) {
        self.post(&format!("/api/deposits/{merchant}/payments"))
            .by(WANG)
            .key(key)
            .json(&json!({"amount_minor": minor}))
            .content()
            .await;
        self.money_came().await;
        self.tick().await;
    }

    /// How a merchant's deposit stands.
    pub async fn deposit_of(&self, merchant: &str) -> Value {
        self.get(&format!("/api/deposits/{merchant}"))
            .by(WANG)
            .content()
            .await
    }

    /// Wang runs a month.
    pub async fn run(&self, month: &str, dry_run: bool) -> Value {
        self.post("/api/settlements/runs")
            .by(WANG)
            .json(&json!({"month": month, "dry_run": dry_run}))
            .content()
            .await
    }

    /// The statements of a merchant, the latest first.
    pub async fn statements(&self, merchant: &str) -> Vec<Value> {
        let page = self
            .get(&format!("/api/statements?merchant={merchant}"))
            .by(WANG)
            .content()
            .await;
        page["items"].as_array().unwrap().clone()
    }

    /// The latest statement of a merchant.
    pub async fn statement(&self, merchant: &str) -> Value {
        let all = self.statements(merchant).await;
        all.first().expect("a statement").clone()
    }

    /// Mei, or Bo, pays statements over a channel.
    pub async fn pay(&self, (person, merchant): (Person<'_>, &str), minor: i64, key: &str) {
        self.post("/api/settlements/payments")
            .by(person)
            .key(key)
            .json(&json!({"merchant": merchant, "amount_minor": minor, "source": "channel"}))
            .content()
            .await;
        self.money_came().await;
        self.tick().await;
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

    /// Nothing is wrong with the books, and they say what the statements say.
    pub async fn books_are_right(&self) {
        let report = ledger::verify(&self.context.db, &demo()).await.unwrap();
        assert_eq!(report.wrong, 0, "{:?}", report.findings);
        for merchant in ["m1", "m2"] {
            let id = MerchantId::parse(merchant).unwrap();
            assert!(self.balance(&format!("merchant_deposit:{id}")).await >= 0);
            let unpaid: i64 = self
                .statements(merchant)
                .await
                .iter()
                .map(|statement| statement["unpaid_minor"].as_i64().unwrap())
                .sum();
            let finances = self
                .get(&format!("/api/settlements/finances/{merchant}"))
                .by(WANG)
                .content()
                .await;
            // What no statement has claimed yet stands in the books only as far as it is debt: refunds that the
            // merchant could not bear, and what was carried over.
            let open = finances["open_period"]["debt_minor"].as_i64().unwrap();
            let receivable = self
                .balance(&format!("merchant_receivable:{merchant}"))
                .await;
            assert_eq!(receivable, unpaid + open, "{merchant}: {finances}");
        }
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        settlement::http::respond(&self.context, request).await
    }
}
