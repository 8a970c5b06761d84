//! What other capabilities ask for: money, to no longer want it, to give it back, to send it out; and who was one person all along.

use kernel::{Money, Refusal, TenantId};
use ledger::{Account, Posting};
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain_batches, waiting};
use wire::event::{
    Event, PaymentCancelRequested, PaymentRequested, PersonAliased, PersonErased, RefundRequested,
    TransferRequested,
};

use crate::context::Context;
use crate::domain::{Closed, Payment, PaymentState, Refund, RefundState, refundable};
use crate::facts;
use crate::store::{attempts, payments, refunds};
use crate::transferring;

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "payments",
    kinds: &[
        PaymentRequested::KIND,
        PaymentCancelRequested::KIND,
        RefundRequested::KIND,
        TransferRequested::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
    ],
};

/// How often a request looks for more when very much waits; the heartbeat takes the rest.
const CATCH_UPS_MAX: usize = 8;

/// Handles what waits for all tenants.
///
/// # Errors
/// A failure of the database.
pub async fn take_all(context: &Context) -> anyhow::Result<Drained> {
    let mut drained = Drained::default();
    for tenant in waiting(&context.db, CONSUMER.name).await? {
        drained += take(context, &tenant).await?;
    }
    Ok(drained)
}

/// Handles what waits for one tenant, so that a request finds what was recorded right before it.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    for _ in 0..CATCH_UPS_MAX {
        let waits = concerns(&context.db, tenant, CONSUMER).await?;
        if !waits || !take(context, tenant).await?.is_full() {
            return Ok(());
        }
    }
    Ok(())
}

async fn take(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    let drained = drain_batches(
        &context.db,
        tenant,
        CONSUMER,
        context.now,
        async |tx, facts| handle_all(context, tx, facts.events).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        web::log(
            "warn",
            "-",
            &format!("an event of {tenant} failed: {cause}"),
        );
    }
    Ok(drained)
}

/// Handles facts in their order; payments that were asked for one after another are added with one statement.
async fn handle_all(context: &Context, tx: &mut Tx, events: &[Recorded]) -> anyhow::Result<()> {
    let mut asked = Vec::new();
    for event in events {
        if let Some(new) = event.read::<PaymentRequested>()? {
            asked.extend(ask(context, tx, new).await?);
            continue;
        }
        payments::insert_payments(tx, &std::mem::take(&mut asked)).await?;
        handle(context, tx, event).await?;
    }
    payments::insert_payments(tx, &asked).await
}

async fn handle(context: &Context, tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(cancel) = event.read::<PaymentCancelRequested>()? {
        if let Some(payment) = payments::payment(&*tx, tx.tenant(), &cancel.payment).await? {
            close(context, tx, &payment, Closed::Cancelled).await?;
        }
        return Ok(());
    }
    if let Some(asked) = event.read::<RefundRequested>()? {
        return give_back(context, tx, asked).await;
    }
    if let Some(asked) = event.read::<TransferRequested>()? {
        return transferring::ask(context, tx, asked).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        return payments::rename(tx, &aliased.alias, &aliased.person).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        // The books stay; what people wrote about the payment goes.
        return payments::forget(tx, &erased.person).await;
    }
    Ok(())
}

/// The payment that is asked for; none when it cannot be, which is told.
async fn ask(
    context: &Context,
    tx: &Tx,
    asked: PaymentRequested,
) -> anyhow::Result<Option<Payment>> {
    if asked.amount_minor <= 0 || !(0..=asked.amount_minor).contains(&asked.direct_minor) {
        let told = (
            &asked.payment,
            asked.purpose.as_str(),
            asked.reference.as_str(),
        );
        facts::closed(context, tx, told, "invalid").await?;
        return Ok(None);
    }
    Ok(Some(Payment {
        amount: Money::new(asked.amount_minor, asked.currency),
        id: asked.payment,
        purpose: asked.purpose,
        payer: asked.payer,
        community: asked.community,
        subject: asked.subject,
        reference: asked.reference,
        created_at: context.now,
        expires_at: asked.expires_at,
        state: PaymentState::Open,
        refunded: 0,
        direct: asked.direct_minor,
    }))
}

/// Closes an open payment; one that is over stays as it is. What is open at channels is closed there next.
pub(crate) async fn close(
    context: &Context,
    tx: &Tx,
    payment: &Payment,
    reason: Closed,
) -> anyhow::Result<bool> {
    if !payments::end_payment(tx, &payment.id, &PaymentState::Closed(reason)).await? {
        return Ok(false);
    }
    attempts::hurry(tx, &payment.id, context.now).await?;
    let told = (
        &payment.id,
        payment.purpose.as_str(),
        payment.reference.as_str(),
    );
    facts::closed(context, tx, told, reason.as_str()).await?;
    Ok(true)
}

async fn give_back(context: &Context, tx: &Tx, asked: RefundRequested) -> anyhow::Result<()> {
    if refunds::refund(tx, tx.tenant(), &asked.refund)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let payment = payments::payment(tx, tx.tenant(), &asked.payment).await?;
    let told = (&asked.refund, &asked.payment, asked.amount_minor);
    let Some(payment) = payment else {
        return facts::refund_failed(context, tx, told, None, "payment_unknown").await;
    };
    if !(0..=asked.amount_minor).contains(&asked.direct_minor) {
        return facts::refund_failed(context, tx, told, Some(&payment), "direct_invalid").await;
    }
    let attempt = match refundable(&payment, asked.amount_minor) {
        Ok(attempt) => attempt.to_owned(),
        Err(Refusal { code, .. }) => {
            return facts::refund_failed(context, tx, told, Some(&payment), code).await;
        }
    };
    let attempt = attempts::attempt(tx, tx.tenant(), &attempt).await?;
    let attempt = attempt.ok_or_else(|| anyhow::anyhow!("a paid payment has no attempt"))?;
    let refund = Refund {
        id: asked.refund,
        payment: payment.id.clone(),
        attempt: attempt.id,
        channel: attempt.channel,
        number: context.new_number()?,
        attempt_number: attempt.number,
        attempt_amount: attempt.amount,
        amount: Money::new(asked.amount_minor, payment.amount.currency()),
        reason: asked.reason,
        automatic: false,
        created_at: context.now,
        state: RefundState::Requested,
        due_at: Some(context.now),
        tries: 0,
        direct: asked.direct_minor,
    };
    let added = payments::add_refunded(tx, &payment.id, asked.amount_minor).await?;
    anyhow::ensure!(added, "a refund is more than is left of its payment");
    refunds::insert_refund(tx, &refund).await?;
    ledger::post(tx, &in_transit(&refund, context.now)).await?;
    Ok(())
}

/// What was asked back leaves `suspense`, where the capability that asked has put it.
pub(crate) fn in_transit(refund: &Refund, at: kernel::Timestamp) -> Posting {
    Posting::new("refund", refund.id.as_str(), at)
        .debit(Account::suspense(), refund.amount)
        .credit(Account::refund_in_transit(), refund.amount)
}
