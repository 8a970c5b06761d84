//! What binds a person to a room or a community, and asking for it.

use kernel::{
    Actor, ActorId, BindingId, BindingRequestId, BuildingId, CommunityId, Message, Phone, Refusal,
    RoomId, Timestamp, UnitId,
};
use wire::event::BindingRole;

use super::{Name, Note, is_people, managers_only, oversees, unknown};

/// From when to when something holds; without an end it holds until further notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The first moment at which it holds.
    pub from: Timestamp,
    /// The first moment at which it no longer holds.
    pub until: Option<Timestamp>,
}

impl Term {
    /// That time.
    ///
    /// # Errors
    /// 422 when it ends before it starts.
    pub fn new(from: Timestamp, until: Option<Timestamp>) -> Result<Self, Refusal> {
        if until.is_some_and(|until| until <= from) {
            return Err(Refusal::invalid(
                "term_invalid",
                Message::new(
                    "It must end after it starts. Correct `from` or `until`.",
                    "结束时间必须晚于开始时间，请更正。",
                ),
            ));
        }
        Ok(Self { from, until })
    }

    /// Whether it holds at that moment.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Whether there is a moment at which both hold.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let ends_before = |one: &Self, two: &Self| one.until.is_some_and(|until| until <= two.from);
        !ends_before(self, other) && !ends_before(other, self)
    }
}

/// What ties a person to a room, or to a community as staff, for a time. Never deleted, only ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The binding.
    pub id: BindingId,
    /// The person.
    pub person: ActorId,
    /// As what.
    pub role: BindingRole,
    /// The community.
    pub community: CommunityId,
    /// Building, entrance and room; absent for staff.
    pub home: Option<(BuildingId, UnitId, RoomId)>,
    /// When it holds.
    pub term: Term,
    /// Who bound them, and who ended it and why.
    pub started_by: ActorId,
    /// Who ended it.
    pub ended_by: Option<ActorId>,
    /// Why it was ended.
    pub end_reason: Option<Note>,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Binding {
    /// The room.
    #[must_use]
    pub fn room(&self) -> Option<&RoomId> {
        self.home.as_ref().map(|(_, _, room)| room)
    }
}

/// Decides on a new binding among those that the room or the community already has. What comes back are the
/// bindings that end with it: those of the owners before, when the new one is an owner and not a co-owner.
///
/// # Errors
/// 409 when the person is bound there at that time already.
pub fn start(new: &Binding, held: &[Binding], is_co_owner: bool) -> Result<Vec<Binding>, Refusal> {
    let meeting = |other: &&Binding| other.term.meets(&new.term);
    if held
        .iter()
        .filter(meeting)
        .any(|other| other.person == new.person && other.room() == new.room())
    {
        return Err(Refusal::conflict(
            "binding_exists",
            Message::new(
                "This person is already bound there at that time. End that binding first.",
                "该人员在此期间已绑定，请先结束原有绑定。",
            ),
        ));
    }
    if new.role != BindingRole::Owner || is_co_owner {
        return Ok(vec![]);
    }
    let owners = held
        .iter()
        .filter(meeting)
        .filter(|other| other.role == BindingRole::Owner && other.room() == new.room());
    owners
        .map(|owner| {
            if owner.term.from >= new.term.from {
                return Err(Refusal::conflict(
                    "owner_later",
                    Message::new(
                        "Another owner is bound from a later moment. End that binding first, or bind a co-owner.",
                        "已有更晚开始的业主绑定，请先结束该绑定，或按共有业主绑定。",
                    ),
                ));
            }
            Ok(Binding {
                term: Term {
                    until: Some(new.term.from),
                    ..owner.term
                },
                ended_by: Some(new.started_by.clone()),
                version: owner.version + 1,
                ..owner.clone()
            })
        })
        .collect()
}

