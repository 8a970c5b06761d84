//! Closing months: what each meter used for each room or area, told as `usage.closed`. Closing again adds nothing,
//! but where readings changed what was told: that is told again with the next revision.

use std::collections::BTreeMap;

use kernel::{CommunityId, MeterId, TenantId, Timestamp, UsageId, Zone};
use store::{Tx, tx};
use wire::event::UsageClosed;

use crate::context::Context;
use crate::domain::curve::{Bracket, Reached, Used};
use crate::domain::{Binding, Month, Point};
use crate::rows::Known;
use crate::store::periods::{self, Usage};
use crate::store::usage::Span;
use crate::store::{batch, meters, usage};
use crate::{curves, facts};

/// The meters that are closed in one transaction: whoever writes meanwhile waits for no more.
pub(crate) const PAGE_METERS: i64 = 200;
/// How far before the last reading the average begins by which usage is projected, in milliseconds: 30 days.
const AVERAGE_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How long a meter that fell silent is projected, in milliseconds: meters keep their midnights for 62 days.
const PROJECTED_MS_MAX: i64 = 62 * 24 * 60 * 60 * 1_000;
/// The most meters that a reason for skipping names.
const SAMPLES_MAX: usize = 10;

/// What closing did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Report {
    /// Usage told for the first time.
    pub closed: usize,
    /// Usage told again, because it is another.
    pub revised: usize,
    /// Usage that is as it was told.
    pub unchanged: usize,
    /// Meters without usage, by reason.
    pub skipped: BTreeMap<&'static str, Skipped>,
}

/// Meters without usage.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Skipped {
    /// How many.
    pub count: usize,
    /// Some of them.
    pub samples: Vec<MeterId>,
}

impl Report {
    fn skip(&mut self, reason: &'static str, meter: &MeterId) {
        let skipped = self.skipped.entry(reason).or_default();
        skipped.count += 1;
        if skipped.samples.len() < SAMPLES_MAX {
            skipped.samples.push(meter.clone());
        }
    }
}

/// What is closed.
#[derive(Clone, Copy)]
pub(crate) struct Closing<'a> {
    /// The community.
    pub community: &'a CommunityId,
    /// Its month.
    pub month: Month,
    /// Its clocks.
    pub zone: Zone,
    /// Whether usage is projected where no reading has come after the month.
    pub estimate: bool,
}

