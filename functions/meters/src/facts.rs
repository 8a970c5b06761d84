//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{Actor, ActorId, EventId, MeterAlarmId, ReadingId, Timestamp};
use store::{Tx, events};
use wire::event::{
    BandUsage, Event, MeterAlarmCleared, MeterAlarmRaised, MeterBound, MeterChanged,
    MeterRecharged, MeterRegistered, MeterRemoved, MeterReplaced, ReadingQuarantined,
    ReadingReviewed, SwitchingRequested, SwitchingSettled, UsageClosed,
};

use crate::context::Context;
use crate::domain::counting::Bands;
use crate::domain::{AlarmKind, CutReason, Decision, Meter, Object, Switching};

/// A meter was registered.
pub(crate) async fn registered(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    meter: &Meter,
) -> anyhow::Result<()> {
    let fact = MeterRegistered {
        meter: meter.id.clone(),
        commodity: meter.commodity,
        community: meter.community.clone(),
        room: meter.object.room().cloned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// A meter's entry changed.
pub(crate) async fn changed(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    meter: &Meter,
) -> anyhow::Result<()> {
    let fact = MeterChanged {
        meter: meter.id.clone(),
        community: meter.community.clone(),
        version: meter.version,
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// A meter measures for something from a moment on.
pub(crate) async fn bound(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (meter, object, from): (&Meter, &Object, Timestamp),
) -> anyhow::Result<()> {
    let fact = MeterBound {
        meter: meter.id.clone(),
        community: meter.community.clone(),
        room: object.room().cloned(),
        area: object.area().map(str::to_owned),
        from,
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// What is said about a replacement.
pub(crate) struct Replaced<'a> {
    /// When.
    pub at: Timestamp,
    /// What the old register showed.
    pub closing_milli: i64,
    /// What the new one showed.
    pub opening_milli: i64,
    /// Why.
    pub reason: &'a str,
}

/// A meter's device was replaced.
pub(crate) async fn replaced(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (meter, replaced): (&Meter, &Replaced<'_>),
) -> anyhow::Result<()> {
    let fact = MeterReplaced {
        meter: meter.id.clone(),
        community: meter.community.clone(),
        at: replaced.at,
        closing_milli: replaced.closing_milli,
        opening_milli: replaced.opening_milli,
        reason: replaced.reason.to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// A meter was taken down.
pub(crate) async fn removed(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (meter, at): (&Meter, Timestamp),
    (closing_milli, reason): (i64, &str),
) -> anyhow::Result<()> {
    let fact = MeterRemoved {
        meter: meter.id.clone(),
        community: meter.community.clone(),
        at,
        closing_milli,
        reason: reason.to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// Readings were held back.
pub(crate) async fn quarantined(
    context: &Context,
    tx: &Tx,
    facts: Vec<ReadingQuarantined>,
) -> anyhow::Result<()> {
    append_all(context, tx, facts).await
}

/// Somebody decided about a reading.
pub(crate) async fn reviewed(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (reading, meter): (&ReadingId, &Meter),
    (decision, register_milli, reason): (Decision, Option<i64>, &str),
) -> anyhow::Result<()> {
    let fact = ReadingReviewed {
        reading: reading.clone(),
        meter: meter.id.clone(),
        community: meter.community.clone(),
        decision: decision.as_str().to_owned(),
        register_milli,
        reason: Some(reason.to_owned()),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// Something is not right with a meter.
pub(crate) async fn alarm_raised(
    context: &Context,
    tx: &Tx,
    meter: &Meter,
    (alarm, kind, since): (&MeterAlarmId, AlarmKind, Timestamp),
) -> anyhow::Result<()> {
    let fact = MeterAlarmRaised {
        alarm: alarm.clone(),
        meter: meter.id.clone(),
        community: meter.community.clone(),
        room: meter.object.room().cloned(),
        kind: kind.as_str().to_owned(),
        since,
    };
    append(context, tx, &fact).await
}

/// It is right again.
pub(crate) async fn alarm_cleared(
    context: &Context,
    tx: &Tx,
    meter: &Meter,
    (alarm, kind, actor): (&MeterAlarmId, AlarmKind, Option<ActorId>),
) -> anyhow::Result<()> {
    let fact = MeterAlarmCleared {
        alarm: alarm.clone(),
        meter: meter.id.clone(),
        community: meter.community.clone(),
        kind: kind.as_str().to_owned(),
        actor,
    };
    append(context, tx, &fact).await
}

/// Somebody asked for a supply to be cut or restored.
pub(crate) async fn switching_requested(
    context: &Context,
    tx: &Tx,
    switching: &Switching,
) -> anyhow::Result<()> {
    let fact = SwitchingRequested {
        switching: switching.id.clone(),
        meter: switching.meter.clone(),
        community: switching.community.clone(),
        room: switching.room.clone(),
        supply: switching.supply.as_str().to_owned(),
        reason: switching.reason.map(CutReason::as_str).map(str::to_owned),
        note: switching.note.as_ref().map(|note| note.as_str().to_owned()),
        actor: switching.actor.clone(),
    };
    append(context, tx, &fact).await
}

/// It is known what became of that.
pub(crate) async fn switching_settled(
    context: &Context,
    tx: &Tx,
    switching: &Switching,
) -> anyhow::Result<()> {
    let fact = SwitchingSettled {
        switching: switching.id.clone(),
        meter: switching.meter.clone(),
        community: switching.community.clone(),
        room: switching.room.clone(),
        supply: switching.supply.as_str().to_owned(),
        state: switching.state.name().to_owned(),
        detail: switching.state.detail().map(str::to_owned),
    };
    append(context, tx, &fact).await
}

/// A prepaid meter has answered for good.
pub(crate) async fn recharged(
    context: &Context,
    tx: &Tx,
    fact: &MeterRecharged,
) -> anyhow::Result<()> {
    append(context, tx, fact).await
}

/// The usage of months is known, or known better.
pub(crate) async fn usage_closed(
    context: &Context,
    tx: &Tx,
    facts: Vec<UsageClosed>,
) -> anyhow::Result<()> {
    append_all(context, tx, facts).await
}

/// The bands of a usage by their names.
pub(crate) fn bands_told(bands: Option<Bands>) -> Vec<BandUsage> {
    let Some(bands) = bands else {
        return Vec::new();
    };
    kernel::TimeBand::ALL
        .iter()
        .zip(bands)
        .map(|(name, quantity_milli)| BandUsage {
            name: *name,
            quantity_milli,
        })
        .collect()
}

async fn append<Fact: Event>(context: &Context, tx: &Tx, fact: &Fact) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact)
        .await
        .map(|_| ())
}

async fn append_all<Fact: Event>(
    context: &Context,
    tx: &Tx,
    facts: Vec<Fact>,
) -> anyhow::Result<()> {
    let facts: Vec<(EventId, Fact)> = facts
        .into_iter()
        .map(|fact| Ok((context.new_id()?, fact)))
        .collect::<anyhow::Result<_>>()?;
    events::append_all(tx, context.now, &facts).await
}
