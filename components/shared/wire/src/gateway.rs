//! What is said on a gateway's topics.

use kernel::{DeviceId, MessageId, Timestamp};
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
    /// Run with this configuration from now on, unless it is too late. Answered by [`Report::Command`].
    Configure {
        /// The command; acted on once, whatever the number of deliveries.
        command: MessageId,
        /// The configuration's version, from 1. One that is not newer than what the gateway runs with is `done` at
        /// once and changes nothing.
        version: i64,
        /// The whole configuration; what is absent takes the gateway's default.
        configuration: serde_json::Map<String, serde_json::Value>,
        /// From this moment on it is left undone.
        expires_at: Timestamp,
    },
    /// Start again, unless it is too late. `accepted` before, `done` after.
    Restart {
        /// The command; acted on once.
        command: MessageId,
        /// From this moment on it is left undone.
        expires_at: Timestamp,
    },
    /// Say that you are there.
    Ping {
        /// The command; acted on once.
        command: MessageId,
        /// From this moment on it is left undone.
        expires_at: Timestamp,
    },
}

/// The body on `linli/{tenant}/gateway/{gateway}/state`, retained; the last will says `online: false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Whether the gateway has a session.
    pub online: bool,
}

/// The body on `linli/{tenant}/gateway/{gateway}/ack`: what became of a command, or how the gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// What became of a command. Sent again until there is a receipt for it.
    Command {
        /// The command.
        command: MessageId,
        /// What happened.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// The heartbeat. Sent once, gets no receipt: the next one makes up for a lost one.
    Health(Health),
}

/// What a gateway did with a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// It is being carried out.
    Accepted,
    /// It is carried out.
    Done,
    /// It cannot be carried out; `reason` is for the operator.
    Failed {
        /// What was wrong.
        reason: String,
    },
    /// It arrived too late and was left undone.
    Expired,
}

/// How a gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The name and version of its software, for example `linli-bridge 0.1.0`.
    pub software: String,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// The version of the configuration it runs with; 0 for its own default.
    pub configuration: i64,
    /// Its children, and whether it reaches them.
    #[serde(default)]
    pub children: Vec<ChildHealth>,
}

/// How a child of a gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildHealth {
    /// The child.
    pub device: DeviceId,
    /// Whether the gateway reaches it.
    pub reachable: bool,
}
