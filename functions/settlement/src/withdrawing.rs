//! Withdrawals: asking holds the money, somebody else decides, and it goes out over a bank or a channel. The hold is
//! posted when the money is out and let go when it will not be; as long as nobody knows, it stays.

use anyhow::Context as _;
use kernel::{Actor, ActorId, MerchantId, Message, Refusal};
use ledger::{Account, Hold, Posting};
use store::Tx;
use wire::event::WithdrawalChanged;

use crate::context::Context;
use crate::domain::{
    Reason, TransferChannel, Withdrawal, WithdrawalState, own_request, withdrawable,
};
use crate::facts::{append, fen};
use crate::standing::agreed;
use crate::store::withdrawals;
use crate::transfer;

/// Holds of withdrawals end by a decision, not by time: in ten years, in milliseconds.
const HOLD_MS: i64 = 10 * 365 * 24 * 60 * 60 * 1_000;

/// What a merchant asks for.
pub(crate) struct Asked<'a> {
    pub(crate) amount_minor: i64,
    /// The owner of the account at the bank.
    pub(crate) payee: &'a str,
    /// Its number.
    pub(crate) account: &'a str,
}

/// Asks for money: it is held from now on.
///
/// # Errors
/// 409 for a merchant that may not trade, or with less available; 422 beyond the limits; a failure of the database.
pub(crate) async fn request(
    context: &Context,
    tx: &Tx,
    (actor, merchant): (&Actor, &MerchantId),
    asked: &Asked<'_>,
) -> anyhow::Result<Withdrawal> {
    let (known, _, terms) = agreed(context, tx, (tx.tenant(), merchant)).await?;
    let midnight = terms.zone.moment(terms.zone.local(context.now).date, 0);
    let today = withdrawals::since(tx, tx.tenant(), (merchant, midnight)).await?;
    withdrawable(&terms, known.standing, (asked.amount_minor, today))?;
    let id: kernel::WithdrawalId = context.new_id()?;
    let hold = Hold {
        kind: "withdrawal".to_owned(),
        reference: id.to_string(),
        debit: Account::merchant_payable(merchant),
        credit: Account::withdrawal_in_transit(),
        amount: fen(asked.amount_minor),
        at: context.now,
        expires_at: context.now.plus_millis(HOLD_MS),
        memo: merchant.to_string(),
    };
    let held = ledger::hold(tx, &hold).await?;
    let withdrawal = Withdrawal {
        id,
        merchant: merchant.clone(),
        amount_minor: asked.amount_minor,
        payee: asked.payee.to_owned(),
        account: asked.account.to_owned(),
        hold: held.id,
        state: WithdrawalState::Requested,
        requested_by: actor.id.clone(),
        requested_at: context.now,
        reviewed_by: None,
        reviewed_at: None,
        note: None,
        channel: None,
        number: None,
        reference: None,
        confirmation: None,
        paid_by: None,
        tries: 0,
        due_at: None,
        ended_at: None,
    };
    withdrawals::insert(tx, &withdrawal).await?;
    tell(context, tx, &withdrawal, Some(&actor.id)).await?;
    Ok(withdrawal)
}

/// Takes a request back before anybody has looked at it.
///
/// # Errors
/// 409 when somebody has; a failure of the database.
pub(crate) async fn cancel(
    context: &Context,
    tx: &Tx,
    (actor, before): (&Actor, Withdrawal),
) -> anyhow::Result<Withdrawal> {
    before.can_become(WithdrawalState::Cancelled)?;
    let_go(
        context,
        tx,
        before,
        (WithdrawalState::Cancelled, Some(&actor.id)),
    )
    .await
}

