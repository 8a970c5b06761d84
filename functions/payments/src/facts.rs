//! What the event log hears: the audit trail, and what the capabilities that ask for money consume.

use kernel::{PaymentId, RefundId};
use store::{Tx, events};
use wire::event::{
    Event, PaymentClosed, PaymentSucceeded, ReconciliationCompleted, RefundFailed, RefundSucceeded,
};

use crate::context::Context;
use crate::domain::{Attempt, Payment, PaymentState, Refund};

/// The money is there.
pub(crate) async fn succeeded(
    context: &Context,
    tx: &Tx,
    payment: &Payment,
    attempt: &Attempt,
) -> anyhow::Result<()> {
    let PaymentState::Succeeded {
        paid_at,
        transaction,
        ..
    } = &payment.state
    else {
        return Ok(());
    };
    let fact = PaymentSucceeded {
        payment: payment.id.clone(),
        purpose: payment.purpose.clone(),
        reference: payment.reference.clone(),
        payer: payment.payer.clone(),
        community: payment.community.clone(),
        amount_minor: payment.amount.minor(),
        currency: payment.amount.currency(),
        channel: attempt.channel.as_str().to_owned(),
        paid_at: *paid_at,
        transaction: transaction.clone(),
    };
    append(context, tx, &fact).await
}

/// The payment will not be paid any more.
pub(crate) async fn closed(
    context: &Context,
    tx: &Tx,
    (payment, purpose, reference): (&PaymentId, &str, &str),
    reason: &str,
) -> anyhow::Result<()> {
    let fact = PaymentClosed {
        payment: payment.clone(),
        purpose: purpose.to_owned(),
        reference: reference.to_owned(),
        reason: reason.to_owned(),
    };
    append(context, tx, &fact).await
}

/// The money went back.
pub(crate) async fn refunded(
    context: &Context,
    tx: &Tx,
    (payment, refund): (&Payment, &Refund),
    (refunded_at, transaction): (kernel::Timestamp, kernel::TransactionId),
) -> anyhow::Result<()> {
    let fact = RefundSucceeded {
        refund: refund.id.clone(),
        payment: payment.id.clone(),
        purpose: payment.purpose.clone(),
        reference: payment.reference.clone(),
        amount_minor: refund.amount.minor(),
        currency: refund.amount.currency(),
        refunded_at,
        transaction,
    };
    append(context, tx, &fact).await
}

/// The money will not go back.
pub(crate) async fn refund_failed(
    context: &Context,
    tx: &Tx,
    (refund, payment_id, amount_minor): (&RefundId, &PaymentId, i64),
    payment: Option<&Payment>,
    reason: &str,
) -> anyhow::Result<()> {
    let fact = RefundFailed {
        refund: refund.clone(),
        payment: payment_id.clone(),
        purpose: payment.map(|payment| payment.purpose.clone()),
        reference: payment.map(|payment| payment.reference.clone()),
        amount_minor,
        reason: reason.to_owned(),
    };
    append(context, tx, &fact).await
}

/// A day was reconciled.
pub(crate) async fn reconciled(
    context: &Context,
    tx: &Tx,
    fact: &ReconciliationCompleted,
) -> anyhow::Result<()> {
    append(context, tx, fact).await
}

/// Appends a fact.
pub(crate) async fn append<Fact: Event>(
    context: &Context,
    tx: &Tx,
    fact: &Fact,
) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}
