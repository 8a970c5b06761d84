//! What the register of devices records: gateways and terminals, and whether they are there.

use kernel::{ActorId, CommunityId, DeviceId, Timestamp};

events! {
    /// A gateway came, went or fell silent. A heartbeat records nothing.
    GatewayAvailabilityChanged = "gateway.availability_changed" {
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
}
