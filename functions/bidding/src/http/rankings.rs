//! `/api/bidding/rankings`: what is shown, in which order, to somebody who looks at a board, a category, a search or a
//! placement.

use std::collections::BTreeSet;

use advertising::OFFER_MS;
use kernel::{
    Actor, AuctionRoundId, BidCampaignId, CreativeId, MerchantId, Message, PlacementId, Refusal,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use store::Answer;
use web::{Reply, Request};

use super::{answer, caller, replied, write};
use crate::context::Context;
use crate::domain::{Kind, Target, TargetKind};
use crate::field::{self, Field};
use crate::inbox;
use crate::offering::{ONE_VIEW, Terms, day_of};
use crate::ranking::{self, Page, Shown, Wanted};
use crate::store::candidates::Candidate;
use crate::store::placements::{self, Placement};

/// What stands on everything that is paid for.
pub(super) const LABEL: &str = "广告";
/// Who is on the page already: it begins with what is ranked.
static NOBODY: BTreeSet<MerchantId> = BTreeSet::new();
/// The most advertisements of one page.
const SLOTS_MAX: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    #[serde(default)]
    placement: Option<PlacementId>,
    #[serde(default)]
    board: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    keyword: Option<String>,
    #[serde(default)]
    slots: Option<usize>,
    /// Who looks, where an application asks for somebody else; the caller otherwise.
    #[serde(default)]
    viewer: Option<String>,
}

#[derive(Serialize)]
struct ShownPage {
    round: Option<AuctionRoundId>,
    label: &'static str,
    items: Vec<ShownItem>,
}

#[derive(Serialize)]
struct ShownItem {
    slot: i64,
    label: &'static str,
    /// What views and clicks name; it holds once, until `expires_at`.
    offer: String,
    campaign: BidCampaignId,
    creative: CreativeId,
    advertiser: String,
    merchant: MerchantId,
    title: String,
    body: String,
    image: Option<String>,
    video: Option<String>,
    landing: String,
    expires_at: Timestamp,
}

pub(super) async fn rank(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let look: Look = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let viewer = look.viewer.as_deref().unwrap_or(actor.id.as_str());
    let of_day = (day_of(context.now), viewer);
    let viewer = context
        .signer
        .viewer(&actor.tenant, (&of_day.0, of_day.1))?;
    let (target, placement) = place(context, &actor, &look).await?;
    let by_ratio = placement
        .as_ref()
        .is_some_and(|placement| placement.sells(Kind::Sale.as_str()));
    let sold = match (target.kind.is_rank(), by_ratio) {
        (true, true) => Kind::Sale,
        (true, false) => Kind::Rank,
        (false, _) => Kind::Display,
    };
    let wanted = wanted((&target, sold, placement.as_ref()), (&viewer, look.slots));
    let answered = field::unchanged(async || page(context, request, (&actor, &wanted)).await);
    let answered = match answered.await? {
        Some(answered) => answered,
        None => answer(200, &shown(context, &actor, Page::default())?)?,
    };
    Ok(replied(&answered)?.with_header(http::header::CACHE_CONTROL, "no-store"))
}

