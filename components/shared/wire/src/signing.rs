//! Keys and signatures of passes and snapshots: Ed25519 (RFC 8032), and how both are written.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A public key that passes and snapshots are verified with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PassKey {
    /// The key's id: the first 8 hexadecimal digits of the SHA-256 of the key.
    pub id: String,
    /// The key's 32 bytes in base64url.
    pub public: String,
}

impl PassKey {
    /// The public key that belongs to a seed.
    #[must_use]
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        let public = SigningKey::from_bytes(seed).verifying_key().to_bytes();
        Self {
            id: key_id(&public),
            public: base64(&public),
        }
    }

    /// The key's bytes, when its id is really its own.
    fn verifying(&self) -> Option<VerifyingKey> {
        let bytes: [u8; 32] = from_base64(&self.public)?.try_into().ok()?;
        if key_id(&bytes) != self.id {
            return None;
        }
        VerifyingKey::from_bytes(&bytes).ok()
    }
}

/// The seed that the deployment's secret makes.
#[must_use]
pub fn seed_of(secret: &str) -> [u8; 32] {
    Sha256::digest(format!("pass/{secret}")).into()
}

/// A signature in base64url.
pub(crate) fn signature(seed: &[u8; 32], message: &[u8]) -> String {
    base64(&SigningKey::from_bytes(seed).sign(message).to_bytes())
}

/// What can be wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// No key of that id.
    KeyUnknown,
    /// The key of that id did not sign this.
    Forged,
}

/// Whether the key of that id, among these, signed the message. A key is only ever tried under its own id.
pub(crate) fn check(
    keys: &[PassKey],
    id: &str,
    message: &[u8],
    signature: &str,
) -> Result<(), SignatureError> {
    let key = keys.iter().find(|key| key.id == id);
    let key = key.and_then(PassKey::verifying);
    let key = key.ok_or(SignatureError::KeyUnknown)?;
    let bytes = from_base64(signature).and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    let signature = Signature::from_bytes(&bytes.ok_or(SignatureError::Forged)?);
    // Strict: small-order keys and malleable signatures are refused.
    key.verify_strict(message, &signature)
        .map_err(|_| SignatureError::Forged)
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_id(public: &[u8; 32]) -> String {
    let digest = Sha256::digest(public);
    hex(digest.get(..4).unwrap_or_default())
}
