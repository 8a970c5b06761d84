//! One day of one channel: its bill against our books, and what came out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{Currency, Money, TenantId};
use ledger::{Account, AccountKind, Posting};
use store::{Tx, tx};
use wire::event::ReconciliationCompleted;

use crate::channel::{self, Fault, RATE};
use crate::context::Context;
use crate::domain::{
    Bill, BillStatus, Booked, Channel, Compared, Moved, Movement, RefundState, Settled, compare,
    settled,
};
use crate::facts;
use crate::protocol::bill;
use crate::store::reconciliations::{self as sql, Day, Pooled, Reconciliation};
use crate::store::{attempts, refunds};

/// How far apart the two sides may have a direct payment, in milliseconds.
const SLACK_MS: i64 = 24 * 60 * 60 * 1_000;

/// Holds the channel's bill of the day against the tenant's books, and posts what the channel pays for it and charges. Again,
/// it is another run of the same day, and posts what differs.
///
/// # Errors
/// When the bill cannot be had, or the database fails.
pub(crate) async fn run(
    context: &Context,
    tenant: &TenantId,
    channel: Channel,
    date: NaiveDate,
) -> anyhow::Result<Reconciliation> {
    let (name, before) = (
        date.to_string(),
        date.pred_opt()
            .context("the first of all days")?
            .to_string(),
    );
    let day = Day {
        channel,
        day: &name,
    };
    let bills = match channel::bill(context, tenant, (channel, &name)).await {
        Ok(bills) => bills,
        Err(Fault::Refused(code)) => anyhow::bail!("the channel refuses its bill: {code}"),
        Err(Fault::Unknown(error)) => return Err(error),
    };
    let left = sql::pool(
        &context.db,
        tenant,
        Day {
            channel,
            day: &before,
        },
    )
    .await?;
    let (bills, books) = sides(context, tenant, day, (bills, left)).await?;
    let (theirs, ours) = (
        bills.len(),
        books.iter().filter(|book| book.expected).count(),
    );
    let (_, day_end) = bill::bounds(&name)?;
    let direct = direct(context, tenant, day).await?;
    let compared = compare(bills.clone(), books, RATE, day_end)?;
    let settled = settled(&bills, &compared.mistakes, &direct, RATE)?;
    let pooled = pooled(&compared);
    let outcome = Reconciliation {
        channel,
        day: name.clone(),
        run: 0,
        run_at: context.now,
        theirs: i64::try_from(theirs)?,
        ours: i64::try_from(ours)?,
        matched: i64::try_from(compared.matched)?,
        carried: i64::try_from(pooled.len())?,
        mistakes: i64::try_from(compared.mistakes.len())?,
        settled,
    };
    let run = tx(&context.db, tenant, async |tx| {
        let before = sql::reconciliation(tx, tenant, day).await?;
        let before = before.map_or_else(Settled::default, |before| before.settled);
        let run = sql::put(tx, &outcome, &compared.mistakes).await?;
        sql::put_pool(tx, day, &pooled).await?;
        settle(context, tx, (day, run), (before, settled)).await?;
        tell(context, tx, (day, run), outcome.mistakes).await?;
        Ok(run)
    })
    .await?;
    Ok(Reconciliation { run, ..outcome })
}

