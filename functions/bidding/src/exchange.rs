//! Answers OpenRTB: as a bidder on other people's pages, and as the exchange of our own placements. Who cannot be served
//! is told before the database is asked, who finds nobody before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use advertising::OFFER_MS;
use kernel::{BidCampaignId, MerchantId, PlacementId, TenantId};
use store::{Tx, tx};

use crate::context::Context;
use crate::domain::{BID_MAX, Kind, Target, TargetKind};
use crate::field::{self, Field, Runner};
use crate::offering::{Terms, day_of};
use crate::openrtb::{Assets, Banner, BidRequest, Film, Imp, NoBid, PROTOCOL, Video, assets};
use crate::ranking::{self, Held, Shown, Wanted};
use crate::store::candidates::Candidate;
use crate::store::placements::{self, Placement};

/// How long a bid holds where the exchange does not say, in milliseconds: 5 minutes.
const HOLDS_MS: i64 = 5 * 60_000;
/// How often somebody else is looked for whose budget bears what was won.
const TRIES_MAX: usize = 5;
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

/// What an impression is filled with: the first of these that it takes.
pub(crate) enum Shape {
    Banner,
    Native(Assets),
    Video,
}

/// An impression that can be filled.
pub(crate) struct Ask<'a> {
    pub(crate) imp: &'a Imp,
    pub(crate) shape: Shape,
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

/// An impression that somebody could fill, in our placement if it is one.
type Fillable<'a> = (&'a Ask<'a>, Option<Placement>);

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
    let shape = match (&imp.banner, &imp.native, &imp.video) {
        (Some(_), _, _) => Shape::Banner,
        (None, Some(native), _) => {
            Shape::Native(assets(&native.request).map_err(|_| NoBid::Unsupported)?)
        }
        (None, None, Some(video)) if video.plays(Film::MIME, PROTOCOL) => Shape::Video,
        (None, None, _) => return Err(NoBid::Unsupported),
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
        shape,
        floor_minor,
        views_millionths,
    })
}

/// Fills what can be filled, with what may be shown at that moment.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn sell<'a>(
    context: &Context,
    whose: (&TenantId, Market),
    asked: (&BidRequest, &'a [Ask<'a>]),
) -> anyhow::Result<Vec<Sold<'a>>> {
    let sold = field::unchanged(async || sell_now(context, whose, asked).await).await?;
    Ok(sold.unwrap_or_default())
}

async fn sell_now<'a>(
    context: &Context,
    (tenant, market): (&TenantId, Market),
    (request, asks): (&BidRequest, &'a [Ask<'a>]),
) -> anyhow::Result<Vec<Sold<'a>>> {
    let (wanted, fields) = fillable(context, tenant, (request, market), asks).await?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let named = request.user.as_ref().and_then(|user| user.id.as_deref());
    let day = day_of(context.now);
    let viewer = match named {
        Some(named) => context.signer.viewer(tenant, (&day, named))?,
        None => String::new(),
    };
    let places: Vec<Place<'a, '_>> = wanted
        .into_iter()
        .filter_map(|(ask, placement)| {
            let field = fields.get(&ask.target)?;
            Some(Place {
                ask,
                field,
                placement,
            })
        })
        .collect();
    let (asked, nobody) = ((request, market), (BTreeSet::new(), BTreeSet::new()));
    // Nobody who writes waits while it is held; what else is on the page depends on it.
    let first = match places.first() {
        Some(place) => {
            let wanted = place.wanted(asked, (&nobody.0, &viewer), &nobody.1);
            ranking::hold(context, (place.field, &wanted), Vec::new())?
        }
        None => None,
    };
    tx(&context.db, tenant, async |tx| {
        let (mut sold, mut besides) = (Vec::new(), BTreeSet::new());
        for (index, place) in places.iter().enumerate() {
            let held = first.as_ref().filter(|_| index == 0);
            let of = (&besides, viewer.as_str());
            let filled = fill(context, tx, asked, (place, held), of).await?;
            if let Some(shown) = filled {
                besides.insert(shown.offer.merchant.clone());
                let ask = place.ask;
                sold.push(Sold { ask, shown });
            }
        }
        Ok(sold)
    })
    .await
}

