//! Giving back what was paid for bills: over the channel what came over it, the rest as credit; the bills are owed again.

use std::collections::BTreeSet;

use kernel::{Actor, BillId, Message, PaymentId, RefundId, Refusal};
use ledger::{Account, Posting};
use store::Tx;
use wire::event::{BillRefunded, RefundFailed, RefundRequested, RefundSucceeded};

use crate::context::Context;
use crate::domain::{Bill, BillState, Late, Reason, unknown_bill};
use crate::facts::{append, fen};
use crate::paying::to_wallet;
use crate::store::payments::{Payment, Refund};
use crate::store::{bills, payments};

/// Gives back what a payment was put against these bills: what came over the channel goes back over it, the rest to
/// the payer's wallet. The bills are owed again.
///
/// # Errors
/// 404 for a bill that the payment did not pay; 409 for one that was given back; a failure of the database.
pub(crate) async fn refund(
    context: &Context,
    tx: &Tx,
    (actor, reason): (&Actor, &Reason),
    (payment, ids): (&Payment, &[BillId]),
) -> anyhow::Result<Refund> {
    let lines = payments::lines(tx, tx.tenant(), &payment.id).await?;
    let id: RefundId = context.new_id()?;
    let mut posting = Posting::new("bill_refund", id.as_str(), context.now).memo(reason.as_str());
    let mut amount = 0;
    let chosen: BTreeSet<&BillId> = ids.iter().collect();
    for bill in chosen {
        let line = lines.iter().find(|line| line.bill == *bill);
        let line = line.ok_or_else(unknown_bill)?;
        if line.refund.is_some() || line.principal_minor < 0 {
            return Err(already_refunded().into());
        }
        let before = bills::bill(tx, tx.tenant(), bill).await?;
        let before = before.ok_or_else(unknown_bill)?;
        if line.principal_minor > 0 {
            posting = posting.debit(
                Account::fee_receivable(&before.room),
                fen(line.principal_minor),
            );
        }
        if line.late_minor > 0 {
            posting = posting.debit(Account::fee_income(&before.community), fen(line.late_minor));
        }
        amount += line.principal_minor + line.late_minor;
        bills::update_bill(tx, &given_back(&before, line)).await?;
        payments::refund_line(tx, (&payment.id, bill), &id).await?;
        refunded_fact(context, tx, (actor, reason), (&before, payment, line)).await?;
    }
    if amount == 0 {
        return Err(already_refunded().into());
    }
    let earlier = payments::refunds_of(tx, tx.tenant(), &payment.id).await?;
    let gone: i64 = earlier.iter().map(|refund| refund.channel_minor).sum();
    let channel_minor = amount.min((payment.channel_minor - gone).max(0));
    let refund = Refund {
        id,
        payment: payment.id.clone(),
        community: payment.community.clone(),
        payer: payment.payer.clone(),
        channel_minor,
        credit_minor: amount - channel_minor,
        state: if channel_minor > 0 {
            "requested"
        } else {
            "succeeded"
        }
        .to_owned(),
        reason: reason.as_str().to_owned(),
        requested_by: actor.id.clone(),
        requested_at: context.now,
    };
    give(context, tx, (posting, &refund), payment.payment.as_ref()).await?;
    Ok(refund)
}

async fn give(
    context: &Context,
    tx: &Tx,
    (mut posting, refund): (Posting, &Refund),
    payment: Option<&PaymentId>,
) -> anyhow::Result<()> {
    if refund.channel_minor > 0 {
        posting = posting.credit(Account::suspense(), fen(refund.channel_minor));
    }
    if refund.credit_minor > 0 {
        let wallet = Account::resident_wallet(&refund.payer);
        posting = posting.credit(wallet, fen(refund.credit_minor));
    }
    ledger::post(tx, &posting).await?;
    let ended_at = (refund.channel_minor == 0).then_some(context.now);
    payments::insert_refund(tx, refund, ended_at).await?;
    if let (1.., Some(payment)) = (refund.channel_minor, payment) {
        let fact = RefundRequested {
            refund: refund.id.clone(),
            payment: payment.clone(),
            amount_minor: refund.channel_minor,
            reason: refund.reason.clone(),
            direct_minor: 0,
        };
        append(context, tx, &fact).await?;
    }
    Ok(())
}

fn given_back(bill: &Bill, line: &payments::Line) -> Bill {
    Bill {
        state: BillState::Published,
        paid_fen: bill.paid_fen - line.principal_minor,
        late: Late {
            paid_fen: bill.late.paid_fen - line.late_minor,
            ..bill.late
        },
        ..bill.clone()
    }
}

async fn refunded_fact(
    context: &Context,
    tx: &Tx,
    (actor, reason): (&Actor, &Reason),
    (bill, payment, line): (&Bill, &Payment, &payments::Line),
) -> anyhow::Result<()> {
    let fact = BillRefunded {
        bill: bill.id.clone(),
        community: bill.community.clone(),
        room: bill.room.clone(),
        payment: payment.id.clone(),
        amount_minor: line.principal_minor + line.late_minor,
        reason: reason.as_str().to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// The money of a refund went back.
pub(crate) async fn refund_succeeded(
    context: &Context,
    tx: &Tx,
    event: &RefundSucceeded,
) -> anyhow::Result<()> {
    match payments::refund(tx, &event.refund).await? {
        Some(refund) if refund.state == "requested" => {
            payments::end_refund(tx, &refund.id, "succeeded", context.now).await
        }
        _ => Ok(()),
    }
}

/// The channel does not give the money back: it becomes credit of the payer.
pub(crate) async fn refund_failed(
    context: &Context,
    tx: &Tx,
    event: &RefundFailed,
) -> anyhow::Result<()> {
    let Some(refund) = payments::refund(tx, &event.refund).await? else {
        return Ok(());
    };
    if refund.state != "requested" {
        return Ok(());
    }
    payments::end_refund(tx, &refund.id, "failed", context.now).await?;
    to_wallet(
        context,
        tx,
        ("bill_refund.failed", refund.id.as_str()),
        (&refund.payer, refund.channel_minor),
    )
    .await
}

fn already_refunded() -> Refusal {
    Refusal::conflict(
        "bill_refunded",
        Message::new(
            "What was paid for this bill was given back already, or it gave back itself.",
            "该账单的付款已退回，或其本身为退费。",
        ),
    )
}