/// Closes a month of a community, a page of meters after the other.
pub(crate) async fn close(
    context: &Context,
    tenant: &TenantId,
    closing: &Closing<'_>,
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut after = String::new();
    let span = (
        closing.month.start(closing.zone),
        closing.month.end(closing.zone),
    );
    loop {
        let (page, next) = tx(&context.db, tenant, async |tx| {
            let page =
                meters::of_community(tx, (closing.community, &after), span, PAGE_METERS).await?;
            let mut report = Report::default();
            close_page(context, tx, closing, (&page, &mut report)).await?;
            let next = page.last().map(|known| known.meter.id.to_string());
            Ok((report, next))
        })
        .await?;
        report.add(page);
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    tx(&context.db, tenant, async |tx| {
        let done = report.skipped.is_empty();
        let month = (closing.community, closing.month);
        periods::put_period(tx, month, (context.now, done)).await
    })
    .await?;
    Ok(report)
}

/// Looks again at usage that later readings or decisions touched; how many meters.
pub(crate) async fn revise(context: &Context, limit: i64) -> anyhow::Result<usize> {
    let mut looked_at = 0;
    for (tenant, community, month) in periods::stale(&context.db, limit).await? {
        let ids =
            periods::stale_meters(&context.db, &tenant, (&community, month), PAGE_METERS).await?;
        looked_at += tx(&context.db, &tenant, async |tx| {
            let page = batch::known(tx, &tenant, &ids.iter().collect::<Vec<_>>()).await?;
            let zone = page.first().map_or(Zone::SHANGHAI, |known| known.zone);
            let closing = Closing {
                community: &community,
                month,
                zone,
                estimate: true,
            };
            // One after another: a page of its own each, because meters in between are not meant.
            for known in &page {
                let one = std::slice::from_ref(known);
                close_page(context, tx, &closing, (one, &mut Report::default())).await?;
            }
            Ok(page.len())
        })
        .await?;
    }
    Ok(looked_at)
}

impl Report {
    fn add(&mut self, other: Self) {
        self.closed += other.closed;
        self.revised += other.revised;
        self.unchanged += other.unchanged;
        for (reason, skipped) in other.skipped {
            let mine = self.skipped.entry(reason).or_default();
            mine.count += skipped.count;
            let free = SAMPLES_MAX.saturating_sub(mine.samples.len());
            mine.samples.extend(skipped.samples.into_iter().take(free));
        }
    }
}

type Around = (BTreeMap<MeterId, Point>, BTreeMap<MeterId, Point>);

async fn close_page(
    context: &Context,
    tx: &Tx,
    closing: &Closing<'_>,
    (page, report): (&[Known], &mut Report),
) -> anyhow::Result<()> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(());
    };
    let span = Span {
        community: closing.community,
        first: &first.meter.id,
        last: &last.meter.id,
    };
    let (start, end) = (
        closing.month.start(closing.zone),
        closing.month.end(closing.zone),
    );
    let at_start = usage::all_around(tx, &span, start).await?;
    let at_end = usage::all_around(tx, &span, end).await?;
    let bindings = meters::bindings_of(tx, &span).await?;
    let told = periods::usages_of(tx, &span, closing.month).await?;
    let (mut changed, mut facts) = (Vec::new(), Vec::new());
    for known in page {
        let bounds = Bounds {
            from: boundary(tx, closing, known, (&at_start, closing.month.previous())).await?,
            until: boundary(tx, closing, known, (&at_end, closing.month)).await?,
        };
        let none = Vec::new();
        let bindings = bindings.get(&known.meter.id).unwrap_or(&none);
        let used = match segments(tx, known, bounds, (bindings, end)).await? {
            Ok(used) => used,
            Err(reason) => {
                report.skip(reason, &known.meter.id);
                continue;
            }
        };
        for (binding, used) in used {
            let before = told
                .iter()
                .find(|told| told.meter == known.meter.id && told.bound_at == binding.from);
            let id = context.new_id()?;
            match revision(known, closing.month, (before, id), (&binding, &used)) {
                None => report.unchanged += 1,
                Some(usage) => {
                    match before {
                        None => report.closed += 1,
                        Some(_) => report.revised += 1,
                    }
                    facts.push(fact(known, &usage));
                    changed.push(usage);
                }
            }
        }
    }
    periods::put_usages(tx, &changed, context.now).await?;
    periods::looked_at(tx, &span, (closing.month, end)).await?;
    facts::usage_closed(context, tx, facts).await
}

/// Where a meter's month begins and ends; nothing where that is not known yet.
struct Bounds {
    from: Option<Reached>,
    until: Option<Reached>,
}

/// The end of a month for a meter: by its own readings where it is read by hand, else at the midnight.
async fn boundary(
    tx: &Tx,
    closing: &Closing<'_>,
    known: &Known,
    (around, month): (&Around, Month),
) -> anyhow::Result<Option<Reached>> {
    let (start, end) = (month.start(closing.zone), month.end(closing.zone));
    let meter = &known.meter;
    let mut bracket = Bracket {
        before: around.0.get(&meter.id).cloned(),
        after: around.1.get(&meter.id).cloned(),
        ..Bracket::default()
    };
    // A meter that was registered within the month begins with its register.
    if bracket.before.is_none()
        && let Some(first) = bracket.after.take()
    {
        bracket.before = Some(first.clone());
        return Ok(bracket.reached(first.at, &curves::reader(known)));
    }
    // What a register showed when it was taken down is what it showed.
    if meter.removed_at.is_some_and(|removed_at| removed_at <= end)
        && let Some(last) = &bracket.before
    {
        return Ok(bracket.reached(last.at, &curves::reader(known)));
    }
    curves::weigh(tx, tx.tenant(), known, &mut bracket).await?;
    if closing.estimate
        && bracket.after.is_none()
        && let Some(before) = &bracket.before
        && end.millis_since(before.at) <= PROJECTED_MS_MAX
    {
        let since = before.at.plus_millis(-AVERAGE_MS);
        let older = usage::before(tx, tx.tenant(), &meter.id, since).await?;
        let first = usage::after(tx, tx.tenant(), &meter.id, Timestamp::EPOCH).await?;
        bracket.older = older.or(first).filter(|older| older.at < before.at);
    }
    let reader = curves::reader(known);
    Ok(match meter.gateway {
        None => bracket.reached_by_hand((start, end), &reader),
        Some(_) => bracket.reached(end, &reader),
    })
}

