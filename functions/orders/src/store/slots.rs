//! The times in which services can be had.

use kernel::{MerchantId, ProductId, SlotId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use crate::domain::product::Slot;
use crate::rows::read_slot;

statements! {
    SLOT = "select s.id, s.product, s.starts_at, s.ends_at, s.gone, k.available
        from orders_slot s join orders_stock k on k.tenant = s.tenant and k.item = s.id
        where s.tenant = $1 and s.id = $2";

    INSERT_SLOT = "insert into orders_slot (tenant, id, product, merchant, starts_at, ends_at, gone)
        values ($1, $2, $3, $4, $5, $6, 0)";

    OVERLAPPING = "select id from orders_slot
        where tenant = $1 and product = $2 and gone = 0 and starts_at < $4 and ends_at > $3 limit 1";

    END_SLOT = "update orders_slot set gone = 1 where tenant = $1 and id = $2 and gone = 0 returning id";

    SLOTS = "select s.id, s.product, s.starts_at, s.ends_at, s.gone, k.available
        from orders_slot s join orders_stock k on k.tenant = s.tenant and k.item = s.id
        where s.tenant = $1 and s.product = $2 and s.gone = 0 and s.starts_at >= $3
          and (cast($4 as text) is null or s.id > $4)
        order by s.id limit $5";
}

/// A slot, and how many places are left in it.
pub(crate) async fn slot(
    db: &impl Read,
    tenant: &TenantId,
    id: &SlotId,
) -> anyhow::Result<Option<(Slot, i64)>> {
    let row = db.row(SLOT, &[tenant.into(), id.into()]).await?;
    row.map(|row| Ok((read_slot(&row)?, row.integer(5)?)))
        .transpose()
}

/// Adds a slot.
pub(crate) async fn insert(tx: &Tx, merchant: &MerchantId, slot: &Slot) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&slot.id).into(),
        (&slot.product).into(),
        merchant.into(),
        slot.starts_at.into(),
        slot.ends_at.into(),
    ];
    tx.execute(INSERT_SLOT, &parameters).await
}

/// Whether a service has a time that overlaps.
pub(crate) async fn overlaps(
    tx: &Tx,
    product: &ProductId,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        product.into(),
        from.into(),
        until.into(),
    ];
    Ok(tx.row(OVERLAPPING, &parameters).await?.is_some())
}

/// A slot is no longer offered; what is booked in it stays booked. Answers whether it was offered.
pub(crate) async fn end(tx: &Tx, id: &SlotId) -> anyhow::Result<bool> {
    let row = tx.row(END_SLOT, &[tx.tenant().into(), id.into()]).await?;
    Ok(row.is_some())
}

/// The slots of a service that begin from then on, with the places left, in the order in which they were added.
pub(crate) async fn slots(
    db: &impl Read,
    (tenant, product): (&TenantId, &ProductId),
    from: Timestamp,
    page: &Page<SlotId>,
) -> anyhow::Result<Vec<(Slot, i64)>> {
    let parameters = [
        tenant.into(),
        product.into(),
        from.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(SLOTS, &parameters).await?;
    rows.iter()
        .map(|row| Ok((read_slot(row)?, row.integer(5)?)))
        .collect()
}
