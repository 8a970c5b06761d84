//! `/api/usage`: curves by hour, day and month, beside the limits of the tiers.

use kernel::{Actor, Commodity, CommunityId, Message, MeterId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Query, Reply, Request};

use super::meters::{commodity, lists_meters};
use super::readings::{NewBands, named_bands};
use super::{caller, path_id, seen};
use crate::context::Context;
use crate::curves;
use crate::domain::Month;
use crate::domain::caller::{
    managers_only, managing_kinds, overseeing_kinds, unknown_community, unknown_meter,
};
use crate::domain::curve::{Step, Used};
use crate::rows::Known;
use crate::store::usage::{self as sql, Limits};

/// The most tiers that usage is compared with.
const TIERS_MAX: usize = 6;

#[derive(Serialize)]
struct Curve {
    meter: MeterId,
    commodity: Commodity,
    unit: kernel::MeterUnit,
    by: &'static str,
    items: Vec<ShownStep>,
    total_milli: i64,
    tiers: Option<Comparison>,
}

#[derive(Serialize)]
struct ShownStep {
    from: Timestamp,
    until: Timestamp,
    quantity_milli: i64,
    bands_milli: Option<NewBands>,
    estimated: bool,
    method: &'static str,
}

#[derive(Serialize)]
struct Comparison {
    per: String,
    since: Timestamp,
    used_milli: i64,
    tiers: Vec<Tier>,
}

