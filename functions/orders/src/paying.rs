//! The money of checkouts: asked for, there, not coming, or come too late.
//!
//! A payment notice is heard through the event log, so it comes after our own commit, but it may come twice, late, or
//! for a payment that was given up. The checkout's state and its payment decide: the first is taken, the same one again
//! is passed over, and any other money goes back by itself.

use anyhow::Context as _;
use kernel::{ActorId, Currency, PaymentId};
use store::Tx;
use wire::event::{
    PaymentCancelRequested, PaymentClosed, PaymentRequested, PaymentSucceeded, RefundRequested,
};
use wire::mall::Collection;

use crate::context::Context;
use crate::domain::{
    Checkout, Line, Order, OrderState, PaymentState, RefundState, Step, StockState,
};
use crate::facts::append;
use crate::orderly::save;
use crate::store::refunds::Refund;
use crate::store::{checkouts, lines, orders, refunds};
use crate::{charging, grouping, stocking};

/// What payments calls this purpose by.
pub(crate) const PURPOSE: &str = "order";

/// Asks for the money of a checkout, under a new payment.
pub(crate) async fn ask(
    context: &Context,
    tx: &Tx,
    checkout: &Checkout,
    orders: &[Order],
) -> anyhow::Result<()> {
    append(context, tx, &asked(checkout, orders)?).await
}

/// What is told when the money of a checkout is asked for.
pub(crate) fn asked(checkout: &Checkout, orders: &[Order]) -> anyhow::Result<PaymentRequested> {
    let payment = checkout.payment.clone().context("no payment to ask for")?;
    let shops = orders.len();
    Ok(PaymentRequested {
        payment,
        purpose: PURPOSE.to_owned(),
        payer: checkout.buyer.clone(),
        community: checkout.community.clone(),
        amount_minor: checkout.total_minor,
        currency: Currency::Cny,
        subject: format!("商城订单 {shops} 笔 / {shops} orders of the mall"),
        reference: checkout.id.to_string(),
        expires_at: checkout.expires_at,
        direct_minor: direct(orders),
    })
}

/// What of these orders the channel pays straight to merchants.
fn direct(orders: &[Order]) -> i64 {
    let direct = orders
        .iter()
        .filter(|order| order.collection == Collection::Direct);
    direct
        .filter(|order| order.state == OrderState::Placed)
        .map(Order::total_minor)
        .sum()
}

/// No longer wants the money of a payment.
pub(crate) async fn give_up(
    context: &Context,
    tx: &Tx,
    payment: &PaymentId,
    reason: &str,
) -> anyhow::Result<()> {
    let fact = PaymentCancelRequested {
        payment: payment.clone(),
        reason: reason.to_owned(),
    };
    append(context, tx, &fact).await
}

/// The orders of an unpaid checkout changed: what is left is asked for anew, under another payment; with nothing left
/// the checkout is closed. Money that still comes for the payment that was given up goes back by itself.
pub(crate) async fn ask_anew(
    context: &Context,
    tx: &Tx,
    checkout: &mut Checkout,
    reason: &str,
) -> anyhow::Result<()> {
    let placed: Vec<Order> = orders::of_checkout(tx, tx.tenant(), &checkout.id)
        .await?
        .into_iter()
        .filter(|order| order.state == OrderState::Placed)
        .collect();
    if let Some(payment) = &checkout.payment {
        give_up(context, tx, payment, reason).await?;
    }
    checkout.total_minor = placed.iter().map(Order::total_minor).sum();
    if placed.is_empty() {
        checkout.state = PaymentState::Closed;
        checkout.payment = None;
        return checkouts::update_checkout(tx, checkout).await;
    }
    if checkout.total_minor == 0 {
        checkout.payment = None;
        return settle(context, tx, checkout, placed).await;
    }
    checkout.payment = Some(context.new_id()?);
    checkouts::update_checkout(tx, checkout).await?;
    ask(context, tx, checkout, &placed).await
}

/// The money of a checkout is there.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    event: &PaymentSucceeded,
) -> anyhow::Result<()> {
    let id = kernel::CheckoutId::parse(&event.reference)?;
    let checkout = checkouts::checkout(tx, tx.tenant(), &id).await?;
    let mut checkout = checkout.with_context(|| format!("no checkout is {id}"))?;
    if checkout.state == PaymentState::Paid && checkout.payment.as_ref() == Some(&event.payment) {
        return Ok(());
    }
    let is_awaited = checkouts::waits_for(&checkout, &event.payment);
    if !is_awaited || event.amount_minor != checkout.total_minor {
        return give_all_back(context, tx, &checkout, event).await;
    }
    let orders = orders::of_checkout(tx, tx.tenant(), &id).await?;
    checkout.channel = Some(event.channel.clone());
    checkout.paid_at = Some(event.paid_at);
    settle(context, tx, &mut checkout, orders).await
}

