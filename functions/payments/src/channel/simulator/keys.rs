//! The keys of both sides of the simulated channel.

use std::collections::BTreeMap;

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

/// The keys that are kept. The first payment makes them, which takes seconds, and on a busy machine longer than a request
/// may last: each is kept as soon as it is made, and whoever asks next makes the others.
pub(crate) async fn keys(context: &Context) -> anyhow::Result<Keys> {
    let mut found = kept(context).await?;
    let makers = [
        ("merchant", generate as fn() -> anyhow::Result<String>),
        ("platform", generate),
        ("api", || random_text(32)),
    ];
    for (name, make) in makers {
        if !found.contains_key(name) {
            let secret = make()?;
            bulk(&context.db, async |batch| {
                sql::insert_key(batch, name, &secret).await
            })
            .await?;
            // Another instance may have been first: what is kept holds.
            found = kept(context).await?;
        }
    }
    let mut named = |name| {
        found
            .remove(name)
            .context("a key of the simulated channel was not kept")
    };
    Ok(Keys {
        merchant: named("merchant")?,
        platform: named("platform")?,
        api: named("api")?,
    })
}

async fn kept(context: &Context) -> anyhow::Result<BTreeMap<String, String>> {
    let found = sql::keys(&context.db).await?;
    Ok(found.into_iter().collect())
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
