//! Sales that came of clicks where a ratio was bid: found by the buyer's digests of the days before, charged line by line as
//! they are completed, given back as they are refunded; each once.

use kernel::Currency;
use store::Tx;
use wire::event::{OfferCharged, OrderLineCompleted, OrderLineRefunded};

use crate::context::Context;
use crate::domain::{HOUR_MS, OfferState, Sold, came_of};
use crate::facts::append;
use crate::offering::{day_of, month_of};
use crate::store::offers::{self, Offer};
use crate::store::sales::{self, Cause, Sale, VIEWERS};
use crate::store::{accruals, campaigns, counts};

/// A line was sold. It counts when its order came of a click whose bid is still reserved.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn completed(
    context: &Context,
    tx: &Tx,
    event: &OrderLineCompleted,
) -> anyhow::Result<()> {
    if event.base_minor <= 0 {
        return Ok(());
    }
    let before = sales::of_order(tx, &event.order).await?;
    let is_new = before.is_none();
    let (sale, offer) = match before {
        Some(sale) => {
            let offer = offers::offer(tx, tx.tenant(), &sale.offer).await?;
            (sale, offer)
        }
        None => match clicked(context, tx, event).await? {
            Some(offer) => (of_offer(&offer, event), Some(offer)),
            None => return Ok(()),
        },
    };
    let is_held =
        |offer: &Offer| offer.state == OfferState::Open && event.completed_at < offer.expires_at;
    let Some(offer) = offer.filter(is_held) else {
        return Ok(());
    };
    if is_new {
        sales::insert(tx, &sale).await?;
    }
    let cause = Cause {
        line: &event.line,
        refund: "",
    };
    change(context, tx, (sale, Some(offer)), (&cause, event.base_minor)).await
}

/// A line that was sold by a click went back, or a part of it.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn refunded(
    context: &Context,
    tx: &Tx,
    event: &OrderLineRefunded,
) -> anyhow::Result<()> {
    let Some(sale) = sales::of_order(tx, &event.order).await? else {
        return Ok(());
    };
    if !sales::is_sold(tx, &event.line).await? {
        return Ok(());
    }
    let offer = offers::offer(tx, tx.tenant(), &sale.offer).await?;
    let cause = Cause {
        line: &event.line,
        refund: event.refund.as_str(),
    };
    let back = event.base_minor.max(0).saturating_neg();
    change(context, tx, (sale, offer), (&cause, back)).await
}

/// Which click an order came of, if of one: the buyer's last one on what the merchant showed.
async fn clicked(
    context: &Context,
    tx: &Tx,
    event: &OrderLineCompleted,
) -> anyhow::Result<Option<Offer>> {
    let mut viewers: [String; VIEWERS] = Default::default();
    let mut at = event.paid_at;
    for viewer in &mut viewers {
        let of_day = (day_of(at), event.buyer.as_str());
        *viewer = context.signer.viewer(tx.tenant(), (&of_day.0, of_day.1))?;
        at = at.plus_millis(-24 * HOUR_MS);
    }
    let of = (&viewers, &event.merchant);
    let Some(id) = sales::clicked(tx, of, event.paid_at).await? else {
        return Ok(None);
    };
    let offer = offers::offer(tx, tx.tenant(), &id).await?;
    let in_time = |offer: &Offer| {
        let clicked_at = offer.clicked_at;
        clicked_at.is_some_and(|clicked_at| came_of(clicked_at, event.paid_at))
    };
    Ok(offer.filter(in_time))
}

/// What is to be sold by an offer.
fn of_offer(offer: &Offer, event: &OrderLineCompleted) -> Sale {
    Sale {
        offer: offer.id.clone(),
        order: event.order.clone(),
        round: offer.round.clone(),
        campaign: offer.campaign.clone(),
        merchant: offer.merchant.clone(),
        placement: offer.placement.clone(),
        day: offer.day.clone(),
        sold: Sold {
            ratio_bps: offer.ratio_bps,
            most_micros: offer.bid_micros,
            sale_minor: 0,
            charged_micros: 0,
        },
    }
}

/// So much more, or less, is sold: once, and charged or given back.
async fn change(
    context: &Context,
    tx: &Tx,
    (sale, offer): (Sale, Option<Offer>),
    (cause, sale_minor): (&Cause<'_>, i64),
) -> anyhow::Result<()> {
    let sold = sale.sold.and(sale_minor);
    let micros = sold.charged_micros - sale.sold.charged_micros;
    let day = day_of(context.now);
    if !sales::insert_line(tx, (&sale, cause), (sale_minor, micros, &day)).await? {
        return Ok(());
    }
    let sale = Sale { sold, ..sale };
    sales::update(tx, &sale).await?;
    if micros == 0 {
        return Ok(());
    }
    // While the offer holds, all of its bid is either spent or reserved.
    let is_open = |offer: &&Offer| offer.state == OfferState::Open;
    let reserved = offer.as_ref().filter(is_open).map_or(0, |_| micros);
    campaigns::settle(tx, &sale.campaign, (reserved, micros)).await?;
    counts::settle_day(tx, (&sale.campaign, &sale.day), (reserved, micros)).await?;
    if let Some(mut offer) = offer {
        offer.charged_micros = sold.charged_micros;
        offers::update(tx, &offer).await?;
    }
    bill(context, tx, (&sale, micros)).await
}

/// It stands on the month's invoice.
async fn bill(context: &Context, tx: &Tx, (sale, micros): (&Sale, i64)) -> anyhow::Result<()> {
    let key = accruals::Key {
        campaign: sale.campaign.clone(),
        placement: sale.placement.clone(),
        month: month_of(context.now).to_string(),
    };
    accruals::accrue(tx, &key, (&sale.merchant, micros)).await?;
    let fact = OfferCharged {
        offer: sale.offer.clone(),
        round: sale.round.clone(),
        campaign: sale.campaign.clone(),
        merchant: sale.merchant.clone(),
        price_micros: micros,
        currency: Currency::Cny,
        at: context.now,
    };
    append(context, tx, &fact).await
}
