//! What a request or a tick works with: the database, the secrets, the channels and the moment.

use kernel::Timestamp;
use outgoing::Outbox;
use store::Db;
use web::Secret;

use crate::domain::Channel;
use crate::exchange::Exchange;

/// Opened once for each request or tick.
pub struct Context {
    /// The database.
    pub db: Db,
    /// Verifies the tokens of people.
    pub token_secret: Secret,
    /// What schedulers present.
    pub internal_token: Secret,
    /// Which channels are offered, and how.
    pub channels: Channels,
    /// Rings the doorbell.
    pub outbox: Outbox,
    /// Sends requests to channels outside.
    pub exchange: Exchange,
    /// The moment at which everything of this call happens.
    pub now: Timestamp,
}

/// The channels that are offered.
#[derive(Clone, Default)]
pub struct Channels {
    /// Whether the simulated channel is.
    pub simulated: bool,
    /// WeChat Pay.
    pub wechat: Option<Wechat>,
    /// Alipay.
    pub alipay: Option<Alipay>,
    /// Where channels post their notices to: `https://host` of this deployment.
    pub public_url: String,
}

/// A merchant's account at WeChat Pay, or at the simulated channel.
#[derive(Clone)]
pub struct Wechat {
    /// Where the interface is.
    pub url: String,
    /// The merchant (商户号).
    pub merchant: String,
    /// The app (公众账号).
    pub app: String,
    /// The serial number of the merchant's certificate.
    pub serial: String,
    /// The merchant's private key in PEM.
    pub private_key: String,
    /// What resources are encrypted with: 32 bytes (APIv3 密钥).
    pub api_key: String,
    /// The serial number of the platform's certificate, or the id of its public key.
    pub platform_serial: String,
    /// The platform's public key in PEM.
    pub platform_key: String,
}

/// A merchant's account at Alipay.
#[derive(Clone)]
pub struct Alipay {
    /// Where the interface is.
    pub url: String,
    /// The app.
    pub app: String,
    /// The merchant (PID).
    pub seller: String,
    /// The app's private key in PEM.
    pub private_key: String,
    /// Alipay's public key in PEM.
    pub platform_key: String,
}

/// What the variables say.
#[derive(Default)]
pub struct Settings {
    /// The variable `token_secret`.
    pub token_secret: String,
    /// The variable `internal_token`.
    pub internal_token: String,
    /// The variable `public_url`.
    pub public_url: String,
    /// The variable `simulated_channel`: `on` or `off`.
    pub simulated_channel: String,
    /// The variables `wechat_url`, `wechat_merchant`, `wechat_app`, `wechat_serial`, `wechat_private_key`,
    /// `wechat_api_key`, `wechat_platform_serial` and `wechat_platform_key`; not offered without a merchant.
    pub wechat: [String; 8],
    /// The variables `alipay_url`, `alipay_app`, `alipay_seller`, `alipay_private_key` and `alipay_platform_key`; not
    /// offered without an app.
    pub alipay: [String; 5],
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
            public_url,
            simulated_channel,
            database_url,
        ] = web::variables([
            "token_secret",
            "internal_token",
            "public_url",
            "simulated_channel",
            "database_url",
        ])
        .await?;
        let wechat = web::variables([
            "wechat_url",
            "wechat_merchant",
            "wechat_app",
            "wechat_serial",
            "wechat_private_key",
            "wechat_api_key",
            "wechat_platform_serial",
            "wechat_platform_key",
        ])
        .await?;
        let alipay = web::variables([
            "alipay_url",
            "alipay_app",
            "alipay_seller",
            "alipay_private_key",
            "alipay_platform_key",
        ])
        .await?;
        let settings = Settings {
            token_secret,
            internal_token,
            public_url,
            simulated_channel,
            wechat,
            alipay,
        };
        let [mqtt_host, mqtt_port, mqtt_password] =
            web::variables(["mqtt_host", "mqtt_port", "mqtt_password"]).await?;
        let outbox = Outbox::new("payments", (&mqtt_host, &mqtt_port), mqtt_password);
        Self::new(Db::open(&database_url)?, settings, web::now()?, outbox)
    }

    /// With these settings.
    ///
    /// # Errors
    /// A secret that is too short, or a channel that is half set up.
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
            channels: Channels {
                simulated,
                wechat: wechat(settings.wechat)?,
                alipay: alipay(settings.alipay)?,
                public_url: settings.public_url,
            },
            outbox,
            exchange: Exchange::default(),
            now,
        })
    }

    /// Whether the channel is offered here.
    #[must_use]
    pub fn offers(&self, channel: Channel) -> bool {
        match channel {
            Channel::Simulated => self.channels.simulated,
            Channel::Wechat => self.channels.wechat.is_some(),
            Channel::Alipay => self.channels.alipay.is_some(),
        }
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

fn wechat(values: [String; 8]) -> anyhow::Result<Option<Wechat>> {
    let [
        url,
        merchant,
        app,
        serial,
        private_key,
        api_key,
        platform_serial,
        platform_key,
    ] = values;
    if merchant.is_empty() {
        return Ok(None);
    }
    let rest = [
        &url,
        &app,
        &serial,
        &private_key,
        &platform_serial,
        &platform_key,
    ];
    anyhow::ensure!(
        rest.iter().all(|value| !value.is_empty()) && api_key.len() == 32,
        "WeChat Pay is half set up: every variable wechat_... is needed, and wechat_api_key has 32 bytes"
    );
    Ok(Some(Wechat {
        url,
        merchant,
        app,
        serial,
        private_key,
        api_key,
        platform_serial,
        platform_key,
    }))
}

fn alipay(values: [String; 5]) -> anyhow::Result<Option<Alipay>> {
    let [url, app, seller, private_key, platform_key] = values;
    if app.is_empty() {
        return Ok(None);
    }
    let rest = [&url, &seller, &private_key, &platform_key];
    anyhow::ensure!(
        rest.iter().all(|value| !value.is_empty()),
        "Alipay is half set up: every variable alipay_... is needed"
    );
    Ok(Some(Alipay {
        url,
        app,
        seller,
        private_key,
        platform_key,
    }))
}
