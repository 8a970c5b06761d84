//! Sealed rounds: bids secured by deposits, held once after they closed, charged when the time they are for begins. A
//! deposit waits in `suspense`; it goes back to who lost at once, and to who won when the rent is charged.

pub(crate) mod deposits;
pub(crate) mod forfeits;

use auction::{Reserve, Round, Terms};
use kernel::{
    Actor, AuctionRoundId, CreativeId, Currency, MerchantId, Message, Refusal, SealedRoundId,
    TenantId,
};
use store::{Tx, tx};
use wire::advertising::{ChargeSource, Ownership};
use wire::event::{AdvertisingCharged, SealedBidChanged, SealedRoundChanged};

use crate::context::Context;
use crate::domain::{
    BidState, SealedBid, SealedRound, SealedState, clearing_bids, unknown_merchant, unknown_round,
};
use crate::facts::append;
use crate::offering::month_of;
use crate::record::{Came, Inputs};
use crate::store::{known, placements, rounds, sealed, sealed_bids};

/// How much better a slot is than the next one.
const SLOT_WEIGHTS: [u32; 8] = [100, 70, 50, 40, 30, 25, 20, 15];

/// What somebody wants to bid.
pub(crate) struct Wish<'a> {
    pub(crate) merchant: &'a MerchantId,
    pub(crate) creative: &'a CreativeId,
    pub(crate) amount_minor: i64,
}

