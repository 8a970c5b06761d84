//! Openings: one request to open one door, from the decision to what became of it.
//!
//! An opening is decided once, and what became of it is settled once: the first answer before the deadline, or the
//! deadline itself. Afterwards its state never changes; an answer that comes too late is kept beside it.

use access::{Decision, Reason as Why, Shown};
use kernel::{
    Actor, ActorId, CommunityId, DeviceId, GrantId, Message, OpeningId, Refusal, Timestamp,
};
use wire::door::Outcome;

use super::{Door, Reason, is_people, is_person, know, manages, occurrence::own_gateway, oversees};

/// How long a command holds, in milliseconds: a door that opens late is worse than one that stays shut.
pub const OPENING_EXPIRES_MS: i64 = 5_000;

/// A request to open a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The opening.
    pub id: OpeningId,
    /// The door.
    pub door: DeviceId,
    /// Where the door stands.
    pub community: CommunityId,
    /// Who asked.
    pub person: ActorId,
    /// On what ground.
    pub ground: Ground,
    /// When.
    pub requested_at: Timestamp,
    /// What became of it.
    pub state: OpeningState,
}

/// On what ground somebody asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// A grant.
    Grant(GrantId),
    /// Belonging to one of the door's groups.
    Member,
    /// A fire: the door stands open.
    Release,
    /// The word of somebody who runs the community, with the reason given.
    Override(Reason),
    /// None: only a refused opening has none.
    None,
}

/// What became of an opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpeningState {
    /// Allowed; the command is on its way until `expires_at`.
    Requested {
        /// From then on the door stays shut.
        expires_at: Timestamp,
    },
    /// The controller confirmed that the lock was released.
    Opened {
        /// When the confirmation was stored.
        at: Timestamp,
        /// From the request to the stored confirmation.
        latency_ms: i64,
    },
    /// The controller refused, or did not answer the gateway.
    Failed {
        /// When that was stored.
        at: Timestamp,
        /// What the controller or the line said.
        reason: Reason,
    },
    /// The command reached the door too late; it stayed shut.
    Expired {
        /// When that was stored.
        at: Timestamp,
    },
    /// Nobody answered before the deadline.
    TimedOut {
        /// The deadline.
        at: Timestamp,
        /// The answer that came after all.
        late: Option<LateAnswer>,
    },
    /// The person may not.
    Refused {
        /// Why.
        denial: Why,
    },
}

impl OpeningState {
    /// The names of all states.
    pub const NAMES: [&str; 6] = [
        "requested",
        "opened",
        "failed",
        "expired",
        "timed_out",
        "refused",
    ];

    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "requested",
            Self::Opened { .. } => "opened",
            Self::Failed { .. } => "failed",
            Self::Expired { .. } => "expired",
            Self::TimedOut { .. } => "timed_out",
            Self::Refused { .. } => "refused",
        }
    }
}

/// An answer after the deadline: for the audit, because the door may have moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateAnswer {
    /// When it was stored.
    pub at: Timestamp,
    /// What it said.
    pub outcome: Outcome,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The new opening's id.
    pub id: OpeningId,
    /// Why, from those who run the community; of others it is not needed.
    pub reason: Option<Reason>,
}

/// What is known about the door and the person who asks, at the moment of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The door.
    pub door: Door,
    /// The door as the decision sees it.
    pub place: access::Place,
    /// The person as the decision sees it.
    pub subject: access::Subject,
    /// The single grant that the subject holds.
    pub grant: Option<GrantId>,
    /// What happened before.
    pub history: access::History,
}

impl Known {
    /// The decision about what is shown.
    #[must_use]
    pub fn decide(&self, shown: &Shown, now: Timestamp) -> access::Decision {
        access::decide(access::Ask {
            place: &self.place,
            subject: &self.subject,
            shown,
            history: &self.history,
            now,
        })
    }
}

