//! The heartbeat: hears what others recorded, stores what time has ended, makes the visits of passes that come
//! again, and forgets visitors of long ago.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use chrono::{DateTime, NaiveDate};
use kernel::{TenantId, Timestamp};
use store::tx;

use crate::context::Context;
use crate::domain::{observe, plan_through};
use crate::store::{people, recurring, visits};
use crate::{facts, inbox, plan};

/// The most visits, passes or records of each sort that one tick changes; the next tick goes on.
pub const TICK_UNITS_MAX: i64 = 500;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Visits that time has ended.
    pub ended: i64,
    /// Recurring passes whose visits were made.
    pub planned: i64,
    /// Visits and passes whose personal data was deleted.
    pub anonymized: i64,
    /// Idempotency records forgotten.
    pub forgotten: usize,
    /// Whether the tick stopped at a limit and more may be owed.
    pub more: bool,
}

/// The cron trigger.
///
/// # Errors
/// When the variables or the database fail; the next tick makes up for it.
#[cfg(target_family = "wasm")]
pub async fn on_tick(_at_seconds: i64) -> anyhow::Result<()> {
    let context = Context::open().await?;
    let done = tick(&context).await;
    outgoing::ring(&context.db, &context.outbox).await;
    done.map(|_| ())
}

/// Does what is owed at the context's moment.
///
/// # Errors
/// A failure of the database.
pub async fn tick(context: &Context) -> anyhow::Result<Done> {
    let drained = inbox::take_all(context).await?;
    let mut ended = 0;
    for tenant in visits::tenants_with_due(&context.db, context.now, TICK_UNITS_MAX).await? {
        ended += end_due(context, &tenant, TICK_UNITS_MAX - ended).await?;
    }
    let through = plan_through(context.now);
    let mut planned = 0;
    for tenant in recurring::tenants_to_plan(&context.db, through, TICK_UNITS_MAX).await? {
        planned += plan_due(context, &tenant, TICK_UNITS_MAX - planned).await?;
    }
    let old = old(context);
    let mut anonymized = 0;
    for tenant in people::tenants_with_old(&context.db, old, TICK_UNITS_MAX).await? {
        anonymized += anonymize(context, &tenant, TICK_UNITS_MAX - anonymized).await?;
    }
    let forgotten = store::sweep(&context.db, context.now).await?;
    Ok(Done {
        heard: drained.handled,
        parked: drained.parked,
        ended,
        planned,
        anonymized,
        forgotten,
        more: drained.is_full()
            || [ended, planned, anonymized]
                .into_iter()
                .any(|count| count >= TICK_UNITS_MAX),
    })
}

async fn end_due(context: &Context, tenant: &TenantId, limit: i64) -> anyhow::Result<i64> {
    if limit <= 0 {
        return Ok(0);
    }
    tx(&context.db, tenant, async |tx| {
        let mut ended = 0;
        for id in visits::due(tx, context.now, limit).await? {
            let Some(before) = visits::visit(tx, tenant, &id).await? else {
                continue;
            };
            let after = observe(before.clone(), context.now);
            visits::update_visit(tx, &after).await?;
            facts::visit_changed(context, tx, &before, &after).await?;
            ended += 1;
        }
        Ok(ended)
    })
    .await
}

async fn plan_due(context: &Context, tenant: &TenantId, limit: i64) -> anyhow::Result<i64> {
    if limit <= 0 {
        return Ok(0);
    }
    tx(&context.db, tenant, async |tx| {
        let mut planned = 0;
        for id in recurring::to_plan(tx, plan_through(context.now), limit).await? {
            if let Some(pass) = recurring::recurring(tx, tenant, &id).await? {
                plan::plan(context, tx, &pass).await?;
                planned += 1;
            }
        }
        Ok(planned)
    })
    .await
}

async fn anonymize(context: &Context, tenant: &TenantId, limit: i64) -> anyhow::Result<i64> {
    if limit <= 0 {
        return Ok(0);
    }
    tx(&context.db, tenant, async |tx| {
        let records = people::forget_old(tx, old(context), limit).await?;
        if records > 0 {
            facts::data_forgotten(context, tx, records).await?;
        }
        Ok(i64::try_from(records)?)
    })
    .await
}

/// What ended by this moment, and had its last day by this one, is kept no longer.
fn old(context: &Context) -> (Timestamp, NaiveDate) {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let moment = context.now.plus_millis(-context.retention_days * DAY_MS);
    let day = DateTime::<chrono::Utc>::from_timestamp_millis(moment.millis()).unwrap_or_default();
    (moment, day.date_naive())
}
