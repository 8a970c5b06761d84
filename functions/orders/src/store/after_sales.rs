//! Refunds, returns and exchanges that buyers ask for.

use anyhow::Context as _;
use kernel::{AfterSaleId, OrderId, TenantId};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::orders::Whose;
use crate::domain::{AfterSale, AfterSaleKind, AfterSaleState, changed_meanwhile};
use crate::rows_flow::{word, written};

statements! {
    AFTER_SALE = "select id, order_id, buyer, merchant, kind, state, wanted, amount_minor, reason, answer,
            return_carrier, return_tracking, reship_carrier, reship_tracking, refund, requested_at, changed_at, version
        from orders_after_sale where tenant = $1 and id = $2";

    OF_ORDER = "select id, order_id, buyer, merchant, kind, state, wanted, amount_minor, reason, answer,
            return_carrier, return_tracking, reship_carrier, reship_tracking, refund, requested_at, changed_at, version
        from orders_after_sale where tenant = $1 and order_id = $2 order by id limit 200";

    OF_BUYER = "select id, order_id, buyer, merchant, kind, state, wanted, amount_minor, reason, answer,
            return_carrier, return_tracking, reship_carrier, reship_tracking, refund, requested_at, changed_at, version
        from orders_after_sale
        where tenant = $1 and buyer = $2 and (cast($3 as text) is null or id < $3) order by id desc limit $4";

    OF_MERCHANT = "select id, order_id, buyer, merchant, kind, state, wanted, amount_minor, reason, answer,
            return_carrier, return_tracking, reship_carrier, reship_tracking, refund, requested_at, changed_at, version
        from orders_after_sale
        where tenant = $1 and merchant = $2 and (cast($3 as text) is null or id < $3) order by id desc limit $4";

    AFTER_SALES = "select id, order_id, buyer, merchant, kind, state, wanted, amount_minor, reason, answer,
            return_carrier, return_tracking, reship_carrier, reship_tracking, refund, requested_at, changed_at, version
        from orders_after_sale
        where tenant = $1 and (cast($2 as text) is null or id < $2) order by id desc limit $3";

    INSERT_AFTER_SALE = "insert into orders_after_sale (tenant, id, order_id, buyer, merchant, kind, state, wanted,
            amount_minor, reason, answer, return_carrier, return_tracking, reship_carrier, reship_tracking, refund,
            requested_at, changed_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

    UPDATE_AFTER_SALE = "update orders_after_sale set state = $4, answer = $5, return_carrier = $6, return_tracking = $7,
            reship_carrier = $8, reship_tracking = $9, refund = $10, changed_at = $11, amount_minor = $12,
            version = version + 1
        where tenant = $1 and id = $2 and version = $3
        returning version";
}

/// The after-sale.
pub(crate) async fn after_sale(
    db: &impl Read,
    tenant: &TenantId,
    id: &AfterSaleId,
) -> anyhow::Result<Option<AfterSale>> {
    let row = db.row(AFTER_SALE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The after-sales of an order, the first one first.
pub(crate) async fn of_order(
    db: &impl Read,
    tenant: &TenantId,
    order: &OrderId,
) -> anyhow::Result<Vec<AfterSale>> {
    let rows = db.rows(OF_ORDER, &[tenant.into(), order.into()]).await?;
    rows.iter().map(read).collect()
}

/// A page of after-sales, the latest first.
pub(crate) async fn after_sales(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose),
    page: &Page<AfterSaleId>,
) -> anyhow::Result<Vec<AfterSale>> {
    let (sql, who): (&str, Option<Value>) = match whose {
        Whose::Buyer(buyer) => (OF_BUYER, Some(buyer.into())),
        Whose::Merchant(merchant) => (OF_MERCHANT, Some(merchant.into())),
        Whose::Everybody => (AFTER_SALES, None),
    };
    let tail: [Value; 2] = [page.after.as_ref().into(), page.rows().into()];
    let parameters: Vec<Value> = [tenant.into()].into_iter().chain(who).chain(tail).collect();
    let rows = db.rows(sql, &parameters).await?;
    rows.iter().map(read).collect()
}

fn text(row: &Row, position: usize) -> anyhow::Result<Option<String>> {
    Ok(row.optional_text(position)?.map(str::to_owned))
}

fn read(row: &Row) -> anyhow::Result<AfterSale> {
    Ok(AfterSale {
        id: row.id(0)?,
        order: row.id(1)?,
        buyer: row.id(2)?,
        merchant: row.id(3)?,
        kind: word(row, 4, AfterSaleKind::parse)?,
        state: word(row, 5, AfterSaleState::parse)?,
        wanted: serde_json::from_str(row.text(6)?).context("reading what is wanted back")?,
        amount_minor: row.integer(7)?,
        reason: row.text(8)?.to_owned(),
        answer: text(row, 9)?,
        returned: text(row, 10)?.zip(text(row, 11)?),
        reshipped: text(row, 12)?.zip(text(row, 13)?),
        refund: row.optional_id(14)?,
        requested_at: row.timestamp(15)?,
        changed_at: row.timestamp(16)?,
        version: row.integer(17)?,
    })
}

/// Adds an after-sale.
pub(crate) async fn insert_after_sale(tx: &Tx, after_sale: &AfterSale) -> anyhow::Result<()> {
    let (return_carrier, return_tracking) = after_sale.returned.clone().unzip();
    let (reship_carrier, reship_tracking) = after_sale.reshipped.clone().unzip();
    let parameters = [
        tx.tenant().into(),
        (&after_sale.id).into(),
        (&after_sale.order).into(),
        (&after_sale.buyer).into(),
        (&after_sale.merchant).into(),
        after_sale.kind.as_str().into(),
        after_sale.state.as_str().into(),
        serde_json::to_string(&written(&after_sale.wanted))?.into(),
        after_sale.amount_minor.into(),
        (&after_sale.reason).into(),
        after_sale.answer.clone().into(),
        return_carrier.into(),
        return_tracking.into(),
        reship_carrier.into(),
        reship_tracking.into(),
        after_sale.refund.as_ref().into(),
        after_sale.requested_at.into(),
        after_sale.changed_at.into(),
        after_sale.version.into(),
    ];
    tx.execute(INSERT_AFTER_SALE, &parameters).await
}

/// Stores an after-sale that is still as it was read; its version counts up.
///
/// # Errors
/// 409 when somebody else changed it; a failure of the database.
pub(crate) async fn update_after_sale(tx: &Tx, after_sale: &mut AfterSale) -> anyhow::Result<()> {
    let (return_carrier, return_tracking) = after_sale.returned.clone().unzip();
    let (reship_carrier, reship_tracking) = after_sale.reshipped.clone().unzip();
    let parameters = [
        tx.tenant().into(),
        (&after_sale.id).into(),
        after_sale.version.into(),
        after_sale.state.as_str().into(),
        after_sale.answer.clone().into(),
        return_carrier.into(),
        return_tracking.into(),
        reship_carrier.into(),
        reship_tracking.into(),
        after_sale.refund.as_ref().into(),
        after_sale.changed_at.into(),
        after_sale.amount_minor.into(),
    ];
    let row = tx.row(UPDATE_AFTER_SALE, &parameters).await?;
    after_sale.version = row.ok_or_else(changed_meanwhile)?.integer(0)?;
    Ok(())
}
