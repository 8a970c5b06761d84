//! `/api/bidding/rounds`: rounds with all that decided them, and held again.

use anyhow::Context as _;
use kernel::{Actor, AuctionRoundId, Message, OfferId, PlacementId, Refusal, Timestamp};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::{caller, form, path_id};
use crate::context::Context;
use crate::domain::{managers_only, readers_only, sees_all};
use crate::record::{Came, Inputs, KeptInputs, KeptOutcome, Known};
use crate::store::lineups;
use crate::store::offers::{self, Offer};
use crate::store::rounds::{self as sql, Round};

#[derive(Serialize)]
struct ShownRound {
    id: AuctionRoundId,
    kind: String,
    placement: Option<PlacementId>,
    target_kind: String,
    target: String,
    held_at: Timestamp,
    /// Not for who only bid: it holds what others bid.
    inputs: Option<Inputs>,
    outcome: Came,
    offers: Vec<ShownOffer>,
}

#[derive(Serialize)]
struct ShownOffer {
    id: OfferId,
    slot: i64,
    campaign: kernel::BidCampaignId,
    merchant: kernel::MerchantId,
    creative: kernel::CreativeId,
    state: &'static str,
    bid_micros: i64,
    price_micros: i64,
    /// What of a sale it costs; then `price_micros` is the most.
    ratio_bps: Option<i64>,
    charged_micros: i64,
    made_at: Timestamp,
    expires_at: Timestamp,
    viewed_at: Option<Timestamp>,
    clicked_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Replayed {
    round: AuctionRoundId,
    same: bool,
    outcome: Came,
    differences: Vec<Difference>,
}

/// Where what came of it is another one now.
#[derive(Serialize)]
struct Difference {
    slot: u32,
    was: Option<(String, i64)>,
    is: Option<(String, i64)>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(AuctionRoundId::parse)?;
    query.finish()?;
    let found = sql::rounds(&context.db, &actor.tenant, &page).await?;
    let listing = page.listing(found, |round| round.id.to_string(), |round| round);
    let (mut known, mut items) = (Known::new(), Vec::new());
    for round in listing.items {
        let decided = decided(context, &actor, (&round, &mut known)).await?;
        items.push(shown(round, decided, Vec::new()));
    }
    Ok(Reply::ok(&web::Listing {
        items,
        next: listing.next,
    }))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    round: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let round = found(context, &actor, round).await?;
    let offers = offers::of_round(&context.db, &actor.tenant, &round.id).await?;
    let decided = decided(context, &actor, (&round, &mut Known::new())).await?;
    if sees_all(&actor) {
        return Ok(Reply::ok(&shown(round, decided, offers)));
    }
    let mut own = Vec::new();
    for offer in offers {
        if form::acts_for(&context.db, &actor, &offer.merchant).await? {
            own.push(offer);
        }
    }
    if own.is_empty() {
        return Err(unknown().into());
    }
    let mut shown = shown(round, decided, own);
    let is_own = |bid: &str| {
        shown
            .offers
            .iter()
            .any(|offer| offer.campaign.as_str() == bid)
    };
    let placed = shown
        .outcome
        .placed
        .into_iter()
        .filter(|got| is_own(&got.bid));
    shown.outcome = Came {
        placed: placed.collect(),
        unplaced: Vec::new(),
    };
    shown.inputs = None;
    Ok(Reply::ok(&shown))
}

/// Holds a round again from what it was decided by: nothing is stored or offered.
pub(super) async fn replay(
    context: &Context,
    request: &Request,
    round: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managers_only(&actor)?;
    let round = found(context, &actor, round).await?;
    let (inputs, was) = decided(context, &actor, (&round, &mut Known::new())).await?;
    let told = inputs.round();
    let told = told.ok_or_else(|| anyhow::anyhow!("the seed of a round is none"))?;
    let is = if told.terms.weights.is_empty() {
        was.clone()
    } else {
        Came::from(&context.auctioneer.hold(&told)?)
    };
    let replayed = Replayed {
        round: round.id,
        same: was == is,
        differences: differences(&was, &is),
        outcome: is,
    };
    Ok(Reply::ok(&replayed))
}

fn differences(was: &Came, is: &Came) -> Vec<Difference> {
    let most = was.placed.len().max(is.placed.len());
    let at = |came: &Came, index: usize| {
        let got = came.placed.get(index);
        got.map(|got| (got.bid.clone(), got.price))
    };
    let all = (0..most).map(|index| Difference {
        slot: u32::try_from(index + 1).unwrap_or(u32::MAX),
        was: at(was, index),
        is: at(is, index),
    });
    all.filter(|slot| slot.was != slot.is).collect()
}

async fn found(context: &Context, actor: &Actor, text: &str) -> anyhow::Result<Round> {
    let id: AuctionRoundId = path_id(text, unknown)?;
    let found = sql::round(&context.db, &actor.tenant, &id).await?;
    Ok(found.ok_or_else(unknown)?)
}

/// What a round was decided by and what came of it, with the bids of the lineups that it refers to; those that were read
/// stay known.
async fn decided(
    context: &Context,
    actor: &Actor,
    (round, known): (&Round, &mut Known),
) -> anyhow::Result<(Inputs, Came)> {
    let inputs: KeptInputs = serde_json::from_str(&round.inputs)?;
    for id in &inputs.lineups {
        if !known.contains_key(id) {
            let bids = lineups::bids(&context.db, &actor.tenant, id).await?;
            let bids = bids.with_context(|| format!("the lineup {id} of a round is gone"))?;
            known.insert(id.clone(), serde_json::from_str(&bids)?);
        }
    }
    let inputs = inputs.whole(known);
    let inputs = inputs.context("a round refers to a lineup that is none")?;
    let outcome: KeptOutcome = serde_json::from_str(&round.outcome)?;
    let outcome = outcome.whole(&inputs);
    let outcome = outcome.context("the outcome of a round is not of its bids")?;
    Ok((inputs, outcome))
}

fn unknown() -> Refusal {
    Refusal::not_found(
        "auction_round_unknown",
        Message::new(
            "There is no such round that you can see; rounds are kept for 90 days, for 7 if they charged nothing.",
            "未找到您可查看的竞价记录，记录保留 90 天，未产生费用的保留 7 天。",
        ),
    )
}

fn shown(round: Round, (inputs, outcome): (Inputs, Came), offers: Vec<Offer>) -> ShownRound {
    let offers = offers.into_iter().map(|offer| ShownOffer {
        id: offer.id,
        slot: offer.slot,
        campaign: offer.campaign,
        merchant: offer.merchant,
        creative: offer.creative,
        state: offer.state.as_str(),
        bid_micros: offer.bid_micros,
        price_micros: offer.price_micros,
        ratio_bps: Some(offer.ratio_bps).filter(|ratio| *ratio > 0),
        charged_micros: offer.charged_micros,
        made_at: offer.made_at,
        expires_at: offer.expires_at,
        viewed_at: offer.viewed_at,
        clicked_at: offer.clicked_at,
    });
    ShownRound {
        inputs: Some(inputs),
        outcome,
        offers: offers.collect(),
        id: round.id,
        kind: round.kind,
        placement: round.placement,
        target_kind: round.target_kind,
        target: round.target,
        held_at: round.held_at,
    }
}
