//! Orders of group-buys: paid, they wait until their group is full; when its time is over before that, they come to
//! nothing and the money goes back.

use kernel::OrderId;
use store::Tx;

use crate::context::Context;
use crate::domain::{OrderState, PaymentState, Step};
use crate::flow;
use crate::orderly::save;
use crate::store::groups::{self, Seat};
use crate::store::orders;

/// An order with a seat in a group is paid.
pub(crate) async fn paid(context: &Context, tx: &Tx, order: &OrderId) -> anyhow::Result<()> {
    match groups::paid(tx, order).await? {
        Seat::Waiting => Ok(()),
        Seat::Full(all) => full(context, tx, &all).await,
        Seat::TooLate => failed(context, tx, std::slice::from_ref(order)).await,
    }
}

/// A group is full: its orders are the merchant's to accept.
async fn full(context: &Context, tx: &Tx, all: &[OrderId]) -> anyhow::Result<()> {
    for id in all {
        if let Some(mut order) = orders::order(tx, tx.tenant(), id).await?
            && order.waits_for_group
        {
            order.waits_for_group = false;
            save(context, tx, &mut order, ("group_full", None)).await?;
        }
    }
    Ok(())
}

/// The time of a group is over: its orders come to nothing, and what was paid goes back.
pub(crate) async fn failed(context: &Context, tx: &Tx, all: &[OrderId]) -> anyhow::Result<()> {
    for id in all {
        let Some(mut order) = orders::order(tx, tx.tenant(), id).await? else {
            continue;
        };
        let waits = order.waits_for_group && order.state == OrderState::Placed;
        if waits && order.payment != PaymentState::Closed {
            let why = (None, "拼团未成 / the group was not full in time");
            flow::cancel(context, tx, why, (&mut order, Step::Cancel)).await?;
        }
    }
    Ok(())
}