/// A checkout is paid, or costs nothing: its orders are the merchants' to accept, its goods are taken, and what the
/// platform takes is frozen.
pub(crate) async fn settle(
    context: &Context,
    tx: &Tx,
    checkout: &mut Checkout,
    orders: Vec<Order>,
) -> anyhow::Result<()> {
    checkout.state = PaymentState::Paid;
    let paid_at = *checkout.paid_at.get_or_insert(context.now);
    checkouts::update_checkout(tx, checkout).await?;
    stocking::take(context, tx, &checkout.id).await?;
    let lines = lines::of_checkout(tx, tx.tenant(), &checkout.id).await?;
    let mut grouped = Vec::new();
    for mut order in orders {
        if !order.stage().may(Step::Pay) {
            continue;
        }
        order.payment = PaymentState::Paid;
        order.stock = StockState::Taken;
        order.times.paid = Some(paid_at);
        let own: Vec<Line> = lines
            .iter()
            .filter(|line| line.order == order.id)
            .cloned()
            .collect();
        charging::freeze(tx, (&order, paid_at), own).await?;
        save(context, tx, &mut order, ("paid", None)).await?;
        grouped.extend(order.group.is_some().then_some(order.id));
    }
    for order in grouped {
        grouping::paid(context, tx, &order).await?;
    }
    Ok(())
}

/// Nobody waits for this money any more: it goes back, once.
async fn give_all_back(
    context: &Context,
    tx: &Tx,
    checkout: &Checkout,
    event: &PaymentSucceeded,
) -> anyhow::Result<()> {
    if refunds::is_given_back(tx, &event.payment).await? {
        return Ok(());
    }
    let refund = Refund {
        id: context.new_id()?,
        order: None,
        checkout: checkout.id.clone(),
        payment: event.payment.clone(),
        after_sale: None,
        amount_minor: event.amount_minor,
        reason: "订单已取消或已改价，款项原路退回 / the order was cancelled or changed".to_owned(),
        state: RefundState::Requested,
        after_completion: false,
        transaction: None,
        requested_at: context.now,
        ended_at: None,
    };
    refunds::insert_refund(tx, &refund, &[]).await?;
    let fact = RefundRequested {
        refund: refund.id,
        payment: refund.payment,
        amount_minor: refund.amount_minor,
        reason: refund.reason,
        direct_minor: direct_of(tx, checkout, event.amount_minor).await?,
    };
    append(context, tx, &fact).await
}

/// What of money that nobody waits for any more the channel paid straight to merchants.
async fn direct_of(tx: &Tx, checkout: &Checkout, amount_minor: i64) -> anyhow::Result<i64> {
    let orders = orders::of_checkout(tx, tx.tenant(), &checkout.id).await?;
    let direct = orders
        .iter()
        .filter(|order| order.collection == Collection::Direct);
    let direct: i64 = direct.map(Order::total_minor).sum();
    Ok(direct.min(amount_minor))
}

/// A payment will not be paid any more: when it was the one that the checkout waits for, its orders come to nothing.
pub(crate) async fn closed(
    context: &Context,
    tx: &Tx,
    event: &PaymentClosed,
) -> anyhow::Result<()> {
    let id = kernel::CheckoutId::parse(&event.reference)?;
    match checkouts::checkout(tx, tx.tenant(), &id).await? {
        Some(mut checkout) if checkouts::waits_for(&checkout, &event.payment) => {
            close(context, tx, &mut checkout, ("expired", &event.reason)).await
        }
        _ => Ok(()),
    }
}

/// Closes an unpaid checkout: all that is placed in it is cancelled, and its goods can be bought again.
pub(crate) async fn close(
    context: &Context,
    tx: &Tx,
    checkout: &mut Checkout,
    (change, reason): (&str, &str),
) -> anyhow::Result<()> {
    checkout.state = PaymentState::Closed;
    checkouts::update_checkout(tx, checkout).await?;
    for mut order in orders::of_checkout(tx, tx.tenant(), &checkout.id).await? {
        if order.state == OrderState::Placed {
            let_go(context, tx, &mut order, (change, reason, None)).await?;
        }
    }
    Ok(())
}

/// An unpaid order comes to nothing: its goods, coupons and seats are free again.
pub(crate) async fn let_go(
    context: &Context,
    tx: &Tx,
    order: &mut Order,
    (change, reason, actor): (&str, &str, Option<&ActorId>),
) -> anyhow::Result<()> {
    order.state = OrderState::Cancelled;
    order.payment = PaymentState::Closed;
    order.stock = StockState::Released;
    order.times.cancelled = Some(context.now);
    order.cancel_reason = Some(reason.to_owned());
    stocking::release(context, tx, order).await?;
    save(context, tx, order, (change, actor)).await
}
