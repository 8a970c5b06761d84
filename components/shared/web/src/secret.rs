//! Secrets: text that is never printed and never short.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A secret of the deployment. Made at the edge from a Spin variable; an empty or short one is a configuration
/// error and not a key that anyone could guess.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The fewest bytes of a secret: as many as the hash of HS256 has (RFC 7518, section 3.2).
    pub const BYTES_MIN: usize = 32;

    /// The secret of that name.
    ///
    /// # Errors
    /// When it is shorter than [`Secret::BYTES_MIN`].
    pub fn new(name: &str, text: String) -> anyhow::Result<Self> {
        anyhow::ensure!(
            text.len() >= Self::BYTES_MIN,
            "the variable {name} has {} bytes; a secret needs at least {}",
            text.len(),
            Self::BYTES_MIN
        );
        Ok(Self(text))
    }

    /// Whether `presented` is this secret, in a time that does not tell how much of it was right.
    #[must_use]
    pub fn is(&self, presented: &str) -> bool {
        let expected = self.sign(self.0.as_bytes());
        match expected {
            Some(mac) => self.signed(presented.as_bytes(), &mac),
            None => false,
        }
    }

    /// The HMAC-SHA-256 of the message under this secret.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(self.mac(message)?.finalize().into_bytes().to_vec())
    }

    /// Whether `tag` is the HMAC-SHA-256 of the message, compared in constant time.
    pub(crate) fn signed(&self, message: &[u8], tag: &[u8]) -> bool {
        self.mac(message)
            .is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }

    fn mac(&self, message: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC takes a key of any length, so this is never `None`; a guest must not panic to say so.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        mac.update(message);
        Some(mac)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_a_configuration_error() {
        let error = Secret::new("token_secret", "hunter2".into())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("token_secret") && !error.contains("hunter2"),
            "{error}"
        );
        assert!(Secret::new("token_secret", String::new()).is_err());
    }

    #[test]
    fn a_secret_is_itself_and_no_other_and_is_never_printed() {
        let secret = Secret::new("internal_token", "s".repeat(32)).unwrap();
        assert!(secret.is(&"s".repeat(32)));
        for wrong in ["", "s", &"s".repeat(31), &"s".repeat(33), &"t".repeat(32)] {
            assert!(!secret.is(wrong), "{wrong:?}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
