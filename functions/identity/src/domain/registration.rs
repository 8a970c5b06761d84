//! Making accounts: by operators and staff, and by whoever shows to hold a phone.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Message, Phone, Refusal, Timestamp};

use super::{COMMUNITIES_MAX, Name, Person, Username, name_taken};

/// What is said about a new person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The id; without one it is the user name.
    pub id: Option<ActorId>,
    /// What the person signs in with.
    pub username: Username,
    /// What people call the person; without one it is the user name.
    pub name: Option<Name>,
    /// What the person is.
    pub kind: ActorKind,
    /// Where the person lives or works.
    pub communities: Vec<CommunityId>,
    /// The number the person is reached at.
    pub phone: Option<Phone>,
    /// When this is.
    pub at: Timestamp,
}

/// The first operator of a new tenant.
///
/// # Errors
/// When the new person cannot be one.
pub fn found_tenant(operator: NewPerson) -> Result<Person, Refusal> {
    let communities = checked_communities(operator.kind, operator.communities.clone())?;
    make(operator, communities)
}

/// A resident who registers by showing to hold a phone. Where they live is told by the register of residents.
///
/// # Errors
/// When the id cannot be a user name.
pub fn register_oneself(
    id: ActorId,
    name: Name,
    phone: Phone,
    at: Timestamp,
) -> Result<Person, Refusal> {
    let username = Username::parse(id.as_str()).map_err(|_| name_taken())?;
    let new = NewPerson {
        id: Some(id),
        username,
        name: Some(name),
        kind: ActorKind::Resident,
        communities: Vec::new(),
        phone: Some(phone),
        at,
    };
    make(new, Vec::new())
}

/// A new person, by an operator, or by staff for residents of their own communities.
///
/// # Errors
/// The caller may not; the kind is no kind of person; a resident or staff without a community.
pub fn register_person(actor: &Actor, new: NewPerson) -> Result<Person, Refusal> {
    let may = match actor.kind {
        ActorKind::Operator => true,
        ActorKind::Staff => {
            new.kind == ActorKind::Resident
                && new
                    .communities
                    .iter()
                    .all(|community| actor.reaches(community))
        }
        _ => false,
    };
    if !may {
        return Err(Refusal::forbidden(
            "person_registration_forbidden",
            Message::new(
                "Only operators add people; staff add residents of their own communities.",
                "只有运营人员可以添加人员；物业员工只能添加本小区的住户。",
            ),
        ));
    }
    if matches!(new.kind, ActorKind::Device | ActorKind::Application) {
        return Err(Refusal::invalid(
            "kind_not_a_person",
            Message::new(
                "People are residents, staff, merchants, operators or auditors. Devices are added under /api/devices.",
                "人员类型应为住户、员工、商家、运营或审计；设备请在 /api/devices 添加。",
            ),
        ));
    }
    let communities = checked_communities(new.kind, new.communities.clone())?;
    make(new, communities)
}

fn make(new: NewPerson, communities: Vec<CommunityId>) -> Result<Person, Refusal> {
    let NewPerson {
        id,
        username,
        name,
        kind,
        phone,
        at,
        ..
    } = new;
    Ok(Person {
        id: id.map_or_else(|| id_of(&username), Ok)?,
        name: name.map_or_else(|| name_of(&username), Ok)?,
        username,
        kind,
        communities,
        phone,
        disabled: false,
        registered_at: at,
        version: 1,
    })
}

fn id_of(username: &Username) -> Result<ActorId, Refusal> {
    ActorId::parse(username.as_str()).map_err(|_| name_taken())
}

fn name_of(username: &Username) -> Result<Name, Refusal> {
    Name::parse(username.as_str()).map_err(|_| name_taken())
}

/// The communities, each once, sorted.
pub(super) fn checked_communities(
    kind: ActorKind,
    mut communities: Vec<CommunityId>,
) -> Result<Vec<CommunityId>, Refusal> {
    communities.sort();
    communities.dedup();
    if communities.len() > COMMUNITIES_MAX {
        return Err(Refusal::invalid(
            "communities_too_many",
            Message::new(
                format!("A person belongs to at most {COMMUNITIES_MAX} communities."),
                format!("一个人最多属于 {COMMUNITIES_MAX} 个小区。"),
            ),
        ));
    }
    if communities.is_empty() && matches!(kind, ActorKind::Resident | ActorKind::Staff) {
        return Err(Refusal::invalid(
            "communities_missing",
            Message::new(
                "Name at least one community of this person.",
                "请至少指定一个小区。",
            ),
        ));
    }
    Ok(communities)
}
