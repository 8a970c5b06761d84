//! What is done with offers: seen, clicked, lost, expired. What counts is charged once; all else is counted by its reason.

use std::collections::BTreeMap;

use kernel::{Actor, ActorKind, BidCampaignId, OfferId, TenantId};
use store::{Tx, tx};
use wire::event::OfferCharged;

use crate::context::Context;
use crate::domain::{self, HELD_MS, Invalid, Kind, OfferState, Seen};
use crate::facts::append;
use crate::offering::{day_of, month_of};
use crate::store::offers::{self, Offer};
use crate::store::{accruals, campaigns, counts, known, rounds};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    View,
    Click,
}

impl Deed {
    fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Click => "click",
        }
    }
}

/// Who did what.
pub(crate) struct Done<'a> {
    pub(crate) deed: Deed,
    /// Nobody in particular over an exchange.
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) user_agent: &'a str,
    /// What an exchange says that it costs, in micros; never more than was bid.
    pub(crate) price_micros: Option<i64>,
}

/// Whether the words with which a program introduces itself are those of one that only looks through pages. Fewer than
/// `advertising::is_crawler` knows: exchanges tell of views by their servers, whose libraries name themselves.
pub(crate) fn is_crawler(user_agent: &str) -> bool {
    let name = user_agent.to_lowercase();
    let words = ["bot", "crawler", "spider"];
    words.iter().any(|word| name.contains(word))
}

/// Counts what was done, and charges what is billed by it; or counts why not.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn count(
    context: &Context,
    tenant: &TenantId,
    (id, done): (&OfferId, &Done<'_>),
) -> anyhow::Result<Result<Offer, Invalid>> {
    tx(&context.db, tenant, async |tx| {
        let Some(mut offer) = offers::offer(tx, tx.tenant(), id).await? else {
            let what = (done.deed.as_str(), Invalid::Unknown.as_str());
            counts::count_invalid(tx, (None, &day_of(context.now)), what).await?;
            return Ok(Err(Invalid::Unknown));
        };
        let seen = look(context, tx, (&offer, done)).await?;
        let judged = match done.deed {
            Deed::View => domain::view(&seen),
            Deed::Click => domain::click(&seen),
        };
        if let Err(reason) = judged {
            let what = (done.deed.as_str(), reason.as_str());
            let of = (Some(&offer.campaign), day_of(context.now));
            counts::count_invalid(tx, (of.0, &of.1), what).await?;
            return Ok(Err(reason));
        }
        keep(context, tx, &mut offer, done).await?;
        Ok(Ok(offer))
    })
    .await
}

