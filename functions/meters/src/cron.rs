//! The heartbeat: hears what other capabilities said, sends money to prepaid meters, ends what no meter answered, closes months, looks again at closed ones that readings
//! touched, compares masters with their meters, finds what is plausible, and thins and forgets what is old.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use std::collections::BTreeMap;

use chrono::Days;
use kernel::{MeterId, TenantId, Timestamp, Zone};
use store::tx;

use crate::closing::{self, Closing};
use crate::context::Context;
use crate::domain::curve::Step;
use crate::domain::{AlarmKind, Month, master_differs};
use crate::rows::Known;
use crate::store::{alarms, batch, meters, periods, readings, retention, usage};
use crate::{consume, curves, facts, recharging, switching};

/// The most months of communities that one tick closes; the next tick goes on.
pub const TICK_CLOSINGS_MAX: usize = 4;
/// The most meters whose usual rate one tick finds, and masters that it compares.
pub const TICK_METERS_MAX: i64 = 100;
/// The most pictures that one tick forgets.
pub const TICK_PHOTOS_MAX: i64 = 100;
const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How long after the month's end closing begins: what gateways read at midnight has come by then.
const CLOSING_AFTER_MS: i64 = 6 * HOUR_MS;
/// After how long a master whose meters were not all read is compared again.
const COMPARE_AGAIN_MS: i64 = HOUR_MS / 2;
/// By how much clocks are ahead of UTC at most.
const AHEAD_MS_MAX: i64 = 14 * HOUR_MS;
/// How long after the month's end usage is projected where readings are missing: bills are due on the 4th.
const ESTIMATE_AFTER_MS: i64 = 2 * DAY_MS;
/// After how long a month that is not complete is closed again.
const CLOSE_AGAIN_MS: i64 = HOUR_MS;
/// How long after a month's end cron still closes it.
const CLOSING_MS_MAX: i64 = 10 * DAY_MS;
/// How far back the usual rate of a meter is looked for.
const RATE_MS: i64 = 60 * DAY_MS;
/// How long every reading is kept; of older days the first and the last.
const THINNED_MS: i64 = 90 * DAY_MS;
/// How far back from there readings are still looked for: heartbeats may have failed for as long.
const THINNING_MS: i64 = 30 * DAY_MS;
/// For how many days pictures are kept: a year, and time to object.
const PHOTO_DAYS: i64 = 400;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Tries of recharges sent to meters.
    pub sent: usize,
    /// Requests to cut or restore a supply that no meter answered.
    pub timed_out: usize,
    /// Months of communities closed.
    pub closed: usize,
    /// Meters whose closed usage was looked at again.
    pub revised: usize,
    /// Masters compared with their meters.
    pub compared: usize,
    /// Meters whose usual rate was found.
    pub rated: usize,
    /// Idempotency records and pictures forgotten.
    pub forgotten: usize,
    /// Whether the tick stopped at its limit and more may be owed.
    pub more: bool,
}

/// The cron trigger.
///
/// # Errors
/// When the variables or the database fail; the next tick makes up for it.
#[cfg(target_family = "wasm")]
pub async fn on_tick(_at_seconds: i64) -> anyhow::Result<()> {
    let context = Context::open().await?;
    tick(&context).await.map(|_| ())
}

/// Does what is owed at the context's moment.
///
/// # Errors
/// A failure of the database.
pub async fn tick(context: &Context) -> anyhow::Result<Done> {
    let heard = consume::hear(context).await?;
    let sent = recharging::send_due(context).await?;
    let timed_out = switching::settle_overdue(context).await?;
    let closed = close_months(context).await?;
    let revised = closing::revise(context, 1).await?;
    let compared = compare_masters(context).await?;
    let rated = find_rates(context).await?;
    outgoing::ring(&context.db, &context.outbox).await;
    let forgotten = store::sweep(&context.db, context.now).await? + forget(context).await?;
    Ok(Done {
        heard,
        sent,
        timed_out,
        closed,
        revised,
        compared,
        rated,
        forgotten,
        more: closed >= TICK_CLOSINGS_MAX || revised > 0,
    })
}

/// Closes the month before in the communities where that is owed.
async fn close_months(context: &Context) -> anyhow::Result<usize> {
    let mut closed = 0;
    // Where the clocks show another month, the month itself is looked up below.
    let month = Month::of(context.now, Zone::SHANGHAI).previous();
    let (mut tenant, mut after) = (String::new(), String::new());
    loop {
        let owed = (month, context.now.plus_millis(-CLOSE_AGAIN_MS));
        let page =
            periods::communities(&context.db, (&tenant, &after), owed, TICK_METERS_MAX).await?;
        let Some((last_tenant, last, _)) = page.last() else {
            return Ok(closed);
        };
        (tenant, after) = (last_tenant.to_string(), last.to_string());
        for (tenant, community, zone) in page {
            let month = Month::of(context.now, zone).previous();
            let passed_ms = context.now.millis_since(month.end(zone));
            if !(CLOSING_AFTER_MS..CLOSING_MS_MAX).contains(&passed_ms) {
                continue;
            }
            let stands = periods::period(&context.db, &tenant, (&community, month)).await?;
            let is_owed = stands.is_none_or(|(tried_at, done)| {
                !done && context.now.millis_since(tried_at) >= CLOSE_AGAIN_MS
            });
            if is_owed {
                let closing = Closing {
                    community: &community,
                    month,
                    zone,
                    estimate: passed_ms >= ESTIMATE_AFTER_MS,
                };
                closing::close(context, &tenant, &closing).await?;
                closed += 1;
            }
            if closed >= TICK_CLOSINGS_MAX {
                return Ok(closed);
            }
        }
    }
}

