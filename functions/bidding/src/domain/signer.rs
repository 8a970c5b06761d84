//! What only this deployment can make: the tokens of offers, the seeds of rounds, the digests of viewers. All are
//! derived, none is stored.

use advertising::OfferKey;
use kernel::{AuctionRoundId, OfferId, TenantId};

/// What the key is derived for; another purpose takes another label.
const LABEL: &str = "linli bidding 2";

/// Signs offers, seeds rounds, makes digests.
#[derive(Clone)]
pub struct Signer(OfferKey);

impl Signer {
    /// The key that belongs to the deployment's token secret.
    ///
    /// # Errors
    /// Never in practice: HMAC takes a key of any length.
    pub fn derive(token_secret: &str) -> anyhow::Result<Self> {
        Ok(Self(OfferKey::derive(token_secret, LABEL)?))
    }

    /// The token of an offer: `{tenant}.{offer}.{mac}`; it fits into a path.
    ///
    /// # Errors
    /// As [`Signer::derive`].
    pub fn token(&self, tenant: &TenantId, offer: &OfferId) -> anyhow::Result<String> {
        self.0.sign(format!("{tenant}.{offer}"))
    }

    /// What the token is of; nothing for a text that this deployment did not make.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<(TenantId, OfferId)> {
        let (tenant, offer) = self.0.signed(token)?.split_once('.')?;
        Some((TenantId::parse(tenant).ok()?, OfferId::parse(offer).ok()?))
    }

    /// What breaks the ties of a round; nobody who bids can know it.
    ///
    /// # Errors
    /// As [`Signer::derive`].
    pub fn seed(&self, round: &AuctionRoundId) -> anyhow::Result<Vec<u8>> {
        self.0.code(&format!("round/{round}"))
    }

    /// What stands for a viewer on that day: another day's digest is another one, so that nobody can be followed.
    ///
    /// # Errors
    /// As [`Signer::derive`].
    pub fn viewer(&self, tenant: &TenantId, (day, viewer): (&str, &str)) -> anyhow::Result<String> {
        self.0.viewer(tenant, &format!("{day}/{viewer}"))
    }
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
