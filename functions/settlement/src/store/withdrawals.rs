//! Withdrawals and their transfers.

use anyhow::Context as _;
use kernel::{ActorId, MerchantId, TenantId, Timestamp, WithdrawalId};
use store::{Read, Row, Tx};
use web::Page;

use super::Whose;
use crate::domain::{Today, TransferChannel, Withdrawal, WithdrawalState};

statements! {
    INSERT = "insert into settlement_withdrawal (tenant, id, merchant, amount_minor, payee, account, hold, state,
            requested_by, requested_at, reviewed_by, reviewed_at, note, channel, number, reference, paid_by, tries, due_at,
            ended_at, confirmation)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, null, null, null, null, null, null, null, 0, null, null, null)";

    WITHDRAWAL = "select id, merchant, amount_minor, payee, account, hold, state, requested_by, requested_at, reviewed_by,
            reviewed_at, note, channel, number, reference, paid_by, tries, due_at, ended_at, confirmation
        from settlement_withdrawal where tenant = $1 and id = $2";

    WITHDRAWALS = "select id, merchant, amount_minor, payee, account, hold, state, requested_by, requested_at,
            reviewed_by, reviewed_at, note, channel, number, reference, paid_by, tries, due_at, ended_at, confirmation
        from settlement_withdrawal
        where tenant = $1
          and (cast($2 as text) is null
            or merchant in (select merchant from settlement_member where tenant = $1 and person = $2))
          and (cast($3 as text) is null or merchant = $3) and (cast($4 as text) is null or state = $4)
          and (cast($5 as text) is null or id < $5)
        order by id desc limit $6";

    UPDATE = "update settlement_withdrawal set state = $3, reviewed_by = $4, reviewed_at = $5, note = $6, channel = $7,
            number = $8, reference = $9, paid_by = $10, tries = $11, due_at = $12, ended_at = $13, confirmation = $14
        where tenant = $1 and id = $2";

    SINCE = "select cast(coalesce(sum(amount_minor), 0) as bigint), count(*) from settlement_withdrawal
        where tenant = $1 and merchant = $2 and requested_at >= $3
          and state not in ('rejected', 'cancelled', 'failed')";

    DUE = "select tenant, id from settlement_withdrawal where due_at is not null and due_at <= $1
        order by due_at, id limit $2";
}

/// Adds a withdrawal.
pub(crate) async fn insert(tx: &Tx, withdrawal: &Withdrawal) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&withdrawal.id).into(),
        (&withdrawal.merchant).into(),
        withdrawal.amount_minor.into(),
        (&withdrawal.payee).into(),
        (&withdrawal.account).into(),
        (&withdrawal.hold).into(),
        withdrawal.state.as_str().into(),
        (&withdrawal.requested_by).into(),
        withdrawal.requested_at.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// The withdrawal.
pub(crate) async fn withdrawal(
    db: &impl Read,
    tenant: &TenantId,
    id: &WithdrawalId,
) -> anyhow::Result<Option<Withdrawal>> {
    let row = db.row(WITHDRAWAL, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// Withdrawals, the latest first.
pub(crate) async fn withdrawals(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose<'_>),
    state: Option<WithdrawalState>,
    page: &Page<WithdrawalId>,
) -> anyhow::Result<Vec<Withdrawal>> {
    let [person, merchant] = whose.parameters();
    let parameters = [
        tenant.into(),
        person,
        merchant,
        state.map(WithdrawalState::as_str).into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(WITHDRAWALS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Stores how a withdrawal stands.
pub(crate) async fn update(tx: &Tx, withdrawal: &Withdrawal) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&withdrawal.id).into(),
        withdrawal.state.as_str().into(),
        withdrawal.reviewed_by.as_ref().into(),
        withdrawal.reviewed_at.into(),
        withdrawal.note.as_ref().into(),
        withdrawal.channel.map(TransferChannel::as_str).into(),
        withdrawal.number.as_ref().into(),
        withdrawal.reference.as_ref().into(),
        withdrawal.paid_by.as_ref().into(),
        withdrawal.tries.into(),
        withdrawal.due_at.into(),
        withdrawal.ended_at.into(),
        withdrawal.confirmation.as_ref().into(),
    ];
    tx.execute(UPDATE, &parameters).await
}

/// What a merchant has asked for since a moment.
pub(crate) async fn since(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, from): (&MerchantId, Timestamp),
) -> anyhow::Result<Today> {
    let parameters = [tenant.into(), merchant.into(), from.into()];
    let row = db.row(SINCE, &parameters).await?;
    let row = row.context("a sum has no row")?;
    Ok(Today {
        amount_minor: row.integer(0)?,
        count: row.integer(1)?,
    })
}

/// The withdrawals whose transfer is to be looked after, at most `limit`.
pub(crate) async fn due(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, WithdrawalId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

fn read(row: &Row) -> anyhow::Result<Withdrawal> {
    let state = row.text(6)?;
    let state = WithdrawalState::ALL
        .into_iter()
        .find(|known| known.as_str() == state);
    let channel = row.optional_text(12)?.map(|text| {
        let known = TransferChannel::ALL
            .into_iter()
            .find(|known| known.as_str() == text);
        known.context("a channel is none")
    });
    let text = |position| anyhow::Ok(row.optional_text(position)?.map(str::to_owned));
    Ok(Withdrawal {
        id: row.id(0)?,
        merchant: row.id(1)?,
        amount_minor: row.integer(2)?,
        payee: row.text(3)?.to_owned(),
        account: row.text(4)?.to_owned(),
        hold: row.id(5)?,
        state: state.context("a withdrawal's state is none")?,
        requested_by: row.id::<ActorId>(7)?,
        requested_at: row.timestamp(8)?,
        reviewed_by: row.optional_id(9)?,
        reviewed_at: row.optional_timestamp(10)?,
        note: text(11)?,
        channel: channel.transpose()?,
        number: text(13)?,
        reference: text(14)?,
        paid_by: row.optional_id(15)?,
        tries: row.integer(16)?,
        due_at: row.optional_timestamp(17)?,
        ended_at: row.optional_timestamp(18)?,
        confirmation: text(19)?,
    })
}
