//! The simulated channel's own side: its keys, orders, refunds, and the notices that it still has to deliver.

use kernel::{TenantId, Timestamp};
use store::{Batch, Read, Row, Tx};

statements! {
    KEYS = "select name, secret from payments_simulated_key order by name";

    INSERT_KEY = "insert into payments_simulated_key (name, secret) values ($1, $2) on conflict (name) do nothing";

    ORDER = "select number, merchant, app, amount, description, created_at, state, transaction_id, paid_at, fee, refunded
        from payments_simulated_order where tenant = $1 and number = $2";

    ORDERS_PAID = "select number, merchant, app, amount, description, created_at, state, transaction_id, paid_at, fee, refunded
        from payments_simulated_order where tenant = $1 and paid_at >= $2 and paid_at < $3 and number > $4
        order by number limit 900";

    INSERT_ORDER = "insert into payments_simulated_order
            (tenant, number, merchant, app, amount, description, created_at, state, fee, refunded)
        values ($1, $2, $3, $4, $5, $6, $7, 'NOTPAY', 0, 0)
        on conflict (tenant, number) do nothing";

    PAY_ORDER = "update payments_simulated_order set state = 'SUCCESS', transaction_id = $3, paid_at = $4, fee = $5
        where tenant = $1 and number = $2 and state = 'NOTPAY'
        returning number";

    CLOSE_ORDER = "update payments_simulated_order set state = 'CLOSED'
        where tenant = $1 and number = $2 and state = 'NOTPAY'";

    REFUND_ORDER = "update payments_simulated_order set state = 'REFUND', refunded = refunded + $3
        where tenant = $1 and number = $2 and state in ('SUCCESS', 'REFUND') and refunded + $3 <= amount
        returning number";

    REFUND = "select number, order_number, refund_id, amount, fee, state, done_at
        from payments_simulated_refund where tenant = $1 and number = $2";

    REFUNDS_DONE = "select number, order_number, refund_id, amount, fee, state, done_at
        from payments_simulated_refund where tenant = $1 and done_at >= $2 and done_at < $3 and number > $4
        order by number limit 900";

    INSERT_REFUND = "insert into payments_simulated_refund
            (tenant, number, order_number, refund_id, amount, fee, state, done_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    BEHAVIOUR = "select number, delay_s, repeats, lose, reorder, fail_refunds from payments_simulated_behaviour
        where tenant = $1 and number in ($2, '') order by number desc limit 1";

    PUT_BEHAVIOUR = "insert into payments_simulated_behaviour
            (tenant, number, delay_s, repeats, lose, reorder, fail_refunds)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, number) do update
        set delay_s = excluded.delay_s, repeats = excluded.repeats, lose = excluded.lose, reorder = excluded.reorder,
            fail_refunds = excluded.fail_refunds";

    INSERT_NOTICE = "insert into payments_simulated_notice (tenant, id, kind, resource, due_at, left_count, failures)
        values ($1, $2, $3, $4, $5, $6, 0)";

    NOTICES_DUE = "select tenant, id, kind, resource, left_count, failures from payments_simulated_notice
        where left_count > 0 and due_at <= $1 order by due_at, id limit $2";

    DELIVERED = "update payments_simulated_notice set left_count = $3, failures = $4, due_at = $5
        where tenant = $1 and id = $2";
}

/// The keys that are kept, by name.
pub(crate) async fn keys(db: &impl Read) -> anyhow::Result<Vec<(String, String)>> {
    let rows = db.rows(KEYS, &[]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))
        .collect()
}

/// Keeps a key, unless one of that name is kept.
///
/// # Errors
/// A failure of the database.
pub async fn insert_key(batch: &Batch, name: &str, secret: &str) -> anyhow::Result<()> {
    batch
        .execute(INSERT_KEY, &[name.into(), secret.into()])
        .await
}

/// An order as the channel has it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) number: String,
    pub(crate) merchant: String,
    pub(crate) app: String,
    pub(crate) amount: i64,
    pub(crate) description: String,
    pub(crate) created_at: Timestamp,
    /// `NOTPAY`, `SUCCESS`, `CLOSED` or `REFUND`.
    pub(crate) state: String,
    pub(crate) transaction: Option<String>,
    pub(crate) paid_at: Option<Timestamp>,
    pub(crate) fee: i64,
    pub(crate) refunded: i64,
}

fn read_order(row: &Row) -> anyhow::Result<Order> {
    Ok(Order {
        number: row.text(0)?.to_owned(),
        merchant: row.text(1)?.to_owned(),
        app: row.text(2)?.to_owned(),
        amount: row.integer(3)?,
        description: row.text(4)?.to_owned(),
        created_at: row.timestamp(5)?,
        state: row.text(6)?.to_owned(),
        transaction: row.optional_text(7)?.map(str::to_owned),
        paid_at: row.optional_timestamp(8)?,
        fee: row.integer(9)?,
        refunded: row.integer(10)?,
    })
}

/// The order of that number.
pub(crate) async fn order(
    db: &impl Read,
    tenant: &TenantId,
    number: &str,
) -> anyhow::Result<Option<Order>> {
    let row = db.row(ORDER, &[tenant.into(), number.into()]).await?;
    row.map(|row| read_order(&row)).transpose()
}

/// Orders paid in that time, after that number.
pub(crate) async fn orders_paid(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (Timestamp, Timestamp),
    after: &str,
) -> anyhow::Result<Vec<Order>> {
    let rows = db
        .rows(
            ORDERS_PAID,
            &[tenant.into(), from.into(), until.into(), after.into()],
        )
        .await?;
    rows.iter().map(read_order).collect()
}

