//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{Actor, ActorId, DeviceId, OpeningId};
use store::{Tx, events};
use wire::event::{
    DoorChanged, DoorGrantResumed, DoorGrantRevoked, DoorGrantSuspended, DoorGranted,
    DoorOccurrenceReported, DoorOpened, DoorOpeningAnsweredLate, DoorOpeningFailed,
    DoorOpeningRefused, DoorOpeningRequested, DoorOpeningTimedOut, DoorRegistered, Event,
};

use crate::context::Context;
use crate::domain::{Door, Grant, GrantState, LateAnswer, Occurrence, Opening, OpeningState};

/// A door is new.
pub(crate) async fn door_registered(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    door: &Door,
) -> anyhow::Result<()> {
    let (door, community, actor) = (door.id.clone(), door.community.clone(), actor.id.clone());
    append(
        context,
        tx,
        &DoorRegistered {
            door,
            community,
            actor,
        },
    )
    .await
}

/// A door is another than before.
pub(crate) async fn door_changed(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    door: &Door,
) -> anyhow::Result<()> {
    let (door, version, actor) = (door.id.clone(), door.version, actor.id.clone());
    append(
        context,
        tx,
        &DoorChanged {
            door,
            version,
            actor,
        },
    )
    .await
}

/// A grant is new.
pub(crate) async fn granted(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    grant: &Grant,
) -> anyhow::Result<()> {
    let (person, actor) = (grant.person.clone(), actor.id.clone());
    let (grant, door) = (grant.id.clone(), grant.door.clone());
    append(
        context,
        tx,
        &DoorGranted {
            grant,
            door,
            person,
            actor,
        },
    )
    .await
}

/// A grant is in another state than before.
pub(crate) async fn grant_changed(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    grant: &Grant,
) -> anyhow::Result<()> {
    let (id, actor) = (grant.id.clone(), actor.id.clone());
    match &grant.state {
        GrantState::Active => append(context, tx, &DoorGrantResumed { grant: id, actor }).await,
        GrantState::Suspended { reason, .. } => {
            let reason = reason.as_str().to_owned();
            append(
                context,
                tx,
                &DoorGrantSuspended {
                    grant: id,
                    actor,
                    reason,
                },
            )
            .await
        }
        GrantState::Revoked { .. } => {
            append(context, tx, &DoorGrantRevoked { grant: id, actor }).await
        }
    }
}

/// An opening is new: allowed or refused.
pub(crate) async fn opening_asked(context: &Context, tx: &Tx, new: &Opening) -> anyhow::Result<()> {
    let (opening, door, person) = keys(new);
    match &new.state {
        OpeningState::Refused { denial } => {
            let reason = denial.code().to_owned();
            let fact = DoorOpeningRefused {
                opening,
                door,
                person,
                reason,
            };
            append(context, tx, &fact).await
        }
        OpeningState::Requested { expires_at } => {
            let (community, expires_at) = (new.community.clone(), *expires_at);
            let fact = DoorOpeningRequested {
                opening,
                door,
                community,
                person,
                expires_at,
            };
            append(context, tx, &fact).await
        }
        settled => anyhow::bail!("a new opening is not {}", settled.name()),
    }
}

/// An opening has been settled, or a settled one was answered late.
pub(crate) async fn opening_settled(
    context: &Context,
    tx: &Tx,
    before: &Opening,
    after: &Opening,
) -> anyhow::Result<()> {
    let (opening, door, person) = keys(after);
    let reason = match &after.state {
        OpeningState::Opened { latency_ms, .. } => {
            let (community, latency_ms) = (after.community.clone(), *latency_ms);
            let fact = DoorOpened {
                opening,
                door,
                community,
                person,
                latency_ms,
            };
            return append(context, tx, &fact).await;
        }
        OpeningState::TimedOut { late, .. } => {
            return opening_timed_out(context, tx, before, (after, late.as_ref())).await;
        }
        OpeningState::Failed { reason, .. } => reason.as_str().to_owned(),
        OpeningState::Expired { .. } => "expired".to_owned(),
        unsettled => anyhow::bail!("a settled opening is not {}", unsettled.name()),
    };
    append(
        context,
        tx,
        &DoorOpeningFailed {
            opening,
            door,
            person,
            reason,
        },
    )
    .await
}

/// Nobody answered these openings in time.
pub(crate) async fn openings_timed_out(
    context: &Context,
    tx: &Tx,
    over: &[Opening],
) -> anyhow::Result<()> {
    let facts: anyhow::Result<Vec<_>> = over
        .iter()
        .map(|opening| Ok((context.new_id()?, timed_out(opening))))
        .collect();
    events::append_all(tx, context.now, &facts?).await
}

fn timed_out(after: &Opening) -> DoorOpeningTimedOut {
    let (opening, door, person) = keys(after);
    DoorOpeningTimedOut {
        opening,
        door,
        person,
    }
}

async fn opening_timed_out(
    context: &Context,
    tx: &Tx,
    before: &Opening,
    (after, late): (&Opening, Option<&LateAnswer>),
) -> anyhow::Result<()> {
    if matches!(before.state, OpeningState::Requested { .. }) {
        append(context, tx, &timed_out(after)).await?;
    }
    let Some(late) = late else { return Ok(()) };
    let ((opening, door, person), outcome) = (keys(after), late.outcome.clone());
    let fact = DoorOpeningAnsweredLate {
        opening,
        door,
        person,
        outcome,
    };
    append(context, tx, &fact).await
}

/// Something happened at a door by itself.
pub(crate) async fn occurred(
    context: &Context,
    tx: &Tx,
    occurrence: &Occurrence,
) -> anyhow::Result<()> {
    let door = occurrence.door.clone();
    let (device_at, occurrence) = (occurrence.happened_at, occurrence.kind.clone());
    append(
        context,
        tx,
        &DoorOccurrenceReported {
            door,
            occurrence,
            device_at,
        },
    )
    .await
}

fn keys(opening: &Opening) -> (OpeningId, DeviceId, ActorId) {
    (
        opening.id.clone(),
        opening.door.clone(),
        opening.person.clone(),
    )
}

/// Records a fact.
pub(crate) async fn append<Fact: Event>(
    context: &Context,
    tx: &Tx,
    fact: &Fact,
) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}
