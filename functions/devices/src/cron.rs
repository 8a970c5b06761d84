//! The heartbeat: hears what identity recorded, notices silence, stores what deadlines have made of commands, and
//! sends what still waits.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction, and a
//! command that is sent twice has one id.

use kernel::TenantId;
use store::tx;

use crate::context::Context;
use crate::domain::{expire, fall_silent};
use crate::store::{commands, register};
use crate::{facts, inbox, send};

/// The most gateways or commands of each sort that one tick changes; the next tick goes on.
pub const TICK_UNITS_MAX: i64 = 500;

/// The most gateways to which one tick sends: each may take as long as a publication may.
pub const TICK_GATEWAYS_MAX: i64 = 20;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Gateways that are offline for their silence from now on.
    pub silent: i64,
    /// Commands past their deadline.
    pub overdue: i64,
    /// Commands sent.
    pub sent: i64,
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
    let mut silent = 0;
    for tenant in register::tenants_with_silent(&context.db, context.now, TICK_UNITS_MAX).await? {
        silent += silence(context, &tenant, TICK_UNITS_MAX - silent).await?;
    }
    let mut overdue = 0;
    for tenant in commands::tenants_with_overdue(&context.db, context.now, TICK_UNITS_MAX).await? {
        overdue += settle(context, &tenant, TICK_UNITS_MAX - overdue).await?;
    }
    let waiting = commands::queued_for_online(&context.db, context.now, TICK_GATEWAYS_MAX).await?;
    let mut sent = 0;
    for (tenant, gateway) in &waiting {
        sent += send::deliver(context, tenant, gateway).await?;
    }
    let forgotten = store::sweep(&context.db, context.now).await?;
    let limited = [silent, overdue]
        .into_iter()
        .any(|count| count >= TICK_UNITS_MAX);
    Ok(Done {
        heard: drained.handled,
        parked: drained.parked,
        silent,
        overdue,
        sent,
        forgotten,
        more: drained.is_full() || limited || i64::try_from(waiting.len())? >= TICK_GATEWAYS_MAX,
    })
}

async fn silence(context: &Context, tenant: &TenantId, limit: i64) -> anyhow::Result<i64> {
    if limit <= 0 {
        return Ok(0);
    }
    tx(&context.db, tenant, async |tx| {
        let mut silent = 0;
        for id in register::silent(tx, context.now, limit).await? {
            let Some(mut gateway) = register::gateway(tx, tenant, &id).await? else {
                continue;
            };
            let before = gateway.presence;
            let Some(after) = fall_silent(before, gateway.profile, context.now) else {
                continue;
            };
            gateway.presence = after;
            register::put_gateway(tx, &gateway).await?;
            facts::presence_changed(context, tx, &id, (&before, &after)).await?;
            silent += 1;
        }
        Ok(silent)
    })
    .await
}

async fn settle(context: &Context, tenant: &TenantId, limit: i64) -> anyhow::Result<i64> {
    if limit <= 0 {
        return Ok(0);
    }
    tx(&context.db, tenant, async |tx| {
        let mut settled = 0;
        for command in commands::overdue(tx, context.now, limit).await? {
            if let Some(after) = expire(&command, context.now) {
                commands::update_command(tx, &after).await?;
                facts::settled(context, tx, &after).await?;
                settled += 1;
            }
        }
        Ok(settled)
    })
    .await
}