/// What is known about an offer when something is done with it.
async fn look(
    context: &Context,
    tx: &Tx,
    (offer, done): (&Offer, &Done<'_>),
) -> anyhow::Result<Seen> {
    let tenant = tx.tenant();
    let merchant = known::merchant(tx, tenant, &offer.merchant).await?;
    let creative = known::creative(tx, tenant, &offer.creative).await?;
    let campaign = campaigns::campaign(tx, tenant, &offer.campaign).await?;
    let bids = campaign.is_none_or(|campaign| campaign.shown_state(context.now) != "ended");
    let is_internal = match done.actor {
        None => false,
        Some(actor) => match actor.kind {
            ActorKind::Operator | ActorKind::Auditor => true,
            ActorKind::Merchant => {
                known::is_member(tx, tenant, (&offer.merchant, &actor.id)).await?
            }
            _ => false,
        },
    };
    Ok(Seen {
        state: offer.state,
        is_viewed: offer.viewed_at.is_some(),
        is_clicked: offer.clicked_at.is_some(),
        expires_at: offer.expires_at,
        now: context.now,
        is_crawler: is_crawler(done.user_agent),
        is_internal,
        is_shown: bids
            && merchant.is_some_and(|merchant| merchant.open && merchant.may_trade)
            && creative.is_some_and(|creative| creative.approved),
        clicks_today: match done.deed {
            Deed::Click if !offer.viewer.is_empty() => offers::clicks_of(tx, offer).await?,
            _ => 0,
        },
    })
}

/// Stores what counts.
async fn keep(
    context: &Context,
    tx: &Tx,
    offer: &mut Offer,
    done: &Done<'_>,
) -> anyhow::Result<()> {
    let (counted, is_billed) = match done.deed {
        Deed::View => {
            offer.viewed_at = Some(context.now);
            ((1, 0), offer.sold == Kind::Display)
        }
        Deed::Click => {
            offer.clicked_at = Some(context.now);
            if offer.sold == Kind::Sale {
                // Its bid stays reserved until what comes of it is completed, and its round is kept as long.
                offer.expires_at = context.now.plus_millis(HELD_MS);
                rounds::mark(tx, &offer.round).await?;
            }
            ((0, 1), offer.sold == Kind::Rank)
        }
    };
    campaigns::count(tx, &offer.campaign, counted).await?;
    counts::count_day(tx, (&offer.campaign, &offer.day), counted).await?;
    if is_billed {
        let price = done.price_micros.unwrap_or(offer.price_micros);
        charge(context, tx, offer, price.clamp(0, offer.bid_micros)).await?;
    }
    offers::update(tx, offer).await
}

/// Spends the price of what was reserved, and lets the rest go.
async fn charge(
    context: &Context,
    tx: &Tx,
    offer: &mut Offer,
    price_micros: i64,
) -> anyhow::Result<()> {
    let spent = (offer.bid_micros, price_micros);
    campaigns::settle(tx, &offer.campaign, spent).await?;
    counts::settle_day(tx, (&offer.campaign, &offer.day), spent).await?;
    offer.state = OfferState::Charged;
    offer.charged_micros = price_micros;
    rounds::mark(tx, &offer.round).await?;
    if price_micros == 0 {
        return Ok(());
    }
    let key = accruals::Key {
        campaign: offer.campaign.clone(),
        placement: offer.placement.clone(),
        month: month_of(context.now).to_string(),
    };
    accruals::accrue(tx, &key, (&offer.merchant, price_micros)).await?;
    let fact = OfferCharged {
        offer: offer.id.clone(),
        round: offer.round.clone(),
        campaign: offer.campaign.clone(),
        merchant: offer.merchant.clone(),
        price_micros,
        currency: kernel::Currency::Cny,
        at: context.now,
    };
    append(context, tx, &fact).await
}

/// Lets go of what was reserved for an offer that was lost, while it is open.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn lose(context: &Context, tenant: &TenantId, id: &OfferId) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        let found = offers::offer(tx, tx.tenant(), id).await?;
        let Some(mut offer) = found.filter(|offer| offer.state == OfferState::Open) else {
            return Ok(());
        };
        let nothing = (offer.bid_micros, 0);
        campaigns::settle(tx, &offer.campaign, nothing).await?;
        counts::settle_day(tx, (&offer.campaign, &offer.day), nothing).await?;
        offer.state = OfferState::Released;
        offers::update(tx, &offer).await
    })
    .await
}

/// Lets go of what was reserved for offers whose time is over, at most `limit`; of how many. A budget is touched once,
/// however many of its offers there are.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn release(
    context: &Context,
    tenant: &TenantId,
    limit: i64,
) -> anyhow::Result<usize> {
    tx(&context.db, tenant, async |tx| {
        let released = offers::release(tx, (context.now, limit)).await?;
        let count = released.len();
        let mut sums: BTreeMap<(BidCampaignId, String), i64> = BTreeMap::new();
        for (campaign, day, bid_micros) in released {
            *sums.entry((campaign, day)).or_default() += bid_micros;
        }
        for ((campaign, day), micros) in &sums {
            campaigns::settle(tx, campaign, (*micros, 0)).await?;
            counts::settle_day(tx, (campaign, day), (*micros, 0)).await?;
        }
        Ok(count)
    })
    .await
}
