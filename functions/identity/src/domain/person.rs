//! People: who may add, see and change whom.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Message, Phone, Refusal, Scope, Timestamp};

use super::registration::checked_communities;
use super::{Name, Permission, Username, is_person};

/// The most communities of one person: they travel in every token.
pub const COMMUNITIES_MAX: usize = 50;

/// A person of a tenant. The password's hash is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id by which other capabilities know the person.
    pub id: ActorId,
    /// What the person signs in with.
    pub username: Username,
    /// What people call the person.
    pub name: Name,
    /// Resident, staff, merchant, operator or auditor.
    pub kind: ActorKind,
    /// Where the person lives or works, sorted.
    pub communities: Vec<CommunityId>,
    /// The number the person is reached at, once it is known; the register of residents knows only its digest.
    pub phone: Option<Phone>,
    /// Whether signing in is refused.
    pub disabled: bool,
    /// Since when there is an account.
    pub registered_at: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Person {
    /// The person as a caller with these permissions of their roles. Of more than [`COMMUNITIES_MAX`] communities the
    /// first ones travel in the token: it has a length.
    #[must_use]
    pub fn actor(&self, tenant: &kernel::TenantId, permissions: &[Permission]) -> Actor {
        let scopes = permissions
            .iter()
            .map(|permission| Scope(permission.as_str().to_owned()));
        let communities = self.communities.iter().take(COMMUNITIES_MAX).cloned();
        Actor {
            tenant: tenant.clone(),
            kind: self.kind,
            id: self.id.clone(),
            communities: communities.collect(),
            scopes: scopes.collect(),
        }
    }
}

/// What is changed about a person; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// What people call the person.
    pub name: Option<Name>,
    /// Whether signing in is refused.
    pub disabled: Option<bool>,
    /// Where the person lives or works.
    pub communities: Option<Vec<CommunityId>>,
}

/// Whose data a caller sees in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everybody's of the tenant.
    All,
    /// That of whoever shares one of these communities.
    Communities(Vec<CommunityId>),
}

/// What must be shown to set a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The present password: it is one's own.
    CurrentPassword,
    /// Nothing further: the caller may reset it.
    None,
}

/// Whom the caller finds in the list of people.
///
/// # Errors
/// Residents, merchants and devices list nobody, applications only with `people:read`.
pub fn people_reach(actor: &Actor) -> Result<Reach, Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Auditor => Ok(Reach::All),
        ActorKind::Staff => Ok(Reach::Communities(actor.communities.clone())),
        ActorKind::Application if actor.may("people:read") => Ok(Reach::All),
        _ => Err(Refusal::forbidden(
            "people_forbidden",
            Message::new(
                "Only staff, operators and auditors list people.",
                "只有员工、运营和审计人员可以查看人员列表。",
            ),
        )),
    }
}

/// The person, for a caller who may know of them: oneself, or whoever finds them in a list.
///
/// # Errors
/// Unknown to the caller, whether or not there is such a person.
pub fn known_person(actor: &Actor, person: Option<Person>) -> Result<Person, Refusal> {
    let knows = |person: &Person| {
        is_oneself(actor, person)
            || match people_reach(actor) {
                Ok(Reach::All) => true,
                Ok(Reach::Communities(own)) => person
                    .communities
                    .iter()
                    .any(|community| own.contains(community)),
                Err(_) => false,
            }
    };
    person.filter(knows).ok_or_else(unknown_person)
}

/// The person, for a caller who may change something of them: a keeper who knows of them, or oneself.
///
/// # Errors
/// Unknown to the keeper; for everybody else a refusal that does not tell whether there is such a person.
pub fn changeable_person(actor: &Actor, person: Option<Person>) -> Result<Person, Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff => known_person(actor, person),
        _ => person
            .filter(|person| is_oneself(actor, person))
            .ok_or_else(person_change_forbidden),
    }
}

/// Nobody of that id is known to the caller.
#[must_use]
pub fn unknown_person() -> Refusal {
    Refusal::not_found(
        "person_unknown",
        Message::new(
            "There is no such person here. Check the id.",
            "没有这个人员，请检查编号。",
        ),
    )
}

/// The id or user name already belongs to a person or a device: both are names at the broker.
#[must_use]
pub fn name_taken() -> Refusal {
    Refusal::conflict(
        "name_taken",
        Message::new(
            "This id or user name already belongs to a person or a device. Choose another.",
            "该编号或用户名已被人员或设备使用，请更换。",
        ),
    )
}

/// The person after the change. An operator changes anybody but shuts out only others; staff change residents, and
/// give and take only their own communities; everybody corrects their own name.
///
/// # Errors
/// The caller may not; no community is left; operators disable themselves.
pub fn change_person(actor: &Actor, person: &Person, change: Change) -> Result<Person, Refusal> {
    let renames_oneself =
        is_oneself(actor, person) && change.communities.is_none() && change.disabled.is_none();
    let communities = match change.communities {
        Some(communities) => checked_communities(person.kind, communities)?,
        None => person.communities.clone(),
    };
    let disabled = change.disabled.unwrap_or(person.disabled);
    let moved = person
        .communities
        .iter()
        .filter(|community| !communities.contains(community))
        .chain(
            communities
                .iter()
                .filter(|community| !person.communities.contains(community)),
        );
    let may = match actor.kind {
        ActorKind::Operator => true,
        ActorKind::Staff if !renames_oneself => {
            person.kind == ActorKind::Resident
                && moved.into_iter().all(|community| actor.reaches(community))
                && ((disabled == person.disabled && change.name.is_none()) || owns(actor, person))
        }
        _ => renames_oneself && change.name.is_some(),
    };
    if !may {
        return Err(person_change_forbidden());
    }
    if disabled && is_oneself(actor, person) {
        return Err(Refusal::conflict(
            "cannot_disable_oneself",
            Message::new(
                "You cannot disable yourself: ask another operator.",
                "不能停用自己，请联系其他运营人员。",
            ),
        ));
    }
    Ok(Person {
        name: change.name.unwrap_or_else(|| person.name.clone()),
        communities,
        disabled,
        version: person.version + 1,
        ..person.clone()
    })
}

fn person_change_forbidden() -> Refusal {
    Refusal::forbidden(
        "person_change_forbidden",
        Message::new(
            "Only operators change people; staff change residents, within their own communities; you may change your own name.",
            "只有运营人员可以修改人员；物业员工只能修改本小区的住户；本人可以修改自己的姓名。",
        ),
    )
}

pub(super) fn is_oneself(actor: &Actor, person: &Person) -> bool {
    is_person(actor, &person.id) && actor.kind == person.kind
}

/// Every community of the person is the caller's own too.
fn owns(actor: &Actor, person: &Person) -> bool {
    person
        .communities
        .iter()
        .all(|community| actor.reaches(community))
}

/// What the caller must show to set the person's password: the present one for one's own, nothing for operators,
/// and for staff with residents who live nowhere else.
///
/// # Errors
/// The caller may not.
pub fn password_proof(actor: &Actor, person: &Person) -> Result<Proof, Refusal> {
    if is_oneself(actor, person) {
        return Ok(Proof::CurrentPassword);
    }
    let may = match actor.kind {
        ActorKind::Operator => true,
        ActorKind::Staff => person.kind == ActorKind::Resident && owns(actor, person),
        _ => false,
    };
    if may {
        return Ok(Proof::None);
    }
    Err(Refusal::forbidden(
        "password_change_forbidden",
        Message::new(
            "You may set only your own password.",
            "只能修改自己的密码。",
        ),
    ))
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
