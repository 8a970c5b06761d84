//! What is said on a gateway's topics.

use kernel::MessageId;
use serde::{Deserialize, Serialize};

/// The body on `linli/{tenant}/gateway/{gateway}/cmd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Command {
    /// These messages are stored for good by their function: the gateway may forget them. This is the
    /// application's acknowledgement; MQTT's own only says that the broker has a message.
    Receipt {
        /// The ids of the messages.
        messages: Vec<MessageId>,
    },
}

/// The body on `linli/{tenant}/gateway/{gateway}/state`, retained; the last will says `online: false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Whether the gateway has a session.
    pub online: bool,
}
