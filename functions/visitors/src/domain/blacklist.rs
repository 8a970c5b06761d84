//! Who is not let in: a phone number (as its digest) or a number plate, per community, with a reason.

use kernel::{Actor, ActorId, CommunityId, Message, Refusal, Timestamp};

use super::{Plate, Reason, is_manager, is_people};

/// By what somebody is known who is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A phone number: its digest, and how it is shown.
    Phone {
        /// See `web::phone_digest`.
        digest: String,
        /// `+86138****8000`.
        masked: String,
    },
    /// A number plate.
    Plate(Plate),
}

impl Mark {
    /// What sort of mark.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone { .. } => "phone",
            Self::Plate(_) => "plate",
        }
    }

    /// What is compared.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Phone { digest, .. } => digest,
            Self::Plate(plate) => plate.as_str(),
        }
    }

    /// What people see.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Phone { masked, .. } => masked,
            Self::Plate(plate) => plate.as_str(),
        }
    }
}

/// An entry of a community's blacklist. It is never deleted: taken off, it stays for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry.
    pub id: String,
    /// Where it holds.
    pub community: CommunityId,
    /// Whom it is about.
    pub mark: Mark,
    /// Why.
    pub reason: Reason,
    /// Who entered it.
    pub created_by: ActorId,
    /// When.
    pub created_at: Timestamp,
    /// Who took it off again, and when.
    pub ended: Option<Ended>,
}

/// Who took an entry off, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Who.
    pub by: ActorId,
    /// When.
    pub at: Timestamp,
}

/// Lets only people who run the community see and change its blacklist: no application's key opens it.
///
/// # Errors
/// 403 for others.
pub fn managers_only(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if is_people(actor.kind) && is_manager(actor, community) {
        return Ok(());
    }
    Err(only_managers())
}

/// Only those who run the community do this.
pub(super) fn only_managers() -> Refusal {
    Refusal::forbidden(
        "managers_only",
        Message::new(
            "Only the property office of the community does this.",
            "只有本小区物业可以进行此操作。",
        ),
    )
}

/// Takes an entry off; nothing when it is off already.
#[must_use]
pub fn unblock(actor: &Actor, entry: &Entry, now: Timestamp) -> Option<Entry> {
    let ended = Ended {
        by: actor.id.clone(),
        at: now,
    };
    entry.ended.is_none().then(|| Entry {
        ended: Some(ended),
        ..entry.clone()
    })
}

/// The visitor is not let in.
#[must_use]
pub fn blacklisted() -> Refusal {
    Refusal::conflict(
        "visitor_blacklisted",
        Message::new(
            "This visitor is not let into the community. Ask the property office.",
            "该访客被禁止进入本小区，请联系物业。",
        ),
    )
}

/// No such entry, or none that the caller may know.
#[must_use]
pub fn unknown_entry() -> Refusal {
    Refusal::not_found(
        "blacklist_entry_unknown",
        Message::new(
            "There is no such entry that you can see.",
            "未找到您可查看的黑名单记录。",
        ),
    )
}
