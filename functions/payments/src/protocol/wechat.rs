//! WeChat Pay v3: how requests are signed, how notices and answers are verified, how their resources are encrypted.
//!
//! After the public description of the interface: the signed texts, header names and field names are its own.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm, Nonce};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys::{PrivateKey, PublicKey};

/// How far the time of a notice may lie from ours, in milliseconds.
pub const WINDOW_MS: i64 = 300_000;

/// The scheme of the `Authorization` header.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// China's clocks, which the interface writes its times by, in seconds before UTC.
const CHINA_S: i32 = 8 * 60 * 60;

/// A moment as the interface writes it: RFC 3339 to the second on China's clocks.
///
/// # Errors
/// Never in practice: every moment has a date.
pub fn written(at: Timestamp) -> anyhow::Result<String> {
    let zone = FixedOffset::east_opt(CHINA_S).context("no such offset")?;
    let moment = DateTime::from_timestamp_millis(at.millis()).context("writing a time")?;
    Ok(moment
        .with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::Secs, false))
}

/// The text of a request that is signed.
#[must_use]
pub fn request_message(
    method: &str,
    path: &str,
    (timestamp, nonce): (i64, &str),
    body: &str,
) -> String {
    format!("{method}\n{path}\n{timestamp}\n{nonce}\n{body}\n")
}

/// The text of a notice or of an answer that is signed.
#[must_use]
pub fn notice_message(timestamp: &str, nonce: &str, body: &str) -> String {
    format!("{timestamp}\n{nonce}\n{body}\n")
}

/// Who signs requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer<'a> {
    /// The merchant (商户号).
    pub merchant: &'a str,
    /// The serial number of the merchant's certificate.
    pub serial: &'a str,
}

impl Signer<'_> {
    /// The `Authorization` header of a request.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn authorization(
        &self,
        key: &PrivateKey,
        (method, path, body): (&str, &str, &str),
        (timestamp, nonce): (i64, &str),
    ) -> anyhow::Result<String> {
        let signature =
            key.sign(request_message(method, path, (timestamp, nonce), body).as_bytes())?;
        let Self { merchant, serial } = self;
        Ok(format!(
            "{SCHEME} mchid=\"{merchant}\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{timestamp}\",serial_no=\"{serial}\""
        ))
    }
}

/// The parts of an `Authorization` header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authorization {
    /// The merchant.
    pub merchant: String,
    /// A random text.
    pub nonce: String,
    /// The signature in base64.
    pub signature: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// The serial number of the merchant's certificate.
    pub serial: String,
}

impl Authorization {
    /// Reads the header; nothing when it is another scheme or lacks a part.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = Self::default();
        for pair in header.strip_prefix(SCHEME)?.trim().split(',') {
            let (name, value) = pair.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?.to_owned();
            match name {
                "mchid" => parts.merchant = value,
                "nonce_str" => parts.nonce = value,
                "signature" => parts.signature = value,
                "timestamp" => parts.timestamp = value.parse().ok()?,
                "serial_no" => parts.serial = value,
                _ => return None,
            }
        }
        let complete =
            !parts.merchant.is_empty() && !parts.signature.is_empty() && !parts.serial.is_empty();
        complete.then_some(parts)
    }
}

/// What stands in the headers of a notice or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `Wechatpay-Timestamp`: seconds since 1970.
    pub timestamp: String,
    /// `Wechatpay-Nonce`.
    pub nonce: String,
    /// `Wechatpay-Signature`: base64.
    pub signature: String,
    /// `Wechatpay-Serial`: of the platform's certificate or public key.
    pub serial: String,
}

/// Why a notice is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Its time lies outside of the window, or is none.
    Window,
    /// Signed with another key than ours of the platform.
    Serial,
    /// The signature is of something else.
    Signature,
    /// The resource cannot be opened with our key.
    Resource,
    /// It is no notice.
    Shape,
}

impl Signed {
    /// Signs a body as the platform does.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn of(
        key: &PrivateKey,
        serial: &str,
        (seconds, nonce): (i64, &str),
        body: &str,
    ) -> anyhow::Result<Self> {
        let timestamp = seconds.to_string();
        let signature = key.sign(notice_message(&timestamp, nonce, body).as_bytes())?;
        Ok(Self {
            timestamp,
            nonce: nonce.to_owned(),
            signature,
            serial: serial.to_owned(),
        })
    }

    /// Whether the platform signed this body within the window around now.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(
        &self,
        body: &str,
        (serial, key): (&str, &PublicKey),
        now: Timestamp,
    ) -> Result<(), Distrust> {
        let seconds: i64 = self.timestamp.parse().map_err(|_| Distrust::Window)?;
        let away = i128::from(seconds) * 1_000 - i128::from(now.millis());
        if away.abs() > i128::from(WINDOW_MS) {
            return Err(Distrust::Window);
        }
        if self.serial != serial {
            return Err(Distrust::Serial);
        }
        let message = notice_message(&self.timestamp, &self.nonce, body);
        if !key.verifies(message.as_bytes(), &self.signature) {
            return Err(Distrust::Signature);
        }
        Ok(())
    }
}

