//! The heartbeat: hears what others recorded, and does what time has made due.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use crate::context::Context;
use crate::exporting;
use crate::inbox;
use crate::upkeep::{self, Kept};

/// The most exports that one tick makes.
const TICK_EXPORTS_MAX: i64 = 10;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// What was due in orders.
    pub orders: Kept,
    /// Exports of days that are over made.
    pub exports: i64,
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
    let orders = upkeep::run(context).await?;
    let exports = exporting::keep(context, TICK_EXPORTS_MAX).await?;
    let forgotten = store::sweep(&context.db, context.now).await?;
    Ok(Done {
        heard: drained.handled,
        parked: drained.parked,
        orders,
        exports,
        forgotten,
        more: drained.is_full() || orders.is_full() || exports >= TICK_EXPORTS_MAX,
    })
}
