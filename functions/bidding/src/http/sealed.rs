//! `/api/bidding/sealed-rounds`: ranks that are let for a time to who bids most, unseen.

use kernel::{
    Actor, CreativeId, Currency, MerchantId, Message, PaymentId, PlacementId, Refusal, SealedBidId,
    SealedRoundId, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::{answer, caller, form, path_id, replied, stored, write, write_once};
use crate::context::Context;
use crate::domain::{
    BUDGET_MAX, EXTENSIONS_MS_MAX, Name, SealedBid, SealedRound, SealedState, Target, TargetKind,
    advertisers, managers_only, sees_all, unknown_round,
};
use crate::store::sealed as sql;
use crate::store::{placements, sealed_bids};
use crate::{inbox, sealing};

/// The most ranks that are let at once.
const SLOTS_MAX: i64 = 8;
/// The longest time, in milliseconds: a year.
const TIME_MS_MAX: i64 = 366 * 24 * 3_600_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRound {
    name: Name,
    #[serde(default)]
    placement: Option<PlacementId>,
    kind: TargetKind,
    value: String,
    slots: i64,
    reserve_minor: i64,
    deposit_minor: i64,
    starts_at: Timestamp,
    ends_at: Timestamp,
    closes_at: Timestamp,
    extension_minutes: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBid {
    merchant: MerchantId,
    creative: CreativeId,
    amount_minor: i64,
}

#[derive(Serialize)]
struct ShownRound {
    id: SealedRoundId,
    name: String,
    placement: Option<PlacementId>,
    kind: &'static str,
    value: String,
    slots: i64,
    reserve_minor: i64,
    deposit_minor: i64,
    currency: Currency,
    starts_at: Timestamp,
    ends_at: Timestamp,
    closes_at: Timestamp,
    extension_minutes: i64,
    state: &'static str,
    /// The round as it was held.
    round: Option<kernel::AuctionRoundId>,
    /// Before it was held only one's own; the platform's people see none.
    bids: Vec<ShownBid>,
    version: i64,
}

#[derive(Serialize)]
pub(super) struct ShownBid {
    id: SealedBidId,
    merchant: MerchantId,
    creative: CreativeId,
    amount_minor: i64,
    state: &'static str,
    slot: Option<i64>,
    price_minor: Option<i64>,
    /// The payment of the deposit: the payer chooses a channel there.
    payment: PaymentId,
    paid_minor: i64,
    refund_state: Option<String>,
    /// Why the deposit was kept, if it was.
    forfeit_reason: Option<String>,
}

pub(super) async fn create(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managers_only(&actor)?;
    let new: NewRound = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write(context, request, &actor, async |tx| {
        let round = checked(context, &new)?;
        if let Some(id) = &round.placement
            && placements::placement(tx, tx.tenant(), id).await?.is_none()
        {
            return Err(invalid().into());
        }
        if sql::overlaps(tx, &round).await? {
            return Err(overlaps().into());
        }
        sql::insert(tx, &round).await?;
        sealing::tell_round(context, tx, (&round, "open", round.closes_at)).await?;
        answer(201, &shown(&*tx, &actor, round).await?)
    })
    .await?;
    stored(&made, "/api/bidding/sealed-rounds")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    advertisers(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(SealedRoundId::parse)?;
    query.finish()?;
    let found = sql::rounds(&context.db, &actor.tenant, &page).await?;
    let listing = page.listing(found, |round| round.id.to_string(), |round| round);
    let mut items = Vec::new();
    for round in listing.items {
        items.push(shown(&context.db, &actor, round).await?);
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
    inbox::catch_up(context, &actor.tenant).await?;
    let round = found(&context.db, &actor, round).await?;
    let version = round.version;
    let round = shown(&context.db, &actor, round).await?;
    Ok(Reply::ok(&round).with_etag(version))
}

pub(super) async fn bid(
    context: &Context,
    request: &Request,
    round: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewBid = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write_once(context, request, &actor, async |tx| {
        let round = found(&*tx, &actor, round).await?;
        form::acted(tx, &actor, &new.merchant).await?;
        let wish = sealing::Wish {
            merchant: &new.merchant,
            creative: &new.creative,
            amount_minor: new.amount_minor,
        };
        let bid = sealing::bid(context, tx, &actor, (&round, &wish)).await?;
        answer(201, &shown_bid(bid))
    })
    .await?;
    replied(&made)
}

pub(super) async fn call_off(
    context: &Context,
    request: &Request,
    round: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let ended = write_once(context, request, &actor, async |tx: &mut Tx| {
        let before = found(&*tx, &actor, round).await?;
        managers_only(&actor)?;
        sealing::call_off(context, tx, &before).await?;
        let after = found(&*tx, &actor, round).await?;
        answer(200, &shown(&*tx, &actor, after).await?)
    })
    .await?;
    replied(&ended)
}

/// Gives a deposit back once more, where the channel refused.
pub(super) async fn refund(
    context: &Context,
    request: &Request,
    (round, bid): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let asked = write_once(context, request, &actor, async |tx: &mut Tx| {
        let round = found(&*tx, &actor, round).await?;
        managers_only(&actor)?;
        let mut bid = bid_of(&*tx, (&actor, &round), bid).await?;
        sealing::deposits::give_back_again(context, tx, &mut bid).await?;
        answer(200, &shown_bid(bid))
    })
    .await?;
    replied(&asked)
}

/// A bid of that round.
pub(super) async fn bid_of(
    db: &impl Read,
    (actor, round): (&Actor, &SealedRound),
    text: &str,
) -> anyhow::Result<SealedBid> {
    let id: SealedBidId = path_id(text, unknown_bid)?;
    let bids = sealed_bids::of_round(db, &actor.tenant, &round.id).await?;
    let bid = bids.into_iter().find(|bid| bid.id == id);
    Ok(bid.ok_or_else(unknown_bid)?)
}

fn unknown_bid() -> Refusal {
    Refusal::not_found(
        "sealed_bid_unknown",
        Message::new("There is no such bid in the round.", "该竞价中没有此出价。"),
    )
}

/// A round that the caller may see.
pub(super) async fn found(
    db: &impl Read,
    actor: &Actor,
    text: &str,
) -> anyhow::Result<SealedRound> {
    let id: SealedRoundId = path_id(text, unknown_round)?;
    // To who has nothing to do with advertising there are none.
    advertisers(actor).map_err(|_| unknown_round())?;
    let found = sql::round(db, &actor.tenant, &id).await?;
    Ok(found.ok_or_else(unknown_round)?)
}

fn checked(context: &Context, new: &NewRound) -> Result<SealedRound, Refusal> {
    let target = Target::parse(new.kind, &new.value).map_err(|_| invalid())?;
    let fits = new.kind.is_rank()
        && (1..=SLOTS_MAX).contains(&new.slots)
        && (0..=BUDGET_MAX).contains(&new.reserve_minor)
        && (1..=BUDGET_MAX).contains(&new.deposit_minor)
        && (0..=EXTENSIONS_MS_MAX / 60_000).contains(&new.extension_minutes)
        && new.closes_at > context.now
        // However often the end moves, it comes before the time that is let.
        && new.starts_at >= new.closes_at.plus_millis(EXTENSIONS_MS_MAX)
        && new.ends_at > new.starts_at
        && new.ends_at.millis_since(new.starts_at) <= TIME_MS_MAX;
    let id = context.new_id().map_err(|_| invalid())?;
    if !fits {
        return Err(invalid());
    }
    Ok(SealedRound {
        id,
        name: new.name.as_str().to_owned(),
        placement: new.placement.clone(),
        target,
        slots: new.slots,
        reserve_minor: new.reserve_minor,
        deposit_minor: new.deposit_minor,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        closes_at: new.closes_at,
        first_closes_at: new.closes_at,
        extension_ms: new.extension_minutes * 60_000,
        state: SealedState::Open,
        version: 1,
    })
}

fn invalid() -> Refusal {
    Refusal::invalid(
        "sealed_round_invalid",
        Message::new(
            format!(
                "Put up 1 to {SLOTS_MAX} ranks of a board, category or keyword, with a deposit, closing in the future, for a time of at most a year that begins a day after that or later; a placement has to exist."
            ),
            format!(
                "请设置版块、品类或关键词的 1 到 {SLOTS_MAX} 个排名、保证金、未来的截止时间，租期最长一年且在截止一天之后开始；广告位须存在。"
            ),
        ),
    )
}

fn overlaps() -> Refusal {
    Refusal::conflict(
        "rank_let_already",
        Message::new(
            "These ranks are let, or put up, for some of that time. Choose another time.",
            "该时段的排名已出租或正在竞价，请选择其他时段。",
        ),
    )
}

async fn shown(db: &impl Read, actor: &Actor, round: SealedRound) -> anyhow::Result<ShownRound> {
    let tenant = &actor.tenant;
    let bids = match (round.state, sees_all(actor)) {
        // What is bid is nobody's to see until it is held, the platform's people's neither.
        (SealedState::Open, true) => Vec::new(),
        (_, true) => sealed_bids::of_round(db, tenant, &round.id).await?,
        (_, false) => sealed_bids::of_person(db, tenant, (&round.id, &actor.id)).await?,
    };
    Ok(ShownRound {
        round: sql::auction_round(db, tenant, &round.id).await?,
        bids: bids.into_iter().map(shown_bid).collect(),
        name: round.name,
        placement: round.placement,
        kind: round.target.kind.as_str(),
        value: round.target.value,
        slots: round.slots,
        reserve_minor: round.reserve_minor,
        deposit_minor: round.deposit_minor,
        currency: Currency::Cny,
        starts_at: round.starts_at,
        ends_at: round.ends_at,
        closes_at: round.closes_at,
        extension_minutes: round.extension_ms / 60_000,
        state: round.state.as_str(),
        version: round.version,
        id: round.id,
    })
}

/// A bid as it is shown.
pub(super) fn shown_bid(bid: SealedBid) -> ShownBid {
    ShownBid {
        id: bid.id,
        merchant: bid.merchant,
        creative: bid.creative,
        amount_minor: bid.amount_minor,
        state: bid.state.as_str(),
        slot: bid.slot,
        price_minor: bid.price_minor,
        payment: bid.payment,
        paid_minor: bid.paid_minor,
        refund_state: bid.refund_state,
        forfeit_reason: bid.forfeit.map(|forfeit| forfeit.reason),
    }
}
