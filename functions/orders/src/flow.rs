//! The steps of an order after it was placed: price, accept, reject, cancel, send, hand over, complete.

use anyhow::Context as _;
use kernel::{Actor, Message, Refusal};
use store::Tx;

use crate::context::Context;
use crate::domain::{
    Delivery, Fulfilment, Line, Order, OrderState, PaymentState, Step, StockState, share,
    unknown_checkout,
};
use crate::orderly::save;
use crate::store::lines::PriceChange;
use crate::store::{checkouts, lines};
use crate::{paying, refunding, selling, stocking};

/// How many wrong codes may be shown before a new one has to be made.
const WRONG_CODES_MAX: i64 = 10;

/// The most that a merchant takes for bringing something, in fen.
const FREIGHT_MINOR_MAX: i64 = 10_000_000;

/// What a merchant asks for instead: for the goods, and for the freight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Price {
    pub(crate) goods_minor: i64,
    pub(crate) freight_minor: i64,
}

/// Changes the price of an order that is not paid. The payment of its checkout is given up and asked for anew.
pub(crate) async fn reprice(
    context: &Context,
    tx: &Tx,
    (actor, reason): (&Actor, &str),
    (order, price): (&mut Order, Price),
) -> anyhow::Result<()> {
    order.stage().check(Step::Reprice)?;
    let own = lines::lines(tx, tx.tenant(), &order.id).await?;
    let repriced = spread(&own, price)?;
    for line in &repriced {
        lines::reprice(tx, line).await?;
    }
    let before = (order.goods_minor, order.freight_minor);
    (order.goods_minor, order.freight_minor) = (price.goods_minor, price.freight_minor);
    save(context, tx, order, ("price_changed", Some(&actor.id))).await?;
    let change = PriceChange {
        version: order.version,
        before,
        after: (price.goods_minor, price.freight_minor),
        reason: reason.to_owned(),
        changed_by: actor.id.clone(),
        changed_at: context.now,
    };
    lines::insert_price_change(tx, order, &change).await?;
    let checkout = checkouts::checkout(tx, tx.tenant(), &order.checkout).await?;
    let mut checkout = checkout.ok_or_else(unknown_checkout)?;
    paying::ask_anew(context, tx, &mut checkout, "商家改价 / the price changed").await
}

/// The lines with the new price spread over them: cumulative shares, so that they close exactly.
fn spread(own: &[Line], price: Price) -> Result<Vec<Line>, Refusal> {
    let worth = |line: &Line| line.quantity * line.unit_minor - line.subsidy_minor;
    let most: i64 = own.iter().map(worth).sum();
    let is_freight = (0..=FREIGHT_MINOR_MAX).contains(&price.freight_minor);
    if price.goods_minor < 0 || price.goods_minor > most || !is_freight {
        return Err(price_invalid(most));
    }
    let (mut seen, mut goods_before, mut freight_before) = (0, 0, 0);
    let mut spread = Vec::with_capacity(own.len());
    let count = i64::try_from(own.len()).unwrap_or(i64::MAX);
    for (number, line) in (1_i64..).zip(own) {
        seen += worth(line);
        let goods_until = share(price.goods_minor, seen, most);
        let freight_until = share(price.freight_minor, number, count);
        let goods_minor = goods_until - goods_before;
        spread.push(Line {
            goods_minor,
            freight_minor: freight_until - freight_before,
            merchant_discount_minor: worth(line) - goods_minor,
            ..line.clone()
        });
        (goods_before, freight_before) = (goods_until, freight_until);
    }
    Ok(spread)
}

/// The merchant takes the order. A service has a code from now on.
pub(crate) async fn accept(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    order: &mut Order,
) -> anyhow::Result<()> {
    order.stage().check(Step::Accept)?;
    order.state = OrderState::Accepted;
    order.times.accepted = Some(context.now);
    if order.delivery == Delivery::Appointment {
        order.code = Some(new_code(context)?);
    }
    save(context, tx, order, ("accepted", Some(&actor.id))).await
}

