//! Where the goods of an order go in the stock: set aside when it is placed, sold when it is paid, free again when it
//! comes to nothing. Each claim knows what became of it, so that none of this happens twice.

use kernel::{ActorId, CheckoutId, EventId};
use store::Tx;

use crate::context::Context;
use crate::domain::stock::{Movement, MovementKind, out_of_stock};
use crate::domain::{Line, Order};
use crate::store::{coupons, groups, lines, stock};

/// The goods of a paid checkout are sold.
pub(crate) async fn take(context: &Context, tx: &Tx, checkout: &CheckoutId) -> anyhow::Result<()> {
    stock::take(tx, context.now, checkout, None).await?;
    Ok(())
}

/// An unpaid order came to nothing: its goods and coupons are free again.
pub(crate) async fn release(context: &Context, tx: &Tx, order: &Order) -> anyhow::Result<()> {
    stock::release(tx, context.now, &order.checkout, Some(&order.id)).await?;
    groups::leave(tx, &order.id).await?;
    coupons::give_back(tx, &order.checkout, Some(&order.merchant)).await
}

/// A paid order comes to nothing before it went out: all that is left of it can be bought again. Comes before the refund.
pub(crate) async fn put_back(context: &Context, tx: &Tx, order: &Order) -> anyhow::Result<()> {
    for line in lines::lines(tx, tx.tenant(), &order.id).await? {
        // What went back before went back into the stock with it.
        put_back_line(context, tx, &line, line.quantity - line.back.quantity).await?;
    }
    groups::leave(tx, &order.id).await?;
    coupons::give_back(tx, &order.checkout, Some(&order.merchant)).await
}

/// Units of a line that never went out can be bought again, at most those that are not free yet.
pub(crate) async fn put_back_line(
    context: &Context,
    tx: &Tx,
    line: &Line,
    quantity: i64,
) -> anyhow::Result<()> {
    let quantity = u32::try_from(quantity)?;
    if quantity > 0 {
        stock::restock(tx, context.now, &line.id, quantity).await?;
    }
    Ok(())
}

/// Units go out for a line of an order that was sold before: in exchange.
///
/// # Errors
/// 409 when there is less left; a failure of the database.
pub(crate) async fn issue(
    context: &Context,
    tx: &Tx,
    (line, quantity): (&Line, i64),
    actor: &ActorId,
) -> anyhow::Result<()> {
    let movement = Movement {
        id: context.new_id::<EventId>()?.to_string(),
        kind: MovementKind::Issued,
        available: -quantity,
        reserved: 0,
        line: Some(line.id.clone()),
        actor: Some(actor.clone()),
        reason: Some("换货 / exchange".to_owned()),
        at: context.now,
    };
    let moved = stock::adjust(tx, line.variant.as_str(), &movement).await?;
    moved.ok_or_else(|| out_of_stock(&line.title))?;
    Ok(())
}
