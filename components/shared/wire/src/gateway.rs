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
    /// There is a newer snapshot of permissions at `GET /api/gateways/{gateway}/snapshot`.
    SnapshotReady {
        /// Its version.
        version: i64,
        /// The SHA-256 of its bytes, in hexadecimal.
        sha256: String,
        /// How many bytes it has.
        bytes: u64,
    },
    /// There is another configuration to run with at `GET /api/gateways/{gateway}/configuration`.
    Configure {
        /// Its version.
        version: i64,
    },
}

/// The body on `linli/{tenant}/gateway/{gateway}/state`, retained; the last will says `online: false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Whether the gateway has a session.
    pub online: bool,
}
