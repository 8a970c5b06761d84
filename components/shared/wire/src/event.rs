//! The facts that capabilities record. The event log is the audit trail; other capabilities consume it.

use kernel::{ActorId, ActorKind, CommunityId, DeviceId, GrantId, OpeningId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::DeviceKind;

/// A fact of one kind.
pub trait Event: Serialize + DeserializeOwned {
    /// The name in the log, `noun.past_participle`; never changes.
    const KIND: &'static str;
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl Event for $name {
            const KIND: &'static str = $kind;
        }
    )*};
}

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
    DoorOpened = "door.opened" {
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
    DoorOpeningFailed = "door.opening_failed" {
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
    DoorOpeningTimedOut = "door.opening_timed_out" {
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
    /// A tenant began, with its first operator.
    TenantFounded = "tenant.founded" {
        /// What people call it.
        name: String,
        /// Its first operator.
        operator: ActorId,
    }
    /// A person was added.
    PersonRegistered = "person.registered" {
        /// The person.
        person: ActorId,
        /// What the person is.
        kind: ActorKind,
        /// Where the person lives or works.
        communities: Vec<CommunityId>,
        /// Who added the person.
        actor: ActorId,
    }
    /// A person was changed.
    PersonChanged = "person.changed" {
        /// The person.
        person: ActorId,
        /// Where the person lives or works from now on.
        communities: Vec<CommunityId>,
        /// Whether signing in is refused from now on.
        disabled: bool,
        /// The version of the person after the change.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person has another password.
    PersonPasswordChanged = "person.password_changed" {
        /// The person.
        person: ActorId,
        /// Who set it.
        actor: ActorId,
    }
    /// A person signed in.
    SessionOpened = "session.opened" {
        /// The person.
        person: ActorId,
    }
    /// A device was added.
    DeviceRegistered = "device.registered" {
        /// The device.
        device: DeviceId,
        /// What it is.
        kind: DeviceKind,
        /// Who added it.
        actor: ActorId,
    }
    /// A device has a new credential.
    DeviceCredentialIssued = "device.credential_issued" {
        /// The device.
        device: DeviceId,
        /// The credential's id; never its secret.
        credential: String,
        /// Who asked for it.
        actor: ActorId,
    }
    /// A gateway speaks for a device from now on.
    DeviceChildAssigned = "device.child_assigned" {
        /// The gateway.
        gateway: DeviceId,
        /// What the child is.
        kind: DeviceKind,
        /// The child.
        child: DeviceId,
        /// Who assigned it.
        actor: ActorId,
    }
}
