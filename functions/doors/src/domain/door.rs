//! Doors: what they are, who may know and change them.

use std::fmt;

use kernel::{Actor, ActorId, ActorKind, CommunityId, DeviceId, Message, Refusal};
use wire::snapshot::Direction;

use super::{TextError, one_line};

/// A door, gate or barrier with a controller behind a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The device's id: its MQTT topics carry it.
    pub id: DeviceId,
    /// Where it stands.
    pub community: CommunityId,
    /// What people call it.
    pub name: Name,
    /// The gateway that speaks for it.
    pub gateway: DeviceId,
    /// How long the lock stays released.
    pub unlock: UnlockMillis,
    /// Which way it leads.
    pub direction: Direction,
    /// Whether it stands open for a fire.
    pub released: bool,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// What people call a door: 1 to [`Name::CHARACTERS_MAX`] characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The longest name, in characters.
    pub const CHARACTERS_MAX: usize = 100;

    /// Parses a name.
    ///
    /// # Errors
    /// When it is blank, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        one_line(text, Self::CHARACTERS_MAX).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

/// How long a lock stays released, in milliseconds; the controller's own timer ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnlockMillis(u32);

/// Why a number is no time to unlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnlockError;

impl fmt::Display for UnlockError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "a lock is released for {} to {} ms",
            UnlockMillis::MIN,
            UnlockMillis::MAX
        )
    }
}

impl std::error::Error for UnlockError {}

impl UnlockMillis {
    /// Shorter than this no hand is quick enough.
    pub const MIN: u32 = 500;
    /// Longer than this the door stands open.
    pub const MAX: u32 = 30_000;
    /// What a door gets when nobody says.
    pub const DEFAULT: Self = Self(3_000);

    /// That many milliseconds.
    ///
    /// # Errors
    /// Outside [`UnlockMillis::MIN`] to [`UnlockMillis::MAX`].
    pub fn new(millis: u32) -> Result<Self, UnlockError> {
        if (Self::MIN..=Self::MAX).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(UnlockError)
        }
    }

    /// The milliseconds.
    #[must_use]
    pub fn millis(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for UnlockMillis {
    type Error = UnlockError;
    fn try_from(millis: u32) -> Result<Self, UnlockError> {
        Self::new(millis)
    }
}

/// What an operator says about a new door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The device's id.
    pub id: DeviceId,
    /// Where it stands.
    pub community: CommunityId,
    /// What people call it.
    pub name: Name,
    /// The gateway that speaks for it.
    pub gateway: DeviceId,
    /// How long the lock stays released.
    pub unlock: UnlockMillis,
    /// Which way it leads.
    pub direction: Direction,
}

/// What an operator changes about a door; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// What people call it.
    pub name: Option<Name>,
    /// The gateway that speaks for it.
    pub gateway: Option<DeviceId>,
    /// How long the lock stays released.
    pub unlock: Option<UnlockMillis>,
    /// Which way it leads.
    pub direction: Option<Direction>,
}

/// Lets only those pass who run this community.
///
/// # Errors
/// 404 for those who do not reach it, 403 for others.
pub fn run_it(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if !actor.reaches(community) {
        return Err(unknown_community());
    }
    if manages(actor, community) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "managers_only",
        Message::new(
            "Only operators and the community's staff do this.",
            "只有平台运营和本小区员工可以操作。",
        ),
    ))
}

/// Lets only those pass who run or audit this community.
///
/// # Errors
/// 404 for those who do not reach it, 403 for others.
pub fn oversee_it(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if !actor.reaches(community) {
        return Err(unknown_community());
    }
    if oversees(actor, community) {
        return Ok(());
    }
    Err(overseers())
}

/// No such community, or none that the caller may know.
#[must_use]
pub fn unknown_community() -> Refusal {
    Refusal::not_found(
        "community_unknown",
        Message::new(
            "There is no such community that you can see.",
            "没有您可见的这个小区。",
        ),
    )
}

/// Whether the caller runs this community: grants, suspends, overrides.
#[must_use]
pub fn manages(actor: &Actor, community: &CommunityId) -> bool {
    matches!(actor.kind, ActorKind::Operator | ActorKind::Staff) && actor.reaches(community)
}

/// Whether the caller reads everything of this community.
#[must_use]
pub fn oversees(actor: &Actor, community: &CommunityId) -> bool {
    manages(actor, community) || (actor.kind == ActorKind::Auditor && actor.reaches(community))
}

/// Whether the caller is a person, and this one. Devices and applications have ids of their own, which may read
/// like a person's.
#[must_use]
pub fn is_person(actor: &Actor, person: &ActorId) -> bool {
    is_people(actor.kind) && actor.id == *person
}

