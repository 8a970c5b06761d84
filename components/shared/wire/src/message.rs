//! What every MQTT payload looks like: `{"id": "...", "at": "...", "body": {...}}`.

use std::fmt;

use kernel::{MessageId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The longest payload that is read, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

/// One message. Its id stays the same however often it is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message<Body> {
    /// Made once by the sender (a UUID version 7).
    pub id: MessageId,
    /// The sender's clock when it made the message.
    pub at: Timestamp,
    /// What is said; its type follows from the topic.
    pub body: Body,
}

/// Why a payload is not a message.
#[derive(Debug)]
pub enum PayloadError {
    /// Longer than [`PAYLOAD_BYTES_MAX`].
    TooLong(usize),
    /// Not the JSON that the topic asks for.
    Json(serde_json::Error),
}

impl fmt::Display for PayloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(
                formatter,
                "the payload has {bytes} bytes, at most {PAYLOAD_BYTES_MAX} are read"
            ),
            Self::Json(error) => write!(
                formatter,
                "the payload is not the message this topic asks for: {error}"
            ),
        }
    }
}

impl std::error::Error for PayloadError {}

impl<Body: Serialize + DeserializeOwned> Message<Body> {
    /// Reads a payload.
    ///
    /// # Errors
    /// Too long, or not the JSON that the topic asks for.
    pub fn from_payload(payload: &[u8]) -> Result<Self, PayloadError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(PayloadError::TooLong(payload.len()));
        }
        serde_json::from_slice(payload).map_err(PayloadError::Json)
    }

    /// Writes the payload.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn to_payload(&self) -> Result<Vec<u8>, PayloadError> {
        serde_json::to_vec(self).map_err(PayloadError::Json)
    }
}
