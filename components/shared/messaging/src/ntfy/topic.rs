//! Topics: what is published to, and subscribed to.

use super::NtfyError;

/// The most topics of one request.
pub const TOPICS_MAX: usize = 20;

const CHARACTERS_MAX: usize = 64;
/// What ntfy's own pages are called, and so no client uses.
const DISALLOWED: [&str; 10] = [
    "docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1",
];

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Topic(String);

impl Topic {
    /// Parses a topic.
    ///
    /// # Errors
    /// When it has other characters than letters, digits, `-` and `_`, more than 64, or is one of ntfy's own.
    pub fn parse(text: &str) -> Result<Self, NtfyError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > CHARACTERS_MAX || !text.bytes().all(allowed) {
            return Err(NtfyError::TopicInvalid);
        }
        if DISALLOWED.contains(&text) {
            return Err(NtfyError::TopicDisallowed);
        }
        Ok(Self(text.to_owned()))
    }

    /// Parses the topics of a subscription, separated by commas, each once.
    ///
    /// # Errors
    /// When one is none, or there are more than [`TOPICS_MAX`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, NtfyError> {
        let mut found: Vec<Self> = Vec::new();
        for topic in text.split(',') {
            let topic = Self::parse(topic)?;
            if found.contains(&topic) {
                continue;
            }
            if found.len() == TOPICS_MAX {
                return Err(NtfyError::TooManyTopics);
            }
            found.push(topic);
        }
        Ok(found)
    }

    /// The topic as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
