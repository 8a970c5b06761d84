//! Who is asking, seen from a room: its household, those who run the community, those who only read.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Message, Refusal};

use super::Reason;

/// The permission of connected applications to read visits.
const READ: &str = "visits:read";
/// The permission of connected applications to act for households, with a reason.
const WRITE: &str = "visits:write";

/// What the caller is to a room's visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Lives there: answers for the household.
    Host,
    /// Runs the community: acts for the household, with a reason.
    Manager,
    /// Reads, changes nothing.
    Reader,
}

/// Who decided, and what they said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub by: ActorId,
    /// Why; always there when it was not the household.
    pub reason: Option<Reason>,
}

/// What the caller is to the visits of a room of this community; `lives_there` is what the register says of the
/// caller's id, which is believed of people only.
#[must_use]
pub fn relation(actor: &Actor, community: &CommunityId, lives_there: bool) -> Option<Relation> {
    if is_people(actor.kind) && lives_there {
        return Some(Relation::Host);
    }
    if is_manager(actor, community) {
        return Some(Relation::Manager);
    }
    let reads = match actor.kind {
        ActorKind::Auditor => actor.reaches(community),
        ActorKind::Application => actor.may(READ),
        _ => false,
    };
    reads.then_some(Relation::Reader)
}

/// Whether the caller runs this community, or is a connected application that acts for the whole tenant.
#[must_use]
pub fn is_manager(actor: &Actor, community: &CommunityId) -> bool {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff => actor.reaches(community),
        ActorKind::Application => actor.may(WRITE),
        _ => false,
    }
}

/// Whether the caller has lists of visits: people, auditors, and connected applications that may read or act.
#[must_use]
pub fn has_lists(actor: &Actor) -> bool {
    match actor.kind {
        ActorKind::Application => actor.may(READ) || actor.may(WRITE),
        kind => is_people(kind) || kind == ActorKind::Auditor,
    }
}

/// Whether accounts of that kind are people who may live somewhere. Devices and applications have ids of their own,
/// which may read like a person's.
#[must_use]
pub fn is_people(kind: ActorKind) -> bool {
    match kind {
        ActorKind::Resident | ActorKind::Staff | ActorKind::Merchant | ActorKind::Operator => true,
        ActorKind::Auditor | ActorKind::Device | ActorKind::Application => false,
    }
}

/// The signature of a decision for the household.
///
/// # Errors
/// 403 for those who only read; 422 when somebody who runs the community gives no reason.
pub fn on_behalf(
    actor: &Actor,
    relation: Relation,
    reason: Option<Reason>,
) -> Result<Signed, Refusal> {
    match (relation, &reason) {
        (Relation::Reader, _) => Err(hosts_only()),
        (Relation::Manager, None) => Err(reason_required()),
        _ => Ok(Signed {
            by: actor.id.clone(),
            reason,
        }),
    }
}

fn hosts_only() -> Refusal {
    Refusal::forbidden(
        "hosts_only",
        Message::new(
            "Only the household or the property office decides about visits.",
            "只有住户或物业可以处理来访。",
        ),
    )
}

fn reason_required() -> Refusal {
    Refusal::invalid(
        "reason_required",
        Message::new(
            "You act for the household: say why, in `reason`.",
            "您在代住户操作，请填写原因（reason）。",
        ),
    )
}

/// No such room, or none that the caller lives in or looks after.
#[must_use]
pub fn unknown_room() -> Refusal {
    Refusal::not_found(
        "room_unknown",
        Message::new(
            "There is no such room of yours. Ask the property office to bind you to it.",
            "未找到您的该房屋，请联系物业绑定。",
        ),
    )
}

/// No such visit, or none that the caller may know.
#[must_use]
pub fn unknown_visit() -> Refusal {
    Refusal::not_found(
        "visit_unknown",
        Message::new(
            "There is no such visit that you can see.",
            "未找到您可查看的来访记录。",
        ),
    )
}

/// No such recurring pass, or none that the caller may know.
#[must_use]
pub fn unknown_recurring() -> Refusal {
    Refusal::not_found(
        "recurring_visit_unknown",
        Message::new(
            "There is no such recurring pass that you can see.",
            "未找到您可查看的周期通行。",
        ),
    )
}
