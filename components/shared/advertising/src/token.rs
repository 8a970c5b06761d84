//! The signed single-use offer, `{tenant}.{offer}.{line}.{creative}.{viewer}.{when}.{mac}`, and the names under which
//! viewers are counted. All that a view has to know stands in it, so that nothing need be stored until it is told.

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use kernel::{AdLineId, CreativeId, OfferId, TenantId, Timestamp};
use sha2::Sha256;

/// How many bytes of the code are kept: as many as nobody guesses.
const MAC_BYTES: usize = 16;
/// What stands before the moment of an offer that was made for the advertiser's or the platform's own people.
const INTERNAL: char = 'i';

/// What an offer says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// Its id: it is counted once.
    pub offer: OfferId,
    /// Of which line.
    pub line: AdLineId,
    /// What is shown.
    pub creative: CreativeId,
    /// To whom, by the name under which they are counted.
    pub viewer: String,
    /// When it was made.
    pub at: Timestamp,
    /// Whether for the advertiser's or the platform's own people.
    pub is_internal: bool,
}

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
    pub fn seal(&self, tenant: &TenantId, promise: &Promise) -> anyhow::Result<String> {
        let Promise {
            offer,
            line,
            creative,
            viewer,
            at,
            is_internal,
        } = promise;
        let whose = if *is_internal {
            INTERNAL.to_string()
        } else {
            String::new()
        };
        self.sign(format!(
            "{tenant}.{offer}.{line}.{creative}.{viewer}.{whose}{}",
            at.millis()
        ))
    }

    /// A text of one's own with the code that only this deployment can have made; it fits into a path if the text does.
    ///
    /// # Errors
    /// As [`OfferKey::derive`].
    pub fn sign(&self, mut text: String) -> anyhow::Result<String> {
        let code = self.code(&text)?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(code, &mut text);
        Ok(text)
    }

    /// The text that was signed; nothing for one that this deployment did not sign.
    #[must_use]
    pub fn signed<'a>(&self, token: &'a str) -> Option<&'a str> {
        let (text, code) = token.rsplit_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        if code.len() != MAC_BYTES {
            return None;
        }
        // In a time that does not tell how much of it was right.
        let expected = keyed(&self.0, text.as_bytes()).ok()?;
        expected.verify_truncated_left(&code).ok()?;
        Some(text)
    }

    /// What the token promises; nothing for a text that this deployment did not make.
    #[must_use]
    pub fn open(&self, token: &str) -> Option<(TenantId, Promise)> {
        let mut parts = self.signed(token)?.split('.');
        let mut next = || parts.next();
        let tenant = TenantId::parse(next()?).ok()?;
        let (offer, line) = (
            OfferId::parse(next()?).ok()?,
            AdLineId::parse(next()?).ok()?,
        );
        let (creative, viewer) = (CreativeId::parse(next()?).ok()?, next()?.to_owned());
        let when = next()?;
        let millis = when.strip_prefix(INTERNAL);
        let promise = Promise {
            offer,
            line,
            creative,
            viewer,
            at: Timestamp::from_millis(millis.unwrap_or(when).parse().ok()?).ok()?,
            is_internal: millis.is_some(),
        };
        parts.next().is_none().then_some((tenant, promise))
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

    /// The code of a text, for what nobody else may foresee.
    ///
    /// # Errors
    /// As [`OfferKey::derive`].
    pub fn code(&self, text: &str) -> anyhow::Result<Vec<u8>> {
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

    fn promise() -> Promise {
        Promise {
            offer: OfferId::parse("o-1").unwrap(),
            line: AdLineId::parse("l-1").unwrap(),
            creative: CreativeId::parse("c-1").unwrap(),
            viewer: "v_1".to_owned(),
            at: Timestamp::from_millis(1_793_584_800_000).unwrap(),
            is_internal: false,
        }
    }

    #[test]
    fn a_token_is_of_its_offer_and_a_forged_one_of_nothing() {
        let key = OfferKey::derive("0123456789abcdef0123456789abcdef", "ads").unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        let token = key.seal(&tenant, &promise()).unwrap();
        assert_eq!(key.open(&token), Some((tenant.clone(), promise())));
        let own = Promise {
            is_internal: true,
            ..promise()
        };
        let internal = key.seal(&tenant, &own).unwrap();
        assert_eq!(key.open(&internal), Some((tenant.clone(), own)));
        let other = OfferKey::derive("0123456789abcdef0123456789abcdef", "bidding").unwrap();
        assert_eq!(other.open(&token), None);
        for forged in [
            token.replace("o-1", "o-2"),
            token.replace("l-1", "l-2"),
            token.replace("c-1", "c-2"),
            token.replace("v_1", "v_2"),
            token.replace("demo", "other"),
            token.replace(".17935848", ".17935849"),
            internal.replace(".i17", ".17"),
            token[..token.len() - 1].to_owned(),
            "demo.o-1.".to_owned(),
            "demo.o-1".to_owned(),
            String::new(),
        ] {
            assert_eq!(key.open(&forged), None, "{forged}");
        }
    }

    #[test]
    fn what_else_the_key_signs_is_no_offer() {
        let key = OfferKey::derive("0123456789abcdef0123456789abcdef", "ads").unwrap();
        for named in [
            "demo.o-1",
            "demo.o-1.l-1.c-1.v.1.1",
            "demo.o-1.l-1.c-1.v.x",
            "draw/o-1",
        ] {
            let code = URL_SAFE_NO_PAD.encode(key.code(named).unwrap());
            assert_eq!(key.open(&format!("{named}.{code}")), None, "{named}");
        }
    }

    #[test]
    fn viewers_and_draws_differ() {
        let key = OfferKey::derive("0123456789abcdef0123456789abcdef", "ads").unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        assert_ne!(
            key.viewer(&tenant, "li").unwrap(),
            key.viewer(&tenant, "ma").unwrap()
        );
        assert_ne!(key.draw("a").unwrap(), key.draw("b").unwrap());
    }
}
