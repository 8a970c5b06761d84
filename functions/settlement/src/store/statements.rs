//! Statements and their sums by kind.

use anyhow::Context as _;
use kernel::{ActorId, MerchantId, StatementId, TenantId, Timestamp, Zone};
use store::{Read, Row, Tx, Value};
use web::Page;
use wire::mall::Collection;

use super::Whose;
use crate::domain::{KindSums, Money, Month, Review, Statement, Sums};

statements! {
    INSERT = "insert into settlement_statement (tenant, id, merchant, month, collection, contract_version, time_zone,
            lines, sale_minor, amount_minor, settled_minor, debt_minor, total_minor, owed_minor, netted_minor, paid_minor,
            deducted_minor, review, money, issued_at, late_ms, object_until, confirm_at, due_at, overdue_at, reviewed_at,
            reviewed_by, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25, null, null, $26)";

    INSERT_SUM = "insert into settlement_sum (tenant, statement, kind, revenue, lines, sale_minor, amount_minor,
            settled_minor, debt_minor)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    SUMS_OF = "select kind, revenue, lines, sale_minor, amount_minor, settled_minor, debt_minor
        from settlement_sum where tenant = $1 and statement = $2 order by kind, revenue";

    OF_MONTH = "select id from settlement_statement where tenant = $1 and merchant = $2 and month = $3";

    STATEMENT = "select id, merchant, month, collection, contract_version, lines, sale_minor, amount_minor,
            settled_minor, debt_minor, owed_minor, netted_minor, paid_minor, deducted_minor, review, money, issued_at,
            late_ms, object_until, confirm_at, due_at, overdue_at, time_zone
        from settlement_statement where tenant = $1 and id = $2";

    STATEMENTS_OF = "select id, merchant, month, collection, contract_version, lines, sale_minor, amount_minor,
            settled_minor, debt_minor, owed_minor, netted_minor, paid_minor, deducted_minor, review, money, issued_at,
            late_ms, object_until, confirm_at, due_at, overdue_at, time_zone
        from settlement_statement
        where tenant = $1
          and (cast($2 as text) is null
            or merchant in (select merchant from settlement_member where tenant = $1 and person = $2))
          and (cast($3 as text) is null or merchant = $3) and (cast($4 as text) is null or month = $4)
          and (cast($5 as text) is null or id < $5)
        order by id desc limit $6";

    UNPAID = "select id, merchant, month, collection, contract_version, lines, sale_minor, amount_minor,
            settled_minor, debt_minor, owed_minor, netted_minor, paid_minor, deducted_minor, review, money, issued_at,
            late_ms, object_until, confirm_at, due_at, overdue_at, time_zone
        from settlement_statement
        where tenant = $1 and merchant = $2 and money in ('owed', 'shortfall') order by due_at, id limit 200";

    ARREARS = "select cast(coalesce(sum(owed_minor - netted_minor - paid_minor - deducted_minor), 0) as bigint)
        from settlement_statement where tenant = $1 and merchant = $2 and money in ('owed', 'shortfall')
          and money = 'shortfall'";

    UPDATE = "update settlement_statement set netted_minor = $3, paid_minor = $4, deducted_minor = $5, money = $6,
            overdue_at = $7, ended_at = $8
        where tenant = $1 and id = $2";

    REVIEW = "update settlement_statement set review = $3, reviewed_by = $4, reviewed_at = $5
        where tenant = $1 and id = $2";

    DUE = "select tenant, id from settlement_statement
        where money = 'owed' and overdue_at is null and due_at <= $1 and review <> 'disputed' order by due_at, id limit $2";

    DISPUTED_AND_DUE = "select tenant, id from settlement_statement
        where money = 'owed' and overdue_at is null and due_at <= $1 and review = 'disputed' order by due_at, id limit $2";

    SILENT = "select tenant, id from settlement_statement
        where review = 'sent' and confirm_at <= $1 order by confirm_at, id limit $2";
}

/// Adds a statement with its sums.
pub(crate) async fn insert(
    tx: &Tx,
    statement: &Statement,
    kinds: &[KindSums],
) -> anyhow::Result<()> {
    let sums = statement.sums;
    let ended_at = (statement.money == Money::Paid).then_some(statement.issued_at);
    let parameters = [
        tx.tenant().into(),
        (&statement.id).into(),
        (&statement.merchant).into(),
        statement.month.to_string().into(),
        statement.collection.as_str().into(),
        statement.contract_version.into(),
        statement.zone.as_str().into(),
        sums.lines.into(),
        sums.sale_minor.into(),
        sums.amount_minor.into(),
        sums.settled_minor.into(),
        sums.debt_minor.into(),
        sums.total_minor().into(),
        statement.owed_minor.into(),
        statement.netted_minor.into(),
        statement.paid_minor.into(),
        statement.deducted_minor.into(),
        statement.review.as_str().into(),
        statement.money.as_str().into(),
        statement.issued_at.into(),
        statement.late_ms.into(),
        statement.object_until.into(),
        statement.confirm_at.into(),
        statement.due_at.into(),
        statement.overdue_at.into(),
        ended_at.into(),
    ];
    tx.execute(INSERT, &parameters).await?;
    let rows: Vec<Vec<Value>> = kinds
        .iter()
        .map(|of| sum_values(tx.tenant(), &statement.id, of))
        .collect();
    tx.insert_many(INSERT_SUM, &rows).await
}

