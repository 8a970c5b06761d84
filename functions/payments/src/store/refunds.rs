//! Refunds.

use kernel::{PaymentId, RefundId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use crate::domain::{Channel, Refund, RefundState};
use crate::rows::read_refund;

statements! {
    REFUND = "select id, payment, attempt, channel, number, attempt_number, attempt_amount, amount, reason, automatic,
            created_at, state, failure, channel_refund, refunded_at, due_at, tries, direct
        from payments_refund where tenant = $1 and id = $2";

    REFUND_OF_NUMBER = "select id, payment, attempt, channel, number, attempt_number, attempt_amount, amount, reason,
            automatic, created_at, state, failure, channel_refund, refunded_at, due_at, tries, direct
        from payments_refund where tenant = $1 and channel = $2 and number = $3";

    REFUNDS = "select id, payment, attempt, channel, number, attempt_number, attempt_amount, amount, reason, automatic,
            created_at, state, failure, channel_refund, refunded_at, due_at, tries, direct
        from payments_refund
        where tenant = $1 and (cast($2 as text) is null or payment = $2)
          and (cast($3 as text) is null or state = $3)
          and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    INSERT_REFUND = "insert into payments_refund
            (tenant, id, payment, attempt, channel, number, attempt_number, attempt_amount, amount, reason, automatic,
             created_at, state, due_at, tries, direct)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'requested', $13, 0, $14)
        on conflict (tenant, id) do nothing
        returning id";

    UPDATE_REFUND = "update payments_refund
        set state = $3, failure = $4, channel_refund = $5, refunded_at = $6, due_at = $7, tries = $8
        where tenant = $1 and id = $2 and state in ('requested', 'sent')
        returning id";

    TENANT_OF_NUMBER = "select tenant from payments_refund where channel = $1 and number = $2";

    DUE = "select tenant, id from payments_refund
        where due_at <= $1 order by due_at limit $2";
}

/// The refund.
pub(crate) async fn refund(
    db: &impl Read,
    tenant: &TenantId,
    id: &RefundId,
) -> anyhow::Result<Option<Refund>> {
    let row = db.row(REFUND, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_refund(&row)).transpose()
}

/// The refund that the channel knows by this number.
pub(crate) async fn of_number(
    db: &impl Read,
    tenant: &TenantId,
    (channel, number): (Channel, &str),
) -> anyhow::Result<Option<Refund>> {
    let parameters = [tenant.into(), channel.as_str().into(), number.into()];
    let row = db.row(REFUND_OF_NUMBER, &parameters).await?;
    row.map(|row| read_refund(&row)).transpose()
}

/// The refunds, the latest first.
pub(crate) async fn refunds(
    db: &impl Read,
    tenant: &TenantId,
    (payment, state): (Option<&PaymentId>, Option<&str>),
    page: &Page<RefundId>,
) -> anyhow::Result<Vec<Refund>> {
    let parameters = [
        tenant.into(),
        payment.into(),
        state.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(REFUNDS, &parameters)
        .await?
        .iter()
        .map(read_refund)
        .collect()
}

/// Adds a refund; whether it is new.
pub(crate) async fn insert_refund(tx: &Tx, refund: &Refund) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&refund.id).into(),
        (&refund.payment).into(),
        (&refund.attempt).into(),
        refund.channel.as_str().into(),
        (&refund.number).into(),
        (&refund.attempt_number).into(),
        refund.attempt_amount.minor().into(),
        refund.amount.minor().into(),
        (&refund.reason).into(),
        refund.automatic.into(),
        refund.created_at.into(),
        refund.due_at.into(),
        refund.direct.into(),
    ];
    Ok(tx.row(INSERT_REFUND, &parameters).await?.is_some())
}

/// Stores how a refund stands; whether it was still on its way.
pub(crate) async fn update_refund(tx: &Tx, refund: &Refund) -> anyhow::Result<bool> {
    let (failure, channel_refund, at): (Value, Value, Value) = match &refund.state {
        RefundState::Requested | RefundState::Sent => (Value::Null, Value::Null, Value::Null),
        RefundState::Succeeded { channel_refund, at } => {
            (Value::Null, channel_refund.into(), (*at).into())
        }
        RefundState::Failed(failure) => (failure.into(), Value::Null, Value::Null),
    };
    let parameters = [
        tx.tenant().into(),
        (&refund.id).into(),
        refund.state.name().into(),
        failure,
        channel_refund,
        at,
        refund.due_at.into(),
        refund.tries.into(),
    ];
    Ok(tx.row(UPDATE_REFUND, &parameters).await?.is_some())
}

/// Whose number it is; the channel does not know tenants.
pub(crate) async fn tenant_of(
    db: &impl Read,
    channel: Channel,
    number: &str,
) -> anyhow::Result<Option<TenantId>> {
    let row = db
        .row(TENANT_OF_NUMBER, &[channel.as_str().into(), number.into()])
        .await?;
    row.map(|row| row.id(0)).transpose()
}

/// Refunds for which the channel is to be asked.
pub(crate) async fn due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, RefundId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}
