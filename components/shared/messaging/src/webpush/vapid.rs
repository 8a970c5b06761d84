//! Who sends (RFC 8292): a token signed with ES256 for the origin of the push service, with somebody to write to.

use base64::Engine as _;
use kernel::{Refusal, Timestamp};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};

use super::encryption::BASE64URL;
use crate::endpoint::{Endpoint, host_is_public};
use crate::invalid;

/// How long a token holds at most, in milliseconds.
pub const TOKEN_MS_MAX: i64 = 24 * 3_600_000;

const JWT_HEADER: &str = r#"{"typ":"JWT","alg":"ES256"}"#;

/// The sender of pushes: a key pair, and a contact.
#[derive(Clone)]
pub struct Sender {
    key: SigningKey,
    public: String,
    contact: String,
}

impl Sender {
    /// A sender by its private key (32 bytes in base64url) and a contact that somebody reads: `mailto:` or `https:`.
    ///
    /// # Errors
    /// When the key is none, or the contact is one that cannot be real.
    pub fn new(private: &str, contact: &str) -> Result<Self, Refusal> {
        let bytes = BASE64URL.decode(private).map_err(|_| no_key())?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| no_key())?;
        let key = SigningKey::from_slice(&bytes).map_err(|_| no_key())?;
        if !is_real(contact) {
            return Err(invalid(
                "contact_invalid",
                "Push services want somebody to write to: mailto:name@host or https://host, with a host that exists.",
                "推送服务要求提供真实的联系方式：mailto:名称@主机 或 https://主机。",
            ));
        }
        let point = key.verifying_key().to_encoded_point(false);
        Ok(Self {
            public: BASE64URL.encode(point.as_bytes()),
            key,
            contact: contact.to_owned(),
        })
    }

    /// The public key in base64url: what browsers subscribe with as `applicationServerKey`.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The header `Authorization` for pushes to the origin of an endpoint. It can be used again until it ends.
    ///
    /// # Errors
    /// When it would end now or later than [`TOKEN_MS_MAX`] from now.
    pub fn authorization(
        &self,
        endpoint: &Endpoint,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        if !(1..=TOKEN_MS_MAX).contains(&expires_at.millis_since(now)) {
            return Err(invalid(
                "token_too_long",
                "A token of a push sender ends within 24 hours.",
                "推送令牌的有效期不超过 24 小时。",
            ));
        }
        let claims = serde_json::json!({
            "aud": endpoint.origin(),
            "exp": expires_at.millis().div_euclid(1_000),
            "sub": self.contact,
        });
        let signed = format!(
            "{}.{}",
            BASE64URL.encode(JWT_HEADER),
            BASE64URL.encode(claims.to_string())
        );
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = BASE64URL.encode(signature.to_bytes());
        Ok(format!("vapid t={signed}.{signature},k={}", self.public))
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Claims {
    /// The origin of the push service.
    pub aud: String,
    /// Until when it holds, in seconds since 1970.
    pub exp: i64,
    /// The contact.
    pub sub: Option<String>,
}

/// What the header `Authorization` of a push says: what a push service does, for those who receive and for tests.
///
/// # Errors
/// When it is not signed by the key it names, has ended, or holds for more than 24 hours.
pub fn verify(header: &str, now: Timestamp) -> Result<Claims, Refusal> {
    read(header, now).ok_or_else(|| {
        invalid(
            "token_invalid",
            "The token of the push sender is not valid. Sign a new one.",
            "推送令牌无效，请重新签发。",
        )
    })
}

fn read(header: &str, now: Timestamp) -> Option<Claims> {
    let (mut token, mut key) = (None, None);
    for part in header.strip_prefix("vapid ")?.split(',') {
        match part.trim().split_once('=')? {
            ("t", value) => token = Some(value),
            ("k", value) => key = Some(value),
            _ => {}
        }
    }
    let (signed, signature) = token?.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head: serde_json::Value = serde_json::from_slice(&BASE64URL.decode(head).ok()?).ok()?;
    if head.get("alg")?.as_str()? != "ES256" {
        return None;
    }
    let key = VerifyingKey::from_sec1_bytes(&BASE64URL.decode(key?).ok()?).ok()?;
    let signature = Signature::from_slice(&BASE64URL.decode(signature).ok()?).ok()?;
    key.verify(signed.as_bytes(), &signature).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64URL.decode(claims).ok()?).ok()?;
    let left = claims.exp.checked_mul(1_000)?.checked_sub(now.millis())?;
    (1..=TOKEN_MS_MAX).contains(&left).then_some(claims)
}

/// Push services write to it when something goes wrong, and some refuse the hosts of examples.
fn is_real(contact: &str) -> bool {
    let host = match (
        contact.strip_prefix("mailto:"),
        contact.strip_prefix("https://"),
    ) {
        (Some(address), _) => match address.split_once('@') {
            Some((name, host)) if !name.is_empty() => host,
            _ => return false,
        },
        (_, Some(rest)) => rest.split(['/', '?', ':']).next().unwrap_or_default(),
        _ => return false,
    };
    let placeholder = ["example.com", "example.org", "example.net"]
        .iter()
        .any(|name| {
            host.strip_suffix(name)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        });
    let written = contact
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    written
        && contact.len() <= 256
        && !placeholder
        && !host.starts_with('.')
        && !host.ends_with('.')
        && host_is_public(host)
        && !host.contains('@')
}

fn no_key() -> Refusal {
    invalid(
        "sender_key_invalid",
        "The private key of the push sender is 32 bytes in base64url, a number of the curve P-256.",
        "推送私钥应为 P-256 曲线的 32 字节数，用 base64url 编码。",
    )
}