fn sum_values(tenant: &TenantId, statement: &StatementId, of: &KindSums) -> Vec<Value> {
    vec![
        tenant.into(),
        statement.into(),
        of.kind.as_str().into(),
        of.revenue.as_str().into(),
        of.sums.lines.into(),
        of.sums.sale_minor.into(),
        of.sums.amount_minor.into(),
        of.sums.settled_minor.into(),
        of.sums.debt_minor.into(),
    ]
}

/// The sums of a statement by kind, as they were when it was made.
pub(crate) async fn sums_of(
    db: &impl Read,
    tenant: &TenantId,
    statement: &StatementId,
) -> anyhow::Result<Vec<KindSums>> {
    let rows = db.rows(SUMS_OF, &[tenant.into(), statement.into()]).await?;
    rows.iter().map(super::items::read_sums).collect()
}

/// Whether there is a statement of that merchant and month.
pub(crate) async fn is_made(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, month): (&MerchantId, Month),
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), merchant.into(), month.to_string().into()];
    Ok(db.row(OF_MONTH, &parameters).await?.is_some())
}

/// The statement.
pub(crate) async fn statement(
    db: &impl Read,
    tenant: &TenantId,
    id: &StatementId,
) -> anyhow::Result<Option<Statement>> {
    let row = db.row(STATEMENT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// Statements, the latest first.
pub(crate) async fn statements(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose<'_>),
    month: Option<Month>,
    page: &Page<StatementId>,
) -> anyhow::Result<Vec<Statement>> {
    let [person, merchant] = whose.parameters();
    let parameters = [
        tenant.into(),
        person,
        merchant,
        month.map(|month| month.to_string()).into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(STATEMENTS_OF, &parameters).await?;
    rows.iter().map(read).collect()
}

/// A merchant's unpaid statements, those due first at the front.
pub(crate) async fn unpaid(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<Vec<Statement>> {
    let rows = db.rows(UNPAID, &[tenant.into(), merchant.into()]).await?;
    rows.iter().map(read).collect()
}

/// What a merchant owes after its deposit was asked, in fen.
pub(crate) async fn arrears(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<i64> {
    let row = db.row(ARREARS, &[tenant.into(), merchant.into()]).await?;
    row.context("a sum has no row")?.integer(0)
}

/// Stores how a statement was paid.
pub(crate) async fn update(tx: &Tx, statement: &Statement, now: Timestamp) -> anyhow::Result<()> {
    let ended_at = (statement.unpaid_minor() == 0).then_some(now);
    let parameters = [
        tx.tenant().into(),
        (&statement.id).into(),
        statement.netted_minor.into(),
        statement.paid_minor.into(),
        statement.deducted_minor.into(),
        statement.money.as_str().into(),
        statement.overdue_at.into(),
        ended_at.into(),
    ];
    tx.execute(UPDATE, &parameters).await
}

/// Stores whether the merchant agrees, and who said so.
pub(crate) async fn review(
    tx: &Tx,
    (statement, review): (&StatementId, Review),
    (actor, now): (Option<&ActorId>, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        statement.into(),
        review.as_str().into(),
        actor.into(),
        now.into(),
    ];
    tx.execute(REVIEW, &parameters).await
}

/// Statements whose due moment has come with something unpaid and nothing disputed, at most `limit`.
pub(crate) async fn due(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, StatementId)>> {
    found(db, DUE, (now, limit)).await
}

/// Statements whose due moment has come while lines are disputed, at most `limit`.
pub(crate) async fn disputed_and_due(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, StatementId)>> {
    found(db, DISPUTED_AND_DUE, (now, limit)).await
}

/// Statements that silence confirms, at most `limit`.
pub(crate) async fn silent(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, StatementId)>> {
    found(db, SILENT, (now, limit)).await
}

async fn found(
    db: &impl Read,
    sql: &str,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, StatementId)>> {
    let rows = db.rows(sql, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

fn read(row: &Row) -> anyhow::Result<Statement> {
    let review = row.text(14)?;
    let review = Review::ALL
        .into_iter()
        .find(|known| known.as_str() == review);
    let money = row.text(15)?;
    let money = Money::ALL.into_iter().find(|known| known.as_str() == money);
    Ok(Statement {
        id: row.id(0)?,
        merchant: row.id(1)?,
        month: Month::parse(row.text(2)?)?,
        collection: Collection::parse(row.text(3)?).context("a collection is none")?,
        contract_version: row.integer(4)?,
        sums: Sums {
            lines: row.integer(5)?,
            sale_minor: row.integer(6)?,
            amount_minor: row.integer(7)?,
            settled_minor: row.integer(8)?,
            debt_minor: row.integer(9)?,
        },
        owed_minor: row.integer(10)?,
        netted_minor: row.integer(11)?,
        paid_minor: row.integer(12)?,
        deducted_minor: row.integer(13)?,
        review: review.context("a review is none")?,
        money: money.context("a statement's money is none")?,
        issued_at: row.timestamp(16)?,
        late_ms: row.integer(17)?,
        object_until: row.timestamp(18)?,
        confirm_at: row.timestamp(19)?,
        due_at: row.timestamp(20)?,
        overdue_at: row.optional_timestamp(21)?,
        zone: Zone::parse(row.text(22)?)?,
    })
}
