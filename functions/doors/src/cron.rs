//! The heartbeat: stores the time-outs that readers already see, and forgets old idempotency records.
//!
//! A tick run twice, or on two replicas, changes nothing more: each opening is settled in its tenant's transaction.

use kernel::TenantId;
use store::tx;

use crate::context::Context;
use crate::domain::{OpeningState, observe};
use crate::{facts, store as sql};

/// The most openings one tick settles; the next tick goes on.
pub const TICK_OPENINGS_MAX: i64 = 500;

/// The most openings that are settled in one transaction: whoever asks for a door meanwhile waits for no more.
const TRANSACTION_OPENINGS_MAX: i64 = 20;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Openings settled as timed out.
    pub timed_out: i64,
    /// Idempotency records forgotten.
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
    let forgotten = store::sweep(&context.db, context.now).await?;
    Ok(Done {
        timed_out,
        forgotten,
        more: timed_out == TICK_OPENINGS_MAX,
    })
}

async fn settle_overdue(context: &Context, tenant: &TenantId, limit: i64) -> anyhow::Result<i64> {
    tx(&context.db, tenant, async |tx| {
        let mut settled = 0;
        for before in sql::overdue(tx, context.now, limit).await? {
            let after = observe(before.clone(), context.now);
            if matches!(after.state, OpeningState::TimedOut { .. }) {
                sql::update_opening(tx, &after).await?;
                facts::opening_settled(context, tx, &before, &after).await?;
                settled += 1;
            }
        }
        Ok(settled)
    })
    .await
}
