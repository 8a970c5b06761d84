//! Money on its way back to buyers.

use kernel::{
    AfterSaleId, CheckoutId, OrderId, OrderLineId, PaymentId, RefundId, TenantId, Timestamp,
    TransactionId,
};
use store::{Read, Row, Tx, Value};

use crate::domain::{Back, RefundState};
use crate::rows_flow::{back_values, read_back, word};

statements! {
    REFUND = "select id, order_id, checkout, payment, after_sale, amount_minor, reason, state, after_completion,
            ledger_transaction, requested_at, ended_at
        from orders_refund where tenant = $1 and id = $2";

    REFUNDS_OF = "select id, order_id, checkout, payment, after_sale, amount_minor, reason, state, after_completion,
            ledger_transaction, requested_at, ended_at
        from orders_refund where tenant = $1 and order_id = $2 order by id limit 400";

    INSERT_REFUND = "insert into orders_refund (tenant, id, order_id, checkout, payment, after_sale, amount_minor, reason,
            state, after_completion, ledger_transaction, requested_at, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

    // A refund ends once.
    END_REFUND = "update orders_refund set state = $3, ended_at = $4
        where tenant = $1 and id = $2 and state = 'requested' returning id";

    INSERT_REFUND_LINE = "insert into orders_refund_line (tenant, refund, line, quantity, goods_minor, freight_minor,
            subsidy_minor, base_minor, commission_minor, owed_minor)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    REFUND_LINES = "select line, quantity, goods_minor, freight_minor, subsidy_minor, base_minor, commission_minor,
            owed_minor
        from orders_refund_line where tenant = $1 and refund = $2 order by line limit 400";

    GIVEN_BACK = "select id from orders_refund where tenant = $1 and payment = $2 and order_id is null limit 1";
}

/// Money on its way back.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    /// None for money that nobody waited for any more.
    pub(crate) order: Option<OrderId>,
    pub(crate) checkout: CheckoutId,
    pub(crate) payment: PaymentId,
    pub(crate) after_sale: Option<AfterSaleId>,
    pub(crate) amount_minor: i64,
    pub(crate) reason: String,
    pub(crate) state: RefundState,
    /// Whether the merchant had been settled for the order.
    pub(crate) after_completion: bool,
    pub(crate) transaction: Option<TransactionId>,
    pub(crate) requested_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

/// What of a refund is of one line.
#[derive(Debug, Clone)]
pub(crate) struct RefundLine {
    pub(crate) line: OrderLineId,
    pub(crate) back: Back,
    /// What the merchant could not bear, and owes.
    pub(crate) owed_minor: i64,
}

/// The refund.
pub(crate) async fn refund(
    db: &impl Read,
    tenant: &TenantId,
    id: &RefundId,
) -> anyhow::Result<Option<Refund>> {
    let row = db.row(REFUND, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The refunds of an order, the first one first.
pub(crate) async fn refunds_of(
    db: &impl Read,
    tenant: &TenantId,
    order: &OrderId,
) -> anyhow::Result<Vec<Refund>> {
    let rows = db.rows(REFUNDS_OF, &[tenant.into(), order.into()]).await?;
    rows.iter().map(read).collect()
}

/// Whether all of this payment was given back because nobody waited for it any more.
pub(crate) async fn is_given_back(tx: &Tx, payment: &PaymentId) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), payment.into()];
    Ok(tx.row(GIVEN_BACK, &parameters).await?.is_some())
}

fn read(row: &Row) -> anyhow::Result<Refund> {
    Ok(Refund {
        id: row.id(0)?,
        order: row.optional_id(1)?,
        checkout: row.id(2)?,
        payment: row.id(3)?,
        after_sale: row.optional_id(4)?,
        amount_minor: row.integer(5)?,
        reason: row.text(6)?.to_owned(),
        state: word(row, 7, RefundState::parse)?,
        after_completion: row.boolean(8)?,
        transaction: row.optional_id(9)?,
        requested_at: row.timestamp(10)?,
        ended_at: row.optional_timestamp(11)?,
    })
}

/// Adds a refund and what of it is of which line.
pub(crate) async fn insert_refund(
    tx: &Tx,
    refund: &Refund,
    lines: &[RefundLine],
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&refund.id).into(),
        refund.order.as_ref().into(),
        (&refund.checkout).into(),
        (&refund.payment).into(),
        refund.after_sale.as_ref().into(),
        refund.amount_minor.into(),
        (&refund.reason).into(),
        refund.state.as_str().into(),
        refund.after_completion.into(),
        refund.transaction.as_ref().into(),
        refund.requested_at.into(),
        refund.ended_at.into(),
    ];
    tx.execute(INSERT_REFUND, &parameters).await?;
    let rows: Vec<Vec<Value>> = lines
        .iter()
        .map(|line| {
            let mut values: Vec<Value> =
                vec![tx.tenant().into(), (&refund.id).into(), (&line.line).into()];
            values.extend(back_values(line.back));
            values.push(line.owed_minor.into());
            values
        })
        .collect();
    tx.insert_many(INSERT_REFUND_LINE, &rows).await
}

/// What of a refund is of which line.
pub(crate) async fn refund_lines(
    db: &impl Read,
    tenant: &TenantId,
    refund: &RefundId,
) -> anyhow::Result<Vec<RefundLine>> {
    let rows = db
        .rows(REFUND_LINES, &[tenant.into(), refund.into()])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(RefundLine {
                line: row.id(0)?,
                back: read_back(row, 1)?,
                owed_minor: row.integer(7)?,
            })
        })
        .collect()
}

/// Stores how a refund ended; whether it had not ended before.
pub(crate) async fn end_refund(
    tx: &Tx,
    id: &RefundId,
    state: RefundState,
    at: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        state.as_str().into(),
        at.into(),
    ];
    Ok(tx.row(END_REFUND, &parameters).await?.is_some())
}
