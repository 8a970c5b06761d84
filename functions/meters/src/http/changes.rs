//! What changes about a meter: its entry, what it measures for, the device behind it.

use kernel::{DeviceId, Message, MeterId, ReadingId, Refusal, RoomId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, tx};
use web::{Reply, Request};

use super::decodings::Hints;
use super::fits::{master_fits, room_fits};
use super::meters::{ShownMeter, not_in_future};
use super::{Text, answer, caller, path_id, present, replied, write};
use crate::context::Context;
use crate::domain::caller::{is_overseer, managers_only, managing_kinds, unknown_meter};
use crate::domain::meter::{interval, limit, shown};
use crate::domain::text::Serial;
use crate::domain::{
    Digits, Item, ItemKind, Judged, Multiplier, Name, Object, Reason, Source, Verdict,
};
use crate::facts::{self, Replaced};
use crate::rows::{Known, Raw};
use crate::store::{batch, meters as sql, periods};
use crate::{consume, intake, watch};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeterChange {
    name: Option<Text<Name>>,
    #[serde(default, deserialize_with = "present")]
    gateway: Option<Option<DeviceId>>,
    #[serde(default, deserialize_with = "present")]
    master: Option<Option<MeterId>>,
    interval_ms: Option<i64>,
    limit_milli_per_hour: Option<i64>,
    prepaid: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    decoding: Option<Option<Hints>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBinding {
    from: Option<Timestamp>,
    room: Option<RoomId>,
    area: Option<Text<Name>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReplacement {
    at: Option<Timestamp>,
    closing_milli: i64,
    opening_milli: i64,
    digits: Option<i64>,
    multiplier: Option<i64>,
    serial: Option<Text<Serial>>,
    reason: Text<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRemoval {
    at: Option<Timestamp>,
    closing_milli: i64,
    reason: Text<Reason>,
}

#[derive(Serialize)]
struct Bound {
    meter: MeterId,
    from: Timestamp,
    room: Option<RoomId>,
    area: Option<String>,
}

/// The meter, for those who look after it.
pub(super) async fn managed(tx: &Tx, actor: &kernel::Actor, id: &MeterId) -> anyhow::Result<Known> {
    let known = batch::known(tx, &actor.tenant, &[id]).await?;
    let known = known.into_iter().next().ok_or_else(unknown_meter)?;
    let community = &known.meter.community;
    if !is_overseer(actor, community) && !actor.reaches(community) {
        return Err(unknown_meter().into());
    }
    managers_only(actor, community)?;
    Ok(known)
}

pub(super) fn stands(known: &Known) -> Result<(), Refusal> {
    match known.meter.removed_at {
        None => Ok(()),
        Some(_) => Err(intake::removed()),
    }
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(meter, unknown_meter)?;
    let expected = web::required_if_match(request)?;
    let asked: MeterChange = web::body(request)?;
    let interval_ms = asked.interval_ms.map(interval).transpose()?;
    let limit_milli = asked.limit_milli_per_hour.map(limit).transpose()?;
    let decoding = asked
        .decoding
        .map(|hints| hints.map(Hints::checked).transpose())
        .transpose()?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let mut known = managed(tx, &actor, &id).await?;
        expected.check(known.meter.version)?;
        let meter = &mut known.meter;
        if let Some(Text(name)) = &asked.name {
            meter.name = name.clone();
        }
        if let Some(gateway) = &asked.gateway {
            meter.gateway = gateway.clone();
        }
        if let Some(master) = &asked.master {
            meter.master = master.clone();
        }
        meter.prepaid = asked.prepaid.unwrap_or(meter.prepaid);
        meter.decoding = decoding.unwrap_or(meter.decoding);
        meter.interval_ms = interval_ms.unwrap_or(meter.interval_ms);
        meter.limit_milli_per_hour = limit_milli.unwrap_or(meter.limit_milli_per_hour);
        meter.version += 1;
        master_fits(tx, meter).await?;
        sql::update_meter(tx, meter).await?;
        facts::changed(context, tx, &actor, meter).await?;
        Ok(known)
    })
    .await?;
    let version = changed.meter.version;
    Ok(Reply::ok(&ShownMeter::from(changed)).with_etag(version))
}

pub(super) async fn bind(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(meter, unknown_meter)?;
    let new: NewBinding = web::body(request)?;
    let from = new.from.unwrap_or(context.now);
    not_in_future(from, context.now)?;
    let object = Object::new(new.room, new.area.map(|area| area.0))?;
    consume::catch_up_whole(context, &actor.tenant).await?;
    let bound = write(context, request, &actor, async |tx| {
        let mut known = managed(tx, &actor, &id).await?;
        stands(&known)?;
        let bindings = sql::bindings(tx, &actor.tenant, &id).await?;
        let last = bindings.last();
        let told = Bound {
            meter: id.clone(),
            from,
            room: object.room().cloned(),
            area: object.area().map(str::to_owned),
        };
        if last.is_some_and(|last| last.from == from && last.object == object) {
            return answer(201, &told);
        }
        if last.is_some_and(|last| last.from >= from) {
            return Err(overlaps().into());
        }
        room_fits(tx, (&known.meter.community, &object)).await?;
        sql::insert_binding(tx, &id, (from, &object)).await?;
        known.meter.object = object.clone();
        known.meter.version += 1;
        sql::update_meter(tx, &known.meter).await?;
        periods::mark_stale(tx, &id, from).await?;
        facts::bound(context, tx, &actor, (&known.meter, &object, from)).await?;
        answer(201, &told)
    })
    .await?;
    replied(&bound)
}

fn overlaps() -> Refusal {
    Refusal::conflict(
        "binding_overlaps",
        Message::new(
            "The meter is bound from a later moment already. A new binding begins after the last one.",
            "该表在此时间之后已有归属记录，新的归属应晚于最近一次。",
        ),
    )
}

pub(super) async fn replace(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(meter, unknown_meter)?;
    let new: NewReplacement = web::body(request)?;
    let at = new.at.unwrap_or(context.now);
    not_in_future(at, context.now)?;
    let digits = new.digits.map(Digits::new).transpose()?;
    let multiplier = new.multiplier.map(Multiplier::new).transpose()?;
    let replaced = write(context, request, &actor, async |tx| {
        let mut known = managed(tx, &actor, &id).await?;
        stands(&known)?;
        let old = known.meter.register;
        shown(&old, new.closing_milli)?;
        let meter = &mut known.meter;
        meter.register.seq = old.seq + 1;
        meter.register.digits = digits.map_or(old.digits, Digits::count);
        meter.register.multiplier = multiplier.map_or(old.multiplier, Multiplier::ratio);
        meter.serial = new.serial.as_ref().map(|serial| serial.0.clone());
        meter.version += 1;
        shown(&meter.register, new.opening_milli)?;
        if at <= last_opened(tx, &known).await? {
            return Err(too_early().into());
        }
        let told = Replaced {
            at,
            closing_milli: new.closing_milli,
            opening_milli: new.opening_milli,
            reason: new.reason.0.as_str(),
        };
        exchange(context, tx, &actor, (&mut known, old.seq, &told)).await?;
        let stands = batch::known(tx, &actor.tenant, &[&id]).await?;
        let stands = stands.into_iter().next().ok_or_else(unknown_meter)?;
        answer(201, &ShownMeter::from(stands))
    })
    .await?;
    replied(&replaced)
}

/// When the present register was put up.
async fn last_opened(tx: &Tx, known: &Known) -> anyhow::Result<Timestamp> {
    let opened = sql::opened_at(tx, &known.meter.id).await?;
    Ok(opened.unwrap_or(known.meter.opened_at))
}

/// Closes the old register and opens the new one: two readings, after which everything later is judged again.
async fn exchange(
    context: &Context,
    tx: &Tx,
    actor: &kernel::Actor,
    (known, old, told): (&mut Known, i64, &Replaced<'_>),
) -> anyhow::Result<()> {
    let raw =
        |kind, register_milli| raw_of(context, actor, (known, told.at), (kind, register_milli));
    let new = known.meter.register.seq;
    let closing = raw(ItemKind::Closing, told.closing_milli)?;
    let opening = raw(ItemKind::Opening(new), told.opening_milli)?;
    let closing_id = closing.item.id.clone();
    let id = known.meter.id.clone();
    let closed = (told.at, told.closing_milli, told.reason);
    sql::close_register(tx, (&id, old), closed).await?;
    sql::insert_register(tx, &known.meter, (told.at, told.opening_milli)).await?;
    sql::update_meter(tx, &known.meter).await?;
    batch::insert_readings(tx, &[closing, opening]).await?;
    let judged = intake::judge_again(context, tx, known, told.at).await?;
    closes_well(&judged, &closing_id)?;
    facts::replaced(context, tx, actor, (&known.meter, told)).await
}

/// A reading of somebody who puts up or takes down a register.
fn raw_of(
    context: &Context,
    actor: &kernel::Actor,
    (known, at): (&Known, Timestamp),
    (kind, register_milli): (ItemKind, i64),
) -> anyhow::Result<Raw> {
    Ok(Raw {
        item: Item {
            at,
            id: context.new_id()?,
            register_milli,
            bands: None,
            kind,
        },
        meter: known.meter.id.clone(),
        device_at: at,
        clock_believed: true,
        received_at: context.now,
        source: match kind {
            ItemKind::Closing => Source::Closing,
            _ => Source::Opening,
        },
        gateway: None,
        actor: Some(actor.id.clone()),
        flags: None,
    })
}

/// What a register showed when it was taken down counts.
fn closes_well(judged: &[Judged], closing: &ReadingId) -> Result<(), Refusal> {
    let counts = judged
        .iter()
        .any(|judged| judged.item.id == *closing && matches!(judged.verdict, Verdict::Counted(_)));
    if counts {
        Ok(())
    } else {
        Err(closing_backwards())
    }
}

pub(super) async fn remove(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(meter, unknown_meter)?;
    let new: NewRemoval = web::body(request)?;
    let at = new.at.unwrap_or(context.now);
    not_in_future(at, context.now)?;
    let removed = write(context, request, &actor, async |tx| {
        let mut known = managed(tx, &actor, &id).await?;
        if known.meter.removed_at.is_some() {
            return answer(200, &ShownMeter::from(known));
        }
        shown(&known.meter.register, new.closing_milli)?;
        if at <= last_opened(tx, &known).await? {
            return Err(too_early().into());
        }
        if at < known.seen_at {
            return Err(read_later().into());
        }
        let closing = raw_of(
            context,
            &actor,
            (&known, at),
            (ItemKind::Closing, new.closing_milli),
        )?;
        let closing_id = closing.item.id.clone();
        let reason = new.reason.0.as_str();
        let closed = (at, new.closing_milli, reason);
        sql::close_register(tx, (&id, known.meter.register.seq), closed).await?;
        known.meter.removed_at = Some(at);
        known.meter.version += 1;
        sql::update_meter(tx, &known.meter).await?;
        batch::insert_readings(tx, &[closing]).await?;
        let judged = intake::judge_again(context, tx, &mut known, at).await?;
        closes_well(&judged, &closing_id)?;
        watch::end(context, tx, &mut known).await?;
        let told = (new.closing_milli, reason);
        facts::removed(context, tx, &actor, (&known.meter, at), told).await?;
        answer(200, &ShownMeter::from(known))
    })
    .await?;
    replied(&removed)
}

fn read_later() -> Refusal {
    Refusal::conflict(
        "meter_read_later",
        Message::new(
            "There are readings after that moment. Reject them first, or name a later moment.",
            "在此时间之后还有读数，请先拒绝这些读数或填写更晚的时间。",
        ),
    )
}

fn too_early() -> Refusal {
    Refusal::conflict(
        "replacement_too_early",
        Message::new(
            "The present register was put up later than that.",
            "当前表计的安装时间晚于所填时间。",
        ),
    )
}

fn closing_backwards() -> Refusal {
    Refusal::conflict(
        "closing_backwards",
        Message::new(
            "The old register showed more than that before. Check the closing value, or correct the earlier readings.",
            "止码小于此前的读数，请核对止码或先更正之前的读数。",
        ),
    )
}
