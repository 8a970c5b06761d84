//! Orders: where each stands in its machines.

use kernel::{ActorId, CheckoutId, MerchantId, OrderId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use crate::domain::{Order, changed_meanwhile};
use crate::rows_flow::{order_values, read_order};

statements! {
    ORDER = "select id, checkout, buyer, merchant, community, state, payment, delivery, fulfilment, contests, group_id,
            waits_for_group, stock, receiver, phone, address, remark, carrier, tracking, code, wrong_codes, goods_minor,
            freight_minor, refunded_minor, collection, placed_at, paid_at, accepted_at, shipped_at, delivered_at,
            completed_at, cancelled_at, cancel_reason, ledger_transaction, version, cancel_until
        from orders_order where tenant = $1 and id = $2";

    ORDERS_OF_CHECKOUT = "select id, checkout, buyer, merchant, community, state, payment, delivery, fulfilment,
            contests, group_id, waits_for_group, stock, receiver, phone, address, remark, carrier, tracking, code,
            wrong_codes, goods_minor, freight_minor, refunded_minor, collection, placed_at, paid_at, accepted_at,
            shipped_at, delivered_at, completed_at, cancelled_at, cancel_reason, ledger_transaction, version, cancel_until
        from orders_order where tenant = $1 and checkout = $2 order by id limit 100";

    ORDERS_OF_BUYER = "select id, checkout, buyer, merchant, community, state, payment, delivery, fulfilment, contests,
            group_id, waits_for_group, stock, receiver, phone, address, remark, carrier, tracking, code, wrong_codes,
            goods_minor, freight_minor, refunded_minor, collection, placed_at, paid_at, accepted_at, shipped_at,
            delivered_at, completed_at, cancelled_at, cancel_reason, ledger_transaction, version, cancel_until
        from orders_order
        where tenant = $1 and buyer = $2 and (cast($3 as text) is null or state = $3)
          and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    ORDERS_OF_MERCHANT = "select id, checkout, buyer, merchant, community, state, payment, delivery, fulfilment,
            contests, group_id, waits_for_group, stock, receiver, phone, address, remark, carrier, tracking, code,
            wrong_codes, goods_minor, freight_minor, refunded_minor, collection, placed_at, paid_at, accepted_at,
            shipped_at, delivered_at, completed_at, cancelled_at, cancel_reason, ledger_transaction, version, cancel_until
        from orders_order
        where tenant = $1 and merchant = $2 and (cast($3 as text) is null or state = $3)
          and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    ORDERS = "select id, checkout, buyer, merchant, community, state, payment, delivery, fulfilment, contests, group_id,
            waits_for_group, stock, receiver, phone, address, remark, carrier, tracking, code, wrong_codes, goods_minor,
            freight_minor, refunded_minor, collection, placed_at, paid_at, accepted_at, shipped_at, delivered_at,
            completed_at, cancelled_at, cancel_reason, ledger_transaction, version, cancel_until
        from orders_order
        where tenant = $1 and (cast($2 as text) is null or state = $2) and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    INSERT_ORDER = "insert into orders_order (tenant, id, checkout, buyer, merchant, community, state, payment, delivery,
            fulfilment, contests, group_id, waits_for_group, stock, receiver, phone, address, remark, carrier, tracking,
            code, wrong_codes, goods_minor, freight_minor, refunded_minor, collection, placed_at, paid_at, accepted_at,
            shipped_at, delivered_at, completed_at, cancelled_at, cancel_reason, ledger_transaction, version,
            cancel_until)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37)";

    UPDATE_ORDER = "update orders_order set state = $4, payment = $5, fulfilment = $6, contests = $7,
            waits_for_group = $8, stock = $9, carrier = $10, tracking = $11, code = $12, wrong_codes = $13,
            goods_minor = $14, freight_minor = $15, collection = $16, paid_at = $17, accepted_at = $18, shipped_at = $19,
            delivered_at = $20, completed_at = $21, cancelled_at = $22, cancel_reason = $23, ledger_transaction = $24,
            due_at = $25, delivery = $26, version = version + 1
        where tenant = $1 and id = $2 and version = $3
        returning version";

    // What goes back is bounded by what was paid, whoever else gives back at the same moment.
    ADD_REFUNDED = "update orders_order set refunded_minor = refunded_minor + $3, version = version + 1
        where tenant = $1 and id = $2 and payment = 'paid' and refunded_minor + $3 between 0 and goods_minor + freight_minor
        returning refunded_minor, version";

    DUE = "select tenant, id from orders_order where due_at is not null and due_at <= $1 order by due_at limit $2";
}

