//! The invoice: at the end of each month, what a line accrued by then, rounded once, less what it was charged before.

use advertising::{Micros, invoiced};
use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{AdLineId, Currency, MerchantId, PlacementId, TenantId};
use store::{Tx, tx};
use wire::advertising::{ChargeSource, Ownership};
use wire::event::AdvertisingCharged;

use crate::context::Context;
use crate::domain::Line;
use crate::domain::day::Month;
use crate::domain::line::LineKind;
use crate::domain::placement::Pricing;
use crate::facts;
use crate::store::billing::{self, Charge};
use crate::store::{lines, seats};

/// What a line has accrued before that day.
pub(crate) async fn accrued(tx: &Tx, line: &Line, before: NaiveDate) -> anyhow::Result<Micros> {
    if line.wish.pricing != Pricing::Day {
        return billing::metered(tx, tx.tenant(), &line.id, before).await;
    }
    let flown = seats::flown(tx, tx.tenant(), &line.id, before).await?;
    Micros::of_minor(flown).context("what a line accrued does not fit")
}

/// Charges every month of a line that is over; how many charges were made.
pub(crate) async fn charge(
    context: &Context,
    tenant: &TenantId,
    id: &AdLineId,
) -> anyhow::Result<usize> {
    tx(&context.db, tenant, async |tx| {
        let line = crate::booking::line(tx, tx.tenant(), id).await?;
        let Some(mut month) = billing::charge_month(tx, id).await? else {
            return Ok(0);
        };
        let this = Month::of(context.today());
        let mut made = 0;
        while month < this {
            made += usize::from(charge_month(context, tx, &line, month).await?);
            month = month.next();
        }
        let over = line.stopped_on.unwrap_or(line.wish.ends_on);
        // A view of the last day may be told of up to two hours after it.
        let is_over = match line.wish.pricing {
            Pricing::Day => month.first() >= over,
            Pricing::Cpm | Pricing::Cpc => month.first() > over,
        };
        billing::set_charge_month(tx, id, (!is_over).then_some(month)).await?;
        Ok(made)
    })
    .await
}

async fn charge_month(
    context: &Context,
    tx: &Tx,
    line: &Line,
    month: Month,
) -> anyhow::Result<bool> {
    if line.kind != LineKind::Paid {
        return Ok(false);
    }
    let accrued = accrued(tx, line, month.next().first()).await?;
    let before = billing::charged(tx, tx.tenant(), &line.id).await?;
    let owed = Owed {
        key: format!("booking/{}/{month}", line.id),
        merchant: &line.merchant,
        source: ChargeSource::Booking,
        reference: line.id.as_str(),
        placement: Some(&line.placement),
        month,
        accrued,
        amount_minor: invoiced(accrued, before),
    };
    owe(context, tx, owed).await
}

/// What somebody owes, or, below zero, gets back.
pub(crate) struct Owed<'a> {
    /// The business key.
    pub key: String,
    /// Who.
    pub merchant: &'a MerchantId,
    /// For what.
    pub source: ChargeSource,
    /// The line or the exchange.
    pub reference: &'a str,
    /// Where it was shown.
    pub placement: Option<&'a PlacementId>,
    /// Of which month.
    pub month: Month,
    /// All that had accrued by then.
    pub accrued: Micros,
    /// How much, in fen.
    pub amount_minor: i64,
}

/// Charges somebody, once a key, and tells of it; whether there was anything to charge.
pub(crate) async fn owe(context: &Context, tx: &Tx, owed: Owed<'_>) -> anyhow::Result<bool> {
    if owed.amount_minor == 0 {
        return Ok(false);
    }
    // What is charged for a month is of that month, however late: it stands on that month's statement.
    let at = context.now.min(owed.month.last_moment());
    let charge = Charge {
        charge: owed.key,
        merchant: owed.merchant.clone(),
        line: owed.reference.to_owned(),
        month: owed.month.to_string(),
        accrued_micros: owed.accrued.get(),
        amount_minor: owed.amount_minor,
        at,
    };
    if !billing::insert_charge(tx, &charge).await? {
        return Ok(false);
    }
    let fact = charged(tx, &charge, (owed.source, owed.placement)).await?;
    facts::append(context, tx, &fact).await?;
    Ok(true)
}

/// A charge as others hear of it.
pub(crate) async fn charged(
    tx: &Tx,
    charge: &Charge,
    (source, placement): (ChargeSource, Option<&PlacementId>),
) -> anyhow::Result<AdvertisingCharged> {
    let place = match placement {
        None => None,
        Some(placement) => billing::place(tx, tx.tenant(), placement).await?,
    };
    let ownership = place
        .as_ref()
        .map_or(Ownership::Platform, |place| place.ownership);
    Ok(AdvertisingCharged {
        charge: charge.charge.clone(),
        merchant: charge.merchant.clone(),
        source,
        reference: charge.line.clone(),
        placement: placement.cloned(),
        ownership,
        community: place.and_then(|place| place.community),
        month: charge.month.clone(),
        amount_minor: charge.amount_minor,
        currency: Currency::Cny,
        at: charge.at,
    })
}

/// Gives back in proportion what a line fell short of.
pub(crate) async fn credit(
    context: &Context,
    tx: &Tx,
    line: &Line,
    back_minor: i64,
) -> anyhow::Result<()> {
    let owed = Owed {
        key: format!("make-good/{}", line.id),
        merchant: &line.merchant,
        source: ChargeSource::Booking,
        reference: line.id.as_str(),
        placement: Some(&line.placement),
        month: Month::of(context.today()),
        accrued: Micros::ZERO,
        amount_minor: -back_minor,
    };
    owe(context, tx, owed).await?;
    // What is still to be charged of it is charged as if nothing had been given back.
    let line = Line {
        made_good: true,
        version: line.version + 1,
        ..line.clone()
    };
    lines::update_line(tx, &line).await
}
