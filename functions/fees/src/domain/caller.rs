//! Who is asking: who lives in a room sees and pays its bills, who runs the community bills, who audits reads.

use kernel::{Actor, ActorKind, CommunityId, Message, Refusal};

const READ: &str = "fees:read";
const WRITE: &str = "fees:write";

/// Which bills a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Those of the rooms that they are bound to.
    Own,
    /// Those of their communities.
    Communities,
    /// All of the tenant's.
    All,
}

/// Which bills the caller sees.
///
/// # Errors
/// 403 for those who have none: devices, and applications without the permission.
pub fn sees(actor: &Actor) -> Result<Sight, Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Auditor => Ok(Sight::All),
        ActorKind::Staff => Ok(Sight::Communities),
        ActorKind::Resident | ActorKind::Merchant => Ok(Sight::Own),
        ActorKind::Application if actor.may(READ) || actor.may(WRITE) => Ok(Sight::All),
        ActorKind::Application | ActorKind::Device => Err(people_only()),
    }
}

/// Whether accounts of that kind are people who may live somewhere.
#[must_use]
pub fn is_people(kind: ActorKind) -> bool {
    match kind {
        ActorKind::Resident | ActorKind::Staff | ActorKind::Merchant | ActorKind::Operator => true,
        ActorKind::Auditor | ActorKind::Device | ActorKind::Application => false,
    }
}

/// Whether the caller bills this community.
#[must_use]
pub fn is_manager(actor: &Actor, community: &CommunityId) -> bool {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff => actor.reaches(community),
        ActorKind::Application => actor.may(WRITE),
        _ => false,
    }
}

/// Whether the caller takes money at the community's counter.
#[must_use]
pub fn works_at_counter(actor: &Actor, community: &CommunityId) -> bool {
    matches!(actor.kind, ActorKind::Staff | ActorKind::Operator) && is_manager(actor, community)
}

/// Lets those pass who bill this community.
///
/// # Errors
/// 403 for everybody else.
pub fn check_manager(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if is_manager(actor, community) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "managers_only",
        Message::new(
            "Only the staff of the community and operators do this.",
            "仅小区物业人员和平台运营可以操作。",
        ),
    ))
}

/// Lets those pass who read the community's rules, runs and arrears: who bills it, and who audits it.
///
/// # Errors
/// 403 for everybody else.
pub fn check_reader(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    let reads = match actor.kind {
        ActorKind::Auditor => true,
        ActorKind::Application => actor.may(READ),
        _ => false,
    };
    if reads {
        return Ok(());
    }
    check_manager(actor, community)
}

fn people_only() -> Refusal {
    Refusal::forbidden(
        "people_only",
        Message::new(
            "Bills are for people, and for applications with the permission fees:read.",
            "账单仅供用户及拥有 fees:read 权限的应用查看。",
        ),
    )
}

/// No community of that id that has been heard of.
#[must_use]
pub fn community_unknown() -> Refusal {
    Refusal::not_found(
        "community_unknown",
        Message::new(
            "There is no such community. Check its id.",
            "未找到该小区，请检查编号。",
        ),
    )
}
