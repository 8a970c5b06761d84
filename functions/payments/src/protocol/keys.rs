//! RSA keys of both sides, in PEM. They sign and verify (PKCS #1 v1.5 with SHA-256), and encrypt for the
//! other side (OAEP).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    LineEnding,
};
use rsa::signature::{SignatureEncoding as _, Signer as _, Verifier as _};
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// The size of the keys that are made here.
const KEY_BITS: usize = 2_048;

/// A key that signs.
pub struct PrivateKey(SigningKey<Sha256>);

/// A key that verifies.
#[derive(Clone)]
pub struct PublicKey(VerifyingKey<Sha256>, RsaPublicKey);

impl PrivateKey {
    /// The key in a PEM of PKCS #8 or PKCS #1.
    ///
    /// # Errors
    /// When it is no private key.
    pub fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let key =
            RsaPrivateKey::from_pkcs8_pem(pem).or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem));
        Ok(Self(SigningKey::new(
            key.map_err(|error| said("reading a private key", error))?,
        )))
    }

    /// The signature in base64.
    ///
    /// # Errors
    /// When the key is too small to sign.
    pub fn sign(&self, message: &[u8]) -> anyhow::Result<String> {
        let signature = self
            .0
            .try_sign(message)
            .map_err(|error| said("signing", error))?;
        Ok(STANDARD.encode(signature.to_bytes()))
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::of(RsaPublicKey::from(self.0.as_ref()))
    }
}

impl PublicKey {
    /// The key in a PEM of SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When it is no public key.
    pub fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let key = RsaPublicKey::from_public_key_pem(pem);
        Ok(Self::of(
            key.map_err(|error| said("reading a public key", error))?,
        ))
    }

    fn of(key: RsaPublicKey) -> Self {
        Self(VerifyingKey::new(key.clone()), key)
    }

    /// Whether this key's private half signed the message; `signature` is base64.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else {
            return false;
        };
        Signature::try_from(bytes.as_slice())
            .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }

    /// What only the owner of the private half reads (RSA-OAEP with SHA-1, as WeChat Pay asks for), in base64.
    ///
    /// # Errors
    /// When the message is too long for the key, or there is no randomness.
    pub fn encrypt(&self, message: &[u8]) -> anyhow::Result<String> {
        let sealed = self
            .1
            .encrypt(&mut Randomness, Oaep::new::<Sha1>(), message);
        Ok(STANDARD.encode(sealed.map_err(|error| said("encrypting", error))?))
    }

    /// The key in a PEM of SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn pem(&self) -> anyhow::Result<String> {
        let pem = self.1.to_public_key_pem(LineEnding::LF);
        pem.map_err(|error| said("writing a public key", error))
    }

    /// A serial number for it: 40 hexadecimal digits, as a certificate has.
    ///
    /// # Errors
    /// When the key cannot be written.
    pub fn serial(&self) -> anyhow::Result<String> {
        let der = self
            .1
            .to_public_key_der()
            .map_err(|error| said("writing a public key", error))?;
        let digest = Sha256::digest(der.as_bytes());
        Ok(digest
            .iter()
            .take(20)
            .map(|byte| format!("{byte:02X}"))
            .collect())
    }
}

/// A new private key in PEM.
///
/// # Errors
/// When there is no randomness.
pub fn generate() -> anyhow::Result<String> {
    let key = RsaPrivateKey::new(&mut Randomness, KEY_BITS)
        .map_err(|error| said("making a key", error))?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| said("writing a key", error))?;
    Ok(pem.as_str().to_owned())
}

/// What the libraries say, which have no errors of the standard's shape here.
fn said(doing: &str, error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{doing}: {error}")
}

/// Random text of that many letters and digits.
///
/// # Errors
/// When there is no randomness.
pub fn random_text(characters: usize) -> anyhow::Result<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = vec![0; characters];
    fill(&mut bytes)?;
    let letter = |byte: &u8| {
        ALPHABET
            .get(usize::from(byte % 32))
            .map(|byte| char::from(*byte))
    };
    Ok(bytes.iter().filter_map(letter).collect())
}

fn fill(bytes: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(bytes).map_err(|error| anyhow::anyhow!("drawing randomness: {error}"))
}

/// The host's randomness in the shape that key generation asks for.
struct Randomness;

impl rsa::rand_core::CryptoRng for Randomness {}

impl rsa::rand_core::RngCore for Randomness {
    fn next_u32(&mut self) -> u32 {
        rsa::rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rsa::rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        // The trait cannot say no here; `try_fill_bytes` can, and a key of zeros is never a prime.
        if fill(bytes).is_err() {
            bytes.fill(0);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        getrandom::fill(bytes).map_err(|_| rsa::rand_core::Error::from(core::num::NonZeroU32::MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_ones_own_verifies_what_it_signed_and_nothing_else() {
        let pem = generate().unwrap();
        let key = PrivateKey::from_pem(&pem).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"massage", &signature));
        for wrong in ["", "AAAA", "no base64"] {
            assert!(!key.public().verifies(b"message", wrong), "{wrong:?}");
        }
        assert_eq!(key.public().serial().unwrap().len(), 40);
        let sealed = STANDARD
            .decode(key.public().encrypt("张三".as_bytes()).unwrap())
            .unwrap();
        let own = RsaPrivateKey::from_pkcs8_pem(&pem).unwrap();
        let opened = own.decrypt(Oaep::new::<Sha1>(), &sealed).unwrap();
        assert_eq!(opened, "张三".as_bytes());
        assert_eq!(random_text(32).unwrap().len(), 32);
    }
}
