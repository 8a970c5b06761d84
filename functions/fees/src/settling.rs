//! What becomes of a payment of bills: the money, and all that was counted on, is put against the bills once it is there;
//! what is over is credit of the payer. A payment that is closed frees what it counted on.

use std::collections::BTreeMap;

use kernel::{BillId, Refusal, RoomId, Timestamp};
use ledger::{Account, Posting};
use store::Tx;
use wire::event::{BillPaid, PaymentClosed, PaymentSucceeded};

use crate::context::Context;
use crate::domain::{BillState, Paid, community_unknown, needed, settle};
use crate::facts::{append, fen};
use crate::store::payments::{Method, Payment, PaymentState};
use crate::store::{bills, known, owed, payments};
use crate::{crediting, rewarding};

/// The money of a payment is there.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    event: &PaymentSucceeded,
) -> anyhow::Result<()> {
    let Some(payment) = payments::payment_of(tx, &event.payment).await? else {
        anyhow::bail!("no payment of bills is {}", event.payment);
    };
    match payment.state {
        PaymentState::Succeeded => Ok(()),
        // It was closed before the money came: the payer's it is.
        PaymentState::Closed => {
            let key = ("bill_payment.late", payment.id.as_str());
            let whose = (&payment.payer, event.amount_minor);
            crediting::to_wallet(context, tx, key, whose).await
        }
        PaymentState::Requested => {
            let over = Some(event.channel.clone());
            let came = (event.amount_minor, over, event.paid_at);
            succeed(context, tx, payment, came).await.map(|_| ())
        }
    }
}

/// Puts the money, and what was counted on, against the bills as they stand now.
pub(crate) async fn succeed(
    context: &Context,
    tx: &Tx,
    mut payment: Payment,
    (channel_minor, channel, paid_at): (i64, Option<String>, Timestamp),
) -> anyhow::Result<Payment> {
    let community = known::community(tx, tx.tenant(), &payment.community).await?;
    let community = community.ok_or_else(community_unknown)?;
    payment.credit_minor = take_credit(context, tx, &payment).await?;
    let money = channel_minor + payment.credit_minor;
    let quoted = payment.quoted.iter();
    let ids: Vec<BillId> = quoted.map(|owed| owed.bill.clone()).collect();
    let bills = owed::of_ids(tx, &ids).await?;
    let needed = needed(&bills, &payment.quoted);
    let spared = rewarding::use_up(context, tx, &mut payment, needed).await?;
    let paid_on = community.today(paid_at);
    let (settled, over) = settle(money + spared, &bills, &payment.quoted, paid_on);
    payment.state = PaymentState::Succeeded;
    payment.channel_minor = channel_minor;
    payment.channel = channel;
    payment.over_minor = over.max(0);
    payment.ended_at = Some(context.now);
    let in_time = settled.iter().filter(|paid| {
        let due_on = paid.bill.due_on;
        paid.principal_fen > 0 && due_on.is_some_and(|due_on| paid_on <= due_on)
    });
    let in_time: i64 = in_time.map(|paid| paid.principal_fen).sum();
    let earning = (in_time.min(money - payment.over_minor), community.points);
    payment.earned_points = rewarding::earn(context, tx, &payment, earning).await?;
    book(context, tx, &payment, (&settled, spared)).await?;
    payments::insert_lines(tx, &payment.id, &settled).await?;
    payments::end_payment(tx, &payment).await?;
    tell(context, tx, (&payment, paid_at), &settled).await?;
    Ok(payment)
}

/// Stores the bills and tells of each.
async fn tell(
    context: &Context,
    tx: &Tx,
    (payment, paid_at): (&Payment, Timestamp),
    settled: &[Paid],
) -> anyhow::Result<()> {
    for paid in settled {
        bills::update_bill(tx, &paid.bill).await?;
        let fact = BillPaid {
            bill: paid.bill.id.clone(),
            community: paid.bill.community.clone(),
            room: paid.bill.room.clone(),
            payment: payment.id.clone(),
            principal_minor: paid.principal_fen,
            late_minor: paid.late_fen,
            settled: paid.bill.state == BillState::Paid,
            paid_at,
        };
        append(context, tx, &fact).await?;
    }
    Ok(())
}

/// What of the held credit can be had; nothing once the hold has ended.
async fn take_credit(context: &Context, tx: &Tx, payment: &Payment) -> anyhow::Result<i64> {
    let Some(hold) = &payment.credit_hold else {
        return Ok(0);
    };
    match ledger::settle(tx, hold, None, context.now).await {
        Ok(_) => Ok(payment.credit_minor),
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) if refusal.code == ledger::codes::HOLD_ENDED => Ok(0),
            _ => Err(error),
        },
    }
}

/// Where the money of a payment is before it is put against bills, and where it goes back from.
pub(crate) fn source(payment: &Payment) -> Account {
    match payment.method {
        Method::Channel => Account::suspense(),
        Method::Cash => Account::cash(&payment.community),
        Method::BankTransfer => Account::bank(),
    }
}

/// One transaction: the money from where it is, with what coupon and points spare, against each room's receivable, the
/// late fees to income, the rest to the payer's wallet.
async fn book(
    context: &Context,
    tx: &Tx,
    payment: &Payment,
    (settled, spared): (&[Paid], i64),
) -> anyhow::Result<()> {
    let mut rooms: BTreeMap<&RoomId, i64> = BTreeMap::new();
    for paid in settled {
        *rooms.entry(&paid.bill.room).or_default() += paid.principal_fen;
    }
    let late: i64 = settled.iter().map(|paid| paid.late_fen).sum();
    let mut debits: BTreeMap<Account, i64> = BTreeMap::new();
    *debits.entry(source(payment)).or_default() += payment.channel_minor;
    *debits.entry(Account::suspense()).or_default() += payment.credit_minor;
    *debits.entry(Account::coupon_subsidy_expense()).or_default() += spared;
    let mut posting = Posting::new("bill_payment", payment.id.as_str(), context.now);
    for (account, minor) in debits.into_iter().filter(|(_, minor)| *minor > 0) {
        posting = posting.debit(account, fen(minor));
    }
    for (room, principal) in rooms {
        let account = Account::fee_receivable(room);
        match principal {
            0 => {}
            1.. => posting = posting.credit(account, fen(principal)),
            _ => posting = posting.debit(account, fen(-principal)),
        }
    }
    if late > 0 {
        posting = posting.credit(Account::fee_income(&payment.community), fen(late));
    }
    if payment.over_minor > 0 {
        let wallet = Account::resident_wallet(&payment.payer);
        posting = posting.credit(wallet, fen(payment.over_minor));
    }
    if !posting.legs.is_empty() {
        ledger::post(tx, &posting).await?;
    }
    Ok(())
}

/// A payment will not be paid: what it counted on is free again.
pub(crate) async fn closed(
    context: &Context,
    tx: &Tx,
    event: &PaymentClosed,
) -> anyhow::Result<()> {
    let Some(payment) = payments::payment_of(tx, &event.payment).await? else {
        return Ok(());
    };
    if payment.state != PaymentState::Requested {
        return Ok(());
    }
    if let Some(hold) = &payment.credit_hold {
        ledger::void(tx, hold, context.now).await?;
    }
    rewarding::free(context, tx, &payment).await?;
    let ended = Payment {
        state: PaymentState::Closed,
        ended_at: Some(context.now),
        ..payment
    };
    payments::end_payment(tx, &ended).await
}
