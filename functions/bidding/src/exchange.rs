//! Answers OpenRTB: as a bidder on other people's pages, and as the exchange of our own placements. Who cannot be served
//! is told before the database is asked, who finds nobody before anything is written.

use std::collections::BTreeSet;

use kernel::{MerchantId, PlacementId, TenantId};
use store::{Tx, tx};

use crate::context::Context;
use crate::domain::{BID_MAX, Kind, Target, TargetKind};
use crate::offering::{OFFER_MS, Terms, day_of};
use crate::openrtb::{Assets, BidRequest, Imp, NoBid, assets};
use crate::ranking::{self, Shown, Wanted};
use crate::store::candidates::Candidate;
use crate::store::placements::{self, Placement};

/// How long a bid holds where the exchange does not say, in milliseconds: 5 minutes.
const HOLDS_MS: i64 = 5 * 60_000;
/// The most views that one is: a screen that a thousand people see.
const VIEWS_MILLIONTHS_MAX: i64 = 1_000 * 1_000_000;

/// Whose auction it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Market {
    /// Somebody else's: we bid there.
    Foreign,
    /// Ours: we hold it.
    Own,
}

/// An impression that can be filled.
pub(crate) struct Ask<'a> {
    pub(crate) imp: &'a Imp,
    /// What a native one asks for; a banner otherwise.
    pub(crate) assets: Option<Assets>,
    target: Target,
    floor_minor: i64,
    /// How many views one is, in 1/1,000,000.
    pub(crate) views_millionths: i64,
    holds_ms: i64,
}

/// An impression that is filled.
pub(crate) struct Sold<'a> {
    pub(crate) ask: &'a Ask<'a>,
    pub(crate) shown: Shown,
}

/// What of a request can be filled at all.
///
/// # Errors
/// Why nothing can.
pub(crate) fn asks(request: &BidRequest, market: Market) -> Result<Vec<Ask<'_>>, NoBid> {
    let agent = request
        .device
        .as_ref()
        .and_then(|device| device.ua.as_deref());
    if agent.is_some_and(crate::counting::is_crawler) {
        return Err(NoBid::Crawler);
    }
    if request.test == 1 {
        return Err(NoBid::Test);
    }
    if !request.takes_yuan() {
        return Err(NoBid::Currency);
    }
    let (mut asks, mut reason) = (Vec::new(), NoBid::Unsupported);
    for imp in &request.imp {
        match ask(request, imp, market) {
            Ok(ask) => asks.push(ask),
            Err(why) => reason = why,
        }
    }
    if asks.is_empty() {
        Err(reason)
    } else {
        Ok(asks)
    }
}

fn ask<'a>(request: &BidRequest, imp: &'a Imp, market: Market) -> Result<Ask<'a>, NoBid> {
    let assets = match (&imp.banner, &imp.native) {
        (Some(_), _) => None,
        (None, Some(native)) => Some(assets(&native.request).map_err(|_| NoBid::Unsupported)?),
        (None, None) => return Err(NoBid::Unsupported),
    };
    let (kind, value) = match market {
        Market::Own => (
            TargetKind::Placement,
            imp.placed().ok_or(NoBid::Unsupported)?,
        ),
        Market::Foreign => (TargetKind::Exchange, request.channel().unwrap_or("*")),
    };
    let floor = imp.floor().map_err(|_| NoBid::Unsupported)?;
    let floor_minor = floor.ok_or(NoBid::Currency)?.fen_up();
    if floor_minor > BID_MAX {
        return Err(NoBid::Nobody);
    }
    let views_millionths = imp.views_millionths().map_err(|_| NoBid::Unsupported)?;
    if !(1..=VIEWS_MILLIONTHS_MAX).contains(&views_millionths) {
        return Err(NoBid::Unsupported);
    }
    let asked = imp.exp.map(|seconds| seconds.saturating_mul(1_000));
    Ok(Ask {
        target: Target::parse(kind, value).map_err(|_| NoBid::Unsupported)?,
        holds_ms: asked.unwrap_or(HOLDS_MS).clamp(1_000, OFFER_MS),
        imp,
        assets,
        floor_minor,
        views_millionths,
    })
}

