//! The heartbeat: learns what the register of communities tells, and forgets what is over.
//!
//! A tick run twice, or on two replicas, changes nothing more: each event is handled with the cursor in one transaction.

use kernel::{TenantId, Timestamp};
use store::bulk;
use store::events::{self, Consumer, Drained};
use wire::event::{BindingEnded, BindingStarted, Event, ResidentRecorded};

use crate::context::Context;
use crate::{register, store as sql};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "identity",
    kinds: &[
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events handled.
    pub handled: usize,
    /// Events set aside, because they could not be handled.
    pub parked: usize,
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
    let mut done = Done::default();
    for tenant in events::waiting(&context.db, CONSUMER.name).await? {
        let drained = take(context, &tenant).await?;
        done.handled += drained.handled;
        done.parked += drained.parked;
    }
    sweep(context, context.now).await?;
    Ok(done)
}

/// Handles what waits for one tenant; nothing happens for a tenant that nobody has heard of.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    if events::is_waiting(&context.db, tenant, CONSUMER.name).await? {
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

async fn sweep(context: &Context, now: Timestamp) -> anyhow::Result<()> {
    bulk(&context.db, async |batch| {
        sql::sweep_codes(batch, now, now.plus_millis(-INBOX_MS)).await?;
        sql::sweep_sessions(batch, now.plus_millis(-OVER_MS)).await
    })
    .await
}
