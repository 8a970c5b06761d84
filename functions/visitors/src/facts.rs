//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{Actor, ActorId, Timestamp};
use store::{Tx, events};
use wire::event::{
    Event, RecurringVisitChanged, VisitApproved, VisitArrived, VisitEnded, VisitRequested,
    VisitorBlacklistChanged, VisitorDataForgotten,
};

use crate::context::Context;
use crate::domain::{Approval, Entry, Place, Recurring, RecurringState, Room, Visit, VisitState};

/// A visit is new; `hosts` may answer for it.
pub(crate) async fn visit_made(
    context: &Context,
    tx: &Tx,
    visit: &Visit,
    hosts: Vec<ActorId>,
) -> anyhow::Result<()> {
    if let VisitState::Requested { answer_by } = visit.state {
        let fact = VisitRequested {
            visit: visit.id.clone(),
            community: visit.community.clone(),
            room: room_of(visit).map(|room| room.room.clone()),
            hosts,
            answer_by,
        };
        append(context, tx, &fact).await?;
    }
    step(context, tx, None, visit).await
}

/// A visit stands otherwise than before.
pub(crate) async fn visit_changed(
    context: &Context,
    tx: &Tx,
    before: &Visit,
    after: &Visit,
) -> anyhow::Result<()> {
    step(context, tx, Some(before), after).await
}

async fn step(
    context: &Context,
    tx: &Tx,
    before: Option<&Visit>,
    after: &Visit,
) -> anyhow::Result<()> {
    let had = before.and_then(|visit| visit.state.approval());
    let room = room_of(after);
    if let (None, Some(approval), Some(room)) = (had, after.state.approval(), room) {
        approved(context, tx, after, (approval, room)).await?;
    }
    let came_before = had.and_then(|approval| approval.arrived_at);
    let came = after
        .state
        .approval()
        .and_then(|approval| approval.arrived_at);
    if let (None, Some(arrived_at), Some(room)) = (came_before, came, room) {
        arrived(context, tx, after, (arrived_at, room)).await?;
    }
    if after.state.is_ended() && !before.is_some_and(|visit| visit.state.is_ended()) {
        ended(context, tx, after).await?;
    }
    Ok(())
}

async fn approved(
    context: &Context,
    tx: &Tx,
    visit: &Visit,
    (approval, room): (&Approval, &Room),
) -> anyhow::Result<()> {
    let plate = visit.visitor.as_ref().and_then(|who| who.plate.as_ref());
    let fact = VisitApproved {
        visit: visit.id.clone(),
        pass: approval.pass.id.clone(),
        community: visit.community.clone(),
        building: room.building.clone(),
        unit: room.unit.clone(),
        room: room.room.clone(),
        host: approval.signed.by.clone(),
        from: approval.pass.window.from(),
        until: approval.pass.window.until(),
        uses_max: approval.pass.uses_max.count(),
        plate: plate.map(|plate| plate.as_str().to_owned()),
    };
    append(context, tx, &fact).await
}

async fn arrived(
    context: &Context,
    tx: &Tx,
    visit: &Visit,
    (arrived_at, room): (Timestamp, &Room),
) -> anyhow::Result<()> {
    let fact = VisitArrived {
        visit: visit.id.clone(),
        community: visit.community.clone(),
        room: room.room.clone(),
        arrived_at,
    };
    append(context, tx, &fact).await
}

async fn ended(context: &Context, tx: &Tx, visit: &Visit) -> anyhow::Result<()> {
    let actor = match &visit.state {
        VisitState::Rejected(end)
        | VisitState::Left { end, .. }
        | VisitState::Revoked { end, .. } => end.by.clone(),
        _ => None,
    };
    let approval = visit.state.approval();
    let fact = VisitEnded {
        visit: visit.id.clone(),
        pass: approval.map(|approval| approval.pass.id.clone()),
        community: visit.community.clone(),
        state: visit.state.name().to_owned(),
        actor,
    };
    append(context, tx, &fact).await
}

/// A pass that comes again was made or taken back.
pub(crate) async fn recurring_changed(
    context: &Context,
    tx: &Tx,
    recurring: &Recurring,
) -> anyhow::Result<()> {
    let (active, actor) = match &recurring.state {
        RecurringState::Active => (true, Some(recurring.host().clone())),
        RecurringState::Revoked(end) => (false, end.by.clone()),
    };
    let fact = RecurringVisitChanged {
        recurring: recurring.id.clone(),
        community: recurring.community.clone(),
        room: recurring.room.room.clone(),
        active,
        actor,
    };
    append(context, tx, &fact).await
}

/// Somebody was put on a blacklist or taken off it.
pub(crate) async fn blacklist_changed(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    entry: &Entry,
) -> anyhow::Result<()> {
    let fact = VisitorBlacklistChanged {
        entry: entry.id.clone(),
        community: entry.community.clone(),
        kind: entry.mark.kind().to_owned(),
        blocked: entry.ended.is_none(),
        reason: entry.reason.as_str().to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// Personal data was deleted because its time was over.
pub(crate) async fn data_forgotten(
    context: &Context,
    tx: &Tx,
    records: usize,
) -> anyhow::Result<()> {
    let records = u32::try_from(records)?;
    append(context, tx, &VisitorDataForgotten { records }).await
}

fn room_of(visit: &Visit) -> Option<&Room> {
    match &visit.place {
        Place::Room(room) => Some(room),
        Place::Text(_) => None,
    }
}

async fn append<Fact: Event>(context: &Context, tx: &Tx, fact: &Fact) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}
