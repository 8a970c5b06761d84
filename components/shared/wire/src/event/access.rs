//! What doors record about groups, schedules, passes, cards and releases.

use kernel::{ActorId, CommunityId, DeviceId, DoorGroupId, PassId, Timestamp};

events! {
    /// A door group was made, changed or deleted.
    DoorGroupChanged = "door_group.changed" {
        /// The group.
        group: DoorGroupId,
        /// The community.
        community: CommunityId,
        /// Whether it is gone.
        deleted: bool,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A schedule or its holidays are others than before.
    DoorScheduleChanged = "door_schedule.changed" {
        /// The schedule's id.
        schedule: String,
        /// The community.
        community: CommunityId,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person is an explicit member of a door group, or no longer.
    DoorGroupMemberChanged = "door_group.member_changed" {
        /// The group.
        group: DoorGroupId,
        /// The person.
        person: ActorId,
        /// Whether the person is one from now on.
        member: bool,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person is suspended from all doors of a community, or no longer.
    DoorPersonSuspended = "door.person_suspended" {
        /// The community.
        community: CommunityId,
        /// The person.
        person: ActorId,
        /// Whether the person is suspended from now on.
        suspended: bool,
        /// Why; absent when the suspension ended.
        reason: Option<String>,
        /// Who did it.
        actor: ActorId,
    }
    /// A card was issued, blocked or ended.
    CardChanged = "card.changed" {
        /// The card's id; never its number.
        card: String,
        /// Who carries it.
        person: ActorId,
        /// `active`, `blocked` or `ended`.
        state: String,
        /// Who changed it.
        actor: ActorId,
    }
    /// A pass opened a door; reported by the gateway, also after it was without the uplink.
    PassUsed = "pass.used", awaited {
        /// The pass.
        pass: PassId,
        /// The door.
        door: DeviceId,
        /// Where it stands.
        community: CommunityId,
        /// When, by the gateway's clock as far as it is believed.
        used_at: Timestamp,
    }
    /// A pass was shown and opened nothing.
    PassRefused = "pass.refused" {
        /// The pass, when the text told one.
        pass: Option<PassId>,
        /// The door.
        door: DeviceId,
        /// Where it stands.
        community: CommunityId,
        /// The stable code of the refusal.
        reason: String,
        /// When, by the gateway's clock as far as it is believed.
        shown_at: Timestamp,
    }
    /// A credential of a person (card, pass, code) was decided on at the door itself.
    DoorAccessDecided = "door.access_decided" {
        /// The door.
        door: DeviceId,
        /// Where it stands.
        community: CommunityId,
        /// The person, when the credential told one.
        person: Option<ActorId>,
        /// `card`, `pass`, `short_code` or `button`.
        credential: String,
        /// Whether the door opened.
        allowed: bool,
        /// The stable code of the reason.
        reason: String,
        /// When, by the gateway's clock as far as it is believed.
        decided_at: Timestamp,
        /// Whether the gateway was without its uplink.
        offline: bool,
    }
    /// Doors stand open for a fire, or are shut again.
    DoorsReleased = "doors.released", awaited {
        /// The community.
        community: CommunityId,
        /// Whether they stand open from now on.
        released: bool,
        /// Who did it; the alarm's name when a fire alarm did.
        actor: ActorId,
        /// Why.
        reason: String,
    }
}
