//! What a request, a message or a tick works with: the database, the secrets, the moment, and the way out.

use kernel::Timestamp;
use outgoing::Outbox;
use store::Db;
use web::Secret;
use wire::pass::PassKey;

/// Opened once for each request, message or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// The key that passes and snapshots are signed with.
    pub pass_seed: [u8; 32],
    /// The key before the last rotation: what it signed still holds for as long as it says.
    pub pass_seed_previous: Option<[u8; 32]>,
    /// For how many days the log of who went through is kept.
    pub access_retention_days: i64,
    /// The moment at which everything of this call happens.
    pub now: Timestamp,
    /// Where messages go out.
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
            pass_secret,
            pass_secret_previous,
            access_retention_days,
            database_url,
            mqtt_host,
            mqtt_port,
            mqtt_password,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "pass_secret",
            "pass_secret_previous",
            "access_retention_days",
            "database_url",
            "mqtt_host",
            "mqtt_port",
            "mqtt_password",
        ])
        .await?;
        let now = web::now()?;
        Ok(Self {
            db: Db::open(&database_url)?,
            token_secret: Secret::new("token_secret", token_secret)?,
            internal_token: Secret::new("internal_token", internal_token)?,
            pass_seed: seed("pass_secret", &pass_secret)?,
            pass_seed_previous: match pass_secret_previous.as_str() {
                "" => None,
                secret => Some(seed("pass_secret_previous", secret)?),
            },
            access_retention_days: access_retention_days.parse()?,
            now,
            outbox: Outbox::new("doors", (&mqtt_host, &mqtt_port), mqtt_password),
        })
    }

    /// The keys that passes and snapshots may be signed with, the present one first.
    #[must_use]
    pub fn pass_seeds(&self) -> Vec<[u8; 32]> {
        [Some(self.pass_seed), self.pass_seed_previous]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What passes and snapshots are verified with, the present key first.
    #[must_use]
    pub fn pass_keys(&self) -> Vec<PassKey> {
        self.pass_seeds().iter().map(PassKey::of_seed).collect()
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

/// The key that a secret makes.
#[cfg(target_family = "wasm")]
fn seed(variable: &str, secret: &str) -> anyhow::Result<[u8; 32]> {
    anyhow::ensure!(
        secret.len() >= Secret::BYTES_MIN,
        "the variable {variable} is shorter than {} bytes",
        Secret::BYTES_MIN
    );
    Ok(wire::pass::seed_of(secret))
}
