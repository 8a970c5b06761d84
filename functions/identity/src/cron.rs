//! The heartbeat: learns what the register of communities tells, and forgets what is over.
//!
//! A tick run twice, or on two replicas, changes nothing more: each event is handled with the cursor in one transaction.

use kernel::{TenantId, Timestamp};
use store::bulk;
use store::events::{self, Consumer, Drained};
use wire::event::{AccountRequested, BindingEnded, BindingStarted, Event, ResidentRecorded};

use crate::context::Context;
use crate::{handover, register, store as sql};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "identity",
    kinds: &[
        AccountRequested::KIND,
        ResidentRecorded::KIND,
        BindingStarted::KIND,
        BindingEnded::KIND,
    ],
};

/// How long messages in the inbox and the record of sendings are kept, in milliseconds: a day.
pub const INBOX_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long sessions and keys that are over are kept, in milliseconds: 30 days.
pub const OVER_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// First passwords of accounts sent, or tried to.
    pub handed_over: usize,
    /// Codes, messages, sessions, keys and idempotency records forgotten.
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
    let mut drained = Drained::default();
    for tenant in events::waiting(&context.db, CONSUMER.name).await? {
        drained += take(context, &tenant).await?;
    }
    let handed_over = handover::send_due(context).await?;
    let swept = sweep(context, context.now).await?;
    Ok(Done {
        heard: drained.handled,
        parked: drained.parked,
        handed_over,
        forgotten: swept.iter().sum::<usize>() + store::sweep(&context.db, context.now).await?,
        more: drained.is_full() || swept.iter().any(|count| *count >= sql::SWEEP_ROWS_MAX),
    })
}

/// Handles what waits for one tenant; nothing happens for a tenant that nobody has heard of.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    if events::concerns(&context.db, tenant, CONSUMER).await? {
        take(context, tenant).await?;
    }
    Ok(())
}

async fn take(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    let drained = events::drain(
        &context.db,
        tenant,
        CONSUMER,
        context.now,
        async |tx, event| register::handle(context, tx, event).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        web::log("error", "-", &format!("an event of {tenant}: {cause}"));
    }
    Ok(drained)
}

/// How many rows of each sort.
async fn sweep(context: &Context, now: Timestamp) -> anyhow::Result<[usize; 6]> {
    bulk(&context.db, async |batch| {
        let [codes, sendings, messages] =
            sql::sweep_codes(batch, now, now.plus_millis(-INBOX_MS)).await?;
        let [refresh, sessions, keys] =
            sql::sweep_sessions(batch, now.plus_millis(-OVER_MS)).await?;
        Ok([codes, sendings, messages, refresh, sessions, keys])
    })
    .await
}
