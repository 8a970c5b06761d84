//! What a request or a tick works with: the database, the secrets, the moment, and the way out.

use kernel::Timestamp;
use outgoing::Outbox;
use store::Db;
use web::Secret;

use crate::tokens::TokenKey;

/// Opened once for each request or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people, and makes the digests of phone numbers.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// Makes the secret tokens with which visitors read how they stand.
    pub token_key: TokenKey,
    /// Signs passes.
    pub pass_seed: [u8; 32],
    /// How long the personal data of a visitor is kept after the end of the visit.
    pub retention_days: i64,
    /// The moment at which everything of this call happens.
    pub now: Timestamp,
    /// Rings the doorbell.
    pub outbox: Outbox,
}

/// What the variables say.
pub struct Settings {
    /// The variable `token_secret`.
    pub token_secret: String,
    /// The variable `internal_token`.
    pub internal_token: String,
    /// The variable `pass_secret`.
    pub pass_secret: String,
    /// The variable `visitor_retention_days`.
    pub retention_days: String,
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
            pass_secret,
            retention_days,
            database_url,
            mqtt_host,
            mqtt_port,
            mqtt_password,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "pass_secret",
            "visitor_retention_days",
            "database_url",
            "mqtt_host",
            "mqtt_port",
            "mqtt_password",
        ])
        .await?;
        let settings = Settings {
            token_secret,
            internal_token,
            pass_secret,
            retention_days,
        };
        let outbox = Outbox::new("visitors", (&mqtt_host, &mqtt_port), mqtt_password);
        Self::new(Db::open(&database_url)?, settings, web::now()?, outbox)
    }

    /// With these settings.
    ///
    /// # Errors
    /// A secret that is too short, or a number of days that is none.
    pub fn new(db: Db, settings: Settings, now: Timestamp, outbox: Outbox) -> anyhow::Result<Self> {
        let days: i64 = settings.retention_days.parse().map_err(|_| {
            anyhow::anyhow!("the variable visitor_retention_days is no number of days")
        })?;
        anyhow::ensure!(
            (1..=3_650).contains(&days),
            "the variable visitor_retention_days is not between 1 and 3650"
        );
        // Checked for its length like every secret; the seed is made of its text.
        Secret::new("pass_secret", settings.pass_secret.clone())?;
        Ok(Self {
            db,
            token_key: TokenKey::derive(&settings.token_secret)?,
            token_secret: Secret::new("token_secret", settings.token_secret)?,
            internal_token: Secret::new("internal_token", settings.internal_token)?,
            pass_seed: wire::pass::seed_of(&settings.pass_secret),
            retention_days: days,
            now,
            outbox,
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
