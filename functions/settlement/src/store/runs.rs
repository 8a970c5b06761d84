//! Runs, how far they have come, and the months that cron has begun.

use std::collections::BTreeMap;

use kernel::{ActorId, MerchantId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::Month;

statements! {
    RUN = "select id, month, dry_run, state, after_merchant, statements, lines, amount_minor, owed_minor, netted_minor,
            skipped, created_by, created_at
        from settlement_run where tenant = $1 and id = $2";

    RUNS = "select id, month, dry_run, state, after_merchant, statements, lines, amount_minor, owed_minor, netted_minor,
            skipped, created_by, created_at
        from settlement_run where tenant = $1 and (cast($2 as text) is null or id < $2) order by id desc limit $3";

    INSERT_RUN = "insert into settlement_run (tenant, id, month, dry_run, state, after_merchant, statements, lines,
            amount_minor, owed_minor, netted_minor, skipped, created_by, created_at, changed_at)
        values ($1, $2, $3, $4, 'running', null, 0, 0, 0, 0, 0, '{}', $5, $6, $6)";

    UPDATE_RUN = "update settlement_run set state = $3, after_merchant = $4, statements = $5, lines = $6,
            amount_minor = $7, owed_minor = $8, netted_minor = $9, skipped = $10, changed_at = $11
        where tenant = $1 and id = $2";

    OPEN_RUNS = "select tenant, id from settlement_run where state = 'running' order by changed_at limit $1";

    TENANTS = "select distinct tenant from settlement_contract where tenant > $1 order by tenant limit $2";

    AGREED = "select merchant from settlement_contract where tenant = $1 and from_month <= $2 limit 1";

    BEGUN = "select run from settlement_month where tenant = $1 and month = $2";

    BEGIN_MONTH = "insert into settlement_month (tenant, month, run, begun_at) values ($1, $2, $3, $4)
        on conflict (tenant, month) do nothing returning run";

    IS_DONE = "select id from settlement_run where tenant = $1 and month = $2 and dry_run = 0 and state = 'done' limit 1";
}

/// What was skipped for one reason: how often, and some of the merchants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Skipped {
    pub(crate) count: i64,
    pub(crate) samples: Vec<MerchantId>,
}

/// What a run made so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) statements: i64,
    pub(crate) lines: i64,
    pub(crate) amount_minor: i64,
    pub(crate) owed_minor: i64,
    pub(crate) netted_minor: i64,
    pub(crate) skipped: BTreeMap<String, Skipped>,
}

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Its id: of the form of a statement's.
    pub(crate) id: kernel::StatementId,
    pub(crate) month: Month,
    pub(crate) dry_run: bool,
    pub(crate) is_done: bool,
    pub(crate) after_merchant: Option<MerchantId>,
    pub(crate) tally: Tally,
    pub(crate) created_by: ActorId,
    pub(crate) created_at: Timestamp,
}

/// The run.
pub(crate) async fn run(
    db: &impl Read,
    tenant: &TenantId,
    id: &kernel::StatementId,
) -> anyhow::Result<Option<Run>> {
    let row = db.row(RUN, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The runs, the latest first.
pub(crate) async fn runs(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<kernel::StatementId>,
) -> anyhow::Result<Vec<Run>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RUNS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a run.
pub(crate) async fn insert_run(tx: &Tx, run: &Run) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&run.id).into(),
        run.month.to_string().into(),
        run.dry_run.into(),
        (&run.created_by).into(),
        run.created_at.into(),
    ];
    tx.execute(INSERT_RUN, &parameters).await
}

/// Stores how far a run has come.
pub(crate) async fn update_run(tx: &Tx, run: &Run, now: Timestamp) -> anyhow::Result<()> {
    let state = if run.is_done { "done" } else { "running" };
    let parameters = [
        tx.tenant().into(),
        (&run.id).into(),
        state.into(),
        run.after_merchant.as_ref().into(),
        run.tally.statements.into(),
        run.tally.lines.into(),
        run.tally.amount_minor.into(),
        run.tally.owed_minor.into(),
        run.tally.netted_minor.into(),
        serde_json::to_string(&run.tally.skipped)?.into(),
        now.into(),
    ];
    tx.execute(UPDATE_RUN, &parameters).await
}

/// The runs that are under way, at most `limit`.
pub(crate) async fn open_runs(
    db: &impl Read,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, kernel::StatementId)>> {
    let rows = db.rows(OPEN_RUNS, &[limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// The tenants that have merchants under contract, after one.
pub(crate) async fn tenants(
    db: &impl Read,
    (after, limit): (Option<&TenantId>, i64),
) -> anyhow::Result<Vec<TenantId>> {
    let after = after.map_or("", TenantId::as_str);
    let rows = db.rows(TENANTS, &[after.into(), limit.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Whether anything was agreed for the month with anybody.
pub(crate) async fn is_agreed(
    db: &impl Read,
    tenant: &TenantId,
    month: Month,
) -> anyhow::Result<bool> {
    let row = db
        .row(AGREED, &[tenant.into(), month.to_string().into()])
        .await?;
    Ok(row.is_some())
}

/// Whether cron has begun the month.
pub(crate) async fn is_begun(
    db: &impl Read,
    tenant: &TenantId,
    month: Month,
) -> anyhow::Result<bool> {
    let row = db
        .row(BEGUN, &[tenant.into(), month.to_string().into()])
        .await?;
    Ok(row.is_some())
}

/// Begins a month; whether it had not been.
pub(crate) async fn begin_month(
    tx: &Tx,
    (month, run): (Month, &kernel::StatementId),
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        month.to_string().into(),
        run.into(),
        now.into(),
    ];
    Ok(tx.row(BEGIN_MONTH, &parameters).await?.is_some())
}

/// Whether a run of the month went through.
pub(crate) async fn is_done(
    db: &impl Read,
    tenant: &TenantId,
    month: Month,
) -> anyhow::Result<bool> {
    let row = db
        .row(IS_DONE, &[tenant.into(), month.to_string().into()])
        .await?;
    Ok(row.is_some())
}

fn read(row: &Row) -> anyhow::Result<Run> {
    Ok(Run {
        id: row.id(0)?,
        month: Month::parse(row.text(1)?)?,
        dry_run: row.boolean(2)?,
        is_done: row.text(3)? == "done",
        after_merchant: row.optional_id(4)?,
        tally: Tally {
            statements: row.integer(5)?,
            lines: row.integer(6)?,
            amount_minor: row.integer(7)?,
            owed_minor: row.integer(8)?,
            netted_minor: row.integer(9)?,
            skipped: serde_json::from_str(row.text(10)?)?,
        },
        created_by: row.id(11)?,
        created_at: row.timestamp(12)?,
    })
}
