//! Items: made once each, claimed by one statement each.

use anyhow::Context as _;
use kernel::{MerchantId, StatementId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};

use crate::domain::{Item, Kind, KindSums, LineKey, Revenue, Sums};

statements! {
    INSERT_ITEM = "insert into settlement_item (tenant, kind, source, merchant, at, revenue, sale_minor, amount_minor,
            settled_minor, debt_minor, reference, memo, statement)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (tenant, kind, source) do nothing";

    CLAIM = "update settlement_item set statement = $4
        where tenant = $1 and merchant = $2 and statement is null and at < $3";

    SUMS = "select kind, revenue, count(*), cast(sum(sale_minor) as bigint), cast(sum(amount_minor) as bigint),
            cast(sum(settled_minor) as bigint), cast(sum(debt_minor) as bigint)
        from settlement_item where tenant = $1 and statement = $2
        group by kind, revenue order by kind, revenue";

    UNCLAIMED = "select kind, revenue, count(*), cast(sum(sale_minor) as bigint), cast(sum(amount_minor) as bigint),
            cast(sum(settled_minor) as bigint), cast(sum(debt_minor) as bigint)
        from settlement_item where tenant = $1 and merchant = $2 and statement is null and at >= $3
        group by kind, revenue order by kind, revenue";

    LINES = "select kind, source, merchant, at, revenue, sale_minor, amount_minor, settled_minor, debt_minor, reference,
            memo
        from settlement_item where tenant = $1 and statement = $2 and (kind, source) > ($3, $4)
        order by kind, source limit $5";

    LINE = "select kind, source, merchant, at, revenue, sale_minor, amount_minor, settled_minor, debt_minor, reference,
            memo
        from settlement_item where tenant = $1 and kind = $2 and source = $3 and statement = $4";
}

/// Adds an item, once.
pub(crate) async fn insert_item(tx: &Tx, item: &Item) -> anyhow::Result<()> {
    tx.execute(INSERT_ITEM, &values(tx.tenant(), item)).await
}

/// Adds many items, each once.
///
/// # Errors
/// A failure of the database.
pub async fn insert_items(tx: &Tx, items: &[Item]) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = items.iter().map(|item| values(tx.tenant(), item)).collect();
    tx.insert_many(INSERT_ITEM, &rows).await
}

fn values(tenant: &TenantId, item: &Item) -> Vec<Value> {
    vec![
        tenant.into(),
        item.key.kind.as_str().into(),
        (&item.key.source).into(),
        (&item.merchant).into(),
        item.at.into(),
        item.revenue.as_str().into(),
        item.sale_minor.into(),
        item.amount_minor.into(),
        item.settled_minor.into(),
        item.debt_minor.into(),
        (&item.reference).into(),
        (&item.memo).into(),
        Value::Null,
    ]
}

/// Stamps the statement on every unclaimed item of the merchant from before a moment: one statement of SQL, however
/// many they are.
pub(crate) async fn claim(
    tx: &Tx,
    (merchant, before): (&MerchantId, Timestamp),
    statement: &StatementId,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        before.into(),
        statement.into(),
    ];
    tx.execute(CLAIM, &parameters).await
}

/// The sums of a statement's lines by kind.
pub(crate) async fn sums(
    db: &impl Read,
    tenant: &TenantId,
    statement: &StatementId,
) -> anyhow::Result<Vec<KindSums>> {
    let rows = db.rows(SUMS, &[tenant.into(), statement.into()]).await?;
    rows.iter().map(read_sums).collect()
}

/// The sums of what no statement has claimed yet, by kind.
pub(crate) async fn unclaimed(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<Vec<KindSums>> {
    // The earliest moment there is: with it the index of what is unclaimed is the one that is used.
    let ever = Timestamp::EPOCH.plus_millis(i64::MIN);
    let parameters = [tenant.into(), merchant.into(), ever.into()];
    let rows = db.rows(UNCLAIMED, &parameters).await?;
    rows.iter().map(read_sums).collect()
}

/// The lines of a statement after one, in the order of their names.
pub(crate) async fn lines(
    db: &impl Read,
    (tenant, statement): (&TenantId, &StatementId),
    (after, limit): (Option<&LineKey>, i64),
) -> anyhow::Result<Vec<Item>> {
    let (kind, source) = after.map_or(("", ""), |key| (key.kind.as_str(), key.source.as_str()));
    let parameters = [
        tenant.into(),
        statement.into(),
        kind.into(),
        source.into(),
        limit.into(),
    ];
    let rows = db.rows(LINES, &parameters).await?;
    rows.iter().map(read).collect()
}

/// A line of a statement.
pub(crate) async fn line(
    db: &impl Read,
    (tenant, statement): (&TenantId, &StatementId),
    key: &LineKey,
) -> anyhow::Result<Option<Item>> {
    let parameters = [
        tenant.into(),
        key.kind.as_str().into(),
        (&key.source).into(),
        statement.into(),
    ];
    let row = db.row(LINE, &parameters).await?;
    row.as_ref().map(read).transpose()
}

fn kind(row: &Row, position: usize) -> anyhow::Result<Kind> {
    Kind::parse(row.text(position)?).context("an item's kind is none")
}

fn revenue(row: &Row, position: usize) -> anyhow::Result<Revenue> {
    Revenue::parse(row.text(position)?).context("an item's revenue is none")
}

fn read(row: &Row) -> anyhow::Result<Item> {
    Ok(Item {
        key: LineKey {
            kind: kind(row, 0)?,
            source: row.text(1)?.to_owned(),
        },
        merchant: row.id(2)?,
        at: row.timestamp(3)?,
        revenue: revenue(row, 4)?,
        sale_minor: row.integer(5)?,
        amount_minor: row.integer(6)?,
        settled_minor: row.integer(7)?,
        debt_minor: row.integer(8)?,
        reference: row.text(9)?.to_owned(),
        memo: row.text(10)?.to_owned(),
    })
}

pub(super) fn read_sums(row: &Row) -> anyhow::Result<KindSums> {
    Ok(KindSums {
        kind: kind(row, 0)?,
        revenue: revenue(row, 1)?,
        sums: Sums {
            lines: row.integer(2)?,
            sale_minor: row.integer(3)?,
            amount_minor: row.integer(4)?,
            settled_minor: row.integer(5)?,
            debt_minor: row.integer(6)?,
        },
    })
}
