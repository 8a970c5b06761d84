//! What a request or a tick works with: the database, the secrets, the moment, the auction, and the way out.

use kernel::{TenantId, Timestamp};
use outgoing::Outbox;
use store::Db;
use web::Secret;

use crate::catalogue::Catalogue;
use crate::clearing::Auctioneer;
use crate::domain::Signer;

/// What this instance remembers from one request to the next.
#[cfg(target_family = "wasm")]
static REMEMBERED: std::sync::LazyLock<Catalogue> = std::sync::LazyLock::new(Catalogue::default);

/// Opened once for each request or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// Signs offers, seeds rounds, and makes digests of viewers.
    pub signer: Signer,
    /// Who can bid for places, as far as this instance remembers.
    pub catalogue: Catalogue,
    /// Holds rounds by the rule that was plugged in.
    pub auctioneer: Auctioneer,
    /// What the rule adds to the next bid, in the unit of the bids; 0 where it adds none.
    pub increment: i64,
    /// Whose advertising exchanges and pages are offered that name no tenant.
    pub tenant: TenantId,
    /// The address under which the world reaches this deployment, without a slash at its end.
    pub public_url: String,
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
    /// The variable `auction_increment`: a whole number.
    pub auction_increment: String,
    /// The variable `exchange_tenant`.
    pub exchange_tenant: String,
    /// The variable `public_url`.
    pub public_url: String,
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
            auction_increment,
            exchange_tenant,
            public_url,
            database_url,
            mqtt_host,
            mqtt_port,
            mqtt_password,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "auction_increment",
            "exchange_tenant",
            "public_url",
            "database_url",
            "mqtt_host",
            "mqtt_port",
            "mqtt_password",
        ])
        .await?;
        let outbox = Outbox::new("bidding", (&mqtt_host, &mqtt_port), mqtt_password);
        let settings = Settings {
            token_secret,
            internal_token,
            auction_increment,
            exchange_tenant,
            public_url,
        };
        Ok(Self {
            catalogue: REMEMBERED.clone(),
            ..Self::new(Db::open(&database_url)?, settings, web::now()?, outbox)?
        })
    }

    /// With these settings.
    ///
    /// # Errors
    /// A secret that is too short, an increment that is no number, a tenant that is none.
    pub fn new(db: Db, settings: Settings, now: Timestamp, outbox: Outbox) -> anyhow::Result<Self> {
        let increment = settings.auction_increment.parse();
        let increment = increment
            .map_err(|_| anyhow::anyhow!("the variable auction_increment is no whole number"))?;
        Ok(Self {
            db,
            signer: Signer::derive(&settings.token_secret)?,
            token_secret: Secret::new("token_secret", settings.token_secret)?,
            internal_token: Secret::new("internal_token", settings.internal_token)?,
            catalogue: Catalogue::default(),
            auctioneer: Auctioneer::default(),
            increment,
            tenant: TenantId::parse(&settings.exchange_tenant)?,
            public_url: settings.public_url.trim_end_matches('/').to_owned(),
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
