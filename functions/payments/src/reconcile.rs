//! One day of one channel: its bill against our books, and what came out.

use std::collections::BTreeSet;

use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::TenantId;
use store::tx;
use wire::event::ReconciliationCompleted;

use crate::channel::{self, Fault, RATE};
use crate::context::Context;
use crate::domain::{Bill, BillStatus, Booked, Channel, Compared, Movement, RefundState, compare};
use crate::facts;
use crate::protocol::bill;
use crate::store::reconciliations::{self as sql, Day, Pooled, Reconciliation};
use crate::store::{attempts, refunds};

/// Holds the channel's bill of the day against the tenant's books. Again, it is another run of the same day.
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
    let compared = compare(bills, books, RATE, day_end)?;
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
    };
    tx(&context.db, tenant, async |tx| {
        let run = sql::put(tx, &outcome, &compared.mistakes).await?;
        sql::put_pool(tx, day, &pooled).await?;
        let fact = ReconciliationCompleted {
            channel: channel.as_str().to_owned(),
            day: name.clone(),
            run,
            mistakes: u32::try_from(outcome.mistakes)?,
        };
        facts::reconciled(context, tx, &fact).await?;
        Ok(Reconciliation {
            run,
            ..outcome.clone()
        })
    })
    .await
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