/// A month by the rooms and areas that the meter measured for in it.
async fn segments(
    tx: &Tx,
    known: &Known,
    bounds: Bounds,
    (bindings, end): (&[Binding], Timestamp),
) -> anyhow::Result<Result<Vec<(Binding, Used)>, &'static str>> {
    let Some(from) = bounds.from else {
        return Ok(Err("not_read"));
    };
    let Some(until) = bounds.until else {
        return Ok(Err("not_read"));
    };
    if until.at <= from.at {
        return Ok(Err("not_read_in_month"));
    }
    let mut used = Vec::new();
    let mut here = from;
    for (index, binding) in bindings.iter().enumerate() {
        let next = bindings.get(index + 1).map(|next| next.from);
        let ends = next.filter(|next| *next < until.at && *next < end);
        if next.is_some_and(|next| next <= here.at) {
            continue;
        }
        let there = match ends {
            None => until.clone(),
            Some(at) => {
                let bracket = curves::bracket(tx, tx.tenant(), known, at).await?;
                match bracket.reached(at, &curves::reader(known)) {
                    Some(there) => there,
                    None => return Ok(Err("not_read")),
                }
            }
        };
        used.push((
            binding.clone(),
            Used {
                from: here.clone(),
                until: there.clone(),
            },
        ));
        if ends.is_none() {
            break;
        }
        here = there;
    }
    Ok(Ok(used))
}

/// Usage that is new or another than was told; nothing when it is as it was told.
fn revision(
    known: &Known,
    month: Month,
    (before, id): (Option<&Usage>, UsageId),
    (binding, used): (&Binding, &Used),
) -> Option<Usage> {
    let usage = Usage {
        id: before.map_or(id, |before| before.id.clone()),
        meter: known.meter.id.clone(),
        community: known.meter.community.clone(),
        commodity: known.meter.commodity.as_str().to_owned(),
        object: binding.object.clone(),
        period: month.to_string(),
        bound_at: binding.from,
        from: used.from.at,
        until: used.until.at,
        quantity_milli: used.quantity_milli(),
        bands: used.bands(),
        estimated: used.is_estimated(),
        revision: before.map_or(1, |before| before.revision.saturating_add(1)),
        register_from_milli: used.from.register_milli,
        register_until_milli: used.until.register_milli,
    };
    let is_same = before.is_some_and(|before| {
        Usage {
            revision: before.revision,
            ..usage.clone()
        } == *before
    });
    (!is_same).then_some(usage)
}

fn fact(known: &Known, usage: &Usage) -> UsageClosed {
    UsageClosed {
        usage: usage.id.clone(),
        meter: usage.meter.clone(),
        commodity: known.meter.commodity,
        community: usage.community.clone(),
        room: usage.object.room().cloned(),
        area: usage.object.area().map(str::to_owned),
        period: usage.period.clone(),
        from: usage.from,
        until: usage.until,
        quantity_milli: usage.quantity_milli,
        unit: known.meter.commodity.unit(),
        bands: facts::bands_told(usage.bands),
        estimated: usage.estimated,
        revision: usage.revision,
        register_from_milli: usage.register_from_milli,
        register_until_milli: usage.register_until_milli,
    }
}
