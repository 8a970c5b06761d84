//! Taking readings in: many of many meters in one transaction, with few statements however many they are.
//!
//! What was read is stored for good; then every meter's readings are judged in the order of their moments. One that
//! comes late makes the later ones of its meter be judged again, so that the order of arrival does not matter.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use kernel::{ActorId, DeviceId, MeterId, ReadingId, Refusal, Timestamp};
use store::Tx;
use wire::event::ReadingQuarantined;

use crate::context::Context;
use crate::domain::caller::unknown_meter;
use crate::domain::counting::Bands;
use crate::domain::{Clock, Count, HoldReason, Item, ItemKind, Judged, Source, Verdict, count};
use crate::rows::{Judgement, Known, Raw};
use crate::store::{batch, meters, periods, readings};
use crate::{domain, facts, watch};

/// A reading as it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    /// Made by the sender, or of what was read.
    pub id: ReadingId,
    /// The meter.
    pub meter: MeterId,
    /// What the device's clock said.
    pub device_at: Timestamp,
    /// What the register showed.
    pub register_milli: i64,
    /// What the bands' registers showed.
    pub bands: Option<Bands>,
    /// How it was read.
    pub source: Source,
    /// The gateway that read.
    pub gateway: Option<DeviceId>,
    /// The person who read.
    pub actor: Option<ActorId>,
    /// What is to be known about it, with commas.
    pub flags: Option<String>,
}

/// What became of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It counts.
    Counted,
    /// It is held back for review.
    Held(HoldReason),
    /// It was there already.
    Duplicate,
    /// It cannot be taken.
    Refused(Refusal),
}

/// What is known while readings are taken in.
struct Work {
    meters: BTreeMap<MeterId, Known>,
    /// The readings that were not there yet, by meter.
    fresh: BTreeMap<MeterId, Vec<Item>>,
    /// What became of them.
    verdicts: BTreeMap<ReadingId, Verdict>,
}

/// Takes readings in; what became of each, in their order. `may` says whether the sender speaks for a meter.
pub(crate) async fn take(
    context: &Context,
    tx: &Tx,
    incoming: &[Incoming],
    may: impl Fn(&Known, &Incoming) -> Result<(), Refusal>,
) -> anyhow::Result<Vec<Taken>> {
    let ids: BTreeSet<&MeterId> = incoming.iter().map(|reading| &reading.meter).collect();
    let ids: Vec<&MeterId> = ids.into_iter().collect();
    let known = batch::known(tx, tx.tenant(), &ids).await?;
    let meters: BTreeMap<MeterId, Known> = known
        .into_iter()
        .map(|known| (known.meter.id.clone(), known))
        .collect();
    let mut taken: Vec<Option<Taken>> = Vec::with_capacity(incoming.len());
    let mut raws = Vec::with_capacity(incoming.len());
    for reading in incoming {
        let allowed = match meters.get(&reading.meter) {
            None => Err(unknown_meter()),
            Some(known) => may(known, reading).and_then(|()| stood(known, reading, context.now)),
        };
        if allowed.is_ok() {
            raws.push(raw(reading, context.now));
        }
        taken.push(allowed.err().map(Taken::Refused));
    }
    refuse_read_months(tx, context.now, (&meters, incoming), &mut raws, &mut taken).await?;
    let fresh = batch::insert_readings(tx, &raws).await?;
    let mut fresh: BTreeSet<ReadingId> = fresh.into_iter().collect();
    let mut work = Work {
        meters,
        fresh: BTreeMap::new(),
        verdicts: BTreeMap::new(),
    };
    for raw in &raws {
        if fresh.contains(&raw.item.id) {
            let items = work.fresh.entry(raw.meter.clone()).or_default();
            items.push(raw.item.clone());
        }
    }
    settle(context, tx, &mut work).await?;
    for (slot, reading) in taken.iter_mut().zip(incoming) {
        if slot.is_some() {
            continue;
        }
        *slot = Some(if fresh.remove(&reading.id) {
            outcome(work.verdicts.get(&reading.id))?
        } else {
            repeated(tx, reading).await?
        });
    }
    Ok(taken.into_iter().flatten().collect())
}

/// A meter that was taken down shows nothing any more.
fn stood(known: &Known, reading: &Incoming, now: Timestamp) -> Result<(), Refusal> {
    let at = domain::believed(reading.device_at, now).at;
    match known.meter.removed_at {
        Some(removed_at) if at >= removed_at => Err(removed()),
        _ => Ok(()),
    }
}

