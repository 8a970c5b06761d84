//! The deposit of a winner who does not keep what was won: before the time begins it can be kept by the platform, and the
//! rank is free; where that was wrong, it is given back. In the books it goes from `suspense` to the income of advertising,
//! and back. It is no rent: nobody has a share of it, and it stands on no statement.

use kernel::{Actor, Currency, Money};
use ledger::{Account, Key, Posting};
use store::Tx;
use wire::event::SealedBidChanged;

use super::deposits;
use crate::context::Context;
use crate::domain::{BidState, Forfeit, Name, SealedBid, SealedRound};
use crate::facts::append;
use crate::store::sealed_bids;

/// Keeps the deposit of a winner.
///
/// # Errors
/// 409 for who has not won, or whose time has begun; a failure of the database.
pub(crate) async fn forfeit(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (round, bid, reason): (&SealedRound, &mut SealedBid, &Name),
) -> anyhow::Result<()> {
    bid.forfeitable(round, context.now)?;
    let amount = Money::new(bid.paid_minor, Currency::Cny);
    let posting = Posting::new("sealed_deposit.forfeited", bid.id.as_str(), context.now)
        .debit(Account::suspense(), amount)
        .credit(Account::ad_income(), amount);
    let posted = ledger::post(tx, &posting).await?;
    bid.state = BidState::Forfeited;
    bid.forfeit = Some(Forfeit {
        reason: reason.as_str().to_owned(),
        transaction: posted.id,
    });
    sealed_bids::update(tx, bid).await?;
    tell(context, tx, (actor, bid, reason)).await
}

/// Gives a deposit back that was kept. The rank stays free.
///
/// # Errors
/// 409 for one that was not kept; a failure of the database.
pub(crate) async fn restore(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (bid, reason): (&mut SealedBid, &Name),
) -> anyhow::Result<()> {
    let forfeit = bid.forfeited()?;
    let key = Key::new("sealed_deposit.restored", bid.id.as_str(), context.now);
    ledger::reverse(tx, &forfeit.transaction, &key).await?;
    bid.state = BidState::Lost;
    deposits::give_back(context, tx, bid).await?;
    sealed_bids::update(tx, bid).await?;
    tell(context, tx, (actor, bid, reason)).await
}

/// Tells who decided, and why.
async fn tell(
    context: &Context,
    tx: &Tx,
    (actor, bid, reason): (&Actor, &SealedBid, &Name),
) -> anyhow::Result<()> {
    let fact = SealedBidChanged {
        bid: bid.id.clone(),
        round: bid.round.clone(),
        merchant: bid.merchant.clone(),
        state: bid.state.as_str().to_owned(),
        price_minor: bid.price_minor,
        at: context.now,
        actor: Some(actor.id.clone()),
        reason: Some(reason.as_str().to_owned()),
    };
    append(context, tx, &fact).await
}