/// The buyer does not want an order that nobody has accepted, or gives up what is booked in time; or the merchant does not take it or cannot deliver: it
/// comes to nothing, and what was paid goes back.
pub(crate) async fn cancel(
    context: &Context,
    tx: &Tx,
    (actor, reason): (Option<&Actor>, &str),
    (order, step): (&mut Order, Step),
) -> anyhow::Result<()> {
    order.stage().check(step)?;
    if step == Step::Cancel {
        order.check_given_up(context.now)?;
    }
    let change = match (step, actor) {
        (Step::Reject, Some(_)) => "rejected",
        _ => "cancelled",
    };
    let actor = actor.map(|actor| &actor.id);
    if order.payment == PaymentState::Unpaid {
        paying::let_go(context, tx, order, (change, reason, actor)).await?;
        let checkout = checkouts::checkout(tx, tx.tenant(), &order.checkout).await?;
        let mut checkout = checkout.ok_or_else(unknown_checkout)?;
        return paying::ask_anew(context, tx, &mut checkout, reason).await;
    }
    stocking::put_back(context, tx, order).await?;
    refunding::give_back_all(context, tx, order, reason).await?;
    order.state = OrderState::Cancelled;
    order.stock = StockState::Released;
    order.times.cancelled = Some(context.now);
    order.cancel_reason = Some(reason.to_owned());
    save(context, tx, order, (change, actor)).await
}

/// It goes out: with a carrier and a number, or with the merchant's own people.
pub(crate) async fn ship(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (order, carrier): (&mut Order, Option<(String, String)>),
) -> anyhow::Result<()> {
    order.stage().check(Step::Ship)?;
    order.delivery = match carrier {
        Some(_) => Delivery::Carrier,
        None => Delivery::Own,
    };
    order.carrier = carrier;
    order.fulfilment = Fulfilment::Shipped;
    order.times.shipped = Some(context.now);
    save(context, tx, order, ("shipped", Some(&actor.id))).await
}

/// It can be fetched, with the code that the buyer sees from now on.
pub(crate) async fn prepare(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    order: &mut Order,
) -> anyhow::Result<()> {
    order.stage().check(Step::Prepare)?;
    order.fulfilment = Fulfilment::Ready;
    order.code = Some(new_code(context)?);
    order.times.shipped = Some(context.now);
    save(context, tx, order, ("ready", Some(&actor.id))).await
}

/// It arrived.
pub(crate) async fn deliver(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    order: &mut Order,
) -> anyhow::Result<()> {
    order.stage().check(Step::Deliver)?;
    order.fulfilment = Fulfilment::Delivered;
    order.times.delivered = Some(context.now);
    save(context, tx, order, ("delivered", Some(&actor.id))).await
}

/// What showing a code came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It was the right one.
    Right,
    /// It was not; that it was shown is kept.
    Wrong,
}

/// The buyer showed a code. A service is completed with it.
pub(crate) async fn verify(
    context: &Context,
    tx: &Tx,
    (actor, code): (&Actor, &str),
    order: &mut Order,
) -> anyhow::Result<Shown> {
    order.stage().check(Step::Verify)?;
    if order.wrong_codes >= WRONG_CODES_MAX {
        return Err(code_locked().into());
    }
    if order.code.as_deref() != Some(code) {
        order.wrong_codes += 1;
        save(context, tx, order, ("code_refused", Some(&actor.id))).await?;
        return Ok(Shown::Wrong);
    }
    order.code = None;
    order.fulfilment = Fulfilment::Delivered;
    order.times.delivered = Some(context.now);
    save(context, tx, order, ("delivered", Some(&actor.id))).await?;
    if order.delivery == Delivery::Appointment {
        selling::complete(context, tx, order, None).await?;
    }
    Ok(Shown::Right)
}

/// A new code instead of one that was tried too often.
pub(crate) async fn renew_code(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    order: &mut Order,
) -> anyhow::Result<()> {
    order.stage().check(Step::Verify)?;
    order.code = Some(new_code(context)?);
    order.wrong_codes = 0;
    save(context, tx, order, ("code_renewed", Some(&actor.id))).await
}

/// Eight digits out of the random part of a new id.
fn new_code(context: &Context) -> anyhow::Result<String> {
    let id: kernel::EventId = context.new_id()?;
    let digits: String = id
        .as_str()
        .chars()
        .filter(char::is_ascii_hexdigit)
        .collect();
    let random = digits
        .get(20..32)
        .context("a new id has 32 hexadecimal digits")?;
    let random = u64::from_str_radix(random, 16)?;
    Ok(format!("{:08}", random % 100_000_000))
}

fn price_invalid(most: i64) -> Refusal {
    Refusal::invalid(
        "price_invalid",
        Message::new(
            format!("The goods cost 0 to {most} fen, the freight 0 to {FREIGHT_MINOR_MAX}."),
            format!("商品金额应在 0 到 {most} 分之间，运费应在 0 到 {FREIGHT_MINOR_MAX} 分之间。"),
        ),
    )
}

fn code_locked() -> Refusal {
    Refusal::conflict(
        "code_locked",
        Message::new(
            "Too many wrong codes were shown. The buyer makes a new one under the order.",
            "验证码错误次数过多，请买家在订单中重新生成。",
        ),
    )
}
