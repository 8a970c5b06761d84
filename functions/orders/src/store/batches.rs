//! Batches of variants: what came, and what of it is left.

use chrono::NaiveDate;
use kernel::{MerchantId, ProductId, TenantId};
use store::{Read, Tx};

use crate::domain::batch::Batch;
use crate::domain::text::Code;
use crate::rows::{date, read_batch, read_label};

statements! {
    OPEN = "select id, expires_on, trace_code, units, units_left, received_at from orders_batch
        where tenant = $1 and item = $2 and units_left > 0 order by id limit 500";

    INSERT = "insert into orders_batch
            (tenant, id, item, merchant, expires_on, trace_code, units, units_left, received_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    LEAVE = "update orders_batch set units_left = $3 where tenant = $1 and id = $2";

    SHELF = "select expires_on, trace_code from orders_variant where tenant = $1 and id = $2";

    // What is on the shelf is the batch that goes next.
    SHELVE = "update orders_variant set expires_on = cast($3 as text), trace_code = cast($4 as text)
        where tenant = $1 and id = $2";

    TENANTS = "select distinct tenant from orders_batch where units_left > 0 order by tenant limit 1000";

    DUE = "select b.item from orders_batch b
        join orders_stock k on k.tenant = b.tenant and k.item = b.item
        where b.tenant = $1 and b.units_left > 0
        group by b.item, k.available, k.reserved
        having sum(b.units_left) <> k.available + k.reserved or min(b.expires_on) < $2
        order by b.item limit $3";

    OF_PRODUCT = "select distinct b.item from orders_variant v
        join orders_batch b on b.tenant = v.tenant and b.item = v.id and b.units_left > 0
        where v.tenant = $1 and v.product = $2 order by b.item limit 500";
}

/// The batches of a variant of which something is left.
pub(crate) async fn open(
    db: &impl Read,
    tenant: &TenantId,
    item: &str,
) -> anyhow::Result<Vec<Batch>> {
    let rows = db.rows(OPEN, &[tenant.into(), item.into()]).await?;
    rows.iter().map(read_batch).collect()
}

/// Adds a batch.
pub(crate) async fn insert(
    tx: &Tx,
    (merchant, item): (&MerchantId, &str),
    batch: &Batch,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&batch.id).into(),
        item.into(),
        merchant.into(),
        batch.expires_on.map(date).into(),
        batch.trace_code.as_ref().map(|code| code.as_str()).into(),
        batch.units.into(),
        batch.left.into(),
        batch.received_at.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// So many units of a batch are left.
pub(crate) async fn leave(tx: &Tx, batch: &Batch) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), (&batch.id).into(), batch.left.into()];
    tx.execute(LEAVE, &parameters).await
}

/// The last day and the code that the shelf of a variant says.
pub(crate) async fn shelf(
    tx: &Tx,
    item: &str,
) -> anyhow::Result<(Option<NaiveDate>, Option<Code>)> {
    let row = tx.row(SHELF, &[tx.tenant().into(), item.into()]).await?;
    row.map_or(Ok((None, None)), |row| read_label(&row, 0))
}

/// A batch is what is sold next of a variant.
pub(crate) async fn shelve(tx: &Tx, item: &str, batch: &Batch) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        item.into(),
        batch.expires_on.map(date).into(),
        batch.trace_code.as_ref().map(|code| code.as_str()).into(),
    ];
    tx.execute(SHELVE, &parameters).await
}

/// Who has batches of which something is left.
pub(crate) async fn tenants(db: &impl Read) -> anyhow::Result<Vec<TenantId>> {
    let rows = db.rows(TENANTS, &[]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The variants of which units came or went since it was found out what is left of their batches, and those of which a
/// batch has expired.
pub(crate) async fn due(
    db: &impl Read,
    tenant: &TenantId,
    (today, limit): (NaiveDate, i64),
) -> anyhow::Result<Vec<String>> {
    let parameters = [tenant.into(), date(today).into(), limit.into()];
    let rows = db.rows(DUE, &parameters).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// The variants of a product that have batches of which something is left.
pub(crate) async fn of_product(tx: &Tx, product: &ProductId) -> anyhow::Result<Vec<String>> {
    let parameters = [tx.tenant().into(), product.into()];
    let rows = tx.rows(OF_PRODUCT, &parameters).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}
