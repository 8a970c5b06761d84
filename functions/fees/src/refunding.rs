//! Giving back what was paid for bills: money the way it came, then points and the coupon, the rest as credit; the bills
//! are owed again.

use std::collections::BTreeSet;

use kernel::{Actor, BillId, Message, RefundId, Refusal};
use ledger::{Account, Posting};
use store::Tx;
use wire::event::{BillRefunded, RefundFailed, RefundRequested, RefundSucceeded};

use crate::context::Context;
use crate::crediting::to_wallet;
use crate::domain::{Bill, BillState, Late, Reason, Shares, give_back, unknown_bill};
use crate::facts::{append, fen};
use crate::store::payments::{Method, Payment};
use crate::store::refunds::Refund;
use crate::store::{bills, cash, payments, refunds};
use crate::{rewarding, settling};

/// Gives back what a payment was put against these bills: what came over the channel or the counter goes back that way,
/// points and coupons to whose they were, the rest to the payer's wallet. The bills are owed again.
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
    let (paid, gone) = shares(tx, payment, &lines).await?;
    let back = give_back(amount, paid, gone);
    let goes_by_channel = back.channel_fen > 0 && payment.method == Method::Channel;
    let refund = Refund {
        id,
        payment: payment.id.clone(),
        community: payment.community.clone(),
        payer: payment.payer.clone(),
        channel_minor: back.channel_fen,
        credit_minor: back.credit_fen,
        points_minor: back.points_fen,
        coupon_minor: back.coupon_fen,
        state: if goes_by_channel {
            "requested"
        } else {
            "succeeded"
        }
        .to_owned(),
        reason: reason.as_str().to_owned(),
        requested_by: actor.id.clone(),
        requested_at: context.now,
    };
    give(context, tx, (posting, &refund), payment).await?;
    rewarding::undo(context, tx, (payment, gone), &refund).await?;
    Ok(refund)
}

/// What the payment was made up of, and what of it went back already.
async fn shares(
    tx: &Tx,
    payment: &Payment,
    lines: &[payments::Line],
) -> anyhow::Result<(Shares, Shares)> {
    let gave_back: i64 = lines.iter().map(|line| -line.principal_minor.min(0)).sum();
    let paid = Shares {
        channel_fen: payment.channel_minor,
        credit_fen: payment.credit_minor + gave_back - payment.over_minor,
        points_fen: payment.points * payment.point_minor,
        coupon_fen: payment.coupon_minor,
    };
    let mut gone = Shares::default();
    for earlier in refunds::refunds_of(tx, tx.tenant(), &payment.id).await? {
        gone.channel_fen += earlier.channel_minor;
        gone.credit_fen += earlier.credit_minor;
        gone.points_fen += earlier.points_minor;
        gone.coupon_fen += earlier.coupon_minor;
    }
    Ok((paid, gone))
}

/// Posts what goes back, hands out what goes back in cash, and asks the channel for what came over it.
async fn give(
    context: &Context,
    tx: &Tx,
    (mut posting, refund): (Posting, &Refund),
    payment: &Payment,
) -> anyhow::Result<()> {
    for (account, minor) in [
        (settling::source(payment), refund.channel_minor),
        (Account::resident_wallet(&refund.payer), refund.credit_minor),
        (
            Account::coupon_subsidy_expense(),
            refund.points_minor + refund.coupon_minor,
        ),
    ] {
        if minor > 0 {
            posting = posting.credit(account, fen(minor));
        }
    }
    ledger::post(tx, &posting).await?;
    let ended_at = (refund.state == "succeeded").then_some(context.now);
    refunds::insert_refund(tx, refund, ended_at).await?;
    if refund.channel_minor == 0 {
        return Ok(());
    }
    if payment.method == Method::Cash {
        let drawer = (&payment.community, &refund.requested_by);
        let handed = (refund.id.as_str(), -refund.channel_minor);
        cash::insert_entry(context, tx, drawer, handed).await?;
    }
    if let (Method::Channel, Some(asked)) = (payment.method, &payment.payment) {
        let fact = RefundRequested {
            refund: refund.id.clone(),
            payment: asked.clone(),
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
    match refunds::refund(tx, &event.refund).await? {
        Some(refund) if refund.state == "requested" => {
            refunds::end_refund(tx, &refund.id, "succeeded", context.now).await
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
    let Some(refund) = refunds::refund(tx, &event.refund).await? else {
        return Ok(());
    };
    if refund.state != "requested" {
        return Ok(());
    }
    refunds::end_refund(tx, &refund.id, "failed", context.now).await?;
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
