//! What a meter used between moments: its readings around them, and what is estimated where some are missing.

use std::collections::BTreeMap;

use kernel::{MeterId, TenantId, Timestamp};
use store::Read;

use crate::domain::curve::{Bracket, Reached, Reader, Step, Used};
use crate::domain::estimate::WEEK_MS;
use crate::domain::{Gap, Method, Point};
use crate::rows::Known;
use crate::store::usage;

/// How the meter is read.
pub(crate) fn reader(known: &Known) -> Reader {
    Reader {
        interval_ms: known.meter.interval_ms,
        register: known.meter.register,
    }
}

/// The readings around a moment, with what an estimate there needs.
pub(crate) async fn bracket(
    db: &impl Read,
    tenant: &TenantId,
    known: &Known,
    at: Timestamp,
) -> anyhow::Result<Bracket> {
    let meter = &known.meter.id;
    let mut bracket = Bracket {
        before: usage::before(db, tenant, meter, at).await?,
        after: usage::after(db, tenant, meter, at).await?,
        ..Bracket::default()
    };
    weigh(db, tenant, known, &mut bracket).await?;
    Ok(bracket)
}

/// Adds the profile to a bracket whose gap is filled by one.
pub(crate) async fn weigh(
    db: &impl Read,
    tenant: &TenantId,
    known: &Known,
    bracket: &mut Bracket,
) -> anyhow::Result<()> {
    let (Some(from), Some(until)) = (&bracket.before, &bracket.after) else {
        return Ok(());
    };
    let gap = Gap {
        from,
        until,
        interval_ms: known.meter.interval_ms,
    };
    if from.at < until.at && gap.method() == Method::Profile {
        bracket.weights = weights(db, tenant, &known.meter.id, &gap).await?;
    }
    Ok(())
}

/// What was used in the stretches of a gap a week before; nothing when that is not known for all of them.
async fn weights(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
    gap: &Gap<'_>,
) -> anyhow::Result<Vec<u64>> {
    let from = gap.from.at.plus_millis(-WEEK_MS);
    let until = gap.until.at.plus_millis(-WEEK_MS);
    let Some(first) = usage::before(db, tenant, meter, from).await? else {
        return Ok(Vec::new());
    };
    let mut points = vec![first];
    points.extend(usage::points(db, tenant, meter, (from, until, Step::Hour)).await?);
    points.extend(usage::after(db, tenant, meter, until).await?);
    let mut weights = Vec::new();
    for (start, end) in gap.stretches() {
        let start = evenly(&points, start.plus_millis(-WEEK_MS));
        let end = evenly(&points, end.plus_millis(-WEEK_MS));
        let (Some(start), Some(end)) = (start, end) else {
            return Ok(Vec::new());
        };
        weights.push(u64::try_from(end - start).unwrap_or_default());
    }
    Ok(weights)
}

fn evenly(points: &[Point], at: Timestamp) -> Option<i64> {
    let (before, after) = around(points, at);
    let gap = Gap {
        from: before?,
        until: after?,
        interval_ms: i64::MAX / 4,
    };
    Some(gap.total_at(at, &[]))
}

/// The last point at or before a moment, and the first one at or after it.
fn around(points: &[Point], at: Timestamp) -> (Option<&Point>, Option<&Point>) {
    let later = points.partition_point(|point| point.at <= at);
    let before = later.checked_sub(1).and_then(|index| points.get(index));
    let after = match before {
        Some(point) if point.at == at => Some(point),
        _ => points.get(later),
    };
    (before, after)
}

/// Usage by the steps between moments; from `earliest` on, and as far as readings go.
pub(crate) async fn curve(
    db: &impl Read,
    tenant: &TenantId,
    known: &Known,
    (step, mut moments): (Step, Vec<Timestamp>),
    earliest: Timestamp,
) -> anyhow::Result<Vec<Used>> {
    let is_cut = moments.first().is_some_and(|first| *first < earliest);
    moments.retain(|moment| *moment > earliest || (!is_cut && *moment == earliest));
    if is_cut && !moments.is_empty() {
        moments.insert(0, earliest);
    }
    let (Some(first), Some(last)) = (moments.first().copied(), moments.last().copied()) else {
        return Ok(Vec::new());
    };
    let meter = &known.meter.id;
    let mut points: Vec<Point> = usage::before(db, tenant, meter, first)
        .await?
        .into_iter()
        .collect();
    points.extend(usage::points(db, tenant, meter, (first, last, step)).await?);
    points.extend(usage::after(db, tenant, meter, last).await?);
    let reader = reader(known);
    let mut reached: Vec<Reached> = Vec::with_capacity(moments.len());
    let mut profiles: BTreeMap<Timestamp, Vec<u64>> = BTreeMap::new();
    for moment in moments {
        let (before, after) = around(&points, moment);
        let mut bracket = Bracket {
            before: before.cloned(),
            after: after.cloned(),
            ..Bracket::default()
        };
        if let Some(before) = before.filter(|before| before.at < moment) {
            match profiles.get(&before.at) {
                Some(weights) => bracket.weights.clone_from(weights),
                None => {
                    weigh(db, tenant, known, &mut bracket).await?;
                    profiles.insert(before.at, bracket.weights.clone());
                }
            }
        }
        match bracket.reached(moment, &reader) {
            Some(there) => reached.push(there),
            None => {
                // The step that has begun goes as far as readings do.
                let here = before.and_then(|last| bracket_at(last, &reader));
                reached
                    .extend(here.filter(|here| reached.last().is_some_and(|it| it.at < here.at)));
                break;
            }
        }
    }
    let pairs = reached.iter().zip(reached.iter().skip(1));
    Ok(pairs
        .map(|(from, until)| Used {
            from: from.clone(),
            until: until.clone(),
        })
        .collect())
}

fn bracket_at(point: &Point, reader: &Reader) -> Option<Reached> {
    let bracket = Bracket {
        before: Some(point.clone()),
        ..Bracket::default()
    };
    bracket.reached(point.at, reader)
}
