//! What every change of an order does: the row moves from the state in which it was read, and everybody concerned hears.

use kernel::{ActorId, Currency, Money};
use store::Tx;
use wire::event::OrderChanged;

use crate::context::Context;
use crate::domain::Order;
use crate::facts::append;
use crate::store::orders;

/// An amount in fen.
pub(crate) fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

/// Stores an order that changed, and tells what happened.
pub(crate) async fn save(
    context: &Context,
    tx: &Tx,
    order: &mut Order,
    (change, actor): (&str, Option<&ActorId>),
) -> anyhow::Result<()> {
    let due_at = order.due_at(&context.terms);
    orders::update_order(tx, order, due_at).await?;
    append(context, tx, &changed(context, order, change, actor)).await
}

/// What is told of an order.
pub(crate) fn changed(
    context: &Context,
    order: &Order,
    change: &str,
    actor: Option<&ActorId>,
) -> OrderChanged {
    OrderChanged {
        order: order.id.clone(),
        checkout: order.checkout.clone(),
        buyer: order.buyer.clone(),
        merchant: order.merchant.clone(),
        community: order.community.clone(),
        change: change.to_owned(),
        actor: actor.cloned(),
        at: context.now,
    }
}
