//! The heartbeat: hears what others recorded, lets reservations and offers go that are over, begins and ends lines,
//! charges months, looks at exchanges, expires creatives, and forgets.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction, or by a
//! statement that carries its own guard.

use kernel::{CreativeId, TenantId};
use store::{bulk, tx};
use wire::advertising::CreativeState;

use crate::context::Context;
use crate::domain::barter::SALES_DAYS;
use crate::domain::day::Month;
use crate::store::lines::{self, Due};
use crate::store::{barters, billing, creatives, known, told};
use crate::{bartering, booking, charging, facts, inbox};

/// The most of each thing that one tick does; the next tick goes on.
pub const TICK_UNITS_MAX: i64 = 200;
/// The most offers that one statement lets go or forgets: few, for whoever is offered something waits for its turn to write.
const OFFERS_MAX: i64 = 200;
/// How often that statement is repeated in one tick.
const OFFER_ROUNDS: usize = 25;
/// How long offers are kept, in milliseconds: two days.
const OFFERS_KEPT_MS: i64 = 48 * 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Lines that began, ended, or lost their reservation.
    pub aged: usize,
    /// Offers whose bids were let go.
    pub released: usize,
    /// Lines whose months were looked at.
    pub charged: usize,
    /// Exchanges looked at.
    pub looked: usize,
    /// Creatives of which something ran out.
    pub expired: usize,
    /// Offers, counters, sales and idempotency records forgotten.
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
    let today = context.today();
    for due in [
        Due::Reserved(context.now),
        Due::Starting(today),
        Due::Ending(today),
    ] {
        for (tenant, line) in lines::due(&context.db, due, TICK_UNITS_MAX).await? {
            done.aged += count(booking::age(context, &tenant, &line).await, &tenant);
        }
    }
    let month = Month::of(today);
    for (tenant, line) in billing::due(&context.db, month, TICK_UNITS_MAX).await? {
        let charged = charging::charge(context, &tenant, &line).await;
        done.charged += count(charged.map(|_| true), &tenant);
    }
    for (tenant, barter) in barters::running(&context.db, today, TICK_UNITS_MAX).await? {
        done.looked += count(bartering::look(context, &tenant, &barter).await, &tenant);
    }
    for (tenant, creative) in creatives::due(&context.db, today, TICK_UNITS_MAX).await? {
        done.expired += count(expire(context, &tenant, &creative).await, &tenant);
    }
    sweep(context, &mut done).await?;
    let limit = usize::try_from(TICK_UNITS_MAX)?;
    let full = [done.aged, done.charged, done.looked, done.expired];
    done.more |= full.into_iter().any(|count| count >= limit);
    Ok(done)
}

/// What was done, 0 or 1; one that fails does not hold up the others, the next tick tries it again.
fn count(did: anyhow::Result<bool>, tenant: &TenantId) -> usize {
    match did {
        Ok(did) => usize::from(did),
        Err(error) => {
            web::log("error", "-", &format!("a tick of {tenant}: {error:#}"));
            0
        }
    }
}

/// Something that a creative needs has run out: it is shown no more until it is reviewed again.
async fn expire(context: &Context, tenant: &TenantId, id: &CreativeId) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let found = creatives::creative(tx, tx.tenant(), id).await?;
        let has_run_out = |creative: &crate::domain::Creative| {
            creative.state == CreativeState::Approved
                && creative.content.has_run_out(context.today())
        };
        let Some(creative) = found.filter(has_run_out) else {
            return Ok(false);
        };
        let expired = creative.expired();
        creatives::update_creative(tx, &expired).await?;
        facts::creative_changed(context, tx, &expired).await?;
        Ok(true)
    })
    .await
}

/// Lets the bids of offers go that are over, and forgets what nobody needs any more.
async fn sweep(context: &Context, done: &mut Done) -> anyhow::Result<()> {
    let until = context.now.plus_millis(-advertising::OFFER_MS);
    let kept_since = context.now.plus_millis(-OFFERS_KEPT_MS);
    let full = usize::try_from(OFFERS_MAX)?;
    for _ in 0..OFFER_ROUNDS {
        let (released, forgotten) = bulk(&context.db, async |batch| {
            let released = told::expire(batch, until, context.today(), OFFERS_MAX).await?;
            let before = (kept_since, context.now);
            Ok((released, told::forget(batch, before, OFFERS_MAX).await?))
        })
        .await?;
        done.released += released;
        done.forgotten += forgotten;
        if released < full && forgotten < full {
            break;
        }
    }
    let days = i64::try_from(SALES_DAYS)? + 1;
    let sales_before = context.now.plus_millis(-DAY_MS * days);
    let sales = bulk(&context.db, async |batch| {
        known::forget_sales(batch, sales_before, TICK_UNITS_MAX).await
    })
    .await?;
    done.forgotten += sales + store::sweep(&context.db, context.now).await?;
    Ok(())
}
