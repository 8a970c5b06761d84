//! Transfers.

use anyhow::Context as _;
use kernel::{Currency, Money, TenantId, Timestamp, TransferId};
use store::{Read, Row, Tx, Value};
use web::Page;

use crate::domain::{Channel, Transfer, TransferState};

statements! {
    TRANSFER = "select id, purpose, reference, channel, number, payee, name, amount, remark, created_at, state,
            channel_transfer, confirmation, failure, ended_at, due_at, tries
        from payments_transfer where tenant = $1 and id = $2";

    TRANSFER_OF_NUMBER = "select id, purpose, reference, channel, number, payee, name, amount, remark, created_at, state,
            channel_transfer, confirmation, failure, ended_at, due_at, tries
        from payments_transfer where tenant = $1 and channel = $2 and number = $3";

    TRANSFERS = "select id, purpose, reference, channel, number, payee, name, amount, remark, created_at, state,
            channel_transfer, confirmation, failure, ended_at, due_at, tries
        from payments_transfer
        where tenant = $1 and (cast($2 as text) is null or state = $2) and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    INSERT_TRANSFER = "insert into payments_transfer (tenant, id, purpose, reference, channel, number, payee, name, amount,
            remark, created_at, state, due_at, tries)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'requested', $12, 0)
        on conflict (tenant, id) do nothing";

    UPDATE_TRANSFER = "update payments_transfer set state = $3, channel_transfer = $4, confirmation = $5, failure = $6,
            ended_at = $7, due_at = $8, tries = $9
        where tenant = $1 and id = $2 and ended_at is null
        returning id";

    TENANT_OF_TRANSFER = "select tenant from payments_transfer where channel = $1 and number = $2";

    TRANSFERS_DUE = "select tenant, id from payments_transfer where due_at is not null and due_at <= $1
        order by due_at limit $2";
}

/// The transfer.
pub(crate) async fn transfer(
    db: &impl Read,
    tenant: &TenantId,
    id: &TransferId,
) -> anyhow::Result<Option<Transfer>> {
    let row = db.row(TRANSFER, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The transfer of a number.
pub(crate) async fn of_number(
    db: &impl Read,
    tenant: &TenantId,
    (channel, number): (Channel, &str),
) -> anyhow::Result<Option<Transfer>> {
    let parameters = [tenant.into(), channel.as_str().into(), number.into()];
    let row = db.row(TRANSFER_OF_NUMBER, &parameters).await?;
    row.as_ref().map(read).transpose()
}

/// The transfers, the latest first.
pub(crate) async fn transfers(
    db: &impl Read,
    tenant: &TenantId,
    state: Option<&str>,
    page: &Page<TransferId>,
) -> anyhow::Result<Vec<Transfer>> {
    let parameters = [
        tenant.into(),
        state.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(TRANSFERS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a transfer; one that is there stays as it is.
pub(crate) async fn insert(tx: &Tx, transfer: &Transfer) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&transfer.id).into(),
        (&transfer.purpose).into(),
        (&transfer.reference).into(),
        transfer.channel.as_str().into(),
        (&transfer.number).into(),
        (&transfer.payee).into(),
        (&transfer.name).into(),
        transfer.amount.minor().into(),
        (&transfer.remark).into(),
        transfer.created_at.into(),
        transfer.due_at.into(),
    ];
    tx.execute(INSERT_TRANSFER, &parameters).await
}

/// Stores how a transfer stands; whether it had not ended before.
pub(crate) async fn update(tx: &Tx, transfer: &Transfer) -> anyhow::Result<bool> {
    let none = Value::Null;
    let (channel_transfer, confirmation, failure, ended_at) = match &transfer.state {
        TransferState::Requested | TransferState::Sent => {
            (none.clone(), none.clone(), none, Value::Null)
        }
        TransferState::Waiting { confirmation } => {
            (none.clone(), confirmation.into(), none, Value::Null)
        }
        TransferState::Succeeded {
            channel_transfer,
            at,
        } => (channel_transfer.into(), none.clone(), none, (*at).into()),
        TransferState::Failed { reason, at } => (none.clone(), none, reason.into(), (*at).into()),
    };
    let parameters = [
        tx.tenant().into(),
        (&transfer.id).into(),
        transfer.state.name().into(),
        channel_transfer,
        confirmation,
        failure,
        ended_at,
        transfer.due_at.into(),
        transfer.tries.into(),
    ];
    Ok(tx.row(UPDATE_TRANSFER, &parameters).await?.is_some())
}

/// Whose number it is; the channel does not know tenants.
pub(crate) async fn tenant_of(
    db: &impl Read,
    channel: Channel,
    number: &str,
) -> anyhow::Result<Option<TenantId>> {
    let parameters = [channel.as_str().into(), number.into()];
    let row = db.row(TENANT_OF_TRANSFER, &parameters).await?;
    row.map(|row| row.id(0)).transpose()
}

/// Transfers for which the channel is to be asked.
pub(crate) async fn due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, TransferId)>> {
    let rows = db.rows(TRANSFERS_DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

fn read(row: &Row) -> anyhow::Result<Transfer> {
    Ok(Transfer {
        id: row.id(0)?,
        purpose: row.text(1)?.to_owned(),
        reference: row.text(2)?.to_owned(),
        channel: Channel::parse(row.text(3)?).context("a channel is none")?,
        number: row.text(4)?.to_owned(),
        payee: row.text(5)?.to_owned(),
        name: row.text(6)?.to_owned(),
        amount: Money::new(row.integer(7)?, Currency::Cny),
        remark: row.text(8)?.to_owned(),
        created_at: row.timestamp(9)?,
        state: match row.text(10)? {
            "requested" => TransferState::Requested,
            "sent" => TransferState::Sent,
            "waiting" => TransferState::Waiting {
                confirmation: row.text(12)?.to_owned(),
            },
            "succeeded" => TransferState::Succeeded {
                channel_transfer: row.text(11)?.to_owned(),
                at: row.timestamp(14)?,
            },
            "failed" => TransferState::Failed {
                reason: row.text(13)?.to_owned(),
                at: row.timestamp(14)?,
            },
            other => anyhow::bail!("a transfer's state is {other:?}"),
        },
        due_at: row.optional_timestamp(15)?,
        tries: u32::try_from(row.integer(16)?)?,
    })
}