/// Decides on a request: an opening that is on its way, or one that is refused and kept with its reason; and whether
/// the person goes the same way twice.
///
/// # Errors
/// 404 for a caller who does not reach the community (nothing is kept: it is not a decision about a person of this
/// place); 422 when somebody who runs the community opens without a right of the own and gives no reason.
pub fn request_opening(
    actor: &Actor,
    known: &Known,
    ask: Ask,
    now: Timestamp,
) -> Result<(Opening, access::Decision), Refusal> {
    let door = know(actor, Some(known.door.clone()))?;
    let runs_it = manages(actor, &door.community);
    let (decision, word) = match ask.reason {
        _ if !is_people(actor.kind) => (Decision::refused(Why::KindMayNotOpen), None),
        Some(reason) if runs_it => (known.decide(&Shown::Override, now), Some(reason)),
        _ => (known.decide(&Shown::Person, now), None),
    };
    if decision.reason == Why::NoGrant && runs_it {
        return Err(reason_required());
    }
    let ground = match (decision.reason, word, known.grant.clone()) {
        (Why::Released, ..) => Ground::Release,
        (_, Some(reason), _) => Ground::Override(reason),
        (Why::Member, ..) => Ground::Member,
        (Why::KindMayNotOpen | Why::NoGrant, ..) | (_, _, None) => Ground::None,
        (_, _, Some(grant)) => Ground::Grant(grant),
    };
    let state = if decision.allowed {
        OpeningState::Requested {
            expires_at: now.plus_millis(OPENING_EXPIRES_MS),
        }
    } else {
        OpeningState::Refused {
            denial: decision.reason,
        }
    };
    let opening = Opening {
        id: ask.id,
        door: door.id,
        community: door.community,
        person: actor.id.clone(),
        ground,
        requested_at: now,
        state,
    };
    Ok((opening, decision))
}

/// The opening as it stands now: past its deadline an unanswered one has timed out, stored or not.
#[must_use]
pub fn observe(opening: Opening, now: Timestamp) -> Opening {
    match opening.state {
        OpeningState::Requested { expires_at } if expires_at <= now => Opening {
            state: OpeningState::TimedOut {
                at: expires_at,
                late: None,
            },
            ..opening
        },
        _ => opening,
    }
}

/// Takes the answer of the door's own gateway; nothing when the opening is settled already.
///
/// # Errors
/// 403 when another gateway speaks.
pub fn acknowledge(
    opening: &Opening,
    gateway: &DeviceId,
    answer: &wire::door::Acknowledgement,
    now: Timestamp,
) -> Result<Option<Opening>, Refusal> {
    own_gateway(gateway, &answer.gateway)?;
    let opening = observe(opening.clone(), now);
    let state = match (&opening.state, &answer.outcome) {
        (OpeningState::Requested { .. }, Outcome::Opened) => OpeningState::Opened {
            at: now,
            latency_ms: now.millis_since(opening.requested_at),
        },
        (OpeningState::Requested { .. }, Outcome::Expired) => OpeningState::Expired { at: now },
        (OpeningState::Requested { .. }, Outcome::Failed { reason }) => OpeningState::Failed {
            at: now,
            reason: Reason::of_device(reason),
        },
        (OpeningState::TimedOut { at, late: None }, outcome) => {
            let late = LateAnswer {
                at: now,
                outcome: outcome.clone(),
            };
            OpeningState::TimedOut {
                at: *at,
                late: Some(late),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(Opening { state, ..opening }))
}

/// The opening, for those who run or audit its community, and for the person who asked.
///
/// # Errors
/// 404 for everybody else.
pub fn known_opening(actor: &Actor, opening: Option<Opening>) -> Result<Opening, Refusal> {
    let may_know = |opening: &Opening| {
        oversees(actor, &opening.community)
            || (is_person(actor, &opening.person) && actor.reaches(&opening.community))
    };
    opening.filter(may_know).ok_or_else(unknown_opening)
}

/// No such opening, or none that the caller may know.
#[must_use]
pub fn unknown_opening() -> Refusal {
    Refusal::not_found(
        "opening_unknown",
        Message::new(
            "There is no such opening that you can see.",
            "没有您可见的这次开门记录。",
        ),
    )
}

fn reason_required() -> Refusal {
    Refusal::invalid(
        "reason_required",
        Message::new(
            "You hold no grant for this door. Give a `reason` to open it on your own word.",
            "您没有此门的授权，请填写 reason 后以职责开门。",
        ),
    )
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