/// Decides a request: over which channel it goes out, or that it does not.
///
/// # Errors
/// 403 for whoever asked, 409 when it is decided or the channel is not offered; a failure of the database.
pub(crate) async fn review(
    context: &Context,
    tx: &Tx,
    (actor, before): (&Actor, Withdrawal),
    (channel, note): (Option<TransferChannel>, Option<&Reason>),
) -> anyhow::Result<Withdrawal> {
    before.decidable_by(&actor.id)?;
    let reviewed = Withdrawal {
        reviewed_by: Some(actor.id.clone()),
        reviewed_at: Some(context.now),
        note: note.map(|note| note.as_str().to_owned()),
        ..before.clone()
    };
    let Some(channel) = channel else {
        before.can_become(WithdrawalState::Rejected)?;
        let by = (WithdrawalState::Rejected, Some(&actor.id));
        return let_go(context, tx, reviewed, by).await;
    };
    before.can_become(WithdrawalState::Approved)?;
    if channel == TransferChannel::Simulated && !context.simulated {
        return Err(not_offered().into());
    }
    let approved = Withdrawal {
        channel: Some(channel),
        ..reviewed
    };
    let after = match channel {
        TransferChannel::Bank => Withdrawal {
            state: WithdrawalState::Approved,
            number: Some(context.new_number()?),
            ..approved
        },
        TransferChannel::Simulated | TransferChannel::Wechat => {
            transfer::ask(context, tx, (&approved, channel)).await?;
            Withdrawal {
                state: WithdrawalState::Sending,
                due_at: Some(context.now.plus_millis(transfer::LOOK_MS)),
                ..approved
            }
        }
    };
    withdrawals::update(tx, &after).await?;
    tell(context, tx, &after, Some(&actor.id)).await?;
    Ok(after)
}

/// What a cashier records of a transfer at the bank: its reference, or that it will not be.
pub(crate) async fn record(
    context: &Context,
    tx: &Tx,
    (actor, before): (&Actor, Withdrawal),
    (reference, note): (Option<&str>, Option<&Reason>),
) -> anyhow::Result<Withdrawal> {
    if before.requested_by == actor.id {
        return Err(own_request().into());
    }
    let next = match reference {
        Some(_) => WithdrawalState::Paid,
        None => WithdrawalState::Failed,
    };
    before.can_become(next)?;
    if before.channel != Some(TransferChannel::Bank) {
        return Err(by_channel().into());
    }
    let noted = Withdrawal {
        note: note.map(|note| note.as_str().to_owned()).or(before.note),
        paid_by: Some(actor.id.clone()),
        ..before
    };
    match reference {
        Some(reference) => paid(context, tx, noted, (reference, Some(&actor.id))).await,
        None => {
            let by = (WithdrawalState::Failed, Some(&actor.id));
            let_go(context, tx, noted, by).await
        }
    }
}

/// The money is out: the hold is posted, and the bank has less.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    before: Withdrawal,
    (reference, actor): (&str, Option<&ActorId>),
) -> anyhow::Result<Withdrawal> {
    ledger::settle(tx, &before.hold, None, context.now).await?;
    let posting = Posting::new("withdrawal.paid", before.id.as_str(), context.now)
        .memo(reference)
        .debit(Account::withdrawal_in_transit(), fen(before.amount_minor))
        .credit(Account::bank(), fen(before.amount_minor));
    ledger::post(tx, &posting).await?;
    let after = Withdrawal {
        state: WithdrawalState::Paid,
        reference: Some(reference.to_owned()),
        due_at: None,
        ended_at: Some(context.now),
        ..before
    };
    withdrawals::update(tx, &after).await?;
    tell(context, tx, &after, actor).await?;
    Ok(after)
}

/// It will not go out: what was held is free again.
pub(crate) async fn let_go(
    context: &Context,
    tx: &Tx,
    before: Withdrawal,
    (state, actor): (WithdrawalState, Option<&ActorId>),
) -> anyhow::Result<Withdrawal> {
    ledger::void(tx, &before.hold, context.now).await?;
    let after = Withdrawal {
        state,
        due_at: None,
        ended_at: Some(context.now),
        ..before
    };
    withdrawals::update(tx, &after).await?;
    tell(context, tx, &after, actor).await?;
    Ok(after)
}

/// Tells how a withdrawal stands.
pub(crate) async fn tell(
    context: &Context,
    tx: &Tx,
    withdrawal: &Withdrawal,
    actor: Option<&ActorId>,
) -> anyhow::Result<()> {
    let fact = WithdrawalChanged {
        withdrawal: withdrawal.id.clone(),
        merchant: withdrawal.merchant.clone(),
        amount_minor: withdrawal.amount_minor,
        state: withdrawal.state.as_str().to_owned(),
        actor: actor.cloned(),
        at: context.now,
    };
    append(context, tx, &fact)
        .await
        .context("telling of a withdrawal")
}

fn not_offered() -> Refusal {
    Refusal::conflict(
        "transfer_channel_unavailable",
        Message::new(
            "This channel is not offered here. Transfer at the bank.",
            "该转账渠道未启用，请使用银行转账。",
        ),
    )
}

fn by_channel() -> Refusal {
    Refusal::conflict(
        "transfer_by_channel",
        Message::new(
            "The channel itself says what became of this transfer. Wait for it.",
            "该笔转账由渠道反馈结果，请等待。",
        ),
    )
}