/// What somebody could fill, with our placement if it is one; and who could, fixed so that rounds can be held.
async fn fillable<'a>(
    context: &Context,
    tenant: &TenantId,
    (request, market): (&BidRequest, Market),
    asks: &'a [Ask<'a>],
) -> anyhow::Result<(Vec<Fillable<'a>>, BTreeMap<&'a Target, Field>)> {
    let mut wanted = Vec::new();
    let mut fields: BTreeMap<&Target, Field> = BTreeMap::new();
    for ask in asks {
        if !fields.contains_key(&ask.target) {
            let field = Field::now(context, tenant, (&ask.target, Kind::Display)).await?;
            fields.insert(&ask.target, field);
        }
        let Some(field) = fields.get(&ask.target) else {
            continue;
        };
        let mut could = field.runners(context).into_iter();
        // Its size, for one, fits nobody's: that needs no placement.
        if !could.any(|one| ask.suits((request, market), one.candidate)) {
            continue;
        }
        let placement = placement(context, tenant, (ask, market)).await?;
        let is_sold = placement
            .as_ref()
            .is_none_or(|placement| placement.sells("display"));
        let is_ours = market == Market::Foreign || placement.is_some();
        let fits = |one: Runner<'_>| ask.fits((request, market), one.candidate, placement.as_ref());
        if is_ours && is_sold && field.runners(context).into_iter().any(fits) {
            wanted.push((ask, placement));
        }
    }
    for (ask, _) in &wanted {
        if let Some(field) = fields.get_mut(&ask.target) {
            field.fix(context, tenant).await?;
        }
    }
    Ok((wanted, fields))
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

/// An impression that somebody could fill.
struct Place<'a, 'f> {
    ask: &'a Ask<'a>,
    field: &'f Field,
    /// Where it is one of ours.
    placement: Option<Placement>,
}

impl Place<'_, '_> {
    /// What is wanted there: of nobody who is on the page already, or whose budget did not bear it.
    fn wanted<'b>(
        &'b self,
        (request, market): (&'b BidRequest, Market),
        (besides, viewer): (&'b BTreeSet<MerchantId>, &'b str),
        not_borne: &'b BTreeSet<BidCampaignId>,
    ) -> Wanted<'b> {
        let placement = self.placement.as_ref();
        let fits = move |one: &Candidate| {
            self.ask.fits((request, market), one, placement) && !not_borne.contains(&one.campaign)
        };
        Wanted {
            target: &self.ask.target,
            sold: Kind::Display,
            placement,
            slots: 1,
            floor_minor: self.ask.floor_minor,
            besides,
            fits: Box::new(fits),
            terms: Terms {
                viewer,
                holds_ms: self.ask.holds_ms,
                views_millionths: self.ask.views_millionths,
                pays_bid: market == Market::Foreign,
            },
        }
    }
}

/// Offers what won the round that was held; where its budget does not bear it, what comes next.
async fn fill(
    context: &Context,
    tx: &Tx,
    asked: (&BidRequest, Market),
    (place, first): (&Place<'_, '_>, Option<&Held<'_>>),
    of: (&BTreeSet<MerchantId>, &str),
) -> anyhow::Result<Option<Shown>> {
    let mut not_borne: BTreeSet<BidCampaignId> = BTreeSet::new();
    for turn in 0..TRIES_MAX {
        let page = {
            let wanted = place.wanted(asked, of, &not_borne);
            let again = match first.filter(|_| turn == 0) {
                Some(_) => None,
                None => ranking::hold(context, (place.field, &wanted), Vec::new())?,
            };
            let Some(held) = again.as_ref().or(first.filter(|_| turn == 0)) else {
                return Ok(None);
            };
            ranking::offer(context, tx, (place.field, &wanted, held)).await?
        };
        if !page.shown.is_empty() || page.not_borne.is_empty() {
            return Ok(page.shown.into_iter().next());
        }
        not_borne.extend(page.not_borne);
    }
    Ok(None)
}

impl Ask<'_> {
    /// Whether somebody bids enough, may be shown there, and has what is shown there.
    fn fits(
        &self,
        asked: (&BidRequest, Market),
        one: &Candidate,
        placement: Option<&Placement>,
    ) -> bool {
        let fits_there = placement.is_none_or(|placement| ranking::fits_placement(one, placement));
        fits_there && self.suits(asked, one)
    }

    /// As [`Ask::fits`], in any placement.
    fn suits(&self, (request, market): (&BidRequest, Market), one: &Candidate) -> bool {
        let suits = match &self.shape {
            Shape::Native(assets) => {
                one.format == "native" && (one.has_image || !assets.needs_image())
            }
            Shape::Banner => {
                let fits = |banner: &Banner| banner.fits(one.width, one.height);
                one.format == "banner" && self.imp.banner.as_ref().is_some_and(fits)
            }
            Shape::Video => {
                let fits = |video: &Video| one.video_ms > 0 && video.fits(one.video_ms);
                one.format == "video" && self.imp.video.as_ref().is_some_and(fits)
            }
        };
        let is_blocked = || {
            let mut blocked = request.badv.iter();
            blocked.any(|domain| domain.eq_ignore_ascii_case(&one.advertiser_domain))
        };
        let may_sit = || market == Market::Own || request.takes_seat(one.merchant.as_str());
        suits && one.amount >= self.floor_minor && may_sit() && !is_blocked()
    }
}
