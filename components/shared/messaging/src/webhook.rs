//! Webhooks by Standard Webhooks 1.0: signed with a shared secret, tried again for three days.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use kernel::{Refusal, Timestamp};
use sha2::Sha256;

use crate::{invalid, retry_after};

/// What a secret starts with.
pub const SECRET_PREFIX: &str = "whsec_";
/// The bytes of a secret.
pub const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How far the times of sender and receiver may lie apart, in milliseconds.
pub const TOLERANCE_MS: i64 = 5 * 60_000;
/// When a webhook is tried: milliseconds after the try before.
pub const WAITS_MS: [i64; 10] = [
    0,
    5_000,
    5 * 60_000,
    30 * 60_000,
    2 * 3_600_000,
    5 * 3_600_000,
    10 * 3_600_000,
    14 * 3_600_000,
    20 * 3_600_000,
    24 * 3_600_000,
];

const ID_CHARACTERS_MAX: usize = 256;
/// A wait grows by up to a tenth, so that those who failed together do not come back together.
const JITTER_DIVISOR: i64 = 10;

/// A shared secret. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl Secret {
    /// A secret as it is handed over: `whsec_` and base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bytes = text
            .strip_prefix(SECRET_PREFIX)
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .unwrap_or_default();
        Self::from_bytes(bytes)
    }

    /// A secret of random bytes.
    ///
    /// # Errors
    /// When they are fewer than 24 or more than 64.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Refusal> {
        if !SECRET_BYTES.contains(&bytes.len()) {
            return Err(invalid(
                "webhook_secret_invalid",
                "A secret of a webhook is whsec_ and the base64 of 24 to 64 bytes.",
                "Webhook 密钥为 whsec_ 加上 24 到 64 字节的 base64。",
            ));
        }
        Ok(Self(bytes))
    }

    /// The secret as it is handed over, once, to the receiver.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn keyed(&self, message: &Signed<'_>) -> Result<Hmac<Sha256>, Refusal> {
        let mut keyed = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| not_signed())?;
        keyed.update(message.id.as_bytes());
        keyed.update(b".");
        keyed.update(message.timestamp_seconds.to_string().as_bytes());
        keyed.update(b".");
        keyed.update(message.body);
        Ok(keyed)
    }
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The message, the same on every try; without a full stop.
    pub id: &'a str,
    /// This try, in seconds since 1970.
    pub timestamp_seconds: i64,
    /// The body as it is sent.
    pub body: &'a [u8],
}

/// The headers of a webhook, their names in lower case. Each secret signs: while secrets are rotated, the new one and
/// the one before.
///
/// # Errors
/// When the id is none, or no secret signs.
pub fn headers(
    message: &Signed<'_>,
    secrets: &[Secret],
) -> Result<[(&'static str, String); 3], Refusal> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    let length = message.id.len();
    if length == 0 || length > ID_CHARACTERS_MAX || !message.id.bytes().all(allowed) {
        return Err(invalid(
            "webhook_id_invalid",
            "The id of a webhook has 1 to 256 visible characters without '.'.",
            "Webhook 的编号为 1 到 256 个可见字符，不含“.”。",
        ));
    }
    if secrets.is_empty() {
        return Err(not_signed());
    }
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let digest = secret.keyed(message)?.finalize().into_bytes();
        signatures.push(format!("v1,{}", STANDARD.encode(digest)));
    }
    Ok([
        ("webhook-id", message.id.to_owned()),
        ("webhook-timestamp", message.timestamp_seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ])
}

/// Whether one of the signatures of a header is by one of the secrets, and the time is ours. Compared in constant
/// time; signatures of other versions are passed over.
///
/// # Errors
/// When none is, or the webhook is older or newer than [`TOLERANCE_MS`].
pub fn verify(
    message: &Signed<'_>,
    signatures: &str,
    secrets: &[Secret],
    now: Timestamp,
) -> Result<(), Refusal> {
    let sent = message.timestamp_seconds.saturating_mul(1_000);
    if now.millis().abs_diff(sent) > TOLERANCE_MS.unsigned_abs() {
        return Err(invalid(
            "webhook_too_old",
            "The webhook was signed more than 5 minutes ago, or the clocks differ. Have it sent again.",
            "该 Webhook 的签名时间相差超过 5 分钟，请重新发送。",
        ));
    }
    for signature in signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
    {
        let Ok(digest) = STANDARD.decode(signature) else {
            continue;
        };
        for secret in secrets {
            if secret.keyed(message)?.verify_slice(&digest).is_ok() {
                return Ok(());
            }
        }
    }
    Err(not_signed())
}

/// How long to wait before the next try after that many, in milliseconds, with jitter by a random number; nothing when
/// all tries are used up.
#[must_use]
pub fn wait_ms(tries: u32, random: u64) -> Option<i64> {
    let wait = *WAITS_MS.get(usize::try_from(tries).ok()?)?;
    let jitter = i128::from(wait / JITTER_DIVISOR) * i128::from(random) / i128::from(u64::MAX);
    Some(wait.saturating_add(i64::try_from(jitter).unwrap_or_default()))
}

/// What the answer of a receiver means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It has the message.
    Delivered,
    /// It wants no more: the webhook is disabled.
    Disabled,
    /// Not now, and not before the moment it named. Redirects are not followed, and mean this as well.
    Failed(Option<Timestamp>),
}

impl Answer {
    /// The meaning of a status and the header `Retry-After`; no answer in time is [`Answer::Failed`].
    #[must_use]
    pub fn of(status: u16, retry_after: Option<&str>, now: Timestamp) -> Self {
        match status {
            200..=299 => Self::Delivered,
            410 => Self::Disabled,
            _ => Self::Failed(retry_after.and_then(|text| retry_after::moment(text, now))),
        }
    }
}

fn not_signed() -> Refusal {
    invalid(
        "webhook_not_signed",
        "No signature of the webhook is by a known secret. Check the secret.",
        "Webhook 的签名与已知密钥不符，请检查密钥。",
    )
}
