//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{Actor, ActorId, DeviceId, OpeningId};
use store::{Tx, events};
use wire::event::{
    DoorChanged, DoorGrantResumed, DoorGrantRevoked, DoorGrantSuspended, DoorGranted,
    DoorOccurrenceReported, DoorOpened, DoorOpeningAnsweredLate, DoorOpeningFailed,
    DoorOpeningRefused, DoorOpeningRequested, DoorOpeningTimedOut, DoorRegistered, Event,
};

use crate::context::Context;
use crate::domain::{Door, Grant, GrantState, Occurrence, Opening, OpeningState};

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

/// An opening is new, or in another state than before.
pub(crate) async fn opening_changed(
    context: &Context,
    tx: &Tx,
    before: Option<&Opening>,
    after: &Opening,
) -> anyhow::Result<()> {
    let (opening, door, person) = keys(after);
    let community = after.community.clone();
    match &after.state {
        OpeningState::Requested { expires_at } => {
            let expires_at = *expires_at;
            append(
                context,
                tx,
                &DoorOpeningRequested {
                    opening,
                    door,
                    community,
                    person,
                    expires_at,
                },
            )
            .await
        }
        OpeningState::Refused { denial } => {
            let reason = denial.code().to_owned();
            append(
                context,
                tx,
                &DoorOpeningRefused {
                    opening,
                    door,
                    person,
                    reason,
                },
            )
            .await
        }
        OpeningState::Opened { latency_ms, .. } => {
            let latency_ms = *latency_ms;
            append(
                context,
                tx,
                &DoorOpened {
                    opening,
                    door,
                    community,
                    person,
                    latency_ms,
                },
            )
            .await
        }
        OpeningState::Failed { reason, .. } => {
            let reason = reason.as_str().to_owned();
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
        OpeningState::Expired { .. } => {
            let reason = "expired".to_owned();
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
        OpeningState::TimedOut { late, .. } => {
            if before.is_none_or(|before| matches!(before.state, OpeningState::Requested { .. })) {
                append(
                    context,
                    tx,
                    &DoorOpeningTimedOut {
                        opening,
                        door,
                        person,
                    },
                )
                .await?;
            }
            let Some(late) = late else { return Ok(()) };
            let ((opening, door, person), outcome) = (keys(after), late.outcome.clone());
            append(
                context,
                tx,
                &DoorOpeningAnsweredLate {
                    opening,
                    door,
                    person,
                    outcome,
                },
            )
            .await
        }
    }
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

async fn append<Fact: Event>(context: &Context, tx: &Tx, fact: &Fact) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}
