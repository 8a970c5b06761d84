//! Suspensions: a person whom no door of a community opens for, by the word of staff.
//!
//! Arrears are no reason here and never become one: this is for a person who endangers others or misuses the doors.
//! Nothing sets a suspension by itself, and a fire opens the doors for everybody.

use kernel::{Actor, ActorId, CommunityId, Message, Refusal, Timestamp};

use super::{Reason, run_it};

/// A suspension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Where.
    pub community: CommunityId,
    /// Who.
    pub person: ActorId,
    /// Why.
    pub reason: Reason,
    /// By whom.
    pub by: ActorId,
    /// Since when.
    pub at: Timestamp,
}

/// Suspends a person: those who run the community, and not themselves.
///
/// # Errors
/// 404 or 403 for others; 422 for oneself.
pub fn suspend_person(
    actor: &Actor,
    (community, person): (CommunityId, ActorId),
    reason: Reason,
    now: Timestamp,
) -> Result<Suspension, Refusal> {
    run_it(actor, &community)?;
    if actor.id == person {
        return Err(Refusal::invalid(
            "suspends_oneself",
            Message::new("Nobody suspends themselves.", "不能停用自己的通行权限。"),
        ));
    }
    Ok(Suspension {
        community,
        person,
        reason,
        by: actor.id.clone(),
        at: now,
    })
}
