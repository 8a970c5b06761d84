//! What the event log and the books hear of a change. Both in the transaction that makes it true.

use kernel::{Actor, Currency, EventId, Money, TransactionId};
use ledger::{Account, Key, Posting};
use store::{Tx, events};
use wire::event::{BillDiscounted, BillPublished, BillVoided, Event, LateFeeWaived};

use crate::context::Context;
use crate::domain::{Bill, BillState, Reason};

/// An amount in fen.
pub(crate) fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
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

/// Bills are owed from now on: in the books, and for all to hear.
pub(crate) async fn published(context: &Context, tx: &Tx, bills: &[Bill]) -> anyhow::Result<()> {
    let postings: Vec<Posting> = bills.iter().map(|bill| posting(context, bill)).collect();
    ledger::post_many(tx, &postings).await?;
    let mut facts: Vec<(EventId, BillPublished)> = Vec::with_capacity(bills.len());
    for bill in bills {
        facts.push((context.new_id()?, published_fact(bill)));
    }
    events::append_all(tx, context.now, &facts).await
}

fn published_fact(bill: &Bill) -> BillPublished {
    BillPublished {
        bill: bill.id.clone(),
        community: bill.community.clone(),
        room: bill.room.clone(),
        rule: bill.rule.clone(),
        period: bill.period.to_string(),
        version: bill.version,
        title: bill.title.clone(),
        amount_minor: bill.amount_fen,
        currency: Currency::Cny,
        due_on: bill.due_on.map(|day| day.to_string()).unwrap_or_default(),
    }
}

/// What a published bill is in the books: a receivable of the room against the community's income, or the other way
/// round when it gives back.
fn posting(context: &Context, bill: &Bill) -> Posting {
    let reference = format!("{}/{}", bill.id, bill.version);
    let posting = Posting::new("bill", &reference, context.now).memo(&bill.title);
    let owed = Account::fee_receivable(&bill.room);
    let income = Account::fee_income(&bill.community);
    let amount = fen(bill.amount_fen.saturating_abs());
    if bill.amount_fen < 0 {
        posting.debit(income, amount).credit(owed, amount)
    } else {
        posting.debit(owed, amount).credit(income, amount)
    }
}

/// A bill counts no more: what was posted for it is reversed.
pub(crate) async fn voided(
    context: &Context,
    tx: &Tx,
    (actor, reason): (&Actor, &Reason),
    before: &Bill,
) -> anyhow::Result<()> {
    if before.state != BillState::Draft {
        // Under its key the posting answers what was posted then.
        let posted = ledger::post(tx, &posting(context, before)).await?;
        reverse(context, tx, before, &posted.id).await?;
    }
    let fact = BillVoided {
        bill: before.id.clone(),
        community: before.community.clone(),
        room: before.room.clone(),
        amount_minor: before.amount_fen,
        reason: reason.as_str().to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

async fn reverse(
    context: &Context,
    tx: &Tx,
    bill: &Bill,
    posted: &TransactionId,
) -> anyhow::Result<()> {
    let reference = format!("{}/{}", bill.id, bill.version);
    let key = Key::new("bill.void", &reference, context.now);
    ledger::reverse(tx, posted, &key).await?;
    if bill.discount_fen == 0 {
        return Ok(());
    }
    // The discounts were taken off the receivable; with the bill they go too.
    let amount = fen(bill.discount_fen);
    let back = Posting::new("bill.discount_void", &reference, context.now)
        .debit(Account::fee_receivable(&bill.room), amount)
        .credit(Account::fee_income(&bill.community), amount);
    ledger::post(tx, &back).await?;
    Ok(())
}

/// A bill became smaller.
pub(crate) async fn discounted(
    context: &Context,
    tx: &Tx,
    (actor, reason): (&Actor, &Reason),
    (before, after): (&Bill, &Bill),
) -> anyhow::Result<()> {
    let amount_minor = after.discount_fen - before.discount_fen;
    // What has been taken off in all tells the discounts of a bill apart.
    let reference = format!("{}/{}", after.id, after.discount_fen);
    let posting = Posting::new("bill.discount", &reference, context.now)
        .memo(reason.as_str())
        .debit(Account::fee_income(&after.community), fen(amount_minor))
        .credit(Account::fee_receivable(&after.room), fen(amount_minor));
    ledger::post(tx, &posting).await?;
    let fact = BillDiscounted {
        bill: after.id.clone(),
        community: after.community.clone(),
        room: after.room.clone(),
        amount_minor,
        reason: reason.as_str().to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// A late fee was let go. It is income only once it is paid, so that nothing is posted.
pub(crate) async fn waived(
    context: &Context,
    tx: &Tx,
    (actor, reason): (&Actor, &Reason),
    (bill, amount_minor): (&Bill, i64),
) -> anyhow::Result<()> {
    let fact = LateFeeWaived {
        bill: bill.id.clone(),
        community: bill.community.clone(),
        room: bill.room.clone(),
        amount_minor,
        reason: reason.as_str().to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}
