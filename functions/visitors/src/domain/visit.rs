//! Visits: one machine from the request to the end; its steps stand in `steps`.
//!
//! `requested` -> `approved` | `rejected` | `expired`; `approved` -> `arrived` | `revoked` | `expired`; `arrived` ->
//! `left` | `revoked`. What has ended stays as it is; a use that a gate reports late is counted beside it.

use kernel::{ActorId, BuildingId, CommunityId, Phone, RoomId, Timestamp, UnitId, VisitId};

use super::{Name, Pass, Plate, Purpose, Reason, RoomText, Signed};

/// A room and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its building.
    pub building: BuildingId,
    /// Its entrance.
    pub unit: UnitId,
    /// The room.
    pub room: RoomId,
}

/// Where a visitor goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A room that the register knows.
    Room(Room),
    /// What the visitor wrote; staff find out which room it is.
    Text(RoomText),
}

/// What sort of visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitKind {
    /// A guest (访客).
    Guest,
    /// A courier (快递、外卖): half an hour.
    Courier,
    /// One day of a pass that comes again (周期通行).
    Recurring,
}

impl VisitKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Guest, Self::Courier, Self::Recurring];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Courier => "courier",
            Self::Recurring => "recurring",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A phone number with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPhone {
    /// The number.
    pub phone: Phone,
    /// See `web::phone_digest`.
    pub digest: String,
}

/// Who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// What they are called.
    pub name: Name,
    /// Their number.
    pub phone: Option<KnownPhone>,
    /// Their car.
    pub plate: Option<Plate>,
    /// What they come for.
    pub purpose: Option<Purpose>,
}

/// A visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The visit.
    pub id: VisitId,
    /// Where.
    pub community: CommunityId,
    /// Where in it.
    pub place: Place,
    /// What sort.
    pub kind: VisitKind,
    /// Who comes; absent once the personal data is deleted.
    pub visitor: Option<Visitor>,
    /// The recurring pass it is a day of.
    pub recurring: Option<VisitId>,
    /// Who asked; absent when it was the visitor.
    pub requested_by: Option<ActorId>,
    /// When.
    pub requested_at: Timestamp,
    /// What became of it.
    pub state: VisitState,
}

/// The yes of the household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who said it, and what else.
    pub signed: Signed,
    /// What the visitor is let in with.
    pub pass: Pass,
    /// When a gate let the visitor in for the first time.
    pub arrived_at: Option<Timestamp>,
}

/// How a visit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Who ended it; absent when time or a rule did.
    pub by: Option<ActorId>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<Reason>,
}

/// What became of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitState {
    /// The household has to answer.
    Requested {
        /// From then on no answer counts.
        answer_by: Timestamp,
    },
    /// The visitor is expected.
    Approved(Approval),
    /// The visitor is in.
    Arrived(Approval),
    /// The household said no, or the visitor is on the blacklist.
    Rejected(End),
    /// Nobody answered, or nobody came.
    Expired {
        /// The yes, when there was one.
        approval: Option<Approval>,
        /// When.
        at: Timestamp,
    },
    /// The visitor is out again, or the time is over.
    Left {
        /// The yes.
        approval: Approval,
        /// How.
        end: End,
    },
    /// The household or the property office took the yes back.
    Revoked {
        /// The yes.
        approval: Approval,
        /// How.
        end: End,
    },
}

impl VisitState {
    /// The names of all states.
    pub const NAMES: [&str; 7] = [
        "requested",
        "approved",
        "arrived",
        "rejected",
        "expired",
        "left",
        "revoked",
    ];

    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "requested",
            Self::Approved(_) => "approved",
            Self::Arrived(_) => "arrived",
            Self::Rejected(_) => "rejected",
            Self::Expired { .. } => "expired",
            Self::Left { .. } => "left",
            Self::Revoked { .. } => "revoked",
        }
    }

    /// The yes, when there is or was one.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Approved(approval)
            | Self::Arrived(approval)
            | Self::Left { approval, .. }
            | Self::Revoked { approval, .. } => Some(approval),
            Self::Expired { approval, .. } => approval.as_ref(),
            Self::Requested { .. } | Self::Rejected(_) => None,
        }
    }

    /// Whether nothing changes it any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        !matches!(
            self,
            Self::Requested { .. } | Self::Approved(_) | Self::Arrived(_)
        )
    }

    /// When time alone ends it.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Requested { answer_by } => Some(*answer_by),
            Self::Approved(approval) | Self::Arrived(approval) => {
                Some(approval.pass.window.until())
            }
            _ => None,
        }
    }
}

impl Visit {
    /// The visit in another state.
    pub(super) fn with(&self, state: VisitState) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }
}

impl Approval {
    /// With the first arrival at that moment or earlier.
    pub(super) fn arrived(&self, at: Timestamp) -> Self {
        Self {
            arrived_at: Some(self.arrived_at.map_or(at, |first| first.min(at))),
            ..self.clone()
        }
    }
}

impl Signed {
    /// The end that this decision makes.
    #[must_use]
    pub fn end(self, at: Timestamp) -> End {
        End {
            by: Some(self.by),
            at,
            reason: self.reason,
        }
    }
}
