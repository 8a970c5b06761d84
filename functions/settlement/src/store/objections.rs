//! Objections: lines of statements that merchants dispute.

use kernel::{ActorId, StatementId, TenantId, Timestamp};
use store::{Read, Row, Tx};

use crate::domain::LineKey;

statements! {
    INSERT = "insert into settlement_objection (tenant, statement, line, reason, raised_by, raised_at, state,
            adjustment_minor, note, decided_by, decided_at)
        values ($1, $2, $3, $4, $5, $6, 'open', 0, null, null, null)
        on conflict (tenant, statement, line) do nothing returning line";

    OF_STATEMENT = "select line, reason, raised_by, raised_at, state, adjustment_minor, note, decided_by, decided_at
        from settlement_objection where tenant = $1 and statement = $2 order by line limit 200";

    OBJECTION = "select line, reason, raised_by, raised_at, state, adjustment_minor, note, decided_by, decided_at
        from settlement_objection where tenant = $1 and statement = $2 and line = $3";

    DECIDE = "update settlement_objection set state = $4, adjustment_minor = $5, note = $6, decided_by = $7,
            decided_at = $8
        where tenant = $1 and statement = $2 and line = $3";

    COUNT = "select count(*), cast(coalesce(sum(case when state = 'open' then 1 else 0 end), 0) as bigint)
        from settlement_objection where tenant = $1 and statement = $2";
}

/// The most lines of one statement that are disputed.
pub(crate) const OBJECTIONS_MAX: i64 = 200;

/// A line that is, or was, disputed.
#[derive(Debug, Clone)]
pub(crate) struct Objection {
    pub(crate) line: String,
    pub(crate) reason: String,
    pub(crate) raised_by: ActorId,
    pub(crate) raised_at: Timestamp,
    pub(crate) state: String,
    pub(crate) adjustment_minor: i64,
    pub(crate) note: Option<String>,
    pub(crate) decided_by: Option<ActorId>,
    pub(crate) decided_at: Option<Timestamp>,
}

/// Adds an objection; whether the line was not disputed before.
pub(crate) async fn insert(
    tx: &Tx,
    (statement, line): (&StatementId, &LineKey),
    reason: &str,
    (actor, now): (&ActorId, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        statement.into(),
        line.to_string().into(),
        reason.into(),
        actor.into(),
        now.into(),
    ];
    Ok(tx.row(INSERT, &parameters).await?.is_some())
}

/// The objections to a statement, by line.
pub(crate) async fn of_statement(
    db: &impl Read,
    tenant: &TenantId,
    statement: &StatementId,
) -> anyhow::Result<Vec<Objection>> {
    let rows = db
        .rows(OF_STATEMENT, &[tenant.into(), statement.into()])
        .await?;
    rows.iter().map(read).collect()
}

/// The objection to a line.
pub(crate) async fn objection(
    db: &impl Read,
    tenant: &TenantId,
    (statement, line): (&StatementId, &LineKey),
) -> anyhow::Result<Option<Objection>> {
    let parameters = [tenant.into(), statement.into(), line.to_string().into()];
    let row = db.row(OBJECTION, &parameters).await?;
    row.as_ref().map(read).transpose()
}

/// Stores a decision.
pub(crate) async fn decide(
    tx: &Tx,
    statement: &StatementId,
    objection: &Objection,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        statement.into(),
        (&objection.line).into(),
        (&objection.state).into(),
        objection.adjustment_minor.into(),
        objection.note.as_ref().into(),
        objection.decided_by.as_ref().into(),
        objection.decided_at.into(),
    ];
    tx.execute(DECIDE, &parameters).await
}

/// How many lines of a statement are, or were, disputed, and how many still are.
pub(crate) async fn count(
    db: &impl Read,
    tenant: &TenantId,
    statement: &StatementId,
) -> anyhow::Result<(i64, i64)> {
    let row = db.row(COUNT, &[tenant.into(), statement.into()]).await?;
    match row {
        Some(row) => Ok((row.integer(0)?, row.integer(1)?)),
        None => Ok((0, 0)),
    }
}

fn read(row: &Row) -> anyhow::Result<Objection> {
    Ok(Objection {
        line: row.text(0)?.to_owned(),
        reason: row.text(1)?.to_owned(),
        raised_by: row.id(2)?,
        raised_at: row.timestamp(3)?,
        state: row.text(4)?.to_owned(),
        adjustment_minor: row.integer(5)?,
        note: row.optional_text(6)?.map(str::to_owned),
        decided_by: row.optional_id(7)?,
        decided_at: row.optional_timestamp(8)?,
    })
}
