//! Pushes that merchants pay for: what was held is earned for each person reached, and the rest goes back.

use kernel::{ActorId, Currency, Money, PushMessageId};
use ledger::{Account, Posting};
use store::Tx;
use wire::event::{
    OrderChanged, PaymentClosed, PaymentSucceeded, PushOrderChanged, PushOrderSettled,
    RefundRequested,
};

use crate::context::Context;
use crate::domain::{OrderState, Step, charge};
use crate::facts;
use crate::store::deliveries;
use crate::store::orders::{self, Order};

/// What payments calls it by.
pub(crate) const PURPOSE: &str = "push";
/// How long after a push what somebody buys counts as its doing, in milliseconds: three days.
const CONVERSION_MS: i64 = 3 * 86_400_000;

/// Stores an order that came a step further, and tells.
///
/// # Errors
/// 409 when the step is not possible; a failure of the database.
pub(crate) async fn step(
    context: &Context,
    tx: &Tx,
    mut order: Order,
    (step, actor): (Step, Option<&ActorId>),
) -> anyhow::Result<Order> {
    order.state = order.state.after(step)?;
    order.changed_at = context.now;
    order.version += 1;
    orders::put(tx, &order).await?;
    let fact = PushOrderChanged {
        order: order.id.clone(),
        merchant: order.merchant.clone(),
        state: order.state.as_str().to_owned(),
        people: order.people,
        amount_minor: order.amount_minor,
        currency: Currency::Cny,
        actor: actor.cloned(),
    };
    facts::append(context, tx, &fact).await?;
    Ok(order)
}

/// The money is there.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    event: &PaymentSucceeded,
) -> anyhow::Result<()> {
    if event.purpose != PURPOSE {
        return Ok(());
    }
    let Some(order) = orders::of_payment(tx, &event.payment).await? else {
        anyhow::bail!("push did not ask for the payment {}", event.payment);
    };
    if order.state.after(Step::Pay).is_err() {
        return Ok(());
    }
    step(context, tx, order, (Step::Pay, None)).await.map(drop)
}

/// Nobody pays any more.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn closed(
    context: &Context,
    tx: &Tx,
    event: &PaymentClosed,
) -> anyhow::Result<()> {
    if event.purpose != PURPOSE {
        return Ok(());
    }
    match orders::of_payment(tx, &event.payment).await? {
        Some(order) if order.state == OrderState::Asked => {
            step(context, tx, order, (Step::Expire, None))
                .await
                .map(drop)
        }
        _ => Ok(()),
    }
}

/// The message of an order goes out.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn begins(
    context: &Context,
    tx: &Tx,
    message: &PushMessageId,
) -> anyhow::Result<()> {
    match orders::of_message(tx, message).await? {
        Some(order) if order.state == OrderState::Scheduled => {
            step(context, tx, order, (Step::Send, None)).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// A message is over: if a merchant paid for it, what was delivered is earned and the rest goes back.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn settle(
    context: &Context,
    tx: &Tx,
    message: &PushMessageId,
) -> anyhow::Result<()> {
    let Some(mut order) = orders::of_message(tx, message).await? else {
        return Ok(());
    };
    if order.state.after(Step::Settle).is_err() {
        return Ok(());
    }
    order.delivered = orders::reached(tx, message).await?;
    order.charged_minor = charge(order.delivered, order.price_minor, order.amount_minor);
    order.refunded_minor = order.amount_minor - order.charged_minor;
    let transaction = if order.charged_minor > 0 {
        let amount = Money::new(order.charged_minor, Currency::Cny);
        let posting = Posting::new("push_charge", order.id.as_str(), context.now)
            .debit(Account::suspense(), amount)
            .credit(Account::ad_income(), amount);
        Some(ledger::post(tx, &posting).await?.id)
    } else {
        None
    };
    give_back(context, tx, (&order, order.refunded_minor), "unused").await?;
    let order = step(context, tx, order, (Step::Settle, None)).await?;
    let fact = PushOrderSettled {
        order: order.id,
        merchant: order.merchant,
        delivered: order.delivered,
        charged_minor: order.charged_minor,
        refunded_minor: order.refunded_minor,
        currency: Currency::Cny,
        transaction,
    };
    facts::append(context, tx, &fact).await
}

/// Gives money back that still stands in `suspense`.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn give_back(
    context: &Context,
    tx: &Tx,
    (order, amount_minor): (&Order, i64),
    reason: &str,
) -> anyhow::Result<()> {
    let Some(payment) = order.payment.clone().filter(|_| amount_minor > 0) else {
        return Ok(());
    };
    let fact = RefundRequested {
        refund: context.new_id()?,
        payment,
        amount_minor,
        reason: reason.to_owned(),
        direct_minor: 0,
    };
    facts::append(context, tx, &fact).await
}

/// Somebody bought of a merchant whose push they got: it did what it was for.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn bought(context: &Context, tx: &Tx, event: &OrderChanged) -> anyhow::Result<()> {
    let since = event.at.plus_millis(-CONVERSION_MS);
    let who = (&event.merchant, &event.buyer);
    if let Some(message) = orders::bought_after(tx, who, since).await? {
        deliveries::convert(tx, (&message, &event.buyer), context.now).await?;
    }
    Ok(())
}
