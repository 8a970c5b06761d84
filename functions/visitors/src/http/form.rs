//! What several routes read and show: visitors, rooms and visits.

use kernel::{
    Actor, ActorId, BuildingId, CommunityId, PassId, Phone, RoomId, TenantId, Timestamp, UnitId,
    VisitId,
};
use serde::{Deserialize, Serialize};
use store::Tx;

use crate::context::Context;
use crate::domain::{
    KnownPhone, Name, Place, Plate, Purpose, Reason, Relation, Room, Visit, VisitState, Visitor,
    relation, unknown_room,
};
use crate::store::places;

/// A field of the body that is text on the wire and a type of the domain behind it.
#[derive(Deserialize)]
#[serde(
    try_from = "String",
    bound = "T: TryFrom<String>, T::Error: std::fmt::Display"
)]
pub(super) struct Text<T>(pub(super) T);

impl<T: TryFrom<String>> TryFrom<String> for Text<T> {
    type Error = T::Error;
    fn try_from(text: String) -> Result<Self, T::Error> {
        T::try_from(text).map(Self)
    }
}

/// A field of the body that is a number on the wire and a type of the domain behind it.
#[derive(Deserialize)]
#[serde(
    try_from = "u16",
    bound = "T: TryFrom<u16>, T::Error: std::fmt::Display"
)]
pub(super) struct Number<T>(pub(super) T);

impl<T: TryFrom<u16>> TryFrom<u16> for Number<T> {
    type Error = T::Error;
    fn try_from(number: u16) -> Result<Self, T::Error> {
        T::try_from(number).map(Self)
    }
}

/// Who comes, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedVisitor {
    name: Text<Name>,
    phone: Option<Phone>,
    plate: Option<Text<Plate>>,
    purpose: Option<Text<Purpose>>,
}

impl AskedVisitor {
    /// The visitor, with the digest of the number.
    pub(super) fn known(self, context: &Context, tenant: &TenantId) -> anyhow::Result<Visitor> {
        let phone = self.phone.map(|phone| known(context, tenant, phone));
        Ok(Visitor {
            name: self.name.0,
            phone: phone.transpose()?,
            plate: self.plate.map(|plate| plate.0),
            purpose: self.purpose.map(|purpose| purpose.0),
        })
    }
}

/// A number with its digest.
pub(super) fn known(
    context: &Context,
    tenant: &TenantId,
    phone: Phone,
) -> anyhow::Result<KnownPhone> {
    Ok(KnownPhone {
        digest: web::phone_digest(&context.token_secret, tenant, &phone)?,
        phone,
    })
}

/// The way to a room that nobody lives in: only those who run the community know it.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Way {
    pub(super) community: CommunityId,
    pub(super) building: BuildingId,
    pub(super) unit: UnitId,
}

/// The room that the caller names, its community, and what the caller is to it.
///
/// # Errors
/// 404 for a room that is not theirs; 403 later, for those who only read.
pub(super) async fn room_of(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (room, way): (&RoomId, Option<&Way>),
) -> anyhow::Result<(Room, CommunityId, Relation)> {
    let community = way.map(|way| &way.community);
    let found = match (places::room(tx, room, community).await?, way) {
        (Some(found), _) => found,
        (None, Some(way)) => {
            let named = Room {
                building: way.building.clone(),
                unit: way.unit.clone(),
                room: room.clone(),
            };
            (named, way.community.clone())
        }
        (None, None) => return Err(unknown_room().into()),
    };
    let (room, community) = found;
    let relation = relation_to(context, tx, actor, (&community, &room.room)).await?;
    Ok((room, community, relation.ok_or_else(unknown_room)?))
}

/// What the caller is to a room.
pub(super) async fn relation_to(
    context: &Context,
    db: &impl store::Read,
    actor: &Actor,
    (community, room): (&CommunityId, &RoomId),
) -> anyhow::Result<Option<Relation>> {
    let place = (community, room);
    let lives_there = places::lives_in(db, &actor.tenant, &actor.id, place, context.now).await?;
    Ok(relation(actor, community, lives_there))
}

