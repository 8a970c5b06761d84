//! The heartbeat: hears what others asked for, ends what time has ended, asks channels, delivers the simulated channel's
//! notices, reconciles yesterday and seals the books.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use chrono::Days;
use kernel::Zone;
use store::tx;

use crate::context::Context;
use crate::domain::{Channel, Closed};
use crate::protocol::bill;
use crate::store::reconciliations::Day;
use crate::store::{attempts, payments, reconciliations, refunds, transfers};
use crate::{inbox, reconcile, transferring, work};

/// The most of each sort that one tick does; the next tick goes on. Those that talk to a channel are fewer.
pub const TICK_UNITS_MAX: i64 = 500;
/// The most requests of each sort to channels.
pub const TICK_CALLS_MAX: i64 = 50;
/// Yesterday's bill is there from this minute of the day on (10:00 on China's clocks).
const BILL_MINUTE: u16 = 10 * 60;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of others handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Payments that time has closed.
    pub expired: i64,
    /// Attempts for which a channel was asked.
    pub asked: i64,
    /// Refunds for which a channel was asked.
    pub refunds: i64,
    /// Transfers for which a channel was asked.
    pub transfers: i64,
    /// Notices of the simulated channel delivered.
    pub delivered: i64,
    /// Days reconciled.
    pub reconciled: i64,
    /// Days of the books sealed.
    pub sealed: i64,
    /// Holds that time has ended.
    pub holds: usize,
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
        ..Done::default()
    };
    for (tenant, id) in payments::expired(&context.db, context.now, TICK_UNITS_MAX).await? {
        let closed = tx(&context.db, &tenant, async |tx| {
            let payment = payments::payment(&*tx, &tenant, &id).await?;
            match payment {
                Some(payment) => inbox::close(context, tx, &payment, Closed::Expired).await,
                None => Ok(false),
            }
        })
        .await?;
        done.expired += i64::from(closed);
    }
    done.delivered = work::deliver(context, TICK_CALLS_MAX).await?;
    for (tenant, id) in attempts::due(&context.db, context.now, TICK_CALLS_MAX).await? {
        work::ask_for(context, &tenant, &id).await?;
        done.asked += 1;
    }
    for (tenant, id) in refunds::due(&context.db, context.now, TICK_CALLS_MAX).await? {
        work::send_refund(context, &tenant, &id).await?;
        done.refunds += 1;
    }
    for (tenant, id) in transfers::due(&context.db, context.now, TICK_CALLS_MAX).await? {
        transferring::look_after(context, &tenant, &id).await?;
        done.transfers += 1;
    }
    done.reconciled = reconcile_yesterday(context).await?;
    books(context, &mut done).await?;
    done.forgotten = store::sweep(&context.db, context.now).await?;
    done.more = drained.is_full()
        || done.expired >= TICK_UNITS_MAX
        || [done.delivered, done.asked, done.refunds, done.transfers]
            .into_iter()
            .any(|count| count >= TICK_CALLS_MAX);
    Ok(done)
}

/// Reconciles yesterday for those that were paid and have not been reconciled since it is over. A bill that cannot be
/// had is asked for again by the next tick.
async fn reconcile_yesterday(context: &Context) -> anyhow::Result<i64> {
    let local = Zone::SHANGHAI.local(context.now);
    let Some(yesterday) = local.date.checked_sub_days(Days::new(1)) else {
        return Ok(0);
    };
    if local.minute < BILL_MINUTE {
        return Ok(0);
    }
    let name = yesterday.to_string();
    let span = bill::bounds(&name)?;
    let mut count = 0;
    for channel in Channel::ALL {
        if !context.offers(channel) {
            continue;
        }
        let day = Day {
            channel,
            day: &name,
        };
        for tenant in reconciliations::tenants_to_reconcile(&context.db, day, span).await? {
            match reconcile::run(context, &tenant, channel, yesterday).await {
                Ok(_) => count += 1,
                Err(error) => web::log(
                    "warn",
                    "-",
                    &format!("{name} of {tenant} was not reconciled: {error:#}"),
                ),
            }
        }
    }
    Ok(count)
}

/// Seals days that are over, and ends holds.
async fn books(context: &Context, done: &mut Done) -> anyhow::Result<()> {
    for tenant in ledger::tenants_to_seal(&context.db, context.now).await? {
        let sealed = tx(&context.db, &tenant, async |tx| {
            ledger::seal(tx, context.now).await
        })
        .await?;
        done.sealed += i64::from(sealed);
    }
    for tenant in ledger::tenants_with_expired(&context.db, context.now).await? {
        done.holds += tx(&context.db, &tenant, async |tx| {
            ledger::expire_holds(tx, context.now).await
        })
        .await?;
    }
    Ok(())
}
