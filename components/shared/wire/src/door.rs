//! What is said on a door's topics.

use kernel::{DeviceId, OpeningId, Timestamp};
use serde::{Deserialize, Serialize};

/// The body on `linli/{tenant}/door/{door}/cmd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Command {
    /// Unlock once, for a while, unless it is too late.
    Open {
        /// The opening this command belongs to; acted on once, whatever the number of deliveries.
        opening: OpeningId,
        /// From this moment on the door stays shut: a door that opens late is worse than one that stays shut.
        expires_at: Timestamp,
        /// How long the lock stays released, in milliseconds; timed by the door's controller itself.
        unlock_ms: u32,
    },
    /// A fire: stand open until restored, unless it is too late.
    Release {
        /// From this moment on a gateway ignores the command; it is sent again until the door's state is known.
        expires_at: Timestamp,
    },
    /// The fire is over: shut again and obey decisions, unless it is too late.
    Restore {
        /// From this moment on a gateway ignores the command.
        expires_at: Timestamp,
    },
}

/// The body on `linli/{tenant}/door/{door}/ack`: what became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The opening the command belonged to.
    pub opening: OpeningId,
    /// The gateway that answers for the door; receipts go there.
    pub gateway: DeviceId,
    /// What happened.
    pub outcome: Outcome,
}

/// What happened to a command at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// The controller confirmed that the lock was released.
    Opened,
    /// The command arrived too late; the door stayed shut.
    Expired,
    /// The controller refused, or did not answer; `reason` is for the audit.
    Failed {
        /// What the controller or the line said.
        reason: String,
    },
}

/// The body on `linli/{tenant}/door/{door}/event`: what happened at the door by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The gateway that reports; receipts go there.
    pub gateway: DeviceId,
    /// What happened.
    #[serde(flatten)]
    pub kind: OccurrenceKind,
}

/// What can happen at a door by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "occurrence", rename_all = "snake_case")]
pub enum OccurrenceKind {
    /// A command was found retained by the broker and refused: a retained command would move the door at
    /// every reconnection. Somebody published it wrongly, or means harm.
    RetainedCommandRefused,
    /// The gateway no longer reaches the door's controller.
    ControllerLost {
        /// What the line said.
        reason: String,
    },
    /// The gateway reaches the door's controller (again).
    ControllerFound,
    /// The gateway decided about a credential that was shown at the door.
    AccessDecided(crate::audit::Entry),
    /// The door stands open for a fire.
    Released,
    /// The door is shut again after a fire.
    Restored,
}
