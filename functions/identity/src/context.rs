//! What a request works with: the database, the secrets, the moment, and the way out.

use kernel::Timestamp;
use outgoing::Outbox;
use store::Db;
use web::Secret;

use crate::secrets::Key;
use crate::sender::CodeSender;

/// Opened once for each request.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Signs and verifies the tokens of people.
    pub token_secret: Secret,
    /// What the broker and the deployment's own operator present.
    pub internal_token: Secret,
    /// With what the functions connect to the broker.
    pub mqtt_password: String,
    /// Makes the secrets of devices.
    pub key: Key,
    /// How one-time codes reach people.
    pub code_sender: CodeSender,
    /// The moment at which everything of this request happens.
    pub now: Timestamp,
    /// Rings the doorbell.
    pub outbox: Outbox,
}

impl Context {
    /// Reads the variables and opens what they name.
    ///
    /// # Errors
    /// A missing variable, or a secret that is too short.
    #[cfg(target_family = "wasm")]
    pub async fn open() -> anyhow::Result<Self> {
        let names = [
            "token_secret",
            "internal_token",
            "mqtt_password",
            "database_url",
            "code_sender",
            "mqtt_host",
            "mqtt_port",
        ];
        let [
            token_secret,
            internal_token,
            mqtt_password,
            database_url,
            code_sender,
            mqtt_host,
            mqtt_port,
        ] = web::variables(names).await?;
        let outbox = Outbox::new("identity", (&mqtt_host, &mqtt_port), mqtt_password.clone());
        let secrets = (token_secret, internal_token, mqtt_password);
        let context = Self::new(&database_url, secrets, outbox)?;
        Ok(Self {
            code_sender: CodeSender::parse(&code_sender)?,
            ..context
        })
    }

    /// Works with these secrets (`token_secret`, `internal_token`, `mqtt_password`); codes go to the developer's
    /// inbox.
    ///
    /// # Errors
    /// A database URL of no known engine, a secret that is too short, or a clock before 1970.
    pub fn new(
        database_url: &str,
        (token_secret, internal_token, mqtt_password): (String, String, String),
        outbox: Outbox,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            db: Db::open(database_url)?,
            key: Key::derive(&token_secret)?,
            token_secret: Secret::new("token_secret", token_secret)?,
            internal_token: Secret::new("internal_token", internal_token)?,
            mqtt_password,
            code_sender: CodeSender::Inbox,
            now: web::now()?,
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
