//! Payments, and what channels told.

use kernel::{ActorId, CommunityId, PaymentId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use crate::domain::{Channel, Payment, PaymentState};
use crate::rows::read_payment;

statements! {
    PAYMENT = "select id, purpose, payer, community, amount, currency, subject, reference, created_at, expires_at,
            state, reason, attempt, paid_at, transaction_id, refunded, direct
        from payments_payment where tenant = $1 and id = $2";

    PAYMENTS = "select id, purpose, payer, community, amount, currency, subject, reference, created_at, expires_at,
            state, reason, attempt, paid_at, transaction_id, refunded, direct
        from payments_payment
        where tenant = $1 and (cast($2 as text) is null or payer = $2)
          and (cast($3 as text) is null or community = $3)
          and (cast($4 as text) is null or state = $4)
          and (cast($5 as text) is null or id < $5)
        order by id desc limit $6";

    INSERT_PAYMENT = "insert into payments_payment
            (tenant, id, purpose, payer, community, amount, currency, subject, reference, created_at, expires_at, state, refunded,
             direct)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (tenant, id) do nothing";

    SUCCEED = "update payments_payment set state = 'succeeded', attempt = $3, paid_at = $4, transaction_id = $5
        where tenant = $1 and id = $2 and state = 'open'
        returning id";

    CLOSE = "update payments_payment set state = 'closed', reason = $3
        where tenant = $1 and id = $2 and state = 'open'
        returning id";

    ADD_REFUNDED = "update payments_payment set refunded = refunded + $3
        where tenant = $1 and id = $2 and state = 'succeeded' and refunded + $3 <= amount and refunded + $3 >= 0
        returning id";

    EXPIRED = "select tenant, id from payments_payment
        where state = 'open' and expires_at <= $1
        order by expires_at limit $2";

    RENAME = "update payments_payment set payer = $3 where tenant = $1 and payer = $2";

    FORGET = "update payments_payment set subject = '' where tenant = $1 and payer = $2 and state <> 'open'";

    NOTE = "insert into payments_notice (channel, event, tenant, kind, number, received_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (channel, event) do nothing
        returning event";
}

/// The payment.
pub(crate) async fn payment(
    db: &impl Read,
    tenant: &TenantId,
    id: &PaymentId,
) -> anyhow::Result<Option<Payment>> {
    let row = db.row(PAYMENT, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_payment(&row)).transpose()
}

/// Which payments are listed.
pub(crate) struct Filter<'a> {
    pub(crate) payer: Option<&'a ActorId>,
    pub(crate) community: Option<&'a CommunityId>,
    pub(crate) state: Option<&'a str>,
}

/// The payments, the latest first.
pub(crate) async fn payments(
    db: &impl Read,
    tenant: &TenantId,
    filter: &Filter<'_>,
    page: &Page<PaymentId>,
) -> anyhow::Result<Vec<Payment>> {
    let parameters = [
        tenant.into(),
        filter.payer.into(),
        filter.community.into(),
        filter.state.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(PAYMENTS, &parameters)
        .await?
        .iter()
        .map(read_payment)
        .collect()
}

/// Adds open payments; those that are there already stay as they are.
pub(crate) async fn insert_payments(tx: &Tx, payments: &[Payment]) -> anyhow::Result<()> {
    let row = |payment: &Payment| {
        vec![
            tx.tenant().into(),
            (&payment.id).into(),
            (&payment.purpose).into(),
            (&payment.payer).into(),
            (&payment.community).into(),
            payment.amount.minor().into(),
            payment.amount.currency().as_str().into(),
            (&payment.subject).into(),
            (&payment.reference).into(),
            payment.created_at.into(),
            payment.expires_at.into(),
            "open".into(),
            0_i64.into(),
            payment.direct.into(),
        ]
    };
    let rows: Vec<Vec<Value>> = payments.iter().map(row).collect();
    tx.insert_many(INSERT_PAYMENT, &rows).await
}

/// Stores that an open payment is over; whether it was open.
pub(crate) async fn end_payment(
    tx: &Tx,
    id: &PaymentId,
    state: &PaymentState,
) -> anyhow::Result<bool> {
    let key: [Value; 2] = [tx.tenant().into(), id.into()];
    let [tenant, id] = key;
    let row = match state {
        PaymentState::Open => return Ok(false),
        PaymentState::Succeeded {
            attempt,
            paid_at,
            transaction,
        } => {
            let parameters = [
                tenant,
                id,
                attempt.into(),
                (*paid_at).into(),
                transaction.into(),
            ];
            tx.row(SUCCEED, &parameters).await?
        }
        PaymentState::Closed(reason) => {
            tx.row(CLOSE, &[tenant, id, reason.as_str().into()]).await?
        }
    };
    Ok(row.is_some())
}

/// Adds to what went back of a payment, never beyond what was paid; whether it could be.
pub(crate) async fn add_refunded(tx: &Tx, id: &PaymentId, amount: i64) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), id.into(), amount.into()];
    Ok(tx.row(ADD_REFUNDED, &parameters).await?.is_some())
}

/// Open payments whose time is over.
pub(crate) async fn expired(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, PaymentId)>> {
    let rows = db.rows(EXPIRED, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// Two ids turned out to be one person.
pub(crate) async fn rename(tx: &Tx, alias: &ActorId, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(RENAME, &[tx.tenant().into(), alias.into(), person.into()])
        .await
}

/// Deletes what was written about a person's payments that are over.
pub(crate) async fn forget(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(FORGET, &[tx.tenant().into(), person.into()])
        .await
}

/// Notes that a channel told something; whether it is new.
pub(crate) async fn note(
    tx: &Tx,
    (channel, event): (Channel, &str),
    (kind, number): (&str, &str),
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        channel.as_str().into(),
        event.into(),
        tx.tenant().into(),
        kind.into(),
        number.into(),
        now.into(),
    ];
    Ok(tx.row(NOTE, &parameters).await?.is_some())
}
