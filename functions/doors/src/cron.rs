//! The heartbeat: hears what other capabilities said, stores the time-outs that readers already see, tells doors and
//! gateways what they are owed, and forgets what is old.
//!
//! A tick run twice, or on two replicas, changes nothing more: each opening is settled in its tenant's transaction.

use kernel::TenantId;
use store::tx;

use crate::context::Context;
use crate::domain::{OpeningState, observe};
use crate::{consume, facts, outbox, snapshot, store as sql};

/// The most openings one tick settles; the next tick goes on.
pub const TICK_OPENINGS_MAX: i64 = 500;

/// The most snapshots one tick makes; the next tick goes on.
pub const TICK_SNAPSHOTS_MAX: i64 = 8;
/// The most rows of each sort that one tick forgets; the next tick goes on.
pub const TICK_FORGOTTEN_MAX: i64 = 500;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The most openings that are settled in one transaction: whoever asks for a door meanwhile waits for no more.
const TRANSACTION_OPENINGS_MAX: i64 = 20;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Openings settled as timed out.
    pub timed_out: i64,
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Doors told to stand open for a fire, or to shut again.
    pub told: usize,
    /// Snapshots made for gateways.
    pub snapshots: usize,
    /// Idempotency records, and entries of the log beyond their time, forgotten.
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
    let done = tick(&context).await;
    outgoing::ring(&context.db, &context.outbox).await;
    done.map(|_| ())
}

/// Does what is owed at the context's moment.
///
/// # Errors
/// A failure of the database.
pub async fn tick(context: &Context) -> anyhow::Result<Done> {
    let heard = consume::hear(context).await?;
    let mut timed_out = 0;
    for tenant in sql::tenants_with_overdue(&context.db, context.now, TICK_OPENINGS_MAX).await? {
        while timed_out < TICK_OPENINGS_MAX {
            let limit = TRANSACTION_OPENINGS_MAX.min(TICK_OPENINGS_MAX - timed_out);
            let settled = settle_overdue(context, &tenant, limit).await?;
            timed_out += settled;
            if settled < limit {
                break;
            }
        }
    }
    let told = outbox::tell_releases(context).await?;
    let snapshots = renew_snapshots(context).await?;
    let forgotten = store::sweep(&context.db, context.now).await? + forget(context).await?;
    Ok(Done {
        timed_out,
        heard: heard.handled,
        parked: heard.parked,
        told,
        snapshots,
        forgotten,
        more: heard.is_full() || timed_out == TICK_OPENINGS_MAX,
    })
}

/// Makes the snapshots that are owed, and tells their gateways.
async fn renew_snapshots(context: &Context) -> anyhow::Result<usize> {
    let built_before = context.now.plus_millis(-snapshot::RENEW_MS);
    let keys = snapshot::key_ids(context);
    let owed = sql::gateways::owed(&context.db, (built_before, &keys), TICK_SNAPSHOTS_MAX).await?;
    let mut made = 0;
    for (tenant, gateway) in owed {
        let stands = sql::gateways::gateway(&context.db, &tenant, &gateway).await?;
        let Some(stands) = stands else { continue };
        let is_old = stands.made_at < built_before;
        let new = snapshot::renew(context, &tenant, &gateway, (&stands, is_old)).await?;
        let Some(new) = new else { continue };
        made += 1;
        if let Err(error) = outbox::publish_snapshot(context, &tenant, &gateway, new).await {
            let text = format!("gateway {gateway} was not told of its snapshot: {error:#}");
            web::log("error", "-", &text);
        }
    }
    Ok(made)
}

/// Deletes who went through which door, when that is older than it may be kept.
async fn forget(context: &Context) -> anyhow::Result<usize> {
    let kept_ms = context.access_retention_days.saturating_mul(DAY_MS);
    let before = context.now.plus_millis(kept_ms.saturating_neg());
    store::bulk(&context.db, async |batch| {
        sql::log::forget(batch, before, TICK_FORGOTTEN_MAX).await
    })
    .await
}

async fn settle_overdue(context: &Context, tenant: &TenantId, limit: i64) -> anyhow::Result<i64> {
    tx(&context.db, tenant, async |tx| {
        let mut over = Vec::new();
        for opening in sql::overdue(tx, context.now, limit).await? {
            let after = observe(opening, context.now);
            if matches!(after.state, OpeningState::TimedOut { .. }) {
                sql::update_opening(tx, &after).await?;
                over.push(after);
            }
        }
        facts::openings_timed_out(context, tx, &over).await?;
        Ok(i64::try_from(over.len())?)
    })
    .await
}
