//! What a request, a message or a tick works with: the database, the secrets, the moment, and the way out.

use kernel::Timestamp;
use outgoing::Outbox;
use store::Db;
use web::Secret;

/// Opened once for each request, message or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// The moment at which everything of this call happens.
    pub now: Timestamp,
    /// Where receipts go out, and the doorbell is rung.
    pub outbox: Outbox,
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
    /// A missing variable, or a secret that is too short.
    #[cfg(target_family = "wasm")]
    pub async fn open() -> anyhow::Result<Self> {
        let [
            token_secret,
            internal_token,
            database_url,
            mqtt_host,
            mqtt_port,
            mqtt_password,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "database_url",
            "mqtt_host",
            "mqtt_port",
            "mqtt_password",
        ])
        .await?;
        Ok(Self {
            db: Db::open(&database_url)?,
            token_secret: Secret::new("token_secret", token_secret)?,
            internal_token: Secret::new("internal_token", internal_token)?,
            now: web::now()?,
            outbox: Outbox::new("meters", (&mqtt_host, &mqtt_port), mqtt_password),
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
