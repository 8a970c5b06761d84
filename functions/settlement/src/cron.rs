//! The heartbeat: hears what others recorded, begins and goes on with the month's run, confirms what nobody disputed,
//! asks deposits for what is overdue, takes platform fees, and raises alarms.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use kernel::{ActorId, StatementId, TenantId};
use store::tx;

use crate::context::Context;
use crate::domain::Month;
use crate::store::{merchants, platform, runs, statements, withdrawals};
use crate::{charging, deducting, facts, inbox, running, transfer};

/// The most of each thing that one tick does; the next tick goes on.
pub const TICK_UNITS_MAX: i64 = 100;
/// The most tenants that one page of tenants holds.
const TENANTS_PAGE: i64 = 200;
/// Who runs what nobody asked for.
const CRON: &str = "cron";

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Runs begun and taken further.
    pub runs: usize,
    /// Statements confirmed by silence.
    pub confirmed: usize,
    /// Statements whose deposit was asked.
    pub overdue: usize,
    /// Platform accounts whose charge day had come.
    pub charged: usize,
    /// Transfers of which nobody has said for a day what became of them.
    pub transfers: usize,
    /// Alarms raised.
    pub alarms: usize,
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
        // Lines and payments that are on their way come before what is decided by them.
        return Ok(done);
    }
    months(context, &mut done).await?;
    let open = runs::open_runs(&context.db, TICK_UNITS_MAX).await?;
    for (tenant, run) in &open {
        done.runs += 1;
        match running::advance(context, tenant, run).await {
            Ok(run) => done.more |= !run.is_done,
            Err(error) => failed(tenant, run.as_str(), &error),
        }
    }
    calendar(context, &mut done).await?;
    let page = (context.now, TICK_UNITS_MAX);
    for (tenant, account) in platform::due(&context.db, page).await? {
        done.charged += count(charging::charge(context, &tenant, &account).await, &tenant);
    }
    for (tenant, id) in withdrawals::due(&context.db, page).await? {
        done.transfers += count(transfer::look_after(context, &tenant, &id).await, &tenant);
    }
    done.forgotten = store::sweep(&context.db, context.now).await?;
    let full = [done.confirmed, done.overdue, done.charged, done.transfers];
    let limit = usize::try_from(TICK_UNITS_MAX)?;
    done.more |= full.into_iter().any(|count| count >= limit);
    Ok(done)
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

/// Begins the run of the month before, once for each tenant, and tells of a deadline that passed without one.
async fn months(context: &Context, done: &mut Done) -> anyhow::Result<()> {
    let mut after: Option<TenantId> = None;
    loop {
        let tenants = runs::tenants(&context.db, (after.as_ref(), TENANTS_PAGE)).await?;
        for tenant in &tenants {
            of_tenant(context, tenant, done).await?;
        }
        let Some(last) = tenants.last() else {
            return Ok(());
        };
        after = Some(last.clone());
    }
}

async fn of_tenant(context: &Context, tenant: &TenantId, done: &mut Done) -> anyhow::Result<()> {
    let db = &context.db;
    let (terms, _) = merchants::terms(db, tenant).await?;
    let month = Month::at(terms.zone, context.now).previous();
    let begins = month.end(terms.zone).plus_millis(running::RUN_DELAY_MS);
    let is_over = context.now >= begins && runs::is_agreed(db, tenant, month).await?;
    if !is_over || runs::is_done(db, tenant, month).await? {
        return Ok(());
    }
    if context.now >= terms.issue_by(month) {
        done.alarms += count(missed(context, tenant, month).await, tenant);
    }
    if !runs::is_begun(db, tenant, month).await? {
        begin(context, tenant, month).await?;
    }
    Ok(())
}

async fn missed(context: &Context, tenant: &TenantId, month: Month) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let subject = ("issue_deadline_missed", month.to_string());
        facts::alarm(context, tx, (subject.0, &subject.1), None).await
    })
    .await
}

async fn begin(context: &Context, tenant: &TenantId, month: Month) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        let run = running::new_run(context, (month, false), ActorId::parse(CRON)?)?;
        let id: &StatementId = &run.id;
        if runs::begin_month(tx, (month, id), context.now).await? {
            runs::insert_run(tx, &run).await?;
        }
        Ok(())
    })
    .await
}

/// What the calendar does to statements.
async fn calendar(context: &Context, done: &mut Done) -> anyhow::Result<()> {
    let page = (context.now, TICK_UNITS_MAX);
    for (tenant, id) in statements::silent(&context.db, page).await? {
        done.confirmed += count(deducting::silence(context, &tenant, &id).await, &tenant);
    }
    for (tenant, id) in statements::disputed_and_due(&context.db, page).await? {
        done.alarms += count(deducting::undecided(context, &tenant, &id).await, &tenant);
    }
    for (tenant, id) in statements::due(&context.db, page).await? {
        done.overdue += count(deducting::overdue(context, &tenant, &id).await, &tenant);
    }
    Ok(())
}
