//! Transfers over a channel: payments sends them, keeps asking and tells; here is what becomes of the withdrawal. As long
//! as nobody knows, the money stays held, and somebody has to look.

use kernel::{Currency, TenantId, TransferId, WithdrawalId};
use store::{Tx, tx};
use wire::event::{TransferFailed, TransferRequested, TransferSucceeded, TransferWaiting};

use crate::context::Context;
use crate::domain::{TransferChannel, Withdrawal, WithdrawalState};
use crate::facts::{alarm, append};
use crate::store::withdrawals;
use crate::withdrawing::{let_go, paid};

/// What payments calls this purpose by.
const PURPOSE: &str = "withdrawal";
/// After so long without an end somebody has to look, in milliseconds: a day, and then every day.
pub(crate) const LOOK_MS: i64 = 24 * 60 * 60 * 1_000;

/// Has payments send the money of a withdrawal.
pub(crate) async fn ask(
    context: &Context,
    tx: &Tx,
    (withdrawal, channel): (&Withdrawal, TransferChannel),
) -> anyhow::Result<()> {
    let fact = TransferRequested {
        transfer: TransferId::parse(withdrawal.id.as_str())?,
        purpose: PURPOSE.to_owned(),
        reference: withdrawal.id.to_string(),
        channel: channel.as_str().to_owned(),
        payee: withdrawal.account.clone(),
        name: withdrawal.payee.clone(),
        amount_minor: withdrawal.amount_minor,
        currency: Currency::Cny,
        remark: "商城货款提现 / mall payout".to_owned(),
    };
    append(context, tx, &fact).await
}

/// The withdrawal that a channel has, when it is ours and not over.
async fn sending(
    tx: &Tx,
    (purpose, reference): (&str, &str),
) -> anyhow::Result<Option<Withdrawal>> {
    if purpose != PURPOSE {
        return Ok(None);
    }
    let id = WithdrawalId::parse(reference)?;
    let found = withdrawals::withdrawal(tx, tx.tenant(), &id).await?;
    Ok(found.filter(|found| found.state == WithdrawalState::Sending))
}

/// The payee has to say yes.
pub(crate) async fn waits(tx: &Tx, event: &TransferWaiting) -> anyhow::Result<()> {
    let of = (event.purpose.as_str(), event.reference.as_str());
    let Some(before) = sending(tx, of).await? else {
        return Ok(());
    };
    let after = Withdrawal {
        confirmation: Some(event.confirmation.clone()),
        ..before
    };
    withdrawals::update(tx, &after).await
}

/// The money is out.
pub(crate) async fn succeeded(
    context: &Context,
    tx: &Tx,
    event: &TransferSucceeded,
) -> anyhow::Result<()> {
    let of = (event.purpose.as_str(), event.reference.as_str());
    let Some(before) = sending(tx, of).await? else {
        return Ok(());
    };
    anyhow::ensure!(
        before.amount_minor == event.amount_minor,
        "the transfer of {} was of another amount",
        before.id
    );
    let by = (event.channel_transfer.as_str(), None);
    paid(context, tx, before, by).await.map(drop)
}

/// The money stays: it can be asked for again.
pub(crate) async fn failed(
    context: &Context,
    tx: &Tx,
    event: &TransferFailed,
) -> anyhow::Result<()> {
    let of = (event.purpose.as_str(), event.reference.as_str());
    let Some(before) = sending(tx, of).await? else {
        return Ok(());
    };
    let noted = Withdrawal {
        note: Some(event.reason.clone()),
        ..before
    };
    let_go(context, tx, noted, (WithdrawalState::Failed, None))
        .await
        .map(drop)
}

/// A channel has not said for a day what became of a transfer: somebody has to look. Nothing is done about it here.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn look_after(
    context: &Context,
    tenant: &TenantId,
    id: &WithdrawalId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let found = withdrawals::withdrawal(tx, tx.tenant(), id).await?;
        let due = |found: &Withdrawal| found.due_at.is_some_and(|due| due <= context.now);
        let Some(before) = found.filter(due) else {
            return Ok(false);
        };
        let subject = ("transfer_unknown", id.as_str());
        alarm(context, tx, subject, Some(&before.merchant)).await?;
        let after = Withdrawal {
            tries: before.tries + 1,
            due_at: Some(context.now.plus_millis(LOOK_MS)),
            ..before
        };
        withdrawals::update(tx, &after).await?;
        Ok(true)
    })
    .await
}