/// Adds an order; one of that number stays as it is.
pub(crate) async fn insert_order(tx: &Tx, order: &Order) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&order.number).into(),
        (&order.merchant).into(),
        (&order.app).into(),
        order.amount.into(),
        (&order.description).into(),
        order.created_at.into(),
    ];
    tx.execute(INSERT_ORDER, &parameters).await
}

/// The payer pays; whether the order waited for it.
pub(crate) async fn pay(
    tx: &Tx,
    number: &str,
    (transaction, fee): (&str, i64),
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        number.into(),
        transaction.into(),
        now.into(),
        fee.into(),
    ];
    Ok(tx.row(PAY_ORDER, &parameters).await?.is_some())
}

/// Takes no money for the order any more.
pub(crate) async fn close(tx: &Tx, number: &str) -> anyhow::Result<()> {
    tx.execute(CLOSE_ORDER, &[tx.tenant().into(), number.into()])
        .await
}

/// Takes money out of an order again; whether there was as much.
pub(crate) async fn take_back(tx: &Tx, number: &str, amount: i64) -> anyhow::Result<bool> {
    Ok(tx
        .row(
            REFUND_ORDER,
            &[tx.tenant().into(), number.into(), amount.into()],
        )
        .await?
        .is_some())
}

/// A refund as the channel has it.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub(crate) number: String,
    pub(crate) order: String,
    pub(crate) refund_id: String,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    /// `SUCCESS` or `ABNORMAL`.
    pub(crate) state: String,
    pub(crate) done_at: Timestamp,
}

fn read_back(row: &Row) -> anyhow::Result<Back> {
    Ok(Back {
        number: row.text(0)?.to_owned(),
        order: row.text(1)?.to_owned(),
        refund_id: row.text(2)?.to_owned(),
        amount: row.integer(3)?,
        fee: row.integer(4)?,
        state: row.text(5)?.to_owned(),
        done_at: row.timestamp(6)?,
    })
}

/// The refund of that number.
pub(crate) async fn refund(
    db: &impl Read,
    tenant: &TenantId,
    number: &str,
) -> anyhow::Result<Option<Back>> {
    let row = db.row(REFUND, &[tenant.into(), number.into()]).await?;
    row.map(|row| read_back(&row)).transpose()
}

/// Refunds done in that time, after that number.
pub(crate) async fn refunds_done(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (Timestamp, Timestamp),
    after: &str,
) -> anyhow::Result<Vec<Back>> {
    let rows = db
        .rows(
            REFUNDS_DONE,
            &[tenant.into(), from.into(), until.into(), after.into()],
        )
        .await?;
    rows.iter().map(read_back).collect()
}

/// Adds a refund.
pub(crate) async fn insert_refund(tx: &Tx, back: &Back) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&back.number).into(),
        (&back.order).into(),
        (&back.refund_id).into(),
        back.amount.into(),
        back.fee.into(),
        (&back.state).into(),
        back.done_at.into(),
    ];
    tx.execute(INSERT_REFUND, &parameters).await
}

/// How notices are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Behaviour {
    pub(crate) delay_s: i64,
    pub(crate) repeats: i64,
    pub(crate) lose: bool,
    pub(crate) reorder: bool,
    pub(crate) fail_refunds: bool,
}

/// How the notices of that order are treated: as told for it, else as told for all.
pub(crate) async fn behaviour(
    db: &impl Read,
    tenant: &TenantId,
    number: &str,
) -> anyhow::Result<Behaviour> {
    let Some(row) = db.row(BEHAVIOUR, &[tenant.into(), number.into()]).await? else {
        return Ok(Behaviour::default());
    };
    Ok(Behaviour {
        delay_s: row.integer(1)?,
        repeats: row.integer(2)?,
        lose: row.boolean(3)?,
        reorder: row.boolean(4)?,
        fail_refunds: row.boolean(5)?,
    })
}

/// Stores how notices are treated: of that order, or (without a number) of all others.
pub(crate) async fn put_behaviour(
    tx: &Tx,
    number: &str,
    behaviour: Behaviour,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        number.into(),
        behaviour.delay_s.into(),
        behaviour.repeats.into(),
        behaviour.lose.into(),
        behaviour.reorder.into(),
        behaviour.fail_refunds.into(),
    ];
    tx.execute(PUT_BEHAVIOUR, &parameters).await
}

/// A notice to be delivered.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    /// `TRANSACTION.SUCCESS` and the like.
    pub(crate) kind: String,
    /// What it is about, before it is encrypted.
    pub(crate) resource: String,
    pub(crate) left: i64,
    pub(crate) failures: i64,
}

/// Adds a notice that is to be delivered so often.
pub(crate) async fn insert_notice(
    tx: &Tx,
    notice: &Pending,
    due_at: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&notice.id).into(),
        (&notice.kind).into(),
        (&notice.resource).into(),
        due_at.into(),
        notice.left.into(),
    ];
    tx.execute(INSERT_NOTICE, &parameters).await
}

/// The notices that are due.
pub(crate) async fn notices_due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<Pending>> {
    let rows = db.rows(NOTICES_DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Pending {
                tenant: row.id(0)?,
                id: row.text(1)?.to_owned(),
                kind: row.text(2)?.to_owned(),
                resource: row.text(3)?.to_owned(),
                left: row.integer(4)?,
                failures: row.integer(5)?,
            })
        })
        .collect()
}

/// Stores how far the delivery of a notice has come.
pub(crate) async fn delivered(tx: &Tx, notice: &Pending, due_at: Timestamp) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&notice.id).into(),
        notice.left.into(),
        notice.failures.into(),
        due_at.into(),
    ];
    tx.execute(DELIVERED, &parameters).await
}
