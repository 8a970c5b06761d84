//! A community whose people are asked for money, on each engine there is.

use http::Method;
use kernel::{ActorId, ActorKind, CommunityId, Currency, PaymentId, RefundId, TenantId, Timestamp};
use outgoing::Outbox;
use payments::context::{Context, Settings};
use serde_json::{Value, json};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::{Event, PaymentRequested, RefundRequested};

pub use testing::{Person, SECRET, content_of};

/// When every test starts: Friday 2027-01-15, 16:00 in Shanghai.
pub const START_MS: i64 = 1_800_000_000_000;
pub const DAY_MS: i64 = 86_400_000;
/// Keys of the tests: they open nothing else.
pub const MERCHANT_KEY: &str = include_str!("keys/merchant.pem");
pub const PLATFORM_KEY: &str = include_str!("keys/platform.pem");
/// What the simulated channel encrypts with in the tests.
pub const API_KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";

/// The function and its database.
pub struct World {
    pub context: Context,
    _database: Database,
}

/// What the variables say in the tests, with the simulated channel only.
pub fn settings() -> Settings {
    Settings {
        token_secret: SECRET.to_owned(),
        internal_token: SECRET.to_owned(),
        public_url: "https://linli.invalid".to_owned(),
        simulated_channel: "on".to_owned(),
        ..Settings::default()
    }
}

/// Runs a story on each engine.
pub async fn on_each_engine(story: impl AsyncFn(World)) {
    with_settings(settings, story).await;
}

/// Runs a story on each engine, under other variables.
pub async fn with_settings(settings: fn() -> Settings, story: impl AsyncFn(World)) {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let books = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../components/shared/ledger/migrations"
    );
    for database in store::testing::databases(&[("ledger", books), ("payments", own)]).await {
        let now = Timestamp::from_millis(START_MS).unwrap();
        let world = World {
            context: Context::new(database.db.clone(), settings(), now, Outbox::default()).unwrap(),
            _database: database,
        };
        // Making keys takes long without optimisation; the simulated channel keeps these instead.
        let keys = [
            ("merchant", MERCHANT_KEY),
            ("platform", PLATFORM_KEY),
            ("api", API_KEY),
        ];
        store::bulk(&world.context.db, async |batch| {
            for (name, secret) in keys {
                payments::store::simulated::insert_key(batch, name, secret).await?;
            }
            Ok(())
        })
        .await
        .unwrap();
        story(world).await;
    }
}

pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &["garden"], &[]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
pub const TANG: Person = Person(ActorKind::Staff, "tang", "demo", &["harbour"], &[]);
pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"], &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "app-reader",
    "demo",
    &[],
    &["payments:read"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[], &[]);

pub fn tenant() -> TenantId {
    TenantId::parse("demo").unwrap()
}

/// A request in the making.
pub type Ask<'a> = testing::Ask<'a, World>;

impl World {
    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// A capability asks Li for money, to be paid within an hour.
    pub async fn asked(&self, payment: &str, amount_minor: i64) {
        self.asked_direct(payment, amount_minor, 0).await;
    }

    /// As [`Self::asked`], with a part that the channel pays straight to merchants.
    pub async fn asked_direct(&self, payment: &str, amount_minor: i64, direct_minor: i64) {
        self.record(&PaymentRequested {
            payment: PaymentId::parse(payment).unwrap(),
            purpose: "bills".to_owned(),
            payer: ActorId::parse("li").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            amount_minor,
            currency: Currency::Cny,
            subject: "物业费".to_owned(),
            reference: format!("bill-{payment}"),
            expires_at: self.context.now.plus_millis(3_600_000),
            direct_minor,
        })
        .await;
    }

    /// A capability gives money back.
    pub async fn asked_back(&self, refund: &str, payment: &str, amount_minor: i64) {
        self.asked_back_direct((refund, payment), amount_minor, 0)
            .await;
    }

    /// As [`Self::asked_back`], with a part that the channel takes straight from merchants.
    pub async fn asked_back_direct(
        &self,
        (refund, payment): (&str, &str),
        amount_minor: i64,
        direct_minor: i64,
    ) {
        self.record(&RefundRequested {
            refund: RefundId::parse(refund).unwrap(),
            payment: PaymentId::parse(payment).unwrap(),
            amount_minor,
            reason: "多收退回".to_owned(),
            direct_minor,
        })
        .await;
    }

    /// The order that a direct payment was for is complete: who asked takes the money out of clearing.
    pub async fn earned(&self, order: &str, amount_minor: i64) {
        store::tx(&self.context.db, &tenant(), async |tx| {
            let amount = kernel::Money::new(amount_minor, Currency::Cny);
            let posting = ledger::Posting::new("order.completed", order, self.context.now)
                .debit(ledger::Account::suspense(), amount)
                .credit(
                    ledger::Account::parse("channel_clearing:simulated")?,
                    amount,
                );
            ledger::post(tx, &posting).await
        })
        .await
        .unwrap();
    }

    /// Li starts to pay over the simulated channel.
    pub async fn started(&self, payment: &str) -> Value {
        self.post(&format!("/api/payments/{payment}/attempts"))
            .by(LI)
            .key(&format!("start-{payment}"))
            .json(&json!({"channel": "simulated"}))
            .content()
            .await
    }

    /// Li pays on the telephone.
    pub async fn pays(&self, payment: &str) -> Value {
        self.post(&format!("/api/simulated-channel/payments/{payment}"))
            .by(LI)
            .content()
            .await
    }

    /// A payment of Li's that is asked for, started and paid.
    pub async fn paid(&self, payment: &str, amount_minor: i64) {
        self.asked(payment, amount_minor).await;
        self.started(payment).await;
        self.pays(payment).await;
    }

    /// How the simulated channel treats its notices from now on.
    pub async fn behaves(&self, behaviour: Value) {
        self.ask(Method::PUT, "/api/simulated-channel/behaviour")
            .by(WANG)
            .json(&behaviour)
            .content()
            .await;
    }

    pub async fn payment(&self, payment: &str) -> Value {
        self.get(&format!("/api/payments/{payment}"))
            .by(LI)
            .content()
            .await
    }

    /// One heartbeat.
    pub async fn tick(&self) -> Value {
        self.post("/internal/ticks/payments")
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

    /// What stands on an account.
    pub async fn stands(&self, account: &str) -> i64 {
        let account = ledger::Account::parse(account).unwrap();
        let balance = ledger::balance(&self.context.db, &tenant(), &account, Currency::Cny).await;
        balance.unwrap().posted().minor()
    }

    /// Checks that the books are whole.
    pub async fn books_are_clean(&self) {
        let report = ledger::verify(&self.context.db, &tenant()).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }

    /// The tenant's events of that kind.
    pub async fn facts(&self, kind: &str) -> Vec<Value> {
        testing::data_of(&self.context.db, kind).await
    }
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        payments::http::respond(&self.context, request).await
    }
}