#[derive(Serialize)]
struct Tier {
    from_milli: i64,
    until_milli: Option<i64>,
    used_milli: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLimits {
    per: Per,
    bounds_milli: Vec<i64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Per {
    Month,
    Year,
}

#[derive(Serialize)]
struct ShownLimits {
    community: CommunityId,
    commodity: Commodity,
    per: String,
    bounds_milli: Vec<i64>,
    version: i64,
}

pub(super) async fn show(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    lists_meters(&actor)?;
    let mut query = Query::of(request)?;
    let meter = query.take("meter", MeterId::parse)?;
    let step = query.take("by", |text| {
        Step::parse(text).ok_or("it is hour, day or month")
    })?;
    let from = query.take("from", Timestamp::parse)?;
    let until = query.take("until", Timestamp::parse)?;
    query.finish()?;
    let meter = meter.ok_or_else(meter_required)?;
    let (known, earliest) = seen(context, &actor, &meter).await?;
    let step = step.unwrap_or(Step::Day);
    let month = Month::of(context.now, known.zone);
    let from = from.unwrap_or_else(|| match step {
        Step::Hour => context.now.plus_millis(-24 * 60 * 60 * 1_000),
        Step::Day => month.start(known.zone),
        Step::Month => month.january().start(known.zone),
    });
    let until = until.unwrap_or(context.now);
    let moments = step.moments((from.max(earliest), until), known.zone);
    if moments.len() > step.count_max() + 1 {
        return Err(too_long(step).into());
    }
    let used = curves::curve(
        &context.db,
        &actor.tenant,
        &known,
        (step, moments),
        earliest,
    )
    .await?;
    let tiers = compare(context, &actor, &known, earliest).await?;
    Ok(Reply::ok(&Curve {
        meter,
        commodity: known.meter.commodity,
        unit: known.meter.commodity.unit(),
        by: step.as_str(),
        total_milli: used.iter().map(Used::quantity_milli).sum(),
        items: used.iter().map(ShownStep::from).collect(),
        tiers,
    }))
}

fn meter_required() -> Refusal {
    Refusal::invalid(
        "meter_required",
        Message::new(
            "Say whose usage: send `meter`.",
            "请指定表计（meter 参数）。",
        ),
    )
}

fn too_long(step: Step) -> Refusal {
    let count = step.count_max();
    Refusal::invalid(
        "span_too_long",
        Message::new(
            format!(
                "A curve has at most {count} steps of this size. Ask for less, or for larger steps."
            ),
            format!("该粒度的曲线最多 {count} 段，请缩短时间范围或使用更大粒度。"),
        ),
    )
}

/// This month's or year's usage so far, laid into the tiers.
async fn compare(
    context: &Context,
    actor: &Actor,
    known: &Known,
    earliest: Timestamp,
) -> anyhow::Result<Option<Comparison>> {
    let place = (&known.meter.community, known.meter.commodity);
    let Some(limits) = sql::limits(&context.db, &actor.tenant, place).await? else {
        return Ok(None);
    };
    let month = Month::of(context.now, known.zone);
    let month = if limits.per == "year" {
        month.january()
    } else {
        month
    };
    let since = month.start(known.zone).max(earliest);
    let moments = vec![since, context.now.plus_millis(1)];
    let used = curves::curve(
        &context.db,
        &actor.tenant,
        known,
        (Step::Month, moments),
        earliest,
    )
    .await?;
    let used_milli = used.iter().map(Used::quantity_milli).sum();
    Ok(Some(Comparison {
        tiers: tiers(&limits.bounds, used_milli),
        per: limits.per,
        since,
        used_milli,
    }))
}

fn tiers(bounds: &[i64], used_milli: i64) -> Vec<Tier> {
    let mut tiers = Vec::with_capacity(bounds.len() + 1);
    let mut from_milli = 0;
    let ends = bounds.iter().copied().map(Some).chain([None]);
    for until_milli in ends {
        let inside = until_milli.map_or(used_milli, |until| used_milli.min(until)) - from_milli;
        tiers.push(Tier {
            from_milli,
            until_milli,
            used_milli: inside.max(0),
        });
        from_milli = until_milli.unwrap_or(from_milli);
    }
    tiers
}

/// The place in a path, for those who may know the community.
fn place(
    actor: &Actor,
    (community, kind): (&str, &str),
) -> Result<(CommunityId, Commodity), Refusal> {
    let community = path_id(community, unknown_community)?;
    let kind = commodity(kind).map_err(|_| unknown_meter())?;
    if !actor.reaches(&community) && overseeing_kinds(actor).is_err() {
        return Err(unknown_community());
    }
    Ok((community, kind))
}

pub(super) async fn limits(
    context: &Context,
    request: &Request,
    path: (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    lists_meters(&actor)?;
    let (community, commodity) = place(&actor, path)?;
    if actor.kind == kernel::ActorKind::Staff && !actor.reaches(&community) {
        return Err(unknown_community().into());
    }
    let found = sql::limits(&context.db, &actor.tenant, (&community, commodity)).await?;
    let limits = found.ok_or_else(unknown_limits)?;
    let version = limits.version;
    Ok(Reply::ok(&shown(community, commodity, limits)).with_etag(version))
}

fn unknown_limits() -> Refusal {
    Refusal::not_found(
        "usage_limits_unknown",
        Message::new(
            "No limits are set for this commodity in this community.",
            "该小区未设置此类别的用量档位。",
        ),
    )
}

pub(super) async fn put_limits(
    context: &Context,
    request: &Request,
    path: (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let (community, commodity) = place(&actor, path)?;
    managers_only(&actor, &community)?;
    let asked: NewLimits = web::body(request)?;
    rising(&asked.bounds_milli)?;
    crate::consume::catch_up(context, &actor.tenant).await?;
    let known = crate::store::places::zone(&context.db, &actor.tenant, &community).await?;
    if known.is_none() {
        return Err(unknown_community().into());
    }
    let per = match asked.per {
        Per::Month => "month",
        Per::Year => "year",
    };
    let stored = tx(&context.db, &actor.tenant, async |tx| {
        let before = sql::limits(tx, &actor.tenant, (&community, commodity)).await?;
        let limits = Limits {
            per: per.to_owned(),
            bounds: asked.bounds_milli.clone(),
            version: before.map_or(1, |before| before.version + 1),
        };
        sql::put_limits(tx, (&community, commodity), &limits).await?;
        Ok(limits)
    })
    .await?;
    let version = stored.version;
    Ok(Reply::ok(&shown(community, commodity, stored)).with_etag(version))
}

fn rising(bounds: &[i64]) -> Result<(), Refusal> {
    let pairs = bounds.iter().zip(bounds.iter().skip(1));
    let is_rising = pairs.into_iter().all(|(left, right)| left < right);
    let starts = bounds.first().is_some_and(|first| *first > 0);
    if is_rising && starts && bounds.len() < TIERS_MAX {
        return Ok(());
    }
    Err(Refusal::invalid(
        "bounds_invalid",
        Message::new(
            "Send 1 to 5 bounds in thousandths, each above the one before, the first above zero.",
            "请填写 1 到 5 个档位上限（千分之一单位），依次递增且大于零。",
        ),
    ))
}

fn shown(community: CommunityId, commodity: Commodity, limits: Limits) -> ShownLimits {
    ShownLimits {
        community,
        commodity,
        per: limits.per,
        bounds_milli: limits.bounds,
        version: limits.version,
    }
}

impl From<&Used> for ShownStep {
    fn from(used: &Used) -> Self {
        let worse = used.from.method.max(used.until.method);
        Self {
            from: used.from.at,
            until: used.until.at,
            quantity_milli: used.quantity_milli(),
            bands_milli: used.bands().map(named_bands),
            estimated: used.is_estimated(),
            method: worse.as_str(),
        }
    }
}