/// The refusal of what is meant for a meter that was taken down.
pub(crate) fn removed() -> Refusal {
    Refusal::conflict(
        "meter_removed",
        kernel::Message::new(
            "This meter was taken down. Register the new one under an id of its own.",
            "该表已拆除，如装有新表请另行登记。",
        ),
    )
}

/// A reading of somebody who goes round is one a month and meter.
async fn refuse_read_months(
    tx: &Tx,
    now: Timestamp,
    (meters, incoming): (&BTreeMap<MeterId, Known>, &[Incoming]),
    raws: &mut Vec<Raw>,
    taken: &mut [Option<Taken>],
) -> anyhow::Result<()> {
    for (slot, reading) in taken.iter_mut().zip(incoming) {
        if slot.is_some() || reading.source != Source::Phone {
            continue;
        }
        let Some(known) = meters.get(&reading.meter) else {
            continue;
        };
        let at = domain::believed(reading.device_at, now).at;
        let month = domain::Month::of(at, known.zone);
        let span = (month.start(known.zone), month.end(known.zone));
        let other = readings::phone_reading(tx, tx.tenant(), &reading.meter, span).await?;
        let in_batch = raws.iter().find(|raw| {
            raw.meter == reading.meter
                && raw.source == Source::Phone
                && (span.0..span.1).contains(&raw.item.at)
        });
        let first = other.or_else(|| in_batch.map(|raw| raw.item.id.clone()));
        if first.is_some_and(|first| first != reading.id) {
            raws.retain(|raw| raw.item.id != reading.id);
            *slot = Some(Taken::Refused(month_read()));
        }
    }
    Ok(())
}

fn month_read() -> Refusal {
    Refusal::conflict(
        "month_already_read",
        kernel::Message::new(
            "This meter was already read by hand this month. Correct that reading in the review instead.",
            "该表本月已人工抄读，如需更正请在读数复核中修改。",
        ),
    )
}

fn raw(reading: &Incoming, now: Timestamp) -> Raw {
    let Clock { at, believed } = domain::believed(reading.device_at, now);
    Raw {
        item: Item {
            at,
            id: reading.id.clone(),
            register_milli: reading.register_milli,
            bands: reading.bands,
            kind: if believed {
                ItemKind::Read
            } else {
                ItemKind::Undated
            },
        },
        meter: reading.meter.clone(),
        device_at: reading.device_at,
        clock_believed: believed,
        received_at: now,
        source: reading.source,
        gateway: reading.gateway.clone(),
        actor: reading.actor.clone(),
        flags: reading.flags.clone(),
    }
}

fn outcome(verdict: Option<&Verdict>) -> anyhow::Result<Taken> {
    match verdict.context("a fresh reading has no verdict")? {
        Verdict::Counted(_) => Ok(Taken::Counted),
        Verdict::Held(reason) => Ok(Taken::Held(*reason)),
        Verdict::Rejected => anyhow::bail!("a fresh reading cannot have been rejected"),
    }
}

/// An id that is there already: the same reading again, or another one under its name.
async fn repeated(tx: &Tx, reading: &Incoming) -> anyhow::Result<Taken> {
    let stored = readings::stored(tx, &reading.id).await?;
    let is_same = stored.is_some_and(|(meter, register_milli)| {
        meter == reading.meter && register_milli == reading.register_milli
    });
    if is_same {
        return Ok(Taken::Duplicate);
    }
    Ok(Taken::Refused(Refusal::invalid(
        "reading_id_reused",
        kernel::Message::new(
            "Another reading has this id. Make a new id for each reading.",
            "该读数编号已被其他读数使用，请为每条读数生成新的编号。",
        ),
    )))
}

