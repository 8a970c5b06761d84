//! Paying bills: what is owed is quoted, asked for, and put against the bills once the money is there; what is over is
//! credit of the payer. What is given back stands in `refunding.rs`.

use std::collections::BTreeMap;

use kernel::{
    Actor, ActorId, BillId, BillPaymentId, CommunityId, Currency, Message, Refusal, RoomId,
    Timestamp,
};
use ledger::{Account, Hold, Posting};
use store::Tx;
use wire::event::{BillPaid, PaymentClosed, PaymentRequested, PaymentSucceeded};

use crate::context::Context;
use crate::domain::{Bill, BillState, Paid, community_unknown, quote, settle, unknown_bill};
use crate::facts::{append, fen};
use crate::store::payments::{BILLS_MAX, Payment, PaymentState};
use crate::store::{bills, known, owed, payments};

/// What payments calls this purpose by.
pub(crate) const PURPOSE: &str = "bills";
/// How long a payment may take, in milliseconds: 30 minutes.
pub(crate) const PAYMENT_MS: i64 = 30 * 60 * 1_000;
/// How much longer the credit of a payment is held: a notice may come late.
const HOLD_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Asks for what the bills cost today; with `use_credit` the payer's credit bears what it can.
///
/// # Errors
/// 404 for a bill that is not of a room of the payer's; 409 when nothing is owed; a failure of the database.
pub(crate) async fn request(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (ids, use_credit): (&[BillId], bool),
) -> anyhow::Result<Payment> {
    let bills = payable(context, tx, actor, ids).await?;
    let community = bills.first().ok_or_else(nothing_owed)?.community.clone();
    let known = known::community(tx, tx.tenant(), &community).await?;
    let known = known.ok_or_else(community_unknown)?;
    let quoted = quote(&bills, known.terms, known.today(context.now));
    let total: i64 = quoted
        .iter()
        .map(|owed| owed.principal_fen + owed.late_fen)
        .sum();
    let wallet = Account::resident_wallet(&actor.id);
    let credit = if use_credit && total > 0 {
        let balance = ledger::balance(tx, tx.tenant(), &wallet, Currency::Cny).await?;
        balance.available().minor().clamp(0, total)
    } else {
        0
    };
    let id: BillPaymentId = context.new_id()?;
    let mut payment = Payment {
        payment: None,
        payer: actor.id.clone(),
        community,
        quoted,
        total_minor: total,
        credit_minor: credit,
        credit_hold: None,
        channel_minor: total.max(0) - credit,
        over_minor: 0,
        state: PaymentState::Requested,
        channel: None,
        requested_at: context.now,
        expires_at: context.now.plus_millis(PAYMENT_MS),
        ended_at: None,
        id,
    };
    if credit > 0 {
        payment.credit_hold = Some(hold_credit(tx, &payment).await?);
    }
    if payment.channel_minor > 0 {
        payment.payment = Some(context.new_id()?);
        payments::insert_payment(tx, &payment).await?;
        ask(context, tx, &payment).await?;
        return Ok(payment);
    }
    payments::insert_payment(tx, &payment).await?;
    succeed(context, tx, payment, (0, None, context.now)).await
}

/// The bills, each of a room that the payer is bound to, with those of the same rooms that give back.
async fn payable(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    ids: &[BillId],
) -> anyhow::Result<Vec<Bill>> {
    if ids.is_empty() || ids.len() > BILLS_MAX {
        return Err(too_many().into());
    }
    let mut found: BTreeMap<BillId, Bill> = BTreeMap::new();
    for bill in owed::of_ids(tx, ids).await? {
        found.insert(bill.id.clone(), bill);
    }
    if ids.iter().any(|id| !found.contains_key(id)) {
        return Err(unknown_bill().into());
    }
    let mut rooms: BTreeMap<RoomId, CommunityId> = BTreeMap::new();
    for bill in found.values() {
        rooms.insert(bill.room.clone(), bill.community.clone());
    }
    for room in rooms.keys() {
        let who = (&actor.id, room);
        let bound = crate::domain::is_people(actor.kind)
            && known::is_bound(tx, tx.tenant(), who, context.now).await?;
        if !bound {
            return Err(unknown_bill().into());
        }
    }
    if found.values().any(|bill| bill.state == BillState::Draft) {
        return Err(unknown_bill().into());
    }
    let communities: std::collections::BTreeSet<&CommunityId> = rooms.values().collect();
    if communities.len() > 1 {
        return Err(one_community().into());
    }
    if found
        .values()
        .any(|bill| bill.state != BillState::Published)
    {
        return Err(nothing_owed().into());
    }
    for (room, community) in &rooms {
        for bill in owed::giving_back(tx, (community, room)).await? {
            found.insert(bill.id.clone(), bill);
        }
    }
    Ok(found.into_values().collect())
}

async fn hold_credit(tx: &Tx, payment: &Payment) -> anyhow::Result<kernel::HoldId> {
    let hold = Hold {
        kind: "bill_payment.credit".to_owned(),
        reference: payment.id.to_string(),
        debit: Account::resident_wallet(&payment.payer),
        credit: Account::suspense(),
        amount: fen(payment.credit_minor),
        at: payment.requested_at,
        expires_at: payment.expires_at.plus_millis(HOLD_MS),
        memo: String::new(),
    };
    Ok(ledger::hold(tx, &hold).await?.id)
}

