//! Orders of group-buys: paid, they wait until their group is full; when its time is over before that, they come to
//! nothing and the money goes back.

use kernel::{GroupId, OrderId, TenantId};
use store::Tx;
use wire::event::GroupBuyEnded;

use crate::context::Context;
use crate::domain::{OrderState, PaymentState, Step};
use crate::facts::append;
use crate::flow;
use crate::orderly::save;
use crate::store::groups::{self, Seat};
use crate::store::orders;

/// An order with a seat in a group is paid.
pub(crate) async fn paid(context: &Context, tx: &Tx, order: &OrderId) -> anyhow::Result<()> {
    match groups::paid(tx, order).await? {
        Seat::Waiting => Ok(()),
        Seat::Full(all) => full(context, tx, &all).await,
        // Giving up an order may settle the rest of an unpaid checkout, which asks here again.
        Seat::TooLate => Box::pin(failed(context, tx, std::slice::from_ref(order))).await,
    }
}

/// A group is full: its orders are the merchant's to accept.
async fn full(context: &Context, tx: &Tx, all: &[OrderId]) -> anyhow::Result<()> {
    let mut group = None;
    for id in all {
        if let Some(mut order) = orders::order(tx, tx.tenant(), id).await?
            && order.waits_for_group
        {
            order.waits_for_group = false;
            group = order.group.clone();
            save(context, tx, &mut order, ("group_full", None)).await?;
        }
    }
    match group {
        Some(group) => tell(context, tx, &GroupId::parse(&group)?).await,
        None => Ok(()),
    }
}

/// A group is full.
async fn tell(context: &Context, tx: &Tx, id: &GroupId) -> anyhow::Result<()> {
    let Some(group) = groups::group(tx, tx.tenant(), id).await? else {
        return Ok(());
    };
    let fact = GroupBuyEnded {
        group: group.id,
        promotion: group.promotion,
        full: true,
    };
    append(context, tx, &fact).await
}

/// Ends the groups of a tenant whose time is over, at most `limit`; how many.
pub(crate) async fn end_due(
    context: &Context,
    tenant: &TenantId,
    limit: i64,
) -> anyhow::Result<i64> {
    store::tx(&context.db, tenant, async |tx| {
        let due = groups::fail_due(tx, context.now, limit).await?;
        for (group, all) in &due {
            failed(context, tx, all).await?;
            let fact = GroupBuyEnded {
                group: group.id.clone(),
                promotion: group.promotion.clone(),
                full: false,
            };
            append(context, tx, &fact).await?;
        }
        Ok(i64::try_from(due.len())?)
    })
    .await
}

/// The time of a group is over: its orders come to nothing, and what was paid goes back.
async fn failed(context: &Context, tx: &Tx, all: &[OrderId]) -> anyhow::Result<()> {
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