/// Makes a bid, or raises it.
///
/// # Errors
/// 409 when the round is closed, the merchant may not bid or the bid is not raised, 422 below the reserve or for a
/// creative that may not be shown; a failure of the database.
pub(crate) async fn bid(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (round, wish): (&SealedRound, &Wish<'_>),
) -> anyhow::Result<SealedBid> {
    round.takes(wish.amount_minor, context.now)?;
    may_bid(tx, (wish.merchant, wish.creative)).await?;
    let of = (&round.id, wish.merchant);
    let before = sealed_bids::of_merchant(tx, tx.tenant(), of).await?;
    let bid = match before {
        Some(before) => raised(context, tx, actor, (round, wish, before)).await?,
        None => {
            let payment = deposits::ask(context, tx, actor, (round, wish.merchant)).await?;
            let bid = SealedBid {
                id: context.new_id()?,
                round: round.id.clone(),
                merchant: wish.merchant.clone(),
                creative: wish.creative.clone(),
                amount_minor: wish.amount_minor,
                bid_version: context.now.millis(),
                state: BidState::Unsecured,
                slot: None,
                price_minor: None,
                payment,
                paid_minor: 0,
                refund: None,
                refund_state: None,
                forfeit: None,
                made_at: context.now,
            };
            sealed_bids::insert(tx, &bid).await?;
            bid
        }
    };
    tell_bid(context, tx, &bid).await?;
    let closes_at = round.closes_after_bid(context.now);
    if closes_at > round.closes_at {
        sealed::move_end(tx, &round.id, closes_at).await?;
        tell_round(context, tx, (round, "extended", closes_at)).await?;
    }
    Ok(bid)
}

async fn raised(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (round, wish, before): (&SealedRound, &Wish<'_>, SealedBid),
) -> anyhow::Result<SealedBid> {
    if wish.amount_minor <= before.amount_minor {
        return Err(Refusal::conflict(
            "sealed_bid_not_raised",
            Message::new(
                format!(
                    "You bid {} fen already. A sealed bid can only be raised.",
                    before.amount_minor
                ),
                format!("您已出价 {} 分，密封出价只能提高。", before.amount_minor),
            ),
        )
        .into());
    }
    let mut bid = SealedBid {
        creative: wish.creative.clone(),
        amount_minor: wish.amount_minor,
        bid_version: context.now.millis(),
        ..before
    };
    if bid.state == BidState::Lapsed {
        bid.payment = deposits::ask(context, tx, actor, (round, wish.merchant)).await?;
        bid.state = BidState::Unsecured;
    }
    sealed_bids::update(tx, &bid).await?;
    Ok(bid)
}

/// Lets a merchant pass that may trade, with a creative of its own that may be shown.
///
/// # Errors
/// 409 for a merchant that may not, 422 for the creative; a failure of the database.
pub(crate) async fn may_bid(
    tx: &Tx,
    (merchant, creative): (&MerchantId, &CreativeId),
) -> anyhow::Result<()> {
    let known = known::merchant(tx, tx.tenant(), merchant).await?;
    let known = known.ok_or_else(unknown_merchant)?;
    if !(known.open && known.may_trade) {
        return Err(Refusal::conflict(
            "merchant_may_not_bid",
            Message::new(
                "The shop is closed, or its deposit is missing or frozen. Settle that first.",
                "店铺未营业，或保证金未缴、已冻结，请先处理。",
            ),
        )
        .into());
    }
    let shown = known::creative(tx, tx.tenant(), creative).await?;
    let shown = shown.filter(|shown| shown.merchant == *merchant);
    if shown.is_none_or(|shown| !shown.approved) {
        return Err(Refusal::invalid(
            "creative_not_approved",
            Message::new(
                "The creative is not one of the merchant's that was approved. Have it reviewed first.",
                "该创意不属于此商家或未通过审核，请先送审。",
            ),
        )
        .into());
    }
    Ok(())
}

/// Holds a round that has closed; whether it was to be held.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn clear(
    context: &Context,
    tenant: &TenantId,
    id: &SealedRoundId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let round = sealed::round(tx, tx.tenant(), id).await?;
        let Some(round) = round.filter(|round| round.is_due(context.now)) else {
            return Ok(false);
        };
        let held_as: AuctionRoundId = context.new_id()?;
        if !sealed::end(tx, id, (SealedState::Cleared, Some(&held_as))).await? {
            return Ok(false);
        }
        let bids = sealed_bids::of_round(tx, tx.tenant(), id).await?;
        let mut able = Vec::new();
        for bid in &bids {
            match may_bid(tx, (&bid.merchant, &bid.creative)).await {
                Ok(()) => able.push(bid),
                Err(error) if error.is::<Refusal>() => {}
                Err(error) => return Err(error),
            }
        }
        let ranked = hold(context, tx, (&round, &held_as), &able).await?;
        for mut bid in bids {
            let placed = ranked.iter().find(|placed| placed.bid == bid.id.as_str());
            if let Some(placed) = placed {
                bid.state = BidState::Won;
                bid.slot = Some(i64::from(placed.slot));
                bid.price_minor = Some(placed.price);
            } else {
                bid.state = BidState::Lost;
                deposits::give_back(context, tx, &mut bid).await?;
            }
            sealed_bids::update(tx, &bid).await?;
            tell_bid(context, tx, &bid).await?;
        }
        tell_round(context, tx, (&round, "cleared", round.closes_at)).await?;
        Ok(true)
    })
    .await
}

/// Holds the auction, and keeps it with what decided it.
async fn hold(
    context: &Context,
    tx: &Tx,
    (sealed, id): (&SealedRound, &AuctionRoundId),
    able: &[&SealedBid],
) -> anyhow::Result<Vec<auction::Placed>> {
    let slots = usize::try_from(sealed.slots)?;
    let round = Round {
        terms: Terms {
            weights: SLOT_WEIGHTS.iter().copied().take(slots).collect(),
            reserve: match sealed.reserve_minor {
                0 => Reserve::None,
                least => Reserve::Unweighted(least),
            },
            increment: context.increment,
        },
        seed: context.signer.seed(id)?,
        bids: clearing_bids(able.iter().copied()),
    };
    let ranked = context.auctioneer.hold(&round)?;
    let kept = rounds::Round {
        id: id.clone(),
        kind: "sealed".to_owned(),
        placement: sealed.placement.clone(),
        target_kind: sealed.target.kind.as_str().to_owned(),
        target: sealed.target.value.clone(),
        inputs: serde_json::to_string(&Inputs::of(&round))?,
        outcome: serde_json::to_string(&Came::from(&ranked))?,
        held_at: context.now,
    };
    rounds::insert(tx, &kept).await?;
    Ok(ranked.placed)
}

