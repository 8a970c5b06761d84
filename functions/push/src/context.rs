//! What a request or a tick works with: the database, the secrets, the moment, and the ways out.

use anyhow::Context as _;
use kernel::Timestamp;
use messaging::endpoint::Reach;
use outgoing::Outbox;
use store::Db;
use web::Secret;

use crate::carrying::Jpush;
use crate::courier::Courier;
use crate::keys::Keys;

/// Opened once for each request or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// What is derived of push's own secret.
    pub keys: Keys,
    /// The address of this deployment: what stop links start with.
    pub public_url: String,
    /// Where addresses that people give may lead.
    pub reach: Reach,
    /// The push services that are called, as hosts or `*.` and the end of one.
    pub services: Vec<String>,
    /// The account at JPush, where there is one.
    pub jpush: Option<Jpush>,
    /// How long it is kept what was told, in milliseconds.
    pub retention_ms: i64,
    /// The moment at which everything of this call happens.
    pub now: Timestamp,
    /// The way out over HTTP.
    pub courier: Courier,
    /// Rings the doorbell.
    pub outbox: Outbox,
}

/// What the variables say.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The variable `token_secret`.
    pub token_secret: String,
    /// The variable `internal_token`.
    pub internal_token: String,
    /// The variable `push_secret`.
    pub push_secret: String,
    /// The variable `push_contact`: whom push services write to; without it there is no Web Push.
    pub push_contact: String,
    /// The variable `push_services`: hosts, separated by blanks.
    pub push_services: String,
    /// The variable `push_reach`: `public`, or `anywhere` for development.
    pub push_reach: String,
    /// The variable `push_retention_days`.
    pub push_retention_days: String,
    /// The variable `public_url`.
    pub public_url: String,
    /// The variable `jpush_url`.
    pub jpush_url: String,
    /// The variable `jpush_app`; without it there is no JPush.
    pub jpush_app: String,
    /// The variable `jpush_secret`.
    pub jpush_secret: String,
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
            push_secret,
            push_contact,
            push_services,
            push_reach,
            push_retention_days,
            public_url,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "push_secret",
            "push_contact",
            "push_services",
            "push_reach",
            "push_retention_days",
            "public_url",
        ])
        .await?;
        let [jpush_url, jpush_app, jpush_secret] =
            web::variables(["jpush_url", "jpush_app", "jpush_secret"]).await?;
        let [database_url, mqtt_host, mqtt_port, mqtt_password] =
            web::variables(["database_url", "mqtt_host", "mqtt_port", "mqtt_password"]).await?;
        let outbox = Outbox::new("push", (&mqtt_host, &mqtt_port), mqtt_password);
        let settings = Settings {
            token_secret,
            internal_token,
            push_secret,
            push_contact,
            push_services,
            push_reach,
            push_retention_days,
            public_url,
            jpush_url,
            jpush_app,
            jpush_secret,
        };
        Self::new(Db::open(&database_url)?, settings, web::now()?, outbox)
    }

    /// With these settings.
    ///
    /// # Errors
    /// A secret that is too short, or a setting that cannot be.
    pub fn new(db: Db, settings: Settings, now: Timestamp, outbox: Outbox) -> anyhow::Result<Self> {
        let reach = match settings.push_reach.as_str() {
            "public" => Reach::Public,
            "anywhere" => Reach::Anywhere,
            _ => anyhow::bail!("the variable push_reach is neither public nor anywhere"),
        };
        drop(Secret::new("push_secret", settings.push_secret.clone())?);
        let days = settings.push_retention_days.parse::<u16>();
        let days = days.ok().filter(|days| (8..=3_650).contains(days));
        let days = days.context("the variable push_retention_days is a number from 8 to 3650")?;
        Ok(Self {
            db,
            token_secret: Secret::new("token_secret", settings.token_secret)?,
            internal_token: Secret::new("internal_token", settings.internal_token)?,
            keys: Keys::derive(&settings.push_secret, &settings.push_contact)?,
            public_url: settings.public_url.trim_end_matches('/').to_owned(),
            reach,
            services: settings
                .push_services
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            retention_ms: i64::from(days) * 86_400_000,
            jpush: Jpush::of(
                &settings.jpush_url,
                &settings.jpush_app,
                &settings.jpush_secret,
            ),
            now,
            courier: Courier::default(),
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

/// Random bytes.
///
/// # Errors
/// When the machine has none.
pub(crate) fn random<const COUNT: usize>() -> anyhow::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("there is no randomness: {error}"))?;
    Ok(bytes)
}

/// A random number.
///
/// # Errors
/// As [`random`].
pub(crate) fn random_number() -> anyhow::Result<u64> {
    Ok(u64::from_be_bytes(random()?))
}