/// Whether accounts of that kind are people who open doors and have records of it.
#[must_use]
pub fn is_people(kind: ActorKind) -> bool {
    match kind {
        ActorKind::Resident | ActorKind::Staff | ActorKind::Merchant | ActorKind::Operator => true,
        ActorKind::Auditor | ActorKind::Device | ActorKind::Application => false,
    }
}

/// The door, for a caller who reaches its community.
///
/// # Errors
/// 404 for everybody else: they do not learn whether it exists.
pub fn know(actor: &Actor, door: Option<Door>) -> Result<Door, Refusal> {
    door.filter(|door| actor.reaches(&door.community))
        .ok_or_else(unknown_door)
}

/// No such door, or none that the caller may know.
#[must_use]
pub fn unknown_door() -> Refusal {
    Refusal::not_found(
        "door_unknown",
        Message::new(
            "There is no such door that you can see.",
            "没有您可见的这扇门。",
        ),
    )
}

/// Whose records of a door the caller reads when asking for those of `asked`: everybody's for those who run or audit
/// the community, else only the own.
///
/// # Errors
/// 403 when somebody else asks for another person's, or has no records because it is no person.
pub fn whose(
    actor: &Actor,
    door: &Door,
    asked: Option<ActorId>,
) -> Result<Option<ActorId>, Refusal> {
    if oversees(actor, &door.community) {
        return Ok(asked);
    }
    own_records(actor, asked)
}

/// As [`whose`], over all communities that the caller reaches.
///
/// # Errors
/// As [`whose`].
pub fn own_unless_overseer(
    actor: &Actor,
    asked: Option<ActorId>,
) -> Result<Option<ActorId>, Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Auditor | ActorKind::Staff => Ok(asked),
        _ => own_records(actor, asked),
    }
}

fn own_records(actor: &Actor, asked: Option<ActorId>) -> Result<Option<ActorId>, Refusal> {
    let asks_for_another = asked.is_some_and(|person| person != actor.id);
    if asks_for_another || !is_people(actor.kind) {
        return Err(Refusal::forbidden(
            "own_records_only",
            Message::new("You read only your own records.", "您只能查看自己的记录。"),
        ));
    }
    Ok(Some(actor.id.clone()))
}

/// Lets only those pass who run or audit the door's community.
///
/// # Errors
/// 403 for others.
pub fn overseers_only(actor: &Actor, door: &Door) -> Result<(), Refusal> {
    if oversees(actor, &door.community) {
        return Ok(());
    }
    Err(overseers())
}

fn overseers() -> Refusal {
    Refusal::forbidden(
        "overseers_only",
        Message::new(
            "Only operators, auditors and the community's staff read this.",
            "只有平台运营、审计和本小区员工可以查看。",
        ),
    )
}

/// Registers a door: operators only. Registering it again with the same content changes nothing.
///
/// # Errors
/// 403 for others; 409 when the id already stands for a door with other content.
pub fn register_door(
    actor: &Actor,
    registration: Registration,
    existing: Option<&Door>,
) -> Result<Door, Refusal> {
    operator_only(actor)?;
    let Registration {
        id,
        community,
        name,
        gateway,
        unlock,
        direction,
    } = registration;
    let Some(existing) = existing else {
        return Ok(Door {
            id,
            community,
            name,
            gateway,
            unlock,
            direction,
            released: false,
            version: 1,
        });
    };
    let again = Door {
        id,
        community,
        name,
        gateway,
        unlock,
        direction,
        released: existing.released,
        version: existing.version,
    };
    if again == *existing {
        return Ok(again);
    }
    Err(Refusal::conflict(
        "door_exists",
        Message::new(
            "Another door already has this id. Change that one, or choose another id.",
            "该编号已被另一扇门使用，请修改原有的门或更换编号。",
        ),
    ))
}

/// Changes a door: operators only.
///
/// # Errors
/// 403 for others.
pub fn change_door(actor: &Actor, door: &Door, change: Change) -> Result<Door, Refusal> {
    operator_only(actor)?;
    Ok(Door {
        name: change.name.unwrap_or_else(|| door.name.clone()),
        gateway: change.gateway.unwrap_or_else(|| door.gateway.clone()),
        unlock: change.unlock.unwrap_or(door.unlock),
        direction: change.direction.unwrap_or(door.direction),
        version: door.version + 1,
        ..door.clone()
    })
}

fn operator_only(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Operator {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "operator_only",
        Message::new(
            "Only operators register and change doors.",
            "只有平台运营可以登记和修改门。",
        ),
    ))
}

#[cfg(test)]
#[path = "door_tests.rs"]
mod tests;
