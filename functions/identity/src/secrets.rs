//! Passwords and secrets: hashing, comparing and making them. Nothing here is stored in clear or logged.
//!
//! People's passwords are hashed with Argon2id at OWASP's minimum. A device's secret is as long as a hash and made
//! here, so SHA-256 is enough to keep it. It is derived from the deployment's own secret and the credential's id, not
//! drawn: so the answer to a repeated request can show it again, though it is stored nowhere.

use anyhow::anyhow;
use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use kernel::{ActorId, DeviceId, TenantId};
use sha2::{Digest, Sha256};

use crate::domain::Code;

/// Argon2id's memory, in KiB (OWASP's minimum of 19 MiB).
const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id's passes.
const ARGON2_PASSES: u32 = 2;
/// Argon2id's lanes.
const ARGON2_LANES: u32 = 1;
/// The bytes of a salt.
const SALT_BYTES: usize = 16;
/// What a key of this module is derived for; another purpose takes another label.
const KEY_LABEL: &[u8] = b"linli identity credentials 1";

/// Makes the secrets of devices, and fingerprints that only this deployment can make.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// The key that belongs to the deployment's token secret.
    ///
    /// # Errors
    /// Never in practice: HMAC takes a key of any length.
    pub fn derive(token_secret: &str) -> anyhow::Result<Self> {
        mac(token_secret.as_bytes(), &[KEY_LABEL]).map(Self)
    }

    /// The secret of that credential: 32 bytes as base64url text.
    ///
    /// # Errors
    /// As [`Key::derive`].
    pub fn device_secret(
        &self,
        tenant: &TenantId,
        device: &DeviceId,
        credential: &str,
    ) -> anyhow::Result<String> {
        let parts = [
            tenant.as_str().as_bytes(),
            device.as_str().as_bytes(),
            credential.as_bytes(),
        ];
        Ok(URL_SAFE_NO_PAD.encode(mac(&self.0, &parts)?))
    }

    /// The secret of that key of an application, as [`Key::device_secret`].
    ///
    /// # Errors
    /// As [`Key::derive`].
    pub fn application_secret(
        &self,
        tenant: &TenantId,
        application: &ActorId,
        key: &str,
    ) -> anyhow::Result<String> {
        let parts = [
            b"application".as_slice(),
            tenant.as_str().as_bytes(),
            application.as_str().as_bytes(),
            key.as_bytes(),
        ];
        Ok(URL_SAFE_NO_PAD.encode(mac(&self.0, &parts)?))
    }

    /// What a one-time code is kept as: six digits would be guessed from a hash without a key.
    ///
    /// # Errors
    /// As [`Key::derive`].
    pub fn code_hash(&self, id: &str, code: &Code) -> anyhow::Result<String> {
        let parts = [b"code".as_slice(), id.as_bytes(), code.expose().as_bytes()];
        Ok(URL_SAFE_NO_PAD.encode(mac(&self.0, &parts)?))
    }

    /// A fingerprint of content that may hold a password: without the key nobody can try passwords against it.
    ///
    /// # Errors
    /// As [`Key::derive`].
    pub fn fingerprint(&self, content: &[u8]) -> anyhow::Result<[u8; 32]> {
        mac(&self.0, &[b"content", content])
    }
}

/// A new one-time code.
///
/// # Errors
/// When the machine has no randomness.
pub fn draw_code() -> anyhow::Result<Code> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("drawing a code: {error}"))?;
    Ok(Code::drawn(u32::from_be_bytes(bytes)))
}

/// A new secret of 32 random bytes, as base64url text.
///
/// # Errors
/// When the machine has no randomness.
pub fn draw_secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("drawing a secret: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> anyhow::Result<[u8; 32]> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).map_err(|error| anyhow!("making an HMAC: {error}"))?;
    for part in parts {
        mac.update(&u64::try_from(part.len())?.to_be_bytes());
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

/// The Argon2id hash of a password, as a PHC string with a salt of its own.
///
/// # Errors
/// When the machine has no randomness or no memory.
pub fn hash_password(password: &str) -> anyhow::Result<String> {
    let mut salt = [0_u8; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| anyhow!("making a salt: {error}"))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow!("writing a salt: {error}"))?;
    let hash = argon2()?.hash_password(password.as_bytes(), &salt);
    Ok(hash
        .map_err(|error| anyhow!("hashing a password: {error}"))?
        .to_string())
}

/// Whether the password is the one that was hashed.
///
/// # Errors
/// When the stored hash is no PHC string, or the machine has no memory.
pub fn is_password(hash: &str, password: &str) -> anyhow::Result<bool> {
    let hash =
        PasswordHash::new(hash).map_err(|error| anyhow!("reading a password's hash: {error}"))?;
    match argon2()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::Password) => Ok(false),
        Err(error) => Err(anyhow!("comparing a password: {error}")),
    }
}

/// Does the work of [`is_password`] for nothing, so that the time of an answer does not tell whether a name exists.
///
/// # Errors
/// When the machine has no memory.
pub fn spend(password: &str) -> anyhow::Result<()> {
    let mut output = [0_u8; 32];
    let spent = argon2()?.hash_password_into(password.as_bytes(), &[0; SALT_BYTES], &mut output);
    spent.map_err(|error| anyhow!("spending time: {error}"))
}

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None);
    let params = params.map_err(|error| anyhow!("Argon2's parameters: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a secret that is long and random by its making.
#[must_use]
pub fn hash_secret(secret: &str) -> String {
    Sha256::digest(secret)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether the secret is the one behind this hash of a credential, of either sort.
///
/// # Errors
/// As [`is_password`].
pub fn is_secret(hash: &str, secret: &str) -> anyhow::Result<bool> {
    if hash.starts_with('$') {
        return is_password(hash, secret);
    }
    Ok(is_same(hash, &hash_secret(secret)))
}

/// Compares two texts by their hashes: how long it takes says nothing about the texts.
#[must_use]
pub fn is_same(left: &str, right: &str) -> bool {
    Sha256::digest(left) == Sha256::digest(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_each_hash_has_its_own_salt() {
        let (first, second) = (
            hash_password("correct horse").unwrap(),
            hash_password("correct horse").unwrap(),
        );
        assert_ne!(first, second);
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            is_password(&first, "correct horse").unwrap()
                && is_secret(&second, "correct horse").unwrap()
        );
        assert!(!is_password(&first, "correct horsf").unwrap());
        assert!(is_password("nonsense", "x").is_err());
    }

    #[test]
    fn each_credential_has_a_secret_of_its_own_that_is_made_the_same_again() {
        let key = Key::derive("a deployment's secret of 32 bytes").unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        let secret = |device: &str, credential: &str| {
            key.device_secret(&tenant, &DeviceId::parse(device).unwrap(), credential)
                .unwrap()
        };
        assert_eq!(secret("g1", "c1"), secret("g1", "c1"));
        assert_ne!(secret("g1", "c1"), secret("g1", "c2"));
        assert_ne!(secret("g1", "1c1"), secret("g11", "c1"));
        assert_eq!(secret("g1", "c1").len(), 43);
        assert!(is_secret(&hash_secret(&secret("g1", "c1")), &secret("g1", "c1")).unwrap());
        assert!(!is_secret(&hash_secret(&secret("g1", "c1")), &secret("g1", "c2")).unwrap());
    }
}