async fn ask(context: &Context, tx: &Tx, payment: &Payment) -> anyhow::Result<()> {
    let Some(id) = &payment.payment else {
        return Ok(());
    };
    let count = payment.quoted.len();
    let fact = PaymentRequested {
        payment: id.clone(),
        purpose: PURPOSE.to_owned(),
        payer: payment.payer.clone(),
        community: payment.community.clone(),
        amount_minor: payment.channel_minor,
        currency: Currency::Cny,
        subject: format!("物业账单 {count} 笔 / {count} property bills"),
        reference: payment.id.to_string(),
        expires_at: payment.expires_at,
        direct_minor: 0,
    };
    append(context, tx, &fact).await
}

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
            to_wallet(
                context,
                tx,
                ("bill_payment.late", payment.id.as_str()),
                (&payment.payer, event.amount_minor),
            )
            .await
        }
        PaymentState::Requested => {
            let came = (
                event.amount_minor,
                Some(event.channel.clone()),
                event.paid_at,
            );
            succeed(context, tx, payment, came).await.map(|_| ())
        }
    }
}

/// Puts the money, and the credit that is held, against the bills as they stand now.
async fn succeed(
    context: &Context,
    tx: &Tx,
    mut payment: Payment,
    (channel_minor, channel, paid_at): (i64, Option<String>, Timestamp),
) -> anyhow::Result<Payment> {
    let community = known::community(tx, tx.tenant(), &payment.community).await?;
    let community = community.ok_or_else(community_unknown)?;
    payment.credit_minor = take_credit(context, tx, &payment).await?;
    let money = channel_minor + payment.credit_minor;
    let ids: Vec<BillId> = payment
        .quoted
        .iter()
        .map(|owed| owed.bill.clone())
        .collect();
    let bills = owed::of_ids(tx, &ids).await?;
    let (settled, over) = settle(money, &bills, &payment.quoted, community.today(paid_at));
    payment.state = PaymentState::Succeeded;
    payment.channel_minor = channel_minor;
    payment.channel = channel;
    payment.over_minor = over.max(0);
    payment.ended_at = Some(context.now);
    book(context, tx, &payment, (&settled, money)).await?;
    payments::insert_lines(tx, &payment.id, &settled).await?;
    payments::end_payment(tx, &payment).await?;
    for paid in &settled {
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
    Ok(payment)
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

/// One transaction: the money out of suspense, against each room's receivable, the late fees to income, the rest to the
/// payer's wallet.
async fn book(
    context: &Context,
    tx: &Tx,
    payment: &Payment,
    (settled, money): (&[Paid], i64),
) -> anyhow::Result<()> {
    let mut rooms: BTreeMap<&RoomId, i64> = BTreeMap::new();
    for paid in settled {
        *rooms.entry(&paid.bill.room).or_default() += paid.principal_fen;
    }
    let late: i64 = settled.iter().map(|paid| paid.late_fen).sum();
    let mut posting = Posting::new("bill_payment", payment.id.as_str(), context.now);
    if money > 0 {
        posting = posting.debit(Account::suspense(), fen(money));
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

/// A payment will not be paid: its credit is free again.
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
    let ended = Payment {
        state: PaymentState::Closed,
        ended_at: Some(context.now),
        ..payment
    };
    payments::end_payment(tx, &ended).await
}

/// Money in suspense becomes credit of a person.
pub(crate) async fn to_wallet(
    context: &Context,
    tx: &Tx,
    (kind, reference): (&str, &str),
    (person, amount_minor): (&ActorId, i64),
) -> anyhow::Result<()> {
    let posting = Posting::new(kind, reference, context.now)
        .debit(Account::suspense(), fen(amount_minor))
        .credit(Account::resident_wallet(person), fen(amount_minor));
    ledger::post(tx, &posting).await?;
    Ok(())
}

/// No such payment, or none that the caller may know.
pub(crate) fn unknown_payment() -> Refusal {
    Refusal::not_found(
        "bill_payment_unknown",
        Message::new(
            "There is no such payment that you can see.",
            "未找到您可查看的该笔付款。",
        ),
    )
}

fn nothing_owed() -> Refusal {
    Refusal::conflict(
        "nothing_owed",
        Message::new(
            "One of these bills is not owed any more. Read them again.",
            "其中有账单已无需支付，请重新读取。",
        ),
    )
}

fn too_many() -> Refusal {
    Refusal::invalid(
        "bills_count",
        Message::new(
            format!("Name 1 to {BILLS_MAX} bills."),
            format!("请选择 1 到 {BILLS_MAX} 张账单。"),
        ),
    )
}

fn one_community() -> Refusal {
    Refusal::invalid(
        "bills_of_two_communities",
        Message::new(
            "Pay the bills of each community by themselves.",
            "不同小区的账单请分别支付。",
        ),
    )
}