/// The order.
pub(crate) async fn order(
    db: &impl Read,
    tenant: &TenantId,
    id: &OrderId,
) -> anyhow::Result<Option<Order>> {
    let row = db.row(ORDER, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_order).transpose()
}

/// The orders of a checkout.
pub(crate) async fn of_checkout(
    db: &impl Read,
    tenant: &TenantId,
    checkout: &CheckoutId,
) -> anyhow::Result<Vec<Order>> {
    let rows = db
        .rows(ORDERS_OF_CHECKOUT, &[tenant.into(), checkout.into()])
        .await?;
    rows.iter().map(read_order).collect()
}

/// Whose orders a list shows.
#[derive(Debug, Clone)]
pub(crate) enum Whose {
    Buyer(ActorId),
    Merchant(MerchantId),
    Everybody,
}

/// A page of orders in that state, or in any, the latest first.
pub(crate) async fn orders(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose),
    state: Option<&str>,
    page: &Page<OrderId>,
) -> anyhow::Result<Vec<Order>> {
    let tail: [Value; 3] = [state.into(), page.after.as_ref().into(), page.rows().into()];
    let (sql, who): (&str, Option<Value>) = match whose {
        Whose::Buyer(buyer) => (ORDERS_OF_BUYER, Some(buyer.into())),
        Whose::Merchant(merchant) => (ORDERS_OF_MERCHANT, Some(merchant.into())),
        Whose::Everybody => (ORDERS, None),
    };
    let parameters: Vec<Value> = [tenant.into()].into_iter().chain(who).chain(tail).collect();
    let rows = db.rows(sql, &parameters).await?;
    rows.iter().map(read_order).collect()
}

/// Adds orders.
pub(crate) async fn insert_orders(tx: &Tx, orders: &[Order]) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = orders
        .iter()
        .map(|order| order_values(tx.tenant(), order))
        .collect();
    tx.insert_many(INSERT_ORDER, &rows).await
}

/// Stores an order that is still as it was read, and when it is due to be completed by itself; its version counts up.
///
/// # Errors
/// 409 when somebody else changed it; a failure of the database.
pub(crate) async fn update_order(
    tx: &Tx,
    order: &mut Order,
    due_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let times = order.times;
    let (carrier, tracking) = order.carrier.clone().unzip();
    let parameters = [
        tx.tenant().into(),
        (&order.id).into(),
        order.version.into(),
        order.state.as_str().into(),
        order.payment.as_str().into(),
        order.fulfilment.as_str().into(),
        order.contests.into(),
        order.waits_for_group.into(),
        order.stock.as_str().into(),
        carrier.into(),
        tracking.into(),
        order.code.clone().into(),
        order.wrong_codes.into(),
        order.goods_minor.into(),
        order.freight_minor.into(),
        order.collection.as_str().into(),
        times.paid.into(),
        times.accepted.into(),
        times.shipped.into(),
        times.delivered.into(),
        times.completed.into(),
        times.cancelled.into(),
        order.cancel_reason.clone().into(),
        order.transaction.as_ref().into(),
        due_at.into(),
        order.delivery.as_str().into(),
    ];
    let row = tx.row(UPDATE_ORDER, &parameters).await?;
    order.version = row.ok_or_else(changed_meanwhile)?.integer(0)?;
    Ok(())
}

/// Counts what goes back of an order, or with a negative amount what did not; whether there was so much.
pub(crate) async fn add_refunded(
    tx: &Tx,
    order: &mut Order,
    amount_minor: i64,
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), (&order.id).into(), amount_minor.into()];
    let Some(row) = tx.row(ADD_REFUNDED, &parameters).await? else {
        return Ok(false);
    };
    order.refunded_minor = row.integer(0)?;
    order.version = row.integer(1)?;
    Ok(true)
}

/// The orders that are due to be completed by themselves, at most `limit`.
pub(crate) async fn due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, OrderId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}
