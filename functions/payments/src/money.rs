//! What a channel's word does: the payment, the books and the fact change in one transaction, once.

use anyhow::Context as _;
use kernel::{Message, PaymentId, RefundId, Refusal, TenantId};
use ledger::{Account, AccountKind, Key, Posting};
use store::{Tx, tx};

use crate::channel::Back;
use crate::context::Context;
use crate::domain::{
    Attempt, AttemptState, Channel, NoticeState, Paid, Payment, PaymentState, Refund, RefundState,
    next_try, received,
};
use crate::facts;
use crate::inbox::in_transit;
use crate::store::{attempts, payments, refunds};

/// What a notice is known by: its own id, and what it is about.
pub(crate) type Event<'a> = Option<(&'a str, &'a str)>;

/// An attempt is paid, as the channel says in a notice or an answer.
///
/// # Errors
/// A refusal when there is no such attempt, or the amount is another one; a failure of the database.
pub(crate) async fn paid(
    context: &Context,
    tenant: &TenantId,
    channel: Channel,
    (paid, event): (&Paid, Event<'_>),
) -> anyhow::Result<NoticeState> {
    tx(&context.db, tenant, async |tx| {
        let attempt = attempts::of_number(&*tx, tenant, (channel, &paid.number)).await?;
        let attempt = attempt.ok_or_else(unknown_number)?;
        let payment = payments::payment(&*tx, tenant, &attempt.payment).await?;
        let payment = payment.context("an attempt has no payment")?;
        let meaning = received(&payment, &attempt, paid)?;
        if let Some((id, kind)) = event
            && !payments::note(tx, (channel, id), (kind, &paid.number), context.now).await?
        {
            return Ok(NoticeState::Known);
        }
        match meaning {
            NoticeState::Known => {}
            NoticeState::Pays => pays(context, tx, (payment, attempt), paid).await?,
            NoticeState::Late => late(context, tx, (&payment, attempt), paid).await?,
        }
        Ok(meaning)
    })
    .await
}

fn clearing(channel: Channel) -> anyhow::Result<Account> {
    Ok(Account::new(
        AccountKind::ChannelClearing,
        Some(channel.as_str()),
    )?)
}

async fn pays(
    context: &Context,
    tx: &Tx,
    (payment, attempt): (Payment, Attempt),
    paid: &Paid,
) -> anyhow::Result<()> {
    let posting = Posting::new("payment", payment.id.as_str(), context.now)
        .debit(clearing(attempt.channel)?, paid.amount)
        .credit(Account::suspense(), paid.amount);
    let posted = ledger::post(tx, &posting).await?;
    let payment = Payment {
        state: PaymentState::Succeeded {
            attempt: attempt.id.clone(),
            paid_at: paid.paid_at,
            transaction: posted.id,
        },
        ..payment
    };
    let ended = payments::end_payment(tx, &payment.id, &payment.state).await?;
    anyhow::ensure!(ended, "an open payment could not succeed");
    let attempt = settled(attempt, AttemptState::Succeeded, paid);
    attempts::update_attempt(tx, &attempt).await?;
    // What else is open for it is closed at the channels.
    attempts::hurry(tx, &payment.id, context.now).await?;
    facts::succeeded(context, tx, &payment, &attempt).await
}

/// Nobody waits for this money any more: it goes back by itself.
async fn late(
    context: &Context,
    tx: &Tx,
    (payment, attempt): (&Payment, Attempt),
    paid: &Paid,
) -> anyhow::Result<()> {
    let posting = Posting::new("payment.late", &attempt.id, context.now)
        .debit(clearing(attempt.channel)?, paid.amount)
        .credit(Account::refund_in_transit(), paid.amount);
    ledger::post(tx, &posting).await?;
    let attempt = settled(attempt, AttemptState::Late, paid);
    attempts::update_attempt(tx, &attempt).await?;
    let refund = Refund {
        id: context.new_id::<RefundId>()?,
        payment: payment.id.clone(),
        attempt: attempt.id,
        channel: attempt.channel,
        number: context.new_number()?,
        attempt_number: attempt.number,
        attempt_amount: attempt.amount,
        amount: paid.amount,
        reason: "支付单已关闭，款项原路退回".to_owned(),
        automatic: true,
        created_at: context.now,
        state: RefundState::Requested,
        due_at: Some(context.now),
        tries: 0,
        direct: 0,
    };
    refunds::insert_refund(tx, &refund).await?;
    Ok(())
}

fn settled(attempt: Attempt, state: AttemptState, paid: &Paid) -> Attempt {
    Attempt {
        state,
        channel_transaction: Some(paid.channel_transaction.clone()),
        paid_at: Some(paid.paid_at),
        due_at: None,
        ..attempt
    }
}

/// The tenant's refund of that number stands like this at the channel. Amount and payment are those that were asked for.
///
/// # Errors
/// A refusal when there is no such refund; a failure of the database.
pub(crate) async fn went_back(
    context: &Context,
    tenant: &TenantId,
    (channel, number): (Channel, &str),
    (back, event): (&Back, Event<'_>),
) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        let refund = refunds::of_number(&*tx, tenant, (channel, number)).await?;
        let refund = refund.ok_or_else(unknown_number)?;
        if let Some((id, kind)) = event
            && !payments::note(tx, (channel, id), (kind, number), context.now).await?
        {
            return Ok(());
        }
        if refund.state.is_final() {
            return Ok(());
        }
        match back {
            Back::Done { channel_refund, at } => {
                let state = RefundState::Succeeded {
                    channel_refund: channel_refund.clone(),
                    at: *at,
                };
                done(context, tx, refund, state).await
            }
            Back::Failed(reason) => failed(context, tx, refund, reason).await,
            Back::Working | Back::Absent => {
                let state = if *back == Back::Working {
                    RefundState::Sent
                } else {
                    RefundState::Requested
                };
                wait(context, tx, Refund { state, ..refund }).await
            }
        }
    })
    .await
}