/// Judges the fresh readings of each meter and stores what follows from them.
async fn settle(context: &Context, tx: &Tx, work: &mut Work) -> anyhow::Result<()> {
    let mut judged_of: Vec<(MeterId, Count, Vec<Judged>)> = Vec::new();
    let mut quarantined = Vec::new();
    for (id, items) in std::mem::take(&mut work.fresh) {
        let Some(known) = work.meters.get_mut(&id) else {
            continue;
        };
        let fresh: BTreeSet<ReadingId> = items.iter().map(|item| item.id.clone()).collect();
        let (before, judged) = judge_meter(context, tx, known, items).await?;
        for one in judged.iter().filter(|one| fresh.contains(&one.item.id)) {
            work.verdicts
                .insert(one.item.id.clone(), one.verdict.clone());
            if let Verdict::Held(reason) = one.verdict {
                quarantined.push(ReadingQuarantined {
                    reading: one.item.id.clone(),
                    meter: id.clone(),
                    community: known.meter.community.clone(),
                    reason: reason.as_str().to_owned(),
                });
            }
        }
        judged_of.push((id, before, judged));
    }
    let points: Vec<Judgement<'_>> = judged_of
        .iter()
        .filter_map(|(meter, before, judged)| Some((work.meters.get(meter)?, before, judged)))
        .flat_map(|(known, before, judged)| judgements(known, before, judged))
        .collect();
    batch::put_points(tx, &points).await?;
    let touched: Vec<&Known> = judged_of
        .iter()
        .filter_map(|(meter, _, _)| work.meters.get(meter))
        .collect();
    batch::put_states(tx, &touched).await?;
    facts::quarantined(context, tx, quarantined).await
}

/// What readings are worth, each beside where the count stood before it.
fn judgements<'a>(
    known: &'a Known,
    mut before: &'a Count,
    judged: &'a [Judged],
) -> Vec<Judgement<'a>> {
    let mut points = Vec::with_capacity(judged.len());
    for judged in judged {
        points.push(Judgement {
            meter: &known.meter.id,
            judged,
            before,
            zone: known.zone,
        });
        if let Verdict::Counted(count) = &judged.verdict {
            before = count;
        }
    }
    points
}

/// Judges new readings of a meter, which are stored already, and brings what is known of it up to date.
async fn judge_meter(
    context: &Context,
    tx: &Tx,
    known: &mut Known,
    items: Vec<Item>,
) -> anyhow::Result<(Count, Vec<Judged>)> {
    let first = items.iter().map(|item| item.at).min();
    let first = first.context("a meter without readings")?;
    let basis = known.basis();
    let last = items.iter().map(|item| item.at).max();
    let (before, (after, judged)) = if first > known.seen_at {
        let before = Some(known.count.clone());
        let after = count(before.clone(), items, &[known.meter.register], &basis);
        (before, after)
    } else {
        let before = batch::count_before(tx, &known.meter.id, first).await?;
        let items = batch::items_since(tx, &known.meter.id, first).await?;
        let registers = meters::registers(tx, tx.tenant(), &known.meter.id).await?;
        let after = count(before.clone(), items, &registers, &basis);
        (before, after)
    };
    touch(tx, known, before.as_ref()).await?;
    if let Some(after) = after {
        known.count = after;
    }
    known.seen_at = last.map_or(known.seen_at, |last| last.max(known.seen_at));
    watch::keep(context, tx, known).await?;
    Ok((before.unwrap_or_else(|| known.count.clone()), judged))
}

/// Judges everything of a meter again from a moment on: after a decision, or a replacement. Its readings are stored.
pub(crate) async fn judge_again(
    context: &Context,
    tx: &Tx,
    known: &mut Known,
    since: Timestamp,
) -> anyhow::Result<Vec<Judged>> {
    let before = batch::count_before(tx, &known.meter.id, since).await?;
    touch(tx, known, before.as_ref()).await?;
    let items = batch::items_since(tx, &known.meter.id, since).await?;
    let registers = meters::registers(tx, tx.tenant(), &known.meter.id).await?;
    let last = items.iter().map(|item| item.at).max();
    let (after, judged) = count(before.clone(), items, &registers, &known.basis());
    known.count = after.context("a meter without a reading that counts")?;
    known.seen_at = last.map_or(known.seen_at, |last| last.max(known.seen_at));
    watch::keep(context, tx, known).await?;
    let before = before.unwrap_or_else(|| known.count.clone());
    let points = judgements(known, &before, &judged);
    batch::put_points(tx, &points).await?;
    batch::put_states(tx, &[known]).await?;
    Ok(judged)
}

/// Closed usage after the last reading before the change may be another now: it is looked at again.
async fn touch(tx: &Tx, known: &Known, before: Option<&Count>) -> anyhow::Result<()> {
    let since = before.map_or(Timestamp::EPOCH, |before| before.at);
    if since < known.closed_at {
        periods::mark_stale(tx, &known.meter.id, since).await?;
    }
    Ok(())
}
