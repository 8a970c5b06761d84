//! The secret with which an applicant without an account comes back: `{tenant}.{application}.{mac}`.
//!
//! It is derived, not drawn: so it is stored nowhere, and the answer to a repeated request can show it again.

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use kernel::{MerchantApplicationId, TenantId};
use sha2::Sha256;

/// What the key is derived for; another purpose takes another label.
const LABEL: &[u8] = b"linli merchant application tokens 1";

/// Makes and checks applicants' tokens.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// The key that belongs to the deployment's token secret.
    ///
    /// # Errors
    /// Never in practice: HMAC takes a key of any length.
    pub fn derive(token_secret: &str) -> anyhow::Result<Self> {
        let mac = keyed(token_secret.as_bytes(), LABEL)?;
        Ok(Self(mac.finalize().into_bytes().into()))
    }

    /// The token of an application.
    ///
    /// # Errors
    /// As [`TokenKey::derive`].
    pub fn token(
        &self,
        tenant: &TenantId,
        application: &MerchantApplicationId,
    ) -> anyhow::Result<String> {
        let named = format!("{tenant}.{application}");
        let mac = keyed(&self.0, named.as_bytes())?.finalize().into_bytes();
        Ok(format!("{named}.{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// What the token is of; nothing for a text that this deployment did not make.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<(TenantId, MerchantApplicationId)> {
        let (named, mac) = token.rsplit_once('.')?;
        let (tenant, application) = named.split_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let expected = keyed(&self.0, named.as_bytes()).ok()?;
        // In a time that does not tell how much of it was right.
        expected.verify_slice(&mac).ok()?;
        Some((
            TenantId::parse(tenant).ok()?,
            MerchantApplicationId::parse(application).ok()?,
        ))
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
    fn only_what_this_deployment_made_is_a_token() {
        let key = TokenKey::derive("a deployment's secret of 32 bytes").unwrap();
        let (tenant, application) = (
            TenantId::parse("demo").unwrap(),
            MerchantApplicationId::parse("v1").unwrap(),
        );
        let token = key.token(&tenant, &application).unwrap();
        assert_eq!(key.read(&token), Some((tenant, application)));
        let other = TokenKey::derive("another deployment's secret of 32").unwrap();
        assert_eq!(other.read(&token), None);
        for wrong in [
            "",
            ".",
            "..",
            "demo.v1",
            &token.replace("demo", "dem0"),
            &token.replace("v1", "v2"),
        ] {
            assert_eq!(key.read(wrong), None, "{wrong:?}");
        }
    }
}