/// Compares each master with the meters behind it, once for each day.
async fn compare_masters(context: &Context) -> anyhow::Result<usize> {
    let mut compared = 0;
    // The latest day that is over anywhere; whether it is over here is looked up below.
    let latest = context.now.plus_millis(AHEAD_MS_MAX - DAY_MS);
    let day = utc_day(latest);
    let (mut tenant, mut after) = (String::new(), String::new());
    loop {
        let owed = (day.as_str(), context.now.plus_millis(-COMPARE_AGAIN_MS));
        let page = meters::masters(&context.db, (&tenant, &after), owed, TICK_METERS_MAX).await?;
        let Some((last_tenant, last)) = page.last() else {
            return Ok(compared);
        };
        (tenant, after) = (last_tenant.to_string(), last.to_string());
        for (tenant, master) in page {
            if compare(context, &tenant, &master).await? {
                compared += 1;
            }
            if i64::try_from(compared)? >= TICK_METERS_MAX {
                return Ok(compared);
            }
        }
    }
}

/// Compares a master with its meters for the day before, when that day is over and read; whether it did.
async fn compare(context: &Context, tenant: &TenantId, master: &MeterId) -> anyhow::Result<bool> {
    let known = batch::known(&context.db, tenant, &[master]).await?;
    let Some(known) = known.first() else {
        return Ok(false);
    };
    let day = Day::before(context.now, known);
    let checked = periods::checked(&context.db, tenant, master).await?;
    let checked = checked.unwrap_or_default();
    if checked >= day.name || context.now.millis_since(day.until) < HOUR_MS {
        return Ok(false);
    }
    let Some((whole, sum)) = sums(context, tenant, known, &day).await? else {
        tx(&context.db, tenant, async |tx| {
            periods::put_checked(tx, master, (&checked, context.now)).await
        })
        .await?;
        return Ok(false);
    };
    tx(&context.db, tenant, async |tx| {
        let present = alarms::active(tx, master, AlarmKind::MasterSum).await?;
        match (present, master_differs(whole, sum)) {
            (None, true) => {
                let alarm = context.new_id()?;
                let told = (&alarm, AlarmKind::MasterSum, day.from);
                alarms::insert(tx, &known.meter, told, context.now).await?;
                facts::alarm_raised(context, tx, &known.meter, told).await?;
            }
            (Some(alarm), false) => {
                alarms::clear(tx, &alarm, context.now).await?;
                let told = (&alarm, AlarmKind::MasterSum, None);
                facts::alarm_cleared(context, tx, &known.meter, told).await?;
            }
            _ => {}
        }
        periods::put_checked(tx, master, (&day.name, context.now)).await
    })
    .await?;
    Ok(true)
}

/// What a master and the meters behind it used on a day; nothing while one of them is not read: it says nothing about
/// the others.
async fn sums(
    context: &Context,
    tenant: &TenantId,
    master: &Known,
    day: &Day,
) -> anyhow::Result<Option<(i64, i64)>> {
    let Some(whole) = used(context, tenant, master, day).await? else {
        return Ok(None);
    };
    let mut sum = 0_i64;
    for meter in meters::behind(&context.db, tenant, &master.meter.id).await? {
        match used(context, tenant, &meter, day).await? {
            Some(part) => sum = sum.saturating_add(part),
            None => return Ok(None),
        }
    }
    Ok(Some((whole, sum)))
}

fn utc_day(at: Timestamp) -> String {
    let text = at.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// A day of a community.
struct Day {
    name: String,
    from: Timestamp,
    until: Timestamp,
}

impl Day {
    fn before(now: Timestamp, known: &Known) -> Self {
        let today = known.zone.local(now).date;
        let date = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        Self {
            name: date.to_string(),
            from: known.zone.moment(date, 0),
            until: known.zone.moment(today, 0),
        }
    }
}

/// What a meter used on a day; nothing while that is not known.
async fn used(
    context: &Context,
    tenant: &TenantId,
    known: &Known,
    day: &Day,
) -> anyhow::Result<Option<i64>> {
    if known.meter.opened_at > day.from {
        return Ok(None);
    }
    let moments = vec![day.from, day.until];
    let curve = curves::curve(
        &context.db,
        tenant,
        known,
        (Step::Hour, moments),
        known.meter.opened_at,
    )
    .await?;
    let whole = curve.first().filter(|used| used.until.at == day.until);
    Ok(whole.map(|used| used.quantity_milli()))
}

/// Finds what is usual for meters, once a day, and keeps of their old readings the first and last of each day.
async fn find_rates(context: &Context) -> anyhow::Result<usize> {
    let owed = usage::to_rate(
        &context.db,
        context.now.plus_millis(-DAY_MS),
        TICK_METERS_MAX,
    )
    .await?;
    let count = owed.len();
    let since = context.now.plus_millis(-RATE_MS);
    let old = (
        context.now.plus_millis(-THINNED_MS - THINNING_MS),
        context.now.plus_millis(-THINNED_MS),
    );
    let mut found: BTreeMap<TenantId, Vec<(MeterId, i64)>> = BTreeMap::new();
    for (tenant, meter) in owed {
        let p99 = usage::p99(&context.db, &tenant, &meter, since).await?;
        found.entry(tenant).or_default().push((meter, p99));
    }
    for (tenant, rates) in found {
        tx(&context.db, &tenant, async |tx| {
            for (meter, p99) in &rates {
                usage::put_rate(tx, meter, (*p99, context.now)).await?;
                retention::thin(tx, meter, old).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(count)
}

async fn forget(context: &Context) -> anyhow::Result<usize> {
    let before = context.now.plus_millis(-PHOTO_DAYS * DAY_MS);
    store::bulk(&context.db, async |batch| {
        readings::forget_photos(batch, before, TICK_PHOTOS_MAX).await
    })
    .await
}
