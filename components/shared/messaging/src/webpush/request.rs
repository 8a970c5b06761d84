//! The request to a push service (RFC 8030), and what its answer means.

use base64::Engine as _;
use kernel::{Refusal, Timestamp};
use sha2::{Digest as _, Sha256};

use super::encryption::{BASE64URL, Once, Receiver, encrypt};
use crate::endpoint::{Endpoint, Reach};
use crate::{invalid, retry_after};

/// The longest that a push service is asked to keep a message, in seconds: four weeks.
pub const TTL_SECONDS_MAX: u32 = 2_419_200;
/// The longest topic, in characters.
pub const TOPIC_CHARACTERS_MAX: usize = 32;

/// Where a device waits for pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The address at its push service.
    pub endpoint: Endpoint,
    /// Its keys.
    pub receiver: Receiver,
}

impl Subscription {
    /// A subscription as a browser gives it.
    ///
    /// # Errors
    /// When the address or the keys are none.
    pub fn parse(endpoint: &str, p256dh: &str, auth: &str, reach: Reach) -> Result<Self, Refusal> {
        Ok(Self {
            endpoint: Endpoint::parse(endpoint, reach)?,
            receiver: Receiver::parse(p256dh, auth)?,
        })
    }
}

/// How urgent a message is, and so whether a device wakes for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// On power and Wi-Fi: advertising.
    VeryLow,
    /// On power or Wi-Fi: news of the neighbourhood.
    Low,
    /// Neither: a message to somebody.
    Normal,
    /// Also on a low battery: an alarm, somebody at the door.
    High,
}

impl Urgency {
    /// The word of the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VeryLow => "very-low",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// Messages of one topic replace each other while they wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic(String);

impl Topic {
    /// A topic as push services take it.
    ///
    /// # Errors
    /// When it is empty, longer than 32 characters, or has others than those of base64url.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > TOPIC_CHARACTERS_MAX || !text.bytes().all(allowed) {
            return Err(invalid(
                "topic_invalid",
                "A topic has 1 to 32 letters, digits, '-' or '_'.",
                "主题为 1 到 32 个字母、数字、“-”或“_”。",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The topic of a collapse key of any length; it does not tell the push service the key.
    #[must_use]
    pub fn of(collapse_key: &str) -> Self {
        let mut text = BASE64URL.encode(Sha256::digest(collapse_key));
        text.truncate(TOPIC_CHARACTERS_MAX);
        Self(text)
    }

    /// The topic as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push<'a> {
    /// What the device gets.
    pub plaintext: &'a [u8],
    /// How long the push service keeps it, in seconds; 0 is now or never.
    pub ttl_seconds: u32,
    /// How urgent it is.
    pub urgency: Urgency,
    /// What it replaces.
    pub topic: Option<Topic>,
}

/// A request to make: a POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The address.
    pub url: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The encrypted message.
    pub body: Vec<u8>,
}

impl Push<'_> {
    /// The request that delivers this message, with the header that [`Sender::authorization`](super::Sender::authorization) made for the
    /// endpoint's origin.
    ///
    /// # Errors
    /// When the message is too long or would be kept too long.
    pub fn request(
        &self,
        subscription: &Subscription,
        authorization: &str,
        once: &Once,
    ) -> Result<Request, Refusal> {
        if self.ttl_seconds > TTL_SECONDS_MAX {
            return Err(invalid(
                "ttl_too_long",
                format!("A push is kept for at most {TTL_SECONDS_MAX} seconds, four weeks."),
                format!("推送最多保留 {TTL_SECONDS_MAX} 秒（四周）。"),
            ));
        }
        let body = encrypt(self.plaintext, &subscription.receiver, once)?;
        let mut headers = vec![
            ("authorization", authorization.to_owned()),
            ("content-encoding", "aes128gcm".to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
            ("ttl", self.ttl_seconds.to_string()),
            ("urgency", self.urgency.as_str().to_owned()),
        ];
        if let Some(topic) = &self.topic {
            headers.push(("topic", topic.as_str().to_owned()));
        }
        Ok(Request {
            url: subscription.endpoint.as_str().to_owned(),
            headers,
            body,
        })
    }
}

/// What the answer of a push service means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The push service has it; the device does not yet.
    Accepted,
    /// There is no such subscription any more: delete it. Only this answer does.
    Gone,
    /// The push service does not believe the sender: tell an operator, delete nothing.
    Alarm,
    /// The message is too large for it: never again.
    TooLarge,
    /// It refuses the message: never again.
    Refused,
    /// It has too much to do: later, not before the moment it named.
    Busy(Option<Timestamp>),
    /// It failed: later.
    Failed,
}

impl Answer {
    /// The meaning of a status and the header `Retry-After`.
    #[must_use]
    pub fn of(status: u16, retry_after: Option<&str>, now: Timestamp) -> Self {
        match status {
            200..=299 => Self::Accepted,
            404 | 410 => Self::Gone,
            401 | 403 => Self::Alarm,
            413 => Self::TooLarge,
            429 | 503 => Self::Busy(retry_after.and_then(|text| retry_after::moment(text, now))),
            408 | 500..=599 => Self::Failed,
            _ => Self::Refused,
        }
    }
}
