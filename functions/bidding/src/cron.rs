//! The heartbeat: hears what others recorded, lets go of offers whose time is over, holds sealed rounds that have closed,
//! charges those that begin, invoices months that are over, and forgets what is old.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use kernel::TenantId;

use crate::context::Context;
use crate::domain::{HOUR_MS, hour_of};
use crate::offering::month_of;
use crate::store::{accruals, candidates, lineups, offers, rounds, sealed};
use crate::{counting, inbox, invoicing, sealing};

/// The most of each thing that one tick does; the next tick goes on.
pub const TICK_UNITS_MAX: i64 = 200;
/// The most offers of a tenant that one transaction lets go of: exchanges take few of many bids.
pub const RELEASES_MAX: i64 = 1_000;
/// The most such transactions of each tenant in one tick: a flood drains, and a tick ends.
pub const RELEASE_ROUNDS_MAX: usize = 20;
/// For how long rounds that charged nothing are kept with their offers, in milliseconds: a week.
pub const IDLE_MS: i64 = 7 * 24 * HOUR_MS;
/// For how long those are that did, in milliseconds: 90 days.
pub const CHARGED_MS: i64 = 90 * 24 * HOUR_MS;
/// For how much longer than rounds their lineups are kept, in milliseconds: each is used for an hour at most before it is
/// learnt again, and rounds may wait for their turn to be forgotten.
const LINEUP_MS: i64 = 7 * 24 * HOUR_MS;
/// For how many hours qualities are kept: a week.
const QUALITY_HOURS: i64 = 7 * 24;
/// How long after its end a month is invoiced, in milliseconds: what was counted at its end is committed by then.
const INVOICE_DELAY_MS: i64 = 5 * 60_000;
/// The most of what is old that one tick forgets.
const SWEEP_ROWS_MAX: i64 = 500;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Offers let go of.
    pub released: usize,
    /// Sealed rounds held.
    pub cleared: usize,
    /// Sealed rounds whose time has begun.
    pub begun: usize,
    /// Invoices made.
    pub invoiced: usize,
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
    let mut done = Done {
        heard: drained.handled,
        parked: drained.parked,
        more: drained.is_full(),
        ..Done::default()
    };
    if drained.is_full() {
        // Deposits that are on their way come before what is decided by them.
        return Ok(done);
    }
    let (db, page) = (&context.db, (context.now, TICK_UNITS_MAX));
    let (released, more) = release(context).await?;
    done.released = released;
    done.more |= more;
    for (tenant, id) in sealed::due(db, page).await? {
        done.cleared += count(sealing::clear(context, &tenant, &id).await, &tenant);
    }
    for (tenant, id) in sealed::begun(db, page).await? {
        done.begun += count(sealing::begin(context, &tenant, &id).await, &tenant);
    }
    let month = month_of(context.now.plus_millis(-INVOICE_DELAY_MS)).to_string();
    for (tenant, key) in accruals::open(db, (&month, TICK_UNITS_MAX)).await? {
        done.invoiced += count(invoicing::invoice(context, &tenant, &key).await, &tenant);
    }
    let ago = |millis: i64| context.now.plus_millis(-millis);
    let old = (ago(IDLE_MS), ago(CHARGED_MS));
    offers::sweep(db, old, SWEEP_ROWS_MAX).await?;
    rounds::sweep(db, old, SWEEP_ROWS_MAX).await?;
    lineups::sweep(db, (ago(CHARGED_MS + LINEUP_MS), SWEEP_ROWS_MAX)).await?;
    candidates::sweep_qualities(db, hour_of(context.now.millis()) - QUALITY_HOURS).await?;
    done.forgotten = store::sweep(db, context.now).await?;
    let full = [done.cleared, done.begun, done.invoiced];
    let limit = usize::try_from(TICK_UNITS_MAX)?;
    done.more |= full.into_iter().any(|count| count >= limit);
    Ok(done)
}

/// Lets go of offers whose time is over, in one transaction after another, until there are none or the tick has done its
/// part: how many, and whether there may be more. Who writes something else gets a turn between any two of them.
async fn release(context: &Context) -> anyhow::Result<(usize, bool)> {
    let mut released = 0;
    for _ in 0..RELEASE_ROUNDS_MAX {
        let before = released;
        for tenant in offers::expired(&context.db, (context.now, RELEASES_MAX)).await? {
            match counting::release(context, &tenant, RELEASES_MAX).await {
                Ok(count) => released += count,
                Err(error) => failed(&tenant, &error),
            }
        }
        if released == before {
            return Ok((released, false));
        }
    }
    Ok((released, true))
}

/// What was done, 0 or 1; one that fails does not hold up the others, the next tick tries it again.
fn count(did: anyhow::Result<bool>, tenant: &TenantId) -> usize {
    match did {
        Ok(did) => usize::from(did),
        Err(error) => {
            failed(tenant, &error);
            0
        }
    }
}

fn failed(tenant: &TenantId, error: &anyhow::Error) {
    web::log("error", "-", &format!("a unit of {tenant}: {error:#}"));
}
