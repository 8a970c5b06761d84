//! What secures sealed bids: asked for over payments, waiting in `suspense`, given back.

use kernel::{Actor, Currency, MerchantId, Message, PaymentId, RefundId, Refusal};
use store::Tx;
use wire::event::{PaymentClosed, PaymentRequested, PaymentSucceeded, RefundRequested};

use super::tell_bid;
use crate::context::Context;
use crate::domain::{BidState, SealedBid, SealedRound, SealedState};
use crate::facts::append;
use crate::store::{known, sealed, sealed_bids};

/// What payments calls deposits by.
const PURPOSE: &str = "ad_deposit";
/// How long a deposit may take, in milliseconds: 30 minutes, and not beyond the end of the round.
const PAYMENT_MS: i64 = 30 * 60_000;
/// Asks for the deposit.
pub(crate) async fn ask(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (round, merchant): (&SealedRound, &MerchantId),
) -> anyhow::Result<PaymentId> {
    let payment: PaymentId = context.new_id()?;
    let known = known::merchant(tx, tx.tenant(), merchant).await?;
    let community = match known.and_then(|known| known.community) {
        Some(community) => Some(community),
        None => known::any_community(tx, tx.tenant()).await?,
    };
    let community = community.ok_or_else(|| {
        Refusal::conflict(
            "community_missing",
            Message::new(
                "There is no community yet in which this could be paid. Add one first.",
                "尚无可用于付款的小区，请先添加小区。",
            ),
        )
    })?;
    let fact = PaymentRequested {
        payment: payment.clone(),
        purpose: PURPOSE.to_owned(),
        payer: actor.id.clone(),
        community,
        amount_minor: round.deposit_minor,
        currency: Currency::Cny,
        direct_minor: 0,
        subject: "竞价保证金 / bidding deposit".to_owned(),
        reference: round.id.to_string(),
        expires_at: context.now.plus_millis(PAYMENT_MS).min(round.closes_at),
    };
    append(context, tx, &fact).await?;
    Ok(payment)
}

/// The deposit is there; one that comes too late goes back.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    event: &PaymentSucceeded,
) -> anyhow::Result<()> {
    if event.purpose != PURPOSE {
        return Ok(());
    }
    let Some(mut bid) = sealed_bids::of_payment(tx, &event.payment).await? else {
        anyhow::bail!("bidding did not ask for the payment {}", event.payment);
    };
    if bid.paid_minor > 0 {
        return Ok(());
    }
    bid.paid_minor = event.amount_minor;
    let round = sealed::round(tx, tx.tenant(), &bid.round).await?;
    if round.is_some_and(|round| round.state == SealedState::Open) {
        bid.state = BidState::Secured;
    } else {
        give_back(context, tx, &mut bid).await?;
    }
    sealed_bids::update(tx, &bid).await?;
    tell_bid(context, tx, &bid).await
}

/// Nobody pays the deposit any more.
pub(crate) async fn closed(
    context: &Context,
    tx: &Tx,
    event: &PaymentClosed,
) -> anyhow::Result<()> {
    if event.purpose != PURPOSE {
        return Ok(());
    }
    let found = sealed_bids::of_payment(tx, &event.payment).await?;
    let Some(mut bid) = found.filter(|bid| bid.state == BidState::Unsecured) else {
        return Ok(());
    };
    bid.state = BidState::Lapsed;
    sealed_bids::update(tx, &bid).await?;
    tell_bid(context, tx, &bid).await
}

/// Asks payments to give a deposit back, once.
pub(crate) async fn give_back(
    context: &Context,
    tx: &Tx,
    bid: &mut SealedBid,
) -> anyhow::Result<()> {
    if bid.paid_minor == 0 || bid.refund.is_some() {
        return Ok(());
    }
    let refund: RefundId = context.new_id()?;
    let fact = RefundRequested {
        refund: refund.clone(),
        payment: bid.payment.clone(),
        amount_minor: bid.paid_minor,
        reason: "竞价保证金退还 / bidding deposit".to_owned(),
        direct_minor: 0,
    };
    append(context, tx, &fact).await?;
    bid.refund = Some(refund);
    bid.refund_state = Some("requested".to_owned());
    Ok(())
}

/// Asks once more for a refund that the channel refused: the money is in `suspense` again.
///
/// # Errors
/// 409 for any other; a failure of the database.
pub(crate) async fn give_back_again(
    context: &Context,
    tx: &Tx,
    bid: &mut SealedBid,
) -> anyhow::Result<()> {
    let state = bid.refund_state.as_deref().unwrap_or("none");
    if state != "failed" {
        return Err(Refusal::conflict(
            "deposit_refund_state",
            Message::new(
                format!("The deposit's refund is {state}; only a failed one is asked for again."),
                format!("保证金退款状态为 {state}，仅失败的可以重新退款。"),
            ),
        )
        .into());
    }
    bid.refund = None;
    give_back(context, tx, bid).await?;
    sealed_bids::update(tx, bid).await
}
