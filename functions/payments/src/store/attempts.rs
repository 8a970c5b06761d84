//! The attempts to pay.

use kernel::{PaymentId, TenantId, Timestamp};
use store::{Read, Tx};

use crate::domain::{Attempt, Channel};
use crate::rows::read_attempt;

statements! {
    ATTEMPT = "select id, payment, channel, number, amount, created_at, state, code_url, reason, channel_transaction,
            paid_at, due_at, polls
        from payments_attempt where tenant = $1 and id = $2";

    ATTEMPT_OF_NUMBER = "select id, payment, channel, number, amount, created_at, state, code_url, reason,
            channel_transaction, paid_at, due_at, polls
        from payments_attempt where tenant = $1 and channel = $2 and number = $3";

    ATTEMPTS = "select id, payment, channel, number, amount, created_at, state, code_url, reason, channel_transaction,
            paid_at, due_at, polls
        from payments_attempt where tenant = $1 and payment = $2 order by id limit 50";

    INSERT_ATTEMPT = "insert into payments_attempt
            (tenant, id, payment, channel, number, amount, created_at, state, due_at, polls)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)";

    UPDATE_ATTEMPT = "update payments_attempt
        set state = $3, code_url = $4, reason = $5, channel_transaction = $6, paid_at = $7, due_at = $8, polls = $9
        where tenant = $1 and id = $2 and state not in ('succeeded', 'late')";

    HURRY = "update payments_attempt set due_at = $3, polls = 0
        where tenant = $1 and payment = $2 and state in ('started', 'waiting')";

    TENANT_OF_NUMBER = "select tenant from payments_attempt where channel = $1 and number = $2";

    DUE = "select tenant, id from payments_attempt
        where due_at <= $1 order by due_at limit $2";
}

/// The attempt.
pub(crate) async fn attempt(
    db: &impl Read,
    tenant: &TenantId,
    id: &str,
) -> anyhow::Result<Option<Attempt>> {
    let row = db.row(ATTEMPT, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_attempt(&row)).transpose()
}

/// The attempt that the channel knows by this number.
pub(crate) async fn of_number(
    db: &impl Read,
    tenant: &TenantId,
    (channel, number): (Channel, &str),
) -> anyhow::Result<Option<Attempt>> {
    let parameters = [tenant.into(), channel.as_str().into(), number.into()];
    let row = db.row(ATTEMPT_OF_NUMBER, &parameters).await?;
    row.map(|row| read_attempt(&row)).transpose()
}

/// The attempts to pay a payment, the earliest first.
pub(crate) async fn attempts(
    db: &impl Read,
    tenant: &TenantId,
    payment: &PaymentId,
) -> anyhow::Result<Vec<Attempt>> {
    let rows = db.rows(ATTEMPTS, &[tenant.into(), payment.into()]).await?;
    rows.iter().map(read_attempt).collect()
}

/// Adds an attempt.
pub(crate) async fn insert_attempt(tx: &Tx, attempt: &Attempt) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&attempt.id).into(),
        (&attempt.payment).into(),
        attempt.channel.as_str().into(),
        (&attempt.number).into(),
        attempt.amount.minor().into(),
        attempt.created_at.into(),
        attempt.state.as_str().into(),
        attempt.due_at.into(),
    ];
    tx.execute(INSERT_ATTEMPT, &parameters).await
}

/// Stores how an attempt stands; one that is paid stays as it is.
pub(crate) async fn update_attempt(tx: &Tx, attempt: &Attempt) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&attempt.id).into(),
        attempt.state.as_str().into(),
        attempt.code_url.as_ref().into(),
        attempt.reason.as_ref().into(),
        attempt.channel_transaction.as_ref().into(),
        attempt.paid_at.into(),
        attempt.due_at.into(),
        attempt.polls.into(),
    ];
    tx.execute(UPDATE_ATTEMPT, &parameters).await
}

/// Has the channel asked at once for what is open of a payment.
pub(crate) async fn hurry(tx: &Tx, payment: &PaymentId, now: Timestamp) -> anyhow::Result<()> {
    tx.execute(HURRY, &[tx.tenant().into(), payment.into(), now.into()])
        .await
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

/// Attempts for which the channel is to be asked.
pub(crate) async fn due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, String)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.text(1)?.to_owned())))
        .collect()
}
