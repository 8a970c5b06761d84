//! What doors record about themselves, their grants and openings.

use kernel::{ActorId, CommunityId, DeviceId, GrantId, OpeningId, Timestamp};

events! {
    /// A door was registered.
    DoorRegistered = "door.registered" {
        /// The door.
        door: DeviceId,
        /// Where it stands.
        community: CommunityId,
        /// Who registered it.
        actor: ActorId,
    }
    /// A door was renamed, moved to another gateway, or unlocks for another time.
    DoorChanged = "door.changed" {
        /// The door.
        door: DeviceId,
        /// Its version after the change.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person was granted a door.
    DoorGranted = "door.granted" {
        /// The grant.
        grant: GrantId,
        /// The door.
        door: DeviceId,
        /// Who may open it.
        person: ActorId,
        /// Who granted it.
        actor: ActorId,
    }
    /// A grant was suspended.
    DoorGrantSuspended = "door.grant_suspended" {
        /// The grant.
        grant: GrantId,
        /// Who suspended it.
        actor: ActorId,
        /// Why.
        reason: String,
    }
    /// A suspended grant holds again.
    DoorGrantResumed = "door.grant_resumed" {
        /// The grant.
        grant: GrantId,
        /// Who resumed it.
        actor: ActorId,
    }
    /// A grant was revoked for good.
    DoorGrantRevoked = "door.grant_revoked" {
        /// The grant.
        grant: GrantId,
        /// Who revoked it.
        actor: ActorId,
    }
    /// Somebody who may asked for a door to open.
    DoorOpeningRequested = "door.opening_requested" {
        /// The opening.
        opening: OpeningId,
        /// The door.
        door: DeviceId,
        /// Where it stands.
        community: CommunityId,
        /// Who asked.
        person: ActorId,
        /// When the command ceases to hold.
        expires_at: Timestamp,
    }
    /// Somebody who may not asked for a door to open.
    DoorOpeningRefused = "door.opening_refused" {
        /// The opening.
        opening: OpeningId,
        /// The door.
        door: DeviceId,
        /// Who asked.
        person: ActorId,
        /// The stable code of the refusal.
        reason: String,
    }
    /// The door's controller confirmed the opening.
    DoorOpened = "door.opened", unhurried {
        /// The opening.
        opening: OpeningId,
        /// The door.
        door: DeviceId,
        /// Where it stands.
        community: CommunityId,
        /// Who asked.
        person: ActorId,
        /// From the request to the stored confirmation, in milliseconds.
        latency_ms: i64,
    }
    /// The door did not open: the controller refused, or the command came too late.
    DoorOpeningFailed = "door.opening_failed", unhurried {
        /// The opening.
        opening: OpeningId,
        /// The door.
        door: DeviceId,
        /// Who asked.
        person: ActorId,
        /// What the controller or the line said.
        reason: String,
    }
    /// Nobody confirmed the opening before its deadline.
    DoorOpeningTimedOut = "door.opening_timed_out", unhurried {
        /// The opening.
        opening: OpeningId,
        /// The door.
        door: DeviceId,
        /// Who asked.
        person: ActorId,
    }
    /// The door answered after the deadline; the opening stays timed out, and the door may have moved.
    DoorOpeningAnsweredLate = "door.opening_answered_late" {
        /// The opening.
        opening: OpeningId,
        /// The door.
        door: DeviceId,
        /// Who asked.
        person: ActorId,
        /// What the door said.
        outcome: crate::door::Outcome,
    }
    /// Something happened at a door by itself.
    DoorOccurrenceReported = "door.occurrence_reported" {
        /// The door.
        door: DeviceId,
        /// What happened.
        occurrence: crate::door::OccurrenceKind,
        /// The device's clock.
        device_at: Timestamp,
    }
}
