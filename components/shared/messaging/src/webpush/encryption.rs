//! Encryption for a browser or an app (RFC 8291): one key agreement a message, one record.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hkdf::Hkdf;
use kernel::Refusal;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::{PublicKey, SecretKey};
use sha2::Sha256;

use super::content::{self, HEADER_BYTES, Header, RECORD_OVERHEAD_BYTES, SALT_BYTES};
use crate::invalid;

/// The size of the one record; push services take this much.
pub const RECORD_BYTES: u32 = 4_096;
/// The bytes of a public key, uncompressed.
pub const PUBLIC_KEY_BYTES: usize = 65;
/// The bytes of a subscription's authentication secret.
pub const AUTH_BYTES: usize = 16;
/// The longest message, in bytes: what a body of 4096 has room for.
pub const PLAINTEXT_BYTES_MAX: usize =
    RECORD_BYTES as usize - HEADER_BYTES - PUBLIC_KEY_BYTES - RECORD_OVERHEAD_BYTES;

/// base64url as it is written, without padding; what is read may have it.
pub(crate) const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whom a message is encrypted for: the keys of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    public: PublicKey,
    auth: [u8; AUTH_BYTES],
}

impl Receiver {
    /// The keys as a browser gives them, `p256dh` and `auth`, in base64url.
    ///
    /// # Errors
    /// When they are no point of the curve P-256, or not 16 bytes.
    pub fn parse(p256dh: &str, auth: &str) -> Result<Self, Refusal> {
        let point = BASE64URL.decode(p256dh).map_err(|_| no_keys())?;
        let auth = BASE64URL.decode(auth).map_err(|_| no_keys())?;
        if point.len() != PUBLIC_KEY_BYTES {
            return Err(no_keys());
        }
        Ok(Self {
            public: PublicKey::from_sec1_bytes(&point).map_err(|_| no_keys())?,
            auth: auth.try_into().map_err(|_| no_keys())?,
        })
    }
}

/// What must be random, and another one for each message.
#[derive(Clone)]
pub struct Once {
    /// The sender's private key for this message: 32 random bytes.
    pub ephemeral: [u8; 32],
    /// The salt.
    pub salt: [u8; SALT_BYTES],
}

/// The body of a push message.
///
/// # Errors
/// When the message is longer than [`PLAINTEXT_BYTES_MAX`], or the random bytes are no private key, which happens once
/// in 2^32 times: draw again.
pub fn encrypt(plaintext: &[u8], receiver: &Receiver, once: &Once) -> Result<Vec<u8>, Refusal> {
    if plaintext.len() > PLAINTEXT_BYTES_MAX {
        return Err(too_long(plaintext.len()));
    }
    let ephemeral = private_key(&once.ephemeral)?;
    let sender = point(&ephemeral.public_key());
    let ends = Ends {
        receiver: &point(&receiver.public),
        sender: &sender,
    };
    let keying = keying(&ephemeral, &receiver.public, &receiver.auth, &ends)?;
    let header = Header {
        salt: once.salt,
        record_bytes: RECORD_BYTES,
        key_id: &sender,
    };
    content::encode(plaintext, &keying, &header)
}

/// The message in a body: what a browser does, for those who receive and for tests.
///
/// # Errors
/// When the body was changed, or is for another key.
pub fn decrypt(
    body: &[u8],
    private: &[u8; 32],
    auth: &[u8; AUTH_BYTES],
) -> Result<Vec<u8>, Refusal> {
    let (header, records) = Header::read(body)?;
    let private = private_key(private)?;
    let sender = PublicKey::from_sec1_bytes(header.key_id).map_err(|_| no_keys())?;
    let ends = Ends {
        receiver: &point(&private.public_key()),
        sender: header.key_id,
    };
    let keying = keying(&private, &sender, auth, &ends)?;
    content::decode(records, &keying, &header)
}

struct Ends<'a> {
    receiver: &'a [u8],
    sender: &'a [u8],
}

fn keying(
    own: &SecretKey,
    other: &PublicKey,
    auth: &[u8],
    ends: &Ends<'_>,
) -> Result<[u8; 32], Refusal> {
    let shared = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), other.as_affine());
    let info = [b"WebPush: info\0", ends.receiver, ends.sender].concat();
    let mut keying = [0; 32];
    Hkdf::<Sha256>::new(Some(auth), shared.raw_secret_bytes())
        .expand(&info, &mut keying)
        .map_err(|_| no_keys())?;
    Ok(keying)
}

fn point(key: &PublicKey) -> Vec<u8> {
    key.to_encoded_point(false).as_bytes().to_vec()
}

fn private_key(bytes: &[u8; 32]) -> Result<SecretKey, Refusal> {
    SecretKey::from_slice(bytes).map_err(|_| no_keys())
}

fn no_keys() -> Refusal {
    invalid(
        "subscription_keys_invalid",
        "The keys are no pair for Web Push: p256dh is a point of P-256 (65 bytes), auth has 16 bytes, both in base64url. \
         Subscribe again.",
        "密钥不适用于 Web Push：p256dh 应为 P-256 曲线上的点（65 字节），auth 应为 16 字节，均用 base64url 编码。请重新订阅。",
    )
}

fn too_long(bytes: usize) -> Refusal {
    invalid(
        "plaintext_too_long",
        format!(
            "The message has {bytes} bytes; a push carries at most {PLAINTEXT_BYTES_MAX}. Shorten it."
        ),
        format!("消息有 {bytes} 字节，推送最多携带 {PLAINTEXT_BYTES_MAX} 字节，请缩短。"),
    )
}
