//! What a request or a tick works with: the database, the secrets, the moment, and the way out.

use kernel::Timestamp;
use outgoing::Outbox;
use store::Db;
use web::Secret;

use crate::domain::Terms;

/// Opened once for each request or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// The moment at which everything of this call happens.
    pub now: Timestamp,
    /// Rings the doorbell.
    pub outbox: Outbox,
    /// How long things take before they happen by themselves.
    pub terms: Terms,
}

impl<'a> From<&'a Context> for writing::At<'a> {
    fn from(context: &'a Context) -> Self {
        Self {
            db: &context.db,
            now: context.now,
        }
    }
}

impl Context {
    /// Reads the variables and opens what they name.
    ///
    /// # Errors
    /// A missing variable, or one that cannot be.
    #[cfg(target_family = "wasm")]
    pub async fn open() -> anyhow::Result<Self> {
        let [
            token_secret,
            internal_token,
            database_url,
            mqtt_host,
            mqtt_port,
            mqtt_password,
            unpaid,
            delivered,
            shipped,
            fetch,
            after_sale,
            evidence,
            decision,
            message,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "database_url",
            "mqtt_host",
            "mqtt_port",
            "mqtt_password",
            "orders_unpaid_minutes",
            "orders_delivered_days",
            "orders_shipped_days",
            "orders_fetch_days",
            "orders_after_sale_days",
            "orders_evidence_hours",
            "orders_decision_hours",
            "orders_message_days",
        ])
        .await?;
        let outbox = Outbox::new("orders", (&mqtt_host, &mqtt_port), mqtt_password);
        let secrets = (token_secret, internal_token);
        let context = Self::new(Db::open(&database_url)?, secrets, web::now()?, outbox)?;
        Ok(Self {
            terms: Terms {
                unpaid_minutes: number("orders_unpaid_minutes", &unpaid)?,
                delivered_days: number("orders_delivered_days", &delivered)?,
                shipped_days: number("orders_shipped_days", &shipped)?,
                fetch_days: number("orders_fetch_days", &fetch)?,
                after_sale_days: number("orders_after_sale_days", &after_sale)?,
                evidence_hours: number("orders_evidence_hours", &evidence)?,
                decision_hours: number("orders_decision_hours", &decision)?,
                message_days: number("orders_message_days", &message)?,
            },
            ..context
        })
    }

    /// With these secrets: of tokens, and of schedulers.
    ///
    /// # Errors
    /// A secret that is too short.
    pub fn new(
        db: Db,
        (token_secret, internal_token): (String, String),
        now: Timestamp,
        outbox: Outbox,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            db,
            token_secret: Secret::new("token_secret", token_secret)?,
            internal_token: Secret::new("internal_token", internal_token)?,
            now,
            outbox,
            terms: Terms::default(),
        })
    }

    /// A new id of this moment.
    ///
    /// # Errors
    /// When the clock stands before 1970.
    pub fn new_id<Id>(&self) -> anyhow::Result<Id>
    where
        Id: TryFrom<String>,
        Id::Error: std::error::Error + Send + Sync + 'static,
    {
        Ok(Id::try_from(web::new_id(self.now)?)?)
    }
}

/// A variable that is a whole number from 0 to 10,000.
#[cfg(target_family = "wasm")]
fn number(name: &str, text: &str) -> anyhow::Result<i64> {
    match text.parse() {
        Ok(number) if (0..=10_000).contains(&number) => Ok(number),
        _ => anyhow::bail!("the variable {name} is {text:?}, expected a number from 0 to 10000"),
    }
}