/// A visitor as those see who may know the visit.
#[derive(Serialize)]
pub(super) struct ShownVisitor {
    name: String,
    phone: Option<Phone>,
    plate: Option<String>,
    purpose: Option<String>,
}

impl From<Visitor> for ShownVisitor {
    fn from(visitor: Visitor) -> Self {
        Self {
            name: visitor.name.as_str().to_owned(),
            phone: visitor.phone.map(|known| known.phone),
            plate: visitor.plate.map(|plate| plate.as_str().to_owned()),
            purpose: visitor.purpose.map(|purpose| purpose.as_str().to_owned()),
        }
    }
}

/// A visit.
#[derive(Serialize)]
pub(super) struct ShownVisit {
    id: VisitId,
    community: CommunityId,
    building: Option<BuildingId>,
    unit: Option<UnitId>,
    room: Option<RoomId>,
    /// What the visitor wrote, while nobody has said which room that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_text: Option<String>,
    kind: &'static str,
    /// Absent once the personal data is deleted.
    visitor: Option<ShownVisitor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurring: Option<VisitId>,
    requested_by: Option<ActorId>,
    requested_at: Timestamp,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_by: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ShownApproval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<ShownEnd>,
}

#[derive(Serialize)]
struct ShownApproval {
    host: ActorId,
    reason: Option<String>,
    pass: PassId,
    from: Timestamp,
    until: Timestamp,
    uses_max: u16,
    uses: u16,
    arrived_at: Option<Timestamp>,
}

/// How something ended.
#[derive(Serialize)]
pub(super) struct ShownEnd {
    by: Option<ActorId>,
    at: Timestamp,
    reason: Option<String>,
}

impl From<crate::domain::End> for ShownEnd {
    fn from(end: crate::domain::End) -> Self {
        Self {
            by: end.by,
            at: end.at,
            reason: end.reason.as_ref().map(Reason::as_str).map(str::to_owned),
        }
    }
}

impl From<Visit> for ShownVisit {
    fn from(visit: Visit) -> Self {
        let (room, room_text) = match visit.place {
            Place::Room(room) => (Some(room), None),
            Place::Text(text) => (None, Some(text.as_str().to_owned())),
        };
        let answer_by = match &visit.state {
            VisitState::Requested { answer_by } => Some(*answer_by),
            _ => None,
        };
        let state = visit.state.name();
        let approval = visit.state.approval().map(|approval| ShownApproval {
            host: approval.signed.by.clone(),
            reason: approval
                .signed
                .reason
                .as_ref()
                .map(|reason| reason.as_str().to_owned()),
            pass: approval.pass.id.clone(),
            from: approval.pass.window.from(),
            until: approval.pass.window.until(),
            uses_max: approval.pass.uses_max.count(),
            uses: approval.pass.uses,
            arrived_at: approval.arrived_at,
        });
        Self {
            id: visit.id,
            community: visit.community,
            building: room.as_ref().map(|room| room.building.clone()),
            unit: room.as_ref().map(|room| room.unit.clone()),
            room: room.map(|room| room.room),
            room_text,
            kind: visit.kind.as_str(),
            visitor: visit.visitor.map(ShownVisitor::from),
            recurring: visit.recurring,
            requested_by: visit.requested_by,
            requested_at: visit.requested_at,
            state,
            answer_by,
            approval,
            end: end_of(visit.state),
        }
    }
}

fn end_of(state: VisitState) -> Option<ShownEnd> {
    match state {
        VisitState::Rejected(end)
        | VisitState::Left { end, .. }
        | VisitState::Revoked { end, .. } => Some(end.into()),
        VisitState::Expired { at, .. } => Some(ShownEnd {
            by: None,
            at,
            reason: None,
        }),
        VisitState::Requested { .. } | VisitState::Approved(_) | VisitState::Arrived(_) => None,
    }
}