async fn tell(
    context: &Context,
    tx: &Tx,
    (day, run): (Day<'_>, u32),
    mistakes: i64,
) -> anyhow::Result<()> {
    let fact = ReconciliationCompleted {
        channel: day.channel.as_str().to_owned(),
        day: day.day.to_owned(),
        run,
        mistakes: u32::try_from(mistakes)?,
    };
    facts::reconciled(context, tx, &fact).await
}

/// What is paid straight to merchants, and taken from them, of what may stand in the bill of that day.
async fn direct(
    context: &Context,
    tenant: &TenantId,
    day: Day<'_>,
) -> anyhow::Result<BTreeMap<Moved, i64>> {
    let (from, until) = bill::bounds(day.day)?;
    let span = (from.plus_millis(-SLACK_MS), until.plus_millis(SLACK_MS));
    let found = sql::direct_between(&context.db, tenant, day.channel, span).await?;
    let found = found
        .into_iter()
        .map(|entry| ((entry.number, entry.movement), entry.amount));
    Ok(found.collect())
}

/// Posts what the channel pays for the day and what it charges, as far as an earlier run has not.
async fn settle(
    context: &Context,
    tx: &Tx,
    (day, run): (Day<'_>, u32),
    (before, now): (Settled, Settled),
) -> anyhow::Result<()> {
    let channel = day.channel.as_str();
    let clearing = Account::new(AccountKind::ChannelClearing, Some(channel))?;
    let reference = format!("{channel}/{}/{run}", day.day);
    let mut posting = Posting::new("channel.settlement", &reference, context.now);
    for (account, minor) in [
        (Account::bank(), now.bank - before.bank),
        (Account::channel_fee_expense(), now.fees - before.fees),
        (clearing, before.cleared() - now.cleared()),
    ] {
        let amount = Money::new(minor.saturating_abs(), Currency::Cny);
        posting = match minor {
            0 => posting,
            1.. => posting.debit(account, amount),
            _ => posting.credit(account, amount),
        };
    }
    if !posting.legs.is_empty() {
        ledger::post(tx, &posting).await?;
    }
    Ok(())
}

/// Both sides with what the day before has left, and with those of our entries that only the bill has on this day.
async fn sides(
    context: &Context,
    tenant: &TenantId,
    day: Day<'_>,
    (mut bills, left): (Vec<Bill>, Vec<Pooled>),
) -> anyhow::Result<(Vec<Bill>, Vec<Booked>)> {
    let span = bill::bounds(day.day)?;
    let own = sql::booked_between(&context.db, tenant, day.channel, span).await?;
    let mut books: Vec<Booked> = own
        .into_iter()
        .map(|entry| Booked {
            entry,
            done: true,
            expected: true,
            carried: false,
        })
        .collect();
    for pooled in left {
        if pooled.is_bill {
            bills.push(Bill {
                entry: pooled.entry,
                status: BillStatus::Done,
                fee: pooled.fee,
                carried: true,
            });
        } else {
            books.push(Booked {
                entry: pooled.entry,
                done: true,
                expected: true,
                carried: true,
            });
        }
    }
    let known: BTreeSet<&str> = books
        .iter()
        .map(|book| book.entry.number.as_str())
        .collect();
    let strange = bills
        .iter()
        .filter(|bill| !known.contains(bill.entry.number.as_str()));
    let strange: Vec<&Bill> = strange.collect();
    let mut found = Vec::new();
    for bill in strange {
        found.extend(look_up(context, tenant, day.channel, bill).await?);
    }
    books.extend(found);
    Ok((bills, books))
}

/// What we know of a line that is not among the day's own.
async fn look_up(
    context: &Context,
    tenant: &TenantId,
    channel: Channel,
    bill: &Bill,
) -> anyhow::Result<Option<Booked>> {
    let number = bill.entry.number.as_str();
    let known = match bill.entry.movement {
        Movement::Payment => {
            let attempt = attempts::of_number(&context.db, tenant, (channel, number)).await?;
            attempt.map(|attempt| (attempt.amount.minor(), attempt.state.is_paid()))
        }
        Movement::Refund => {
            let refund = refunds::of_number(&context.db, tenant, (channel, number)).await?;
            let done = |state: &RefundState| matches!(state, RefundState::Succeeded { .. });
            refund.map(|refund| (refund.amount.minor(), done(&refund.state)))
        }
    };
    Ok(known.map(|(amount, done)| {
        let mut entry = bill.entry.clone();
        entry.amount = amount;
        Booked {
            entry,
            done,
            expected: false,
            carried: false,
        }
    }))
}

fn pooled(compared: &Compared) -> Vec<Pooled> {
    let bills = compared.carried_bills.iter().map(|bill| Pooled {
        is_bill: true,
        entry: bill.entry.clone(),
        fee: bill.fee,
    });
    let books = compared.carried_books.iter().map(|entry| Pooled {
        is_bill: false,
        entry: entry.clone(),
        fee: 0,
    });
    bills.chain(books).collect()
}
