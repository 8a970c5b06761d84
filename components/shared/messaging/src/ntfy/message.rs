//! A message as a line of JSON, as subscriptions and polls answer it.

use kernel::Timestamp;
use serde_json::Value;

use super::{Publication, Topic};

/// The characters of an id.
const ID_CHARACTERS: usize = 12;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id of a message: 12 letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// An id of a random number.
    #[must_use]
    pub fn of(random: u128) -> Self {
        let mut rest = random;
        let mut text = String::with_capacity(ID_CHARACTERS);
        for _ in 0..ID_CHARACTERS {
            let index = usize::try_from(rest % 62).unwrap_or_default();
            text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
            rest /= 62;
        }
        Self(text)
    }

    /// Parses an id; nothing when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (text.len() == ID_CHARACTERS && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The subscription begins.
    Open,
    /// It still holds.
    Keepalive,
    /// A message.
    Message,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// When it is delivered, in seconds since 1970.
    pub time: i64,
    /// Until when it is kept, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// What it tells.
    pub event: Event,
    /// The topic, or those of the subscription separated by commas.
    pub topic: String,
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text; in base64 when `encoding` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// 1 to 5; 3 when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The address that a tap opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click: Option<String>,
    /// The picture's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Actions, as they were published.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Value>,
    /// `text/markdown`, or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<&'static str>,
    /// `base64`, or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
}

impl Message {
    /// The line of a publication that is kept until a moment.
    #[must_use]
    pub fn of(publication: &Publication, id: MessageId, expires_at: Timestamp) -> Self {
        let expires = publication.is_kept.then(|| seconds(expires_at));
        Self {
            id,
            time: seconds(publication.due_at),
            expires,
            event: Event::Message,
            topic: publication.topic.as_str().to_owned(),
            title: publication.title.clone(),
            message: Some(publication.text.clone()),
            priority: publication.priority,
            tags: publication.tags.clone(),
            click: publication.click.clone(),
            icon: publication.icon.clone(),
            actions: publication.actions.clone(),
            content_type: publication.is_markdown.then_some("text/markdown"),
            encoding: publication.is_base64.then_some("base64"),
        }
    }

    /// The line that opens a subscription, or keeps it alive.
    #[must_use]
    pub fn of_subscription(event: Event, topics: &[Topic], id: MessageId, now: Timestamp) -> Self {
        let names: Vec<&str> = topics.iter().map(Topic::as_str).collect();
        Self {
            id,
            time: seconds(now),
            expires: None,
            event,
            topic: names.join(","),
            title: None,
            message: None,
            priority: None,
            tags: Vec::new(),
            click: None,
            icon: None,
            actions: Vec::new(),
            content_type: None,
            encoding: None,
        }
    }

    /// The line, with its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Texts, numbers and lists of values: there is nothing that JSON cannot say.
        serde_json::to_string(self).map_or_else(|_| String::new(), |text| text + "\n")
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1_000)
}
