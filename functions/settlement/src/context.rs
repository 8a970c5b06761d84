//! What a request or a tick works with: the database, the secrets, the moment, and the way out.

use kernel::Timestamp;
use outgoing::Outbox;
use store::Db;
use web::Secret;

/// Opened once for each request or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// Whether the simulated channel transfers here.
    pub simulated: bool,
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
    /// The variable `simulated_channel`: `on` or `off`.
    pub simulated_channel: String,
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
            simulated_channel,
            database_url,
            mqtt_host,
            mqtt_port,
            mqtt_password,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "simulated_channel",
            "database_url",
            "mqtt_host",
            "mqtt_port",
            "mqtt_password",
        ])
        .await?;
        let outbox = Outbox::new("settlement", (&mqtt_host, &mqtt_port), mqtt_password);
        let settings = Settings {
            token_secret,
            internal_token,
            simulated_channel,
        };
        Self::new(Db::open(&database_url)?, settings, web::now()?, outbox)
    }

    /// With these settings.
    ///
    /// # Errors
    /// A secret that is too short, or a channel that is neither on nor off.
    pub fn new(db: Db, settings: Settings, now: Timestamp, outbox: Outbox) -> anyhow::Result<Self> {
        let simulated = match settings.simulated_channel.as_str() {
            "on" => true,
            "off" => false,
            _ => anyhow::bail!("the variable simulated_channel is neither on nor off"),
        };
        Ok(Self {
            db,
            token_secret: Secret::new("token_secret", settings.token_secret)?,
            internal_token: Secret::new("internal_token", settings.internal_token)?,
            simulated,
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

    /// A number that no channel has seen: 32 letters and digits.
    ///
    /// # Errors
    /// As [`Context::new_id`].
    pub fn new_number(&self) -> anyhow::Result<String> {
        Ok(web::new_id(self.now)?.replace('-', ""))
    }
}
