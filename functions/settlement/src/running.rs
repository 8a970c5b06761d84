//! Runs, page by page: some merchants with each step, a transaction each, so that a run goes on where it stopped, and a
//! second run of a month finds that everything is made. A dry run takes the same steps and rolls each back.

use std::fmt;

use kernel::{ActorId, MerchantId, Message, Refusal, StatementId, TenantId};
use store::{Tx, tx};

use crate::context::Context;
use crate::domain::{Month, Terms};
use crate::making::{Made, make};
use crate::standing::restand;
use crate::store::merchants::{self, Merchant};
use crate::store::runs::{self, Run, Tally};

/// The most merchants of one request or tick; the next goes on.
pub(crate) const MERCHANTS_MAX: i64 = 200;
/// The samples that are kept of each reason to skip.
const SAMPLES_MAX: usize = 5;
/// How long after the end of a month cron begins its run, in milliseconds: ten minutes, for facts that are on their way.
pub(crate) const RUN_DELAY_MS: i64 = 10 * 60 * 1_000;

/// A run that has not started.
pub(crate) fn new_run(
    context: &Context,
    (month, dry_run): (Month, bool),
    by: ActorId,
) -> anyhow::Result<Run> {
    Ok(Run {
        id: context.new_id()?,
        month,
        dry_run,
        is_done: false,
        after_merchant: None,
        tally: Tally::default(),
        created_by: by,
        created_at: context.now,
    })
}

/// Lets a run of that month make statements.
///
/// # Errors
/// 409 before the month is over; a dry run may look at any time.
pub(crate) fn over(context: &Context, terms: &Terms, month: Month) -> Result<(), Refusal> {
    let end = month.end(terms.zone);
    if context.now >= end {
        return Ok(());
    }
    Err(Refusal::conflict(
        "month_not_over",
        Message::new(
            format!("The month {month} is over at {end}. Until then only a dry run looks at it."),
            format!("{month} 尚未结束（{end}），在此之前仅可试算。"),
        ),
    ))
}

/// Takes steps until the run is through, or [`MERCHANTS_MAX`] merchants were looked at.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn advance(
    context: &Context,
    tenant: &TenantId,
    id: &StatementId,
) -> anyhow::Result<Run> {
    let run = runs::run(&context.db, tenant, id).await?;
    let mut run = run.ok_or_else(unknown_run)?;
    if run.is_done {
        return Ok(run);
    }
    let page = (run.after_merchant.as_ref(), MERCHANTS_MAX);
    let found = merchants::merchants_after(&context.db, tenant, page).await?;
    let more = i64::try_from(found.len())? == MERCHANTS_MAX;
    for merchant in &found {
        run = if run.dry_run {
            dry_step(context, tenant, (&run, merchant)).await?
        } else {
            tx(&context.db, tenant, async |tx| {
                wet_step(context, tx, (id, merchant)).await
            })
            .await?
        };
        if run.after_merchant.as_ref() != Some(&merchant.id) {
            // Somebody else took this step, and goes on.
            return Ok(run);
        }
    }
    if !more {
        run = tx(&context.db, tenant, async |tx| end(context, tx, id).await).await?;
    }
    Ok(run)
}

async fn end(context: &Context, tx: &Tx, id: &StatementId) -> anyhow::Result<Run> {
    let run = runs::run(tx, tx.tenant(), id).await?;
    let mut run = run.ok_or_else(unknown_run)?;
    if !run.is_done {
        run.is_done = true;
        runs::update_run(tx, &run, context.now).await?;
    }
    Ok(run)
}

async fn wet_step(
    context: &Context,
    tx: &Tx,
    (id, merchant): (&StatementId, &Merchant),
) -> anyhow::Result<Run> {
    let run = runs::run(tx, tx.tenant(), id).await?;
    let mut run = run.ok_or_else(unknown_run)?;
    if is_past(&run, &merchant.id) {
        return Ok(run);
    }
    step(context, tx, &mut run, merchant).await?;
    runs::update_run(tx, &run, context.now).await?;
    // A contract of this month may ask for another deposit.
    restand(context, tx, &merchant.id).await?;
    Ok(run)
}

/// Whether the run has looked at this merchant.
fn is_past(run: &Run, merchant: &MerchantId) -> bool {
    run.is_done
        || run
            .after_merchant
            .as_ref()
            .is_some_and(|after| after >= merchant)
}

async fn step(
    context: &Context,
    tx: &Tx,
    run: &mut Run,
    merchant: &Merchant,
) -> anyhow::Result<()> {
    let (terms, _) = merchants::terms(tx, tx.tenant()).await?;
    match make(context, tx, merchant, (run.month, &terms)).await? {
        Made::Statement(statement) => {
            run.tally.statements += 1;
            run.tally.lines += statement.sums.lines;
            run.tally.amount_minor += statement.sums.amount_minor;
            run.tally.owed_minor += statement.unpaid_minor();
            run.tally.netted_minor += statement.netted_minor;
        }
        Made::Skipped(reason) => {
            let skipped = run.tally.skipped.entry(reason.to_owned()).or_default();
            skipped.count += 1;
            if skipped.samples.len() < SAMPLES_MAX {
                skipped.samples.push(merchant.id.clone());
            }
        }
    }
    run.after_merchant = Some(merchant.id.clone());
    Ok(())
}

/// A run that was taken a step further, and everything it wrote rolled back.
#[derive(Debug)]
struct RolledBack(Run);

impl fmt::Display for RolledBack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a step of a dry run is rolled back")
    }
}

impl std::error::Error for RolledBack {}

async fn dry_step(
    context: &Context,
    tenant: &TenantId,
    (before, merchant): (&Run, &Merchant),
) -> anyhow::Result<Run> {
    let stepped = tx(&context.db, tenant, async |tx| {
        let mut run = before.clone();
        step(context, tx, &mut run, merchant).await?;
        Err::<(), _>(RolledBack(run).into())
    })
    .await;
    let run = match stepped {
        Ok(()) => before.clone(),
        Err(error) => error.downcast::<RolledBack>()?.0,
    };
    tx(&context.db, tenant, async |tx| {
        let stored = runs::run(tx, tx.tenant(), &run.id).await?;
        let stored = stored.ok_or_else(unknown_run)?;
        if is_past(&stored, &merchant.id) {
            return Ok(stored);
        }
        runs::update_run(tx, &run, context.now).await?;
        Ok(run.clone())
    })
    .await
}

/// No such run, or none that the caller may know.
pub(crate) fn unknown_run() -> Refusal {
    Refusal::not_found(
        "settlement_run_unknown",
        Message::new(
            "There is no such settlement run. Check its id.",
            "未找到该结算批次，请检查编号。",
        ),
    )
}
