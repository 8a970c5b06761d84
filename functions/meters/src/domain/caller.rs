//! Who is asking, seen from a community's meters.

use kernel::{Actor, ActorKind, CommunityId, Message, Refusal};

/// The permission of connected applications to read meters.
const READ: &str = "meters:read";
/// The permission of connected applications to send readings and look after meters.
const WRITE: &str = "meters:write";

/// Whether the caller looks after the meters of this community.
#[must_use]
pub fn is_manager(actor: &Actor, community: &CommunityId) -> bool {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff => actor.reaches(community),
        ActorKind::Application => actor.may(WRITE),
        _ => false,
    }
}

/// Whether the caller reads everything about the meters of this community.
#[must_use]
pub fn is_overseer(actor: &Actor, community: &CommunityId) -> bool {
    is_manager(actor, community)
        || match actor.kind {
            ActorKind::Auditor => actor.reaches(community),
            ActorKind::Application => actor.may(READ),
            _ => false,
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

/// Only those who look after the community's meters go on; to others of its people it says so, elsewhere the
/// community is unknown.
///
/// # Errors
/// 403 or 404.
pub fn managers_only(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if is_manager(actor, community) {
        return Ok(());
    }
    Err(if actor.reaches(community) {
        managers_refusal()
    } else {
        unknown_community()
    })
}

/// Only those who read everything about the community's meters go on.
///
/// # Errors
/// 403 or 404.
pub fn overseers_only(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if is_overseer(actor, community) {
        return Ok(());
    }
    Err(if actor.reaches(community) {
        overseers_refusal()
    } else {
        unknown_community()
    })
}

/// Callers who look after no meters at all, whatever the community, are told so before anything is looked up.
///
/// # Errors
/// 403.
pub fn managing_kinds(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff => Ok(()),
        ActorKind::Application if actor.may(WRITE) => Ok(()),
        _ => Err(managers_refusal()),
    }
}

/// Callers who oversee no meters at all are told so before anything is looked up.
///
/// # Errors
/// 403.
pub fn overseeing_kinds(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff | ActorKind::Auditor => Ok(()),
        ActorKind::Application if actor.may(READ) || actor.may(WRITE) => Ok(()),
        _ => Err(overseers_refusal()),
    }
}

fn managers_refusal() -> Refusal {
    Refusal::forbidden(
        "managers_only",
        Message::new(
            "Only the property office does that.",
            "只有物业可以执行此操作。",
        ),
    )
}

fn overseers_refusal() -> Refusal {
    Refusal::forbidden(
        "overseers_only",
        Message::new(
            "Only the property office and auditors see that.",
            "只有物业和审计人员可以查看。",
        ),
    )
}

macro_rules! unknowns {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $english:literal, $chinese:literal;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name() -> Refusal {
            Refusal::not_found($code, Message::new($english, $chinese))
        }
    )*};
}

unknowns! {
    /// No such community, or none that the caller reaches.
    unknown_community = "community_unknown",
        "There is no such community that you can see.", "未找到您可访问的小区。";
    /// No such meter, or none that the caller may know.
    unknown_meter = "meter_unknown",
        "There is no such meter that you can see.", "未找到您可查看的表计。";
    /// No such reading, or none that the caller may know.
    unknown_reading = "reading_unknown",
        "There is no such reading that you can see.", "未找到您可查看的读数。";
    /// No such route, or none that the caller may know.
    unknown_route = "meter_route_unknown",
        "There is no such meter route that you can see.", "未找到您可查看的抄表册。";
    /// No such alarm, or none that the caller may know.
    unknown_alarm = "meter_alarm_unknown",
        "There is no such meter alarm that you can see.", "未找到您可查看的表计告警。";
    /// No such request, or none that the caller may know.
    unknown_switching = "switching_unknown",
        "There is no such request about this meter that you can see.", "未找到您可查看的该表停复供记录。";
    /// Nothing of that name was sent to the meter.
    unknown_command = "command_unknown",
        "No such order was sent to this meter.", "未向该表下发过此指令。";
    /// No picture of that reading.
    unknown_photo = "photo_unknown",
        "There is no picture of this reading.", "该读数没有照片。";
}