/// What is shown, of those who can bid now.
async fn page(
    context: &Context,
    request: &Request,
    (actor, wanted): (&Actor, &Wanted<'_>),
) -> anyhow::Result<Answer> {
    let tenant = &actor.tenant;
    let mut field = Field::now(context, tenant, (wanted.target, wanted.sold)).await?;
    field.fix(context, tenant).await?;
    let lets = ranking::lets(context, &context.db, (tenant, wanted)).await?;
    let held = ranking::hold(context, (&field, wanted), lets)?;
    write(context, request, actor, async |tx| {
        let page = match &held {
            Some(held) => ranking::offer(context, tx, (&field, wanted, held)).await?,
            None => Page::default(),
        };
        answer(200, &shown(context, actor, page)?)
    })
    .await
}

fn shown(context: &Context, actor: &Actor, page: Page) -> anyhow::Result<ShownPage> {
    let items = page.shown.into_iter();
    let items: anyhow::Result<Vec<ShownItem>> =
        items.map(|shown| item(context, actor, shown)).collect();
    Ok(ShownPage {
        round: page.round,
        label: LABEL,
        items: items?,
    })
}

fn wanted<'a>(
    (target, sold, placement): (&'a Target, Kind, Option<&'a Placement>),
    (viewer, slots): (&'a str, Option<usize>),
) -> Wanted<'a> {
    let fits = move |one: &Candidate| match placement.filter(|_| sold == Kind::Display) {
        Some(placement) => ranking::fits_placement(one, placement),
        None => true,
    };
    Wanted {
        target,
        sold,
        placement,
        slots: slots.unwrap_or(SLOTS_MAX).clamp(1, SLOTS_MAX),
        floor_minor: 0,
        besides: &NOBODY,
        fits: Box::new(fits),
        terms: Terms {
            viewer,
            holds_ms: OFFER_MS,
            views_millionths: ONE_VIEW,
            pays_bid: false,
        },
    }
}

/// What is looked at, and the placement whose terms hold there.
async fn place(
    context: &Context,
    actor: &Actor,
    look: &Look,
) -> anyhow::Result<(Target, Option<Placement>)> {
    let (db, tenant) = (&context.db, &actor.tenant);
    let named = [
        (TargetKind::Board, &look.board),
        (TargetKind::Category, &look.category),
        (TargetKind::Keyword, &look.keyword),
    ];
    let mut named = named
        .into_iter()
        .filter_map(|(kind, value)| Some((kind, value.as_ref()?)));
    let (first, second) = (named.next(), named.next());
    let placement = match (&look.placement, first) {
        (Some(id), _) => {
            let found = placements::placement(db, tenant, id).await?;
            Some(found.ok_or_else(unknown_placement)?)
        }
        (None, Some((_, value))) => placements::of_board(db, tenant, value).await?,
        (None, None) => None,
    };
    let (kind, value) = match (first, second, &placement) {
        (Some((kind, value)), None, _) => (kind, value.clone()),
        (None, None, Some(placement)) => match &placement.board {
            Some(board) if placement.sells_ranks() => (TargetKind::Board, board.clone()),
            _ => (TargetKind::Placement, placement.id.to_string()),
        },
        _ => return Err(one_place().into()),
    };
    let sells = |placement: &Placement| match kind.is_rank() {
        true => placement.sells_ranks(),
        false => placement.sells(Kind::Display.as_str()),
    };
    if placement
        .as_ref()
        .is_some_and(|placement| !sells(placement))
    {
        return Err(not_sold().into());
    }
    let target = Target::parse(kind, &value).map_err(|_| one_place())?;
    Ok((target, placement))
}

fn unknown_placement() -> Refusal {
    Refusal::not_found(
        "placement_unknown",
        Message::new(
            "There is no such placement. Check its id.",
            "未找到该广告位，请检查编号。",
        ),
    )
}

fn one_place() -> Refusal {
    Refusal::invalid(
        "place_invalid",
        Message::new(
            "Name one of board, category and keyword in 1 to 64 characters, or a placement.",
            "请指定版块、品类、关键词之一（1 到 64 字），或广告位。",
        ),
    )
}

fn not_sold() -> Refusal {
    Refusal::conflict(
        "placement_not_auctioned",
        Message::new(
            "The placement is not sold by such auctions now. Book it, or choose another one.",
            "该广告位目前不以此方式竞价，请预订或选择其他广告位。",
        ),
    )
}

fn item(context: &Context, actor: &Actor, shown: Shown) -> anyhow::Result<ShownItem> {
    let Shown { offer, what } = shown;
    Ok(ShownItem {
        slot: offer.slot,
        label: LABEL,
        offer: context.signer.token(&actor.tenant, &offer.id)?,
        campaign: offer.campaign,
        creative: offer.creative,
        advertiser: what.advertiser,
        merchant: offer.merchant,
        title: what.title,
        body: what.body,
        image: what.image,
        video: what.video,
        landing: what.landing,
        expires_at: offer.expires_at,
    })
}