/// Ends a binding at that moment; nothing when it ends at that moment already.
///
/// # Errors
/// 403 or 404 for whoever does not run the community, 409 when it has ended, 422 before its start.
pub fn end(
    actor: &Actor,
    binding: &Binding,
    (at, now): (Timestamp, Timestamp),
    reason: Option<Note>,
) -> Result<Option<Binding>, Refusal> {
    managers_only(actor, &binding.community)?;
    if binding.term.until == Some(at) {
        return Ok(None);
    }
    if binding.term.until.is_some_and(|until| until <= now) {
        return Err(Refusal::conflict(
            "binding_ended",
            Message::new(
                "This binding has already ended. What has been stays as it is.",
                "该绑定已结束，历史记录不可更改。",
            ),
        ));
    }
    // One that has not begun ends where it would have begun: it never holds, and stays in the record.
    let until = at.max(binding.term.from);
    Ok(Some(Binding {
        term: Term {
            until: Some(until),
            ..binding.term
        },
        ended_by: Some(actor.id.clone()),
        end_reason: reason,
        version: binding.version + 1,
        ..binding.clone()
    }))
}

/// The binding, for those who read the community's register, for its person and for the household.
///
/// # Errors
/// 404 for everybody else.
pub fn know_binding(
    actor: &Actor,
    binding: Option<Binding>,
    is_household: bool,
) -> Result<Binding, Refusal> {
    binding
        .filter(|binding| {
            is_household
                || oversees(actor, &binding.community)
                || (is_people(actor) && binding.person == actor.id)
        })
        .ok_or_else(|| unknown("binding_unknown", "binding", "绑定"))
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Nobody has decided yet (待审核).
    Pending,
    /// It was approved (已通过).
    Approved {
        /// What came of it.
        binding: BindingId,
        /// By whom and when.
        decision: Decision,
    },
    /// It was rejected (已驳回).
    Rejected {
        /// Why.
        reason: Note,
        /// By whom and when.
        decision: Decision,
    },
}

/// Who decided, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who.
    pub by: ActorId,
    /// When.
    pub at: Timestamp,
}

impl RequestState {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// A person asks to be bound to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingRequest {
    /// The request.
    pub id: BindingRequestId,
    /// Who asks.
    pub person: ActorId,
    /// As what.
    pub role: BindingRole,
    /// The room's community.
    pub community: CommunityId,
    /// The room.
    pub room: RoomId,
    /// What the person is called; absent once erased.
    pub name: Option<Name>,
    /// Where the person can be called.
    pub phone: Option<Phone>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Where it stands.
    pub state: RequestState,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// Whether the caller may ask for this role.
///
/// # Errors
/// 403 for whoever is no person, 422 for a role that is not asked for.
pub fn check_request(actor: &Actor, role: BindingRole) -> Result<(), Refusal> {
    if !is_people(actor) {
        return Err(Refusal::forbidden(
            "people_only",
            Message::new(
                "Only people can be bound to a room. Sign in as a person.",
                "仅个人账号可申请绑定，请使用个人账号登录。",
            ),
        ));
    }
    if role == BindingRole::Staff {
        return Err(Refusal::invalid(
            "role_not_requested",
            Message::new(
                "Ask as owner, tenant or family. Staff are bound by the property company.",
                "请以业主、租户或家属身份申请；物业员工由物业公司绑定。",
            ),
        ));
    }
    Ok(())
}

/// The request, for its person and for those who read the community's register.
///
/// # Errors
/// 404 for everybody else.
pub fn know_request(
    actor: &Actor,
    request: Option<BindingRequest>,
) -> Result<BindingRequest, Refusal> {
    request
        .filter(|request| {
            oversees(actor, &request.community) || (is_people(actor) && request.person == actor.id)
        })
        .ok_or_else(|| unknown("binding_request_unknown", "request", "申请"))
}

impl BindingRequest {
    /// Whether the caller may reject it now; an approval may follow a rejection, not the other way round.
    ///
    /// # Errors
    /// 403 for whoever does not run the community, 409 when it is decided.
    pub fn check_rejection(&self, actor: &Actor) -> Result<(), Refusal> {
        managers_only(actor, &self.community)?;
        if self.state == RequestState::Pending {
            return Ok(());
        }
        let (english, chinese) = match self.state {
            RequestState::Approved { .. } => ("approved", "通过"),
            _ => ("rejected", "驳回"),
        };
        Err(Refusal::conflict(
            "request_decided",
            Message::new(
                format!("This request has been {english}. The person may ask again."),
                format!("该申请已{chinese}，如有需要请重新申请。"),
            ),
        ))
    }
}

#[cfg(test)]
#[path = "binding_tests.rs"]
mod tests;
