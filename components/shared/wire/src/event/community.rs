//! What the register of communities records: houses, people and what binds them.

use kernel::{
    ActorId, BindingId, BindingRequestId, BuildingId, CommunityId, CompanyId, ImportId,
    ParkingSpaceId, RoomId, Timestamp, UnitId,
};

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
    CommunityChanged = "community.changed", awaited {
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
    ResidentRecorded = "resident.recorded", awaited {
        /// The person; the id of the account, once there is one.
        person: ActorId,
        /// The digest of the phone number; see `web::phone_digest`.
        phone: Option<String>,
        /// Who entered the person.
        actor: ActorId,
    }
    /// A person is bound to a room, or to the community as staff.
    BindingStarted = "binding.started", awaited {
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
    BindingEnded = "binding.ended", awaited {
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
    /// A property company was added or changed.
    CompanyChanged = "company.changed" {
        /// The company.
        company: CompanyId,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A building was added or changed.
    BuildingChanged = "building.changed" {
        /// The building.
        building: BuildingId,
        /// Its community.
        community: CommunityId,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// An entrance (单元) was added or changed.
    UnitChanged = "unit.changed" {
        /// The entrance.
        unit: UnitId,
        /// Its building.
        building: BuildingId,
        /// Its community.
        community: CommunityId,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A room was added, or it or what it is called changed; from a file, too.
    RoomChanged = "room.changed", awaited {
        /// The room.
        room: RoomId,
        /// Its entrance.
        unit: UnitId,
        /// Its building.
        building: BuildingId,
        /// Its community.
        community: CommunityId,
        /// What people call it, for example `1栋1单元101`.
        name: String,
        /// Everything it is found by, in the form of [`kernel::place_key`].
        keys: Vec<String>,
        /// Its area, in 1/100 m².
        area_dm2: i64,
        /// What it is for: `residential`, `commercial`, `office`, `garage`, `storage` or `other`.
        usage: String,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// An entry of the register of people has other content; what, stands in the register only.
    ResidentChanged = "resident.changed" {
        /// The person.
        person: ActorId,
        /// The version of the entry after the change.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person asked to be bound to a room.
    BindingRequested = "binding.requested" {
        /// The request.
        request: BindingRequestId,
        /// The person.
        person: ActorId,
        /// As what.
        role: BindingRole,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
    }
    /// A request to be bound was approved or rejected.
    BindingRequestDecided = "binding.request_decided", unhurried {
        /// The request.
        request: BindingRequestId,
        /// The person who asked.
        person: ActorId,
        /// The community.
        community: CommunityId,
        /// The binding, when it was approved.
        binding: Option<BindingId>,
        /// Why it was rejected.
        reason: Option<String>,
        /// Who decided.
        actor: ActorId,
    }
    /// A parking space was added or changed.
    ParkingSpaceChanged = "parking_space.changed" {
        /// The space.
        space: ParkingSpaceId,
        /// Its community.
        community: CommunityId,
        /// The room whose household uses it; absent when nobody's does.
        room: Option<RoomId>,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A file was taken into the register.
    ImportFinished = "import.finished" {
        /// The import.
        import: ImportId,
        /// What it held: `rooms`, `residents` or `parking`.
        kind: String,
        /// Its community.
        community: CommunityId,
        /// Rows that made something new.
        created: u32,
        /// Rows that changed something.
        changed: u32,
        /// Who ran it.
        actor: ActorId,
    }
}
