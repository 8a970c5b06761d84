//! A community with three residents and two merchants, on each engine there is.

use http::Method;
use kernel::{Currency, Money, TenantId, Timestamp};
use ledger::{Account, Posting};
use messaging::webpush;
use push::context::{Context, Settings};
use push::courier::Call;
use serde_json::{Value, json};
use store::testing::Database;
use web::{Reply, Request, Secret};
use wire::event::Event;

use crate::events::{bound, consented, merchant_changed, opened, registered, succeeded};
pub use crate::people::*;
pub use testing::{SECRET, content_of};

/// When every test starts: 2026-11-23, a Monday, 10:00 in Shanghai.
pub const START: &str = "2026-11-23T02:00:00Z";
/// The address of a push service, and the keys of RFC 8291, section 5.
pub const ENDPOINT: &str = "https://push.example.net/send/";
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const UA_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";

/// The function and its database.
pub struct World {
    pub context: Context,
    database: Database,
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
    ("push", concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")),
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

pub fn settings() -> Settings {
    Settings {
        token_secret: SECRET.to_owned(),
        internal_token: SECRET.to_owned(),
        push_secret: SECRET.to_owned(),
        push_contact: "mailto:push@linli.cn".to_owned(),
        push_services: "push.example.net *.push.example.org".to_owned(),
        push_reach: "public".to_owned(),
        push_retention_days: "180".to_owned(),
        public_url: "https://linli.cn".to_owned(),
        jpush_url: "https://api.jpush.cn".to_owned(),
        jpush_app: "app".to_owned(),
        jpush_secret: "secret".to_owned(),
    }
}

impl World {
    /// The function on that database, at the start of every test.
    pub fn on(database: Database) -> Self {
        let now = Timestamp::parse(START).unwrap();
        let outbox = outgoing::Outbox::default();
        Self {
            context: Context::new(database.db.clone(), settings(), now, outbox).unwrap(),
            database,
        }
    }

    /// Another replica on the same database, at the same moment.
    pub fn replica(&self) -> Context {
        let db = store::Db::open(&self.database.url).unwrap();
        Context::new(
            db,
            settings(),
            self.context.now,
            outgoing::Outbox::default(),
        )
        .unwrap()
    }

    /// Li and Min live in r1, Zhao in r2; Mei sells as m1, Bo as m2.
    pub async fn found(&self) {
        self.record(&opened()).await;
        for (person, role, room) in [
            ("li", "owner", "r1"),
            ("min", "family", "r1"),
            ("zhao", "tenant", "r2"),
        ] {
            self.record(&registered(person)).await;
            self.record(&bound(person, role, room)).await;
        }
        for (merchant, member) in [("m1", "mei"), ("m2", "bo")] {
            self.record(&merchant_changed(merchant, member)).await;
        }
        self.tick().await;
    }

    /// Appends what another capability recorded.
    pub async fn record<Fact: Event>(&self, fact: &Fact) {
        testing::record(&self.context.db, self.context.now, fact).await;
    }

    /// That many residents of the garden more, who agreed to advertising or not.
    pub async fn crowd(&self, count: usize, agrees: bool) {
        for number in 0..count {
            let person = format!("p{number:05}");
            self.record(&registered(&person)).await;
            let room = format!("q{number:05}");
            self.record(&bound(&person, "owner", &room)).await;
            if agrees {
                self.record(&consented(&person, "marketing", true)).await;
            }
        }
        while self.tick().await["more"] == true {}
    }

    /// Payments has received the money that was asked for last: in the books, and told.
    pub async fn money_came(&self) {
        let asked = self.last_fact("payment.requested").await;
        let amount = Money::new(asked["amount_minor"].as_i64().unwrap(), Currency::Cny);
        let posted = store::tx(&self.context.db, &demo(), async |tx| {
            let clearing = Account::parse("channel_clearing:simulated")?;
            let reference = asked["payment"].as_str().unwrap();
            let posting = Posting::new("payment", reference, self.context.now)
                .debit(clearing, amount)
                .credit(Account::suspense(), amount);
            Ok(ledger::post(tx, &posting).await?.id)
        })
        .await
        .unwrap();
        self.record(&succeeded(&asked, posted, self.context.now))
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
        self.post("/internal/ticks/push")
            .bearer(SECRET)
            .content()
            .await
    }

    /// It is this moment from now on.
    pub fn at(&mut self, moment: &str) {
        self.context.now = Timestamp::parse(moment).unwrap();
    }

    /// So much later.
    pub fn later(&mut self, millis: i64) {
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

    pub fn put(&self, uri: &str) -> Ask<'_> {
        self.ask(Method::PUT, uri)
    }

    /// Somebody registers a browser; its id.
    pub async fn browser(&self, person: Person<'_>, name: &str) -> String {
        let made = self
            .post("/api/push/devices")
            .by(person)
            .json(&browser(name))
            .content()
            .await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Somebody agrees to advertising, or takes it back.
    pub async fn agree(&self, person: Person<'_>, given: bool) {
        self.post("/api/push/consents")
            .by(person)
            .json(&json!({"purpose": "marketing", "given": given, "adult": true}))
            .content()
            .await;
    }

    /// Wang tells people; the message's id.
    pub async fn tell(&self, key: &str, body: &Value) -> String {
        let made = self
            .post("/api/push/messages")
            .by(WANG)
            .key(key)
            .json(body)
            .content()
            .await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// A message, with what became of it.
    pub async fn message(&self, id: &str) -> Value {
        self.get(&format!("/api/push/messages/{id}"))
            .by(WANG)
            .content()
            .await
    }

    /// The deliveries of a message.
    pub async fn deliveries(&self, id: &str) -> Vec<Value> {
        let page = self
            .get(&format!("/api/push/messages/{id}/deliveries?limit=200"))
            .by(WANG)
            .content()
            .await;
        page["items"].as_array().unwrap().clone()
    }

    /// The messages of somebody.
    pub async fn inbox(&self, person: Person<'_>) -> Vec<Value> {
        let page = self.get("/api/inbox").by(person).content().await;
        page["items"].as_array().unwrap().clone()
    }

    /// The kinds of the tenant's events, in order.
    pub async fn facts(&self) -> Vec<(String, Value)> {
        let (mut seen, mut all) = (0, Vec::new());
        loop {
            let page = store::events::page(&self.context.db, &demo(), seen, 200)
                .await
                .unwrap();
            let Some(last) = page.last() else {
                return all;
            };
            seen = last.seq;
            all.extend(page.into_iter().map(|event| (event.kind, event.data)));
        }
    }

    /// How often an event of that kind was recorded.
    pub async fn count(&self, kind: &str) -> usize {
        testing::data_of(&self.context.db, kind).await.len()
    }

    /// The data of the tenant's latest event of that kind.
    pub async fn last_fact(&self, kind: &str) -> Value {
        testing::last(&self.context.db, kind).await
    }
}

/// A browser of that name, as it registers.
pub fn browser(name: &str) -> Value {
    json!({
        "channel": "web_push",
        "endpoint": format!("{ENDPOINT}{name}"),
        "keys": {"p256dh": P256DH, "auth": AUTH},
        "alias": name,
    })
}

/// What a browser reads of a request to its push service.
pub fn read_push(call: &Call) -> Value {
    use base64::Engine as _;
    let decode = |text: &str| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text)
            .unwrap()
    };
    let private: [u8; 32] = decode(UA_PRIVATE).try_into().unwrap();
    let auth: [u8; 16] = decode(AUTH).try_into().unwrap();
    let text = webpush::decrypt(&call.body, &private, &auth).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The header of a request.
pub fn header<'a>(call: &'a Call, name: &str) -> &'a str {
    let found = call.headers.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}

impl testing::Function for World {
    fn signs(&self) -> (&Secret, Timestamp) {
        (&self.context.token_secret, self.context.now)
    }

    async fn respond(&self, request: &Request) -> Reply {
        push::http::respond(&self.context, request).await
    }
}
