//! What only this deployment can make: the tokens of offers, the seeds of rounds, the digests of viewers. All are
//! derived, none is stored.

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use kernel::{AuctionRoundId, OfferId, TenantId};
use sha2::Sha256;

/// What the key is derived for; another purpose takes another label.
const LABEL: &[u8] = b"linli bidding 1";
/// How much of a digest stands for a viewer, in bytes.
const VIEWER_BYTES: usize = 12;
/// How much of a MAC a token carries, in bytes: 128 bits cannot be guessed.
const MAC_BYTES: usize = 16;

/// Signs offers, seeds rounds, makes digests.
#[derive(Clone)]
pub struct Signer([u8; 32]);

impl Signer {
    /// The key that belongs to the deployment's token secret.
    ///
    /// # Errors
    /// Never in practice: HMAC takes a key of any length.
    pub fn derive(token_secret: &str) -> anyhow::Result<Self> {
        let mac = keyed(token_secret.as_bytes(), LABEL)?;
        Ok(Self(mac.finalize().into_bytes().into()))
    }

    /// The token of an offer: `{tenant}.{offer}.{mac}`; it fits into a path.
    ///
    /// # Errors
    /// As [`Signer::derive`].
    pub fn token(&self, tenant: &TenantId, offer: &OfferId) -> anyhow::Result<String> {
        let named = format!("{tenant}.{offer}");
        let mac = self.mac("offer", &named)?;
        let mac = URL_SAFE_NO_PAD.encode(mac.get(..MAC_BYTES).unwrap_or(&mac));
        Ok(format!("{named}.{mac}"))
    }

    /// What the token is of; nothing for a text that this deployment did not make.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<(TenantId, OfferId)> {
        let (named, mac) = token.rsplit_once('.')?;
        let (tenant, offer) = named.split_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        if mac.len() != MAC_BYTES {
            return None;
        }
        let expected = keyed(&self.0, format!("offer:{named}").as_bytes()).ok()?;
        // In a time that does not tell how much of it was right.
        expected.verify_truncated_left(&mac).ok()?;
        Some((TenantId::parse(tenant).ok()?, OfferId::parse(offer).ok()?))
    }

    /// What breaks the ties of a round; nobody who bids can know it.
    ///
    /// # Errors
    /// As [`Signer::derive`].
    pub fn seed(&self, round: &AuctionRoundId) -> anyhow::Result<Vec<u8>> {
        Ok(self.mac("round", round.as_str())?.to_vec())
    }

    /// What stands for a viewer on that day: another day's digest is another one, so that nobody can be followed.
    ///
    /// # Errors
    /// As [`Signer::derive`].
    pub fn viewer(&self, tenant: &TenantId, (day, viewer): (&str, &str)) -> anyhow::Result<String> {
        let mac = self.mac("viewer", &format!("{tenant}.{day}.{viewer}"))?;
        Ok(URL_SAFE_NO_PAD.encode(mac.get(..VIEWER_BYTES).unwrap_or(&mac)))
    }

    fn mac(&self, purpose: &str, message: &str) -> anyhow::Result<[u8; 32]> {
        let mac = keyed(&self.0, format!("{purpose}:{message}").as_bytes())?;
        Ok(mac.finalize().into_bytes().into())
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
    fn only_what_this_deployment_made_is_an_offer() {
        let signer = Signer::derive("a deployment's secret of 32 bytes").unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        let offer = OfferId::parse("o1").unwrap();
        let token = signer.token(&tenant, &offer).unwrap();
        assert_eq!(signer.read(&token), Some((tenant, offer)));
        let other = Signer::derive("another deployment's secret of 32").unwrap();
        assert_eq!(other.read(&token), None);
        let without = token.rsplit_once('.').unwrap().0;
        for wrong in [
            "",
            ".",
            "..",
            without,
            &format!("{without}."),
            &token.replace("o1", "o2"),
        ] {
            assert_eq!(signer.read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_viewer_is_another_one_the_next_day() {
        let signer = Signer::derive("a deployment's secret of 32 bytes").unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        let digest = |day| signer.viewer(&tenant, (day, "li")).unwrap();
        assert_eq!(digest("2026-10-10"), digest("2026-10-10"));
        assert_ne!(digest("2026-10-10"), digest("2026-10-11"));
    }
}