/// The channel is asked again later.
async fn wait(context: &Context, tx: &Tx, refund: Refund) -> anyhow::Result<()> {
    let refund = Refund {
        due_at: next_try(refund.tries, context.now),
        tries: refund.tries + 1,
        ..refund
    };
    refunds::update_refund(tx, &refund).await?;
    Ok(())
}

async fn done(
    context: &Context,
    tx: &Tx,
    refund: Refund,
    state: RefundState,
) -> anyhow::Result<()> {
    let RefundState::Succeeded { at, .. } = &state else {
        return Ok(());
    };
    let at = *at;
    let posting = Posting::new("refund.succeeded", refund.id.as_str(), context.now)
        .debit(Account::refund_in_transit(), refund.amount)
        .credit(clearing(refund.channel)?, refund.amount);
    let posted = ledger::post(tx, &posting).await?;
    let refund = Refund {
        state,
        due_at: None,
        ..refund
    };
    refunds::update_refund(tx, &refund).await?;
    if refund.automatic {
        return Ok(());
    }
    let payment = payment_of(tx, &refund.payment).await?;
    facts::refunded(context, tx, (&payment, &refund), (at, posted.id)).await
}

/// What was in transit is in `suspense` again. Money that came too late stays in transit, for the operator to see.
async fn failed(context: &Context, tx: &Tx, refund: Refund, reason: &str) -> anyhow::Result<()> {
    let refund = Refund {
        state: RefundState::Failed(reason.to_owned()),
        due_at: None,
        ..refund
    };
    refunds::update_refund(tx, &refund).await?;
    if refund.automatic {
        web::log(
            "error",
            "-",
            &format!("the refund {} of late money failed: {reason}", refund.id),
        );
        return Ok(());
    }
    let transit = ledger::post(tx, &in_transit(&refund, context.now)).await?;
    let key = Key::new("refund.failed", refund.id.as_str(), context.now);
    ledger::reverse(tx, &transit.id, &key).await?;
    let given_up = payments::add_refunded(tx, &refund.payment, -refund.amount.minor()).await?;
    anyhow::ensure!(given_up, "a refund's payment has no such sum");
    let payment = payment_of(tx, &refund.payment).await?;
    let told = (&refund.id, &refund.payment, refund.amount.minor());
    facts::refund_failed(context, tx, told, Some(&payment), reason).await
}

async fn payment_of(tx: &Tx, id: &PaymentId) -> anyhow::Result<Payment> {
    payments::payment(tx, tx.tenant(), id)
        .await?
        .context("a refund has no payment")
}

/// The channel tells of a number that is none of ours.
pub(crate) fn unknown_number() -> Refusal {
    Refusal::not_found(
        "notice_number_unknown",
        Message::new("This number is none of ours.", "该商户单号不存在。"),
    )
}
