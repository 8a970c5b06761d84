//! The heartbeat: hears what others recorded, runs plans, finds out whom messages are for, sends what is due, and forgets
//! what is kept no longer.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use kernel::{PushMessageId, TenantId};

use crate::context::Context;
use crate::store::{keeping, messages, notes, plans};
use crate::{delivering, expanding, inbox, planning};

/// The most of each thing that one tick does; the next tick goes on.
pub const TICK_UNITS_MAX: i64 = 100;
/// The most pages of people that one message takes in one tick.
const PAGES_MAX: usize = 200;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Times of plans that were run.
    pub planned: usize,
    /// Messages taken further.
    pub messages: usize,
    /// Deliveries decided on.
    pub deliveries: usize,
    /// Requests made to services.
    pub sent: usize,
    /// Records forgotten.
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
    let page = (context.now, TICK_UNITS_MAX);
    for (tenant, plan) in plans::due(&context.db, page).await? {
        done.planned += count(planning::run(context, &tenant, &plan).await, &tenant);
    }
    let told = tell(context).await?;
    let marketing = context.now.plus_millis(-delivering::MARKETING_MS);
    let limit = TICK_UNITS_MAX * 10;
    let notes = notes::forget(&context.db, (context.now, marketing), limit).await?;
    let records = context.now.plus_millis(-context.retention_ms);
    let records = keeping::forget(&context.db, (records, context.now), limit).await?;
    done.forgotten = notes + records + store::sweep(&context.db, context.now).await?;
    Ok(Done {
        messages: told.messages,
        deliveries: told.deliveries,
        sent: told.sent,
        more: done.more || told.more,
        ..done
    })
}

/// Finds out whom messages are for, and sends what is due: what the doorbell does, too.
///
/// # Errors
/// A failure of the database.
pub async fn tell(context: &Context) -> anyhow::Result<Done> {
    let mut done = Done::default();
    expand(context, &mut done).await?;
    let moved = delivering::deliver(context).await?;
    // What was just sent may have been the last of its message.
    let due = messages::due(&context.db, (context.now, TICK_UNITS_MAX)).await?;
    further(context, &due, &mut done).await?;
    done.deliveries = moved.looked;
    done.sent = moved.sent;
    done.more |= moved.more;
    Ok(done)
}

/// Finds out whom messages are for, and sends nothing: what stands in the inbox is there after that.
///
/// # Errors
/// A failure of the database.
pub async fn expand(context: &Context, done: &mut Done) -> anyhow::Result<()> {
    let due = messages::due_to_expand(&context.db, (context.now, TICK_UNITS_MAX)).await?;
    further(context, &due, done).await
}

/// Takes messages further: over all the people they are for, or to their end.
async fn further(
    context: &Context,
    due: &[(TenantId, PushMessageId)],
    done: &mut Done,
) -> anyhow::Result<()> {
    done.more |= due.len() >= usize::try_from(TICK_UNITS_MAX)?;
    for (tenant, message) in due {
        let mut pages = 0;
        loop {
            match expanding::advance(context, tenant, message).await {
                Ok(true) if pages < PAGES_MAX => pages += 1,
                Ok(more) => {
                    done.more |= more;
                    done.messages += 1;
                    break;
                }
                Err(error) => {
                    failed(tenant, message.as_str(), &error);
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What was done, 0 or 1; one that fails does not hold up the others, the next tick tries it again.
fn count(did: anyhow::Result<bool>, tenant: &TenantId) -> usize {
    match did {
        Ok(did) => usize::from(did),
        Err(error) => {
            failed(tenant, "-", &error);
            0
        }
    }
}

fn failed(tenant: &TenantId, what: &str, error: &anyhow::Error) {
    web::log("error", "-", &format!("{what} of {tenant}: {error:#}"));
}
