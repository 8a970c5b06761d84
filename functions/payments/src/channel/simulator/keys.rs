//! The keys of both sides of the simulated channel.

use anyhow::Context as _;
use store::bulk;

use super::{APP, MERCHANT, URL};
use crate::context::{Context, Wechat};
use crate::protocol::keys::{PrivateKey, PublicKey, generate, random_text};
use crate::protocol::wechat::Signed;
use crate::store::simulated as sql;

/// The keys of both sides, made once and kept.
pub(crate) struct Keys {
    merchant: String,
    platform: String,
    api: String,
}

/// The keys that are kept; the first time they are made.
pub(crate) async fn keys(context: &Context) -> anyhow::Result<Keys> {
    if let Some(keys) = kept(context).await? {
        return Ok(keys);
    }
    let made = [
        ("merchant", generate()?),
        ("platform", generate()?),
        ("api", random_text(32)?),
    ];
    bulk(&context.db, async |batch| {
        for (name, secret) in &made {
            sql::insert_key(batch, name, secret).await?;
        }
        Ok(())
    })
    .await?;
    // Another instance may have been first: what is kept holds.
    kept(context)
        .await?
        .context("the simulated channel's keys were not kept")
}

async fn kept(context: &Context) -> anyhow::Result<Option<Keys>> {
    let found = sql::keys(&context.db).await?;
    let named = |name: &str| {
        found
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, secret)| secret.clone())
    };
    let [merchant, platform, api] = ["merchant", "platform", "api"].map(named);
    Ok(match (merchant, platform, api) {
        (Some(merchant), Some(platform), Some(api)) => Some(Keys {
            merchant,
            platform,
            api,
        }),
        _ => None,
    })
}

impl Keys {
    /// Our account there.
    pub(crate) fn account(&self) -> anyhow::Result<Wechat> {
        let platform = PrivateKey::from_pem(&self.platform)?.public();
        Ok(Wechat {
            url: URL.to_owned(),
            merchant: MERCHANT.to_owned(),
            app: APP.to_owned(),
            serial: PrivateKey::from_pem(&self.merchant)?.public().serial()?,
            private_key: self.merchant.clone(),
            api_key: self.api.clone(),
            platform_serial: platform.serial()?,
            platform_key: platform.pem()?,
        })
    }

    /// What verifies the merchant's requests.
    pub(super) fn merchant(&self) -> anyhow::Result<PublicKey> {
        Ok(PrivateKey::from_pem(&self.merchant)?.public())
    }

    /// What notices are encrypted with.
    pub(crate) fn api_key(&self) -> &[u8] {
        self.api.as_bytes()
    }

    /// Signs as the platform.
    pub(crate) fn sign(&self, context: &Context, body: &str) -> anyhow::Result<Signed> {
        let key = PrivateKey::from_pem(&self.platform)?;
        let serial = key.public().serial()?;
        Signed::of(
            &key,
            &serial,
            (context.now.millis() / 1_000, &random_text(32)?),
            body,
        )
    }
}
