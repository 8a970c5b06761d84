//! What the register of communities records: houses, people and what binds them.

use kernel::{ActorId, BindingId, BuildingId, CommunityId, RoomId, Timestamp, UnitId};

/// What binds a person to a room or a community.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum BindingRole {
    /// Owns the room (业主).
    Owner,
    /// Rents the room (租户).
    Tenant,
    /// Lives with an owner or tenant (家属).
    Family,
    /// Works for the property company in the community (物业员工); bound to no room.
    Staff,
}

impl BindingRole {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Tenant, Self::Family, Self::Staff];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Tenant => "tenant",
            Self::Family => "family",
            Self::Staff => "staff",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

events! {
    /// A community was added, or has another name or time zone.
    CommunityChanged = "community.changed" {
        /// The community.
        community: CommunityId,
        /// What people call it.
        name: String,
        /// Its IANA time zone, in which its business dates are.
        time_zone: String,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person was entered into the register.
    ResidentRecorded = "resident.recorded" {
        /// The person; the id of the account, once there is one.
        person: ActorId,
        /// The digest of the phone number; see `web::phone_digest`.
        phone: Option<String>,
        /// Who entered the person.
        actor: ActorId,
    }
    /// A person is bound to a room, or to the community as staff.
    BindingStarted = "binding.started" {
        /// The binding.
        binding: BindingId,
        /// The person.
        person: ActorId,
        /// As what.
        role: BindingRole,
        /// The community.
        community: CommunityId,
        /// The building, for a binding to a room.
        building: Option<BuildingId>,
        /// The entrance (单元) of the building, for a binding to a room.
        unit: Option<UnitId>,
        /// The room, unless it is a binding of staff.
        room: Option<RoomId>,
        /// From when on it holds.
        from: Timestamp,
        /// The first moment at which it no longer holds, when that is known.
        until: Option<Timestamp>,
        /// Who bound them.
        actor: ActorId,
    }
    /// A binding ended, or will end at another moment than was said.
    BindingEnded = "binding.ended" {
        /// The binding.
        binding: BindingId,
        /// The person.
        person: ActorId,
        /// The community.
        community: CommunityId,
        /// The first moment at which it no longer holds; absent when an announced end was taken back.
        until: Option<Timestamp>,
        /// Who ended it.
        actor: ActorId,
    }
    /// A vehicle's number plate was bound to a household, or no longer is.
    PlateChanged = "plate.changed" {
        /// The plate, in its normal form.
        plate: String,
        /// The community.
        community: CommunityId,
        /// The room it belongs to; absent when it is bound to nothing from now on.
        room: Option<RoomId>,
        /// Who changed it.
        actor: ActorId,
    }
}