/// An encrypted part of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `AEAD_AES_256_GCM`.
    pub algorithm: String,
    /// The ciphertext with its tag, in base64.
    pub ciphertext: String,
    /// What is authenticated with it.
    #[serde(default)]
    pub associated_data: String,
    /// 12 bytes.
    pub nonce: String,
    /// What the plaintext is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_type: Option<String>,
}

/// The only algorithm of resources.
pub const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// Opens a resource.
///
/// # Errors
/// When the key, the nonce or any byte is not right.
pub fn open(key: &[u8], resource: &Resource) -> Result<Vec<u8>, Distrust> {
    let sealed = STANDARD
        .decode(&resource.ciphertext)
        .map_err(|_| Distrust::Resource)?;
    let payload = Payload {
        msg: &sealed,
        aad: resource.associated_data.as_bytes(),
    };
    let nonce: [u8; 12] = resource
        .nonce
        .as_bytes()
        .try_into()
        .map_err(|_| Distrust::Resource)?;
    let nonce = Nonce::from_slice(&nonce);
    // Keys have 32 bytes; the published example of the interface has 16.
    let opened = match key.len() {
        16 => Aes128Gcm::new_from_slice(key).map(|cipher| cipher.decrypt(nonce, payload)),
        _ => Aes256Gcm::new_from_slice(key).map(|cipher| cipher.decrypt(nonce, payload)),
    };
    opened
        .map_err(|_| Distrust::Resource)?
        .map_err(|_| Distrust::Resource)
}

/// Encrypts a resource as the platform does.
///
/// # Errors
/// When the key has not 32 bytes or the nonce not 12.
pub fn seal(
    key: &[u8],
    (nonce, associated_data): (&str, &str),
    plain: &[u8],
) -> anyhow::Result<Resource> {
    let bytes: [u8; 12] = nonce
        .as_bytes()
        .try_into()
        .context("a nonce has 12 bytes")?;
    let cipher =
        Aes256Gcm::new_from_slice(key).map_err(|_| anyhow::anyhow!("a key has 32 bytes"))?;
    let payload = Payload {
        msg: plain,
        aad: associated_data.as_bytes(),
    };
    let sealed = cipher
        .encrypt(Nonce::from_slice(&bytes), payload)
        .map_err(|_| anyhow::anyhow!("encrypting a resource"))?;
    Ok(Resource {
        algorithm: ALGORITHM.to_owned(),
        ciphertext: STANDARD.encode(sealed),
        associated_data: associated_data.to_owned(),
        nonce: nonce.to_owned(),
        original_type: Some(associated_data.to_owned()),
    })
}

/// A notice as it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The notice's own id: the same when it is repeated.
    pub id: String,
    /// When it was made, RFC 3339.
    pub create_time: String,
    /// `encrypt-resource`.
    pub resource_type: String,
    /// `TRANSACTION.SUCCESS`, `REFUND.SUCCESS`, `REFUND.ABNORMAL`, `REFUND.CLOSED`.
    pub event_type: String,
    /// What people read.
    #[serde(default)]
    pub summary: String,
    /// What it is about.
    pub resource: Resource,
}

/// An amount of a transaction: whole fen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The amount of the order.
    pub total: i64,
    /// `CNY`.
    #[serde(default = "cny")]
    pub currency: String,
}

fn cny() -> String {
    "CNY".to_owned()
}

/// A transaction, from a notice or a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The app (公众账号).
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// Our number.
    pub out_trade_no: String,
    /// The platform's own number; absent until it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// `SUCCESS`, `REFUND`, `NOTPAY`, `CLOSED`, `REVOKED`, `USERPAYING`, `PAYERROR`.
    pub trade_state: String,
    /// What we gave along.
    #[serde(default)]
    pub attach: String,
    /// When it was paid, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

/// An amount of a refund: whole fen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundAmount {
    /// What goes back.
    pub refund: i64,
    /// The amount of the order.
    pub total: i64,
    /// `CNY`.
    #[serde(default = "cny")]
    pub currency: String,
}

/// A refund, from a notice (`refund_status`), a query or an answer (`status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The platform's own number.
    #[serde(default)]
    pub refund_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// Our number of the payment.
    #[serde(default)]
    pub out_trade_no: String,
    /// `SUCCESS`, `PROCESSING`, `CLOSED`, `ABNORMAL`.
    #[serde(alias = "refund_status")]
    pub status: String,
    /// When it succeeded, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// The merchant; only in notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mchid: Option<String>,
    /// How much.
    pub amount: RefundAmount,
}

#[cfg(test)]
#[path = "wechat_tests.rs"]
mod tests;
