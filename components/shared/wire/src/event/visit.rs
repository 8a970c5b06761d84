//! What visitors record: who was expected, let in, refused, and left.

use kernel::{ActorId, BuildingId, CommunityId, PassId, RoomId, Timestamp, UnitId, VisitId};

events! {
    /// Somebody stands at the gate, or wrote beforehand, and the host has to say yes or no.
    VisitRequested = "visit.requested", awaited {
        /// The visit.
        visit: VisitId,
        /// The community.
        community: CommunityId,
        /// The room that is visited; absent when what the visitor wrote names no room that is known.
        room: Option<RoomId>,
        /// Who may answer: the people of the household.
        hosts: Vec<ActorId>,
        /// Until when an answer counts.
        answer_by: Timestamp,
    }
    /// A visit is expected: its pass opens the community's gates and the entrance of the room.
    VisitApproved = "visit.approved", awaited {
        /// The visit.
        visit: VisitId,
        /// The pass that it is let in with.
        pass: PassId,
        /// The community.
        community: CommunityId,
        /// The building of the room.
        building: BuildingId,
        /// The entrance of the room.
        unit: UnitId,
        /// The room that is visited.
        room: RoomId,
        /// Who said yes.
        host: ActorId,
        /// From when on the pass holds.
        from: Timestamp,
        /// The first moment at which it no longer holds.
        until: Timestamp,
        /// How often it opens each door.
        uses_max: u16,
        /// The visitor's number plate, in its normal form.
        plate: Option<String>,
    }
    /// The host said no, did not answer in time, or took the invitation back; the pass opens nothing any more.
    VisitEnded = "visit.ended", awaited {
        /// The visit.
        visit: VisitId,
        /// The pass, if it had one.
        pass: Option<PassId>,
        /// The community.
        community: CommunityId,
        /// `rejected`, `expired`, `revoked` or `left`.
        state: String,
        /// Who ended it; absent when time did.
        actor: Option<ActorId>,
    }
    /// A visitor came in for the first time.
    VisitArrived = "visit.arrived", awaited {
        /// The visit.
        visit: VisitId,
        /// The community.
        community: CommunityId,
        /// The room that is visited.
        room: RoomId,
        /// When the gate let the visitor in.
        arrived_at: Timestamp,
    }
    /// A pass that comes again every week was made, or taken back.
    RecurringVisitChanged = "recurring_visit.changed" {
        /// The pass.
        recurring: VisitId,
        /// The community.
        community: CommunityId,
        /// The room that is visited.
        room: RoomId,
        /// Whether it holds from now on.
        active: bool,
        /// Who did it; absent when a rule did.
        actor: Option<ActorId>,
    }
    /// Somebody was put on a community's blacklist, or taken off it.
    VisitorBlacklistChanged = "visitor_blacklist.changed" {
        /// The entry.
        entry: String,
        /// The community.
        community: CommunityId,
        /// By what the visitor is known: `phone` or `plate`; what it is stands in the list only.
        kind: String,
        /// Whether the visitor is kept out from now on.
        blocked: bool,
        /// Why the entry was made.
        reason: String,
        /// Who did it.
        actor: ActorId,
    }
    /// The personal data of visitors was deleted, because its time was over.
    VisitorDataForgotten = "visitor_data.forgotten" {
        /// How many visits and recurring passes have none any more.
        records: u32,
    }
}