/// Fills what can be filled.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn sell<'a>(
    context: &Context,
    (tenant, market): (&TenantId, Market),
    (request, asks): (&BidRequest, &'a [Ask<'a>]),
) -> anyhow::Result<Vec<Sold<'a>>> {
    let mut wanted = Vec::new();
    for ask in asks {
        let of = (&ask.target, Kind::Display);
        let bidders = ranking::bidders(context, &context.db, tenant, of).await?;
        let placement = placement(context, tenant, (ask, market)).await?;
        let is_sold = placement
            .as_ref()
            .is_none_or(|placement| placement.sells("display"));
        let is_ours = market == Market::Foreign || placement.is_some();
        let fits = |one: &&Candidate| {
            one.bid_minor >= ask.floor_minor && ask.fits((request, market), one, placement.as_ref())
        };
        if is_ours && is_sold && bidders.iter().find(fits).is_some() {
            wanted.push((ask, placement));
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let named = request.user.as_ref().and_then(|user| user.id.as_deref());
    let day = day_of(context.now);
    let viewer = match named {
        Some(named) => context.signer.viewer(tenant, (&day, named))?,
        None => String::new(),
    };
    tx(&context.db, tenant, async |tx| {
        let (mut sold, mut besides) = (Vec::new(), BTreeSet::new());
        for (ask, placement) in &wanted {
            let filled = fill(
                context,
                tx,
                (request, market),
                (ask, placement.as_ref()),
                (&besides, &viewer),
            )
            .await?;
            if let Some(shown) = filled {
                besides.insert(shown.offer.merchant.clone());
                sold.push(Sold { ask, shown });
            }
        }
        Ok(sold)
    })
    .await
}

async fn placement(
    context: &Context,
    tenant: &TenantId,
    (ask, market): (&Ask<'_>, Market),
) -> anyhow::Result<Option<Placement>> {
    if market == Market::Foreign {
        return Ok(None);
    }
    match PlacementId::parse(&ask.target.value) {
        Ok(id) => placements::placement(&context.db, tenant, &id).await,
        Err(_) => Ok(None),
    }
}

async fn fill(
    context: &Context,
    tx: &Tx,
    (request, market): (&BidRequest, Market),
    (ask, placement): (&Ask<'_>, Option<&Placement>),
    (besides, viewer): (&BTreeSet<MerchantId>, &str),
) -> anyhow::Result<Option<Shown>> {
    let fits = |one: &Candidate| ask.fits((request, market), one, placement);
    let wanted = Wanted {
        target: &ask.target,
        sold: Kind::Display,
        placement,
        slots: 1,
        floor_minor: ask.floor_minor,
        besides,
        fits: &fits,
        terms: Terms {
            viewer,
            holds_ms: ask.holds_ms,
            views_millionths: ask.views_millionths,
            pays_bid: market == Market::Foreign,
        },
    };
    let page = ranking::rank(context, tx, &wanted).await?;
    Ok(page.shown.into_iter().next())
}

impl Ask<'_> {
    /// Whether what somebody has to show fits, and may be shown there.
    fn fits(
        &self,
        (request, market): (&BidRequest, Market),
        one: &Candidate,
        placement: Option<&Placement>,
    ) -> bool {
        let is_blocked = request
            .badv
            .iter()
            .any(|domain| domain.eq_ignore_ascii_case(&one.advertiser_domain));
        let may_sit = market == Market::Own || request.takes_seat(one.merchant.as_str());
        let fits = match (&self.assets, &self.imp.banner) {
            (Some(assets), _) => {
                one.format == "native" && (one.image.is_some() || !assets.needs_image())
            }
            (None, Some(banner)) => one.format == "banner" && banner.fits(one.width, one.height),
            (None, None) => false,
        };
        let fits_there = placement.is_none_or(|placement| ranking::fits_placement(one, placement));
        fits && fits_there && may_sit && !is_blocked
    }
}
