//! What the register of devices records: gateways and terminals, and whether they are there.

use kernel::{ActorId, CommunityId, DeviceId, MessageId, Timestamp};

events! {
    /// A gateway came, went or fell silent. A heartbeat records nothing.
    GatewayAvailabilityChanged = "gateway.availability_changed", awaited {
        /// The gateway.
        gateway: DeviceId,
        /// Whether it is there.
        online: bool,
        /// Since when.
        since: Timestamp,
        /// `session`, `last_will` or `inactivity`.
        cause: String,
    }
    /// A gateway has another configuration to run with.
    GatewayConfigured = "gateway.configured" {
        /// The gateway.
        gateway: DeviceId,
        /// The configuration's version, from 1.
        version: i64,
        /// Who set it.
        actor: ActorId,
    }
    /// A gateway or terminal was entered into the register, or its entry was changed.
    DeviceDescribed = "device.described" {
        /// The device.
        device: DeviceId,
        /// The community it stands in.
        community: CommunityId,
        /// The version of the entry after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// Somebody, or the gateway's own state, asked a gateway to do something.
    GatewayCommandRequested = "gateway.command_requested" {
        /// The command.
        command: MessageId,
        /// The gateway.
        gateway: DeviceId,
        /// `configure`, `restart` or `ping`.
        action: String,
        /// From when on it is left undone.
        expires_at: Timestamp,
        /// Who asked; absent when the gateway ran with an older configuration than it should.
        actor: Option<ActorId>,
    }
    /// What became of a command is known.
    GatewayCommandSettled = "gateway.command_settled" {
        /// The command.
        command: MessageId,
        /// The gateway.
        gateway: DeviceId,
        /// `done`, `failed`, `timeout`, `expired` or `cancelled`.
        state: String,
        /// What the gateway said.
        reason: Option<String>,
    }
}
