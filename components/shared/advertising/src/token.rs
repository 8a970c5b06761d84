//! The signed single-use nonce of an offer, `{tenant}.{offer}.{mac}`, and the names under which viewers are counted.

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use kernel::{OfferId, TenantId};
use sha2::Sha256;

/// How many bytes of the code are kept: as many as nobody guesses.
const MAC_BYTES: usize = 16;

/// Signs offers and names viewers. Each capability derives its own, by its own label.
#[derive(Clone)]
pub struct OfferKey([u8; 32]);

impl OfferKey {
    /// The key of that label which belongs to the deployment's secret.
    ///
    /// # Errors
    /// Never in practice: HMAC takes a key of any length.
    pub fn derive(secret: &str, label: &str) -> anyhow::Result<Self> {
        let mac = keyed(secret.as_bytes(), label.as_bytes())?;
        Ok(Self(mac.finalize().into_bytes().into()))
    }

    /// The token of an offer.
    ///
    /// # Errors
    /// As [`OfferKey::derive`].
    pub fn seal(&self, tenant: &TenantId, offer: &OfferId) -> anyhow::Result<String> {
        let named = format!("{tenant}.{offer}");
        Ok(format!(
            "{named}.{}",
            URL_SAFE_NO_PAD.encode(self.code(&named)?)
        ))
    }

    /// What the token is of; nothing for a text that this deployment did not make.
    #[must_use]
    pub fn open(&self, token: &str) -> Option<(TenantId, OfferId)> {
        let (named, code) = token.rsplit_once('.')?;
        let (tenant, offer) = named.split_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        if code.len() != MAC_BYTES {
            return None;
        }
        // In a time that does not tell how much of it was right.
        let expected = keyed(&self.0, named.as_bytes()).ok()?;
        expected.verify_truncated_left(&code).ok()?;
        Some((TenantId::parse(tenant).ok()?, OfferId::parse(offer).ok()?))
    }

    /// The name under which a viewer of a tenant is counted: not theirs, and the same every time.
    ///
    /// # Errors
    /// As [`OfferKey::derive`].
    pub fn viewer(&self, tenant: &TenantId, who: &str) -> anyhow::Result<String> {
        let code = self.code(&format!("{tenant}/viewer/{who}"))?;
        Ok(URL_SAFE_NO_PAD.encode(code))
    }

    /// A number that looks drawn and is the same every time, for what a share is decided by.
    ///
    /// # Errors
    /// As [`OfferKey::derive`].
    pub fn draw(&self, of: &str) -> anyhow::Result<u64> {
        let code = self.code(&format!("draw/{of}"))?;
        let bytes = code.iter().take(8);
        Ok(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn code(&self, text: &str) -> anyhow::Result<Vec<u8>> {
        let code = keyed(&self.0, text.as_bytes())?.finalize().into_bytes();
        Ok(code.iter().take(MAC_BYTES).copied().collect())
    }
}

fn keyed(key: &[u8], message: &[u8]) -> anyhow::Result<Hmac<Sha256>> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).map_err(|error| anyhow!("making an HMAC: {error}"))?;
    mac.update(message);
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_its_offer_and_a_forged_one_of_nothing() {
        let key = OfferKey::derive("0123456789abcdef0123456789abcdef", "ads").unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        let offer = OfferId::parse("o-1").unwrap();
        let token = key.seal(&tenant, &offer).unwrap();
        assert_eq!(key.open(&token), Some((tenant.clone(), offer.clone())));
        let other = OfferKey::derive("0123456789abcdef0123456789abcdef", "bidding").unwrap();
        assert_eq!(other.open(&token), None);
        for forged in [
            token.replace("o-1", "o-2"),
            token.replace("demo", "other"),
            token[..token.len() - 1].to_owned(),
            "demo.o-1.".to_owned(),
            "demo.o-1".to_owned(),
            String::new(),
        ] {
            assert_eq!(key.open(&forged), None, "{forged}");
        }
        assert_ne!(
            key.viewer(&tenant, "li").unwrap(),
            key.viewer(&tenant, "ma").unwrap()
        );
        assert_ne!(key.draw("a").unwrap(), key.draw("b").unwrap());
    }
}
