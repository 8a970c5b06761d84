//! What is derived of push's own secret, and therefore stored nowhere: the key that push services know us by, links that
//! stop advertising, receipts, secrets of webhooks, keys of topics.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use kernel::{ActorId, DeliveryId, TenantId};
use messaging::webhook;
use messaging::webpush::Sender;
use sha2::{Digest as _, Sha256};

/// What keys of topics start with, as ntfy's clients know them.
pub const TOPIC_KEY_PREFIX: &str = "tk_";
/// How many characters follow it.
const TOPIC_KEY_CHARACTERS: usize = 29;
/// The bytes of a webhook's secret.
const WEBHOOK_SECRET_BYTES: usize = 32;

/// The keys.
#[derive(Clone)]
pub struct Keys {
    root: [u8; 32],
    sender: Option<Sender>,
}

impl Keys {
    /// The keys of a secret; without a contact there is no sender of Web Push.
    ///
    /// # Errors
    /// When the contact cannot be one.
    pub fn derive(secret: &str, contact: &str) -> anyhow::Result<Self> {
        let root: [u8; 32] = keyed(secret.as_bytes(), b"linli push keys 1")?
            .finalize()
            .into_bytes()
            .into();
        let sender = match contact {
            "" => None,
            contact => Some(sender(&root, contact)?),
        };
        Ok(Self { root, sender })
    }

    /// Who sends Web Push, where a contact is set.
    #[must_use]
    pub fn sender(&self) -> Option<&Sender> {
        self.sender.as_ref()
    }

    /// What stops advertising for somebody.
    ///
    /// # Errors
    /// Never in practice: HMAC takes keys of any length.
    pub fn stop_token(&self, tenant: &TenantId, person: &ActorId) -> anyhow::Result<String> {
        self.token("stop", (tenant.as_str(), person.as_str()))
    }

    /// Whose advertising a token stops; nothing for a text that this deployment did not make.
    #[must_use]
    pub fn read_stop(&self, token: &str) -> Option<(TenantId, ActorId)> {
        let (tenant, person) = self.read("stop", token)?;
        Some((
            TenantId::parse(&tenant).ok()?,
            ActorId::parse(&person).ok()?,
        ))
    }

    /// What a device shows when it tells that a delivery came.
    ///
    /// # Errors
    /// As [`Keys::stop_token`].
    pub fn receipt(&self, tenant: &TenantId, delivery: &DeliveryId) -> anyhow::Result<String> {
        self.token("receipt", (tenant.as_str(), delivery.as_str()))
    }

    /// Of which delivery a receipt is.
    #[must_use]
    pub fn read_receipt(&self, token: &str) -> Option<(TenantId, DeliveryId)> {
        let (tenant, delivery) = self.read("receipt", token)?;
        Some((
            TenantId::parse(&tenant).ok()?,
            DeliveryId::parse(&delivery).ok()?,
        ))
    }

    /// The secret of a webhook of that number.
    ///
    /// # Errors
    /// As [`Keys::stop_token`].
    pub fn webhook_secret(
        &self,
        tenant: &TenantId,
        webhook: &str,
        number: i64,
    ) -> anyhow::Result<webhook::Secret> {
        let named = format!("webhook/{tenant}/{webhook}/{number}");
        let mac = keyed(&self.root, named.as_bytes())?.finalize().into_bytes();
        let bytes: Vec<u8> = mac.iter().copied().take(WEBHOOK_SECRET_BYTES).collect();
        Ok(webhook::Secret::from_bytes(bytes)?)
    }

    /// The key of a topic of that number.
    ///
    /// # Errors
    /// As [`Keys::stop_token`].
    pub fn topic_key(&self, tenant: &TenantId, topic: &str, number: i64) -> anyhow::Result<String> {
        let named = format!("topic/{tenant}/{topic}/{number}");
        let mac = keyed(&self.root, named.as_bytes())?.finalize().into_bytes();
        let mut key = TOPIC_KEY_PREFIX.to_owned();
        key.extend(hex(&mac).chars().take(TOPIC_KEY_CHARACTERS));
        Ok(key)
    }

    fn token(&self, kind: &str, (tenant, id): (&str, &str)) -> anyhow::Result<String> {
        let named = format!("{tenant}.{id}");
        let mac = keyed(&self.root, format!("{kind}/{named}").as_bytes())?;
        let mac = mac.finalize().into_bytes();
        Ok(format!("{named}.{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    fn read(&self, kind: &str, token: &str) -> Option<(String, String)> {
        let (named, mac) = token.rsplit_once('.')?;
        let (tenant, id) = named.split_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let expected = keyed(&self.root, format!("{kind}/{named}").as_bytes()).ok()?;
        // In a time that does not tell how much of it was right.
        expected.verify_slice(&mac).ok()?;
        Some((tenant.to_owned(), id.to_owned()))
    }
}

/// The digest by which a key of a topic is found.
#[must_use]
pub fn digest(key: &str) -> String {
    hex(&Sha256::digest(key))
}

/// The first of the numbers derived that is a private key; nearly all are.
fn sender(root: &[u8], contact: &str) -> anyhow::Result<Sender> {
    let mut refused = None;
    for number in 0..4 {
        let mac = keyed(root, format!("vapid/{number}").as_bytes())?;
        let private = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        match Sender::new(&private, contact) {
            Ok(sender) => return Ok(sender),
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(refusal) => Err(anyhow::anyhow!("the variable push_contact: {refusal}")),
        None => Err(anyhow::anyhow!("no key was found")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn keyed(key: &[u8], message: &[u8]) -> anyhow::Result<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key)
        .map_err(|_| anyhow::anyhow!("HMAC takes keys of any length"))?;
    mac.update(message);
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_kind_one_deployment_and_one_thing() {
        let keys = Keys::derive(&"k".repeat(32), "").unwrap();
        let others = Keys::derive(&"o".repeat(32), "").unwrap();
        let (tenant, li) = (
            TenantId::parse("demo").unwrap(),
            ActorId::parse("li").unwrap(),
        );
        let token = keys.stop_token(&tenant, &li).unwrap();
        assert_eq!(keys.read_stop(&token), Some((tenant.clone(), li)));
        assert_eq!(keys.read_receipt(&token), None);
        assert_eq!(others.read_stop(&token), None);
        assert_eq!(keys.read_stop(&token.replace("demo", "them")), None);
        for text in ["", ".", "a.b", "a.b.c", "demo.li."] {
            assert_eq!(keys.read_stop(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_key_that_push_services_know_us_by_stays_the_same() {
        let key = |secret: &str| {
            let keys = Keys::derive(secret, "mailto:push@linli.cn").unwrap();
            keys.sender().unwrap().public_key().to_owned()
        };
        assert_eq!(key(&"k".repeat(32)), key(&"k".repeat(32)));
        assert_ne!(key(&"k".repeat(32)), key(&"o".repeat(32)));
        assert!(Keys::derive(&"k".repeat(32), "mailto:me@example.com").is_err());
        assert!(
            Keys::derive(&"k".repeat(32), "")
                .unwrap()
                .sender()
                .is_none()
        );
    }

    #[test]
    fn a_topics_key_looks_as_clients_expect_it() {
        let keys = Keys::derive(&"k".repeat(32), "").unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        let key = keys.topic_key(&tenant, "garden", 1).unwrap();
        assert_eq!(key.len(), 32);
        assert_ne!(key, keys.topic_key(&tenant, "garden", 2).unwrap());
        assert_eq!(digest(&key).len(), 64);
    }
}