/// Calls a round off; all deposits go back.
///
/// # Errors
/// 409 when it is no longer open; a failure of the database.
pub(crate) async fn call_off(
    context: &Context,
    tx: &Tx,
    round: &SealedRound,
) -> anyhow::Result<()> {
    if !sealed::end(tx, &round.id, (SealedState::CalledOff, None)).await? {
        let state = round.state.as_str();
        return Err(Refusal::conflict(
            "sealed_round_state",
            Message::new(
                format!("The round is {state}; only an open one can be called off. Allowed now: nothing."),
                format!("该竞价当前状态为 {state}，仅进行中的可以取消。可执行：无。"),
            ),
        )
        .into());
    }
    for mut bid in sealed_bids::of_round(tx, tx.tenant(), &round.id).await? {
        bid.state = BidState::Lost;
        deposits::give_back(context, tx, &mut bid).await?;
        sealed_bids::update(tx, &bid).await?;
        tell_bid(context, tx, &bid).await?;
    }
    tell_round(context, tx, (round, "called_off", round.closes_at)).await
}

/// The time that a rank is let for begins: the rent is charged and the deposit goes back. Whether that was to do.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn begin(
    context: &Context,
    tenant: &TenantId,
    id: &SealedRoundId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        if !sealed::charge(tx, id).await? {
            return Ok(false);
        }
        let round = sealed::round(tx, tx.tenant(), id).await?;
        let round = round.ok_or_else(unknown_round)?;
        for mut bid in sealed_bids::of_round(tx, tx.tenant(), id).await? {
            if bid.state == BidState::Won {
                rent(context, tx, (&round, &bid)).await?;
                deposits::give_back(context, tx, &mut bid).await?;
                sealed_bids::update(tx, &bid).await?;
            }
        }
        Ok(true)
    })
    .await
}

async fn rent(
    context: &Context,
    tx: &Tx,
    (round, bid): (&SealedRound, &SealedBid),
) -> anyhow::Result<()> {
    let Some(amount_minor) = bid.price_minor.filter(|price| *price > 0) else {
        return Ok(());
    };
    let placement = match &round.placement {
        None => None,
        Some(id) => placements::placement(tx, tx.tenant(), id).await?,
    };
    let fact = AdvertisingCharged {
        charge: format!("bidding.{}", bid.id),
        merchant: bid.merchant.clone(),
        source: ChargeSource::Bidding,
        reference: round.id.to_string(),
        placement: round.placement.clone(),
        ownership: placement
            .as_ref()
            .map_or(Ownership::Platform, |placement| placement.ownership),
        community: placement.and_then(|placement| placement.community),
        month: month_of(round.starts_at).to_string(),
        amount_minor,
        currency: Currency::Cny,
        at: context.now,
    };
    append(context, tx, &fact).await
}

/// Tells how a bid stands.
pub(crate) async fn tell_bid(context: &Context, tx: &Tx, bid: &SealedBid) -> anyhow::Result<()> {
    let fact = SealedBidChanged {
        bid: bid.id.clone(),
        round: bid.round.clone(),
        merchant: bid.merchant.clone(),
        state: bid.state.as_str().to_owned(),
        price_minor: bid.price_minor,
        at: context.now,
        actor: None,
        reason: None,
    };
    append(context, tx, &fact).await
}

/// Tells how a round stands.
pub(crate) async fn tell_round(
    context: &Context,
    tx: &Tx,
    (round, state, closes_at): (&SealedRound, &str, kernel::Timestamp),
) -> anyhow::Result<()> {
    let fact = SealedRoundChanged {
        round: round.id.clone(),
        state: state.to_owned(),
        closes_at,
        at: context.now,
    };
    append(context, tx, &fact).await
}
