//! Makes offers: the bid is reserved from the budgets until the offer is used or its time is over.

use kernel::{AuctionRoundId, BidCampaignId, Timestamp, Zone};
use store::Tx;

use crate::context::Context;
use crate::domain::{Kind, Month, OfferState};
use crate::field::Changed;
use crate::ranking::{Shown, Wanted, What};
use crate::store::candidates::{Candidate, Content};
use crate::store::offers::{self, Offer};
use crate::store::sealed_bids::Let;
use crate::store::{campaigns, counts, lineups};

/// What one view is, in 1/1,000,000: screens in public are seen by more than one.
pub(crate) const ONE_VIEW: i64 = 1_000_000;

/// What holds for all offers of a page.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// For whom: a digest that is another one tomorrow.
    pub(crate) viewer: &'a str,
    /// How long, in milliseconds.
    pub(crate) holds_ms: i64,
    /// How many views one view is, in 1/1,000,000.
    pub(crate) views_millionths: i64,
    /// Whether somebody else's auction decides what is paid: then it is the bid, unless that says less.
    pub(crate) pays_bid: bool,
}

/// What won a slot of a round.
pub(crate) struct Win<'a> {
    pub(crate) round: &'a AuctionRoundId,
    /// As of which version of who can bid.
    pub(crate) version: i64,
    pub(crate) candidate: &'a Candidate,
    pub(crate) content: &'a Content,
    pub(crate) slot: i64,
    /// In the unit of the bids.
    pub(crate) price_minor: i64,
}

/// The day of a moment in the platform's zone.
pub(crate) fn day_of(now: Timestamp) -> String {
    Zone::SHANGHAI.local(now).date.to_string()
}

/// The month of a moment in the platform's zone.
pub(crate) fn month_of(now: Timestamp) -> Month {
    Month::at(Zone::SHANGHAI, now)
}

/// What so many views come to; rounded up, once. One view is exact.
pub(crate) fn times(micros: i64, views_millionths: i64) -> Option<i64> {
    let whole = i128::from(micros) * i128::from(views_millionths);
    let unit = i128::from(ONE_VIEW);
    i64::try_from((whole + unit - 1) / unit).ok()
}

/// Offers what a bid won; nothing where a budget does not bear it.
///
/// # Errors
/// [`Changed`] when it was won among bids, or by something to show, that are no longer those of now; a failure of the
/// database.
pub(crate) async fn of_bid(
    context: &Context,
    tx: &Tx,
    wanted: &Wanted<'_>,
    win: &Win<'_>,
) -> anyhow::Result<Option<Shown>> {
    let (won, content) = (win.candidate, win.content);
    let price_minor = match wanted.terms.pays_bid {
        true => won.amount,
        false => win.price_minor,
    };
    let Some((bid_micros, price_micros)) = most(wanted, (won, price_minor)) else {
        return Ok(None);
    };
    let day = day_of(context.now);
    if !campaigns::reserve(tx, &won.campaign, (bid_micros, win.version)).await? {
        return match lineups::version(tx).await? == win.version {
            true => Ok(None),
            false => Err(Changed.into()),
        };
    }
    let of_day = (bid_micros, won.bid_micros, won.daily_micros);
    if !counts::use_day(tx, (&won.campaign, &day), of_day).await? {
        campaigns::settle(tx, &won.campaign, (bid_micros, 0)).await?;
        return Ok(None);
    }
    let offer = Offer {
        id: context.new_id()?,
        round: win.round.clone(),
        campaign: won.campaign.clone(),
        merchant: won.merchant.clone(),
        creative: won.creative.clone(),
        placement: wanted.place().cloned(),
        sold: wanted.sold,
        slot: win.slot,
        viewer: wanted.terms.viewer.to_owned(),
        bid_micros,
        price_micros: price_micros.min(bid_micros),
        ratio_bps: match wanted.sold {
            Kind::Sale => price_minor,
            Kind::Rank | Kind::Display => 0,
        },
        charged_micros: 0,
        day,
        state: OfferState::Open,
        made_at: context.now,
        expires_at: context.now.plus_millis(wanted.terms.holds_ms),
        viewed_at: None,
        clicked_at: None,
    };
    offers::insert(tx, &offer).await?;
    let what = What {
        advertiser: content.advertiser.clone(),
        advertiser_domain: won.advertiser_domain.clone(),
        title: content.title.clone(),
        body: content.body.clone(),
        image: content.image.clone(),
        video: content.video.clone(),
        video_ms: won.video_ms,
        landing: content.landing.clone(),
        width: won.width,
        height: won.height,
        price_minor,
    };
    Ok(Some(Shown { offer, what }))
}

/// What is reserved for an offer, and what it costs at most, in micros.
fn most(wanted: &Wanted<'_>, (won, price_minor): (&Candidate, i64)) -> Option<(i64, i64)> {
    let views = wanted.terms.views_millionths;
    let one = match wanted.sold {
        Kind::Sale => won.bid_micros,
        Kind::Rank | Kind::Display => wanted.sold.micros(price_minor)?,
    };
    Some((times(won.bid_micros, views)?, times(one, views)?))
}

/// Offers what is shown on a rank that is let: paid for already, and counted all the same.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn of_let(
    context: &Context,
    tx: &Tx,
    wanted: &Wanted<'_>,
    (round, let_, slot): (&AuctionRoundId, Let, i64),
) -> anyhow::Result<Shown> {
    let offer = Offer {
        id: context.new_id()?,
        round: round.clone(),
        campaign: BidCampaignId::parse(let_.bid.as_str())?,
        merchant: let_.merchant,
        creative: let_.creative,
        placement: wanted.place().cloned(),
        sold: wanted.sold,
        slot,
        viewer: wanted.terms.viewer.to_owned(),
        bid_micros: 0,
        price_micros: 0,
        ratio_bps: 0,
        charged_micros: 0,
        day: day_of(context.now),
        state: OfferState::Open,
        made_at: context.now,
        expires_at: context.now.plus_millis(wanted.terms.holds_ms),
        viewed_at: None,
        clicked_at: None,
    };
    offers::insert(tx, &offer).await?;
    let what = What {
        advertiser: let_.advertiser,
        advertiser_domain: String::new(),
        title: let_.title,
        body: let_.body,
        image: let_.image,
        video: None,
        video_ms: 0,
        landing: let_.landing,
        width: 0,
        height: 0,
        price_minor: 0,
    };
    Ok(Shown { offer, what })
}
