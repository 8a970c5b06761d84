//! Placing what is bought: one checkout and one payment over several shops, an order for each shop and kind of sale. The
//! server recomputes every price; stock is set aside in the same transaction.

use anyhow::Context as _;
use kernel::{GroupId, Message, OrderId, Refusal};
use store::Tx;
use store::events::{Draft as Fact, append_drafts};
use wire::mall::SaleKind;

use crate::context::Context;
use crate::domain::{
    Back, Checkout, Delivery, Destination, Frozen, Fulfilment, Line, Order, OrderState,
    PaymentState, StockState, Times,
};
use crate::orderly::changed;
use crate::paying;
use crate::quoting::{self, Basket, Quote, QuotedLine, QuotedShop};
use crate::store::groups::Joining;
use crate::store::stock::Claim;
use crate::store::{carts, checkouts, coupons, groups, lines, orders, stock};

/// What a buyer wants to buy.
pub(crate) struct Wish<'a> {
    pub(crate) basket: Basket,
    pub(crate) destination: Destination,
    pub(crate) remark: Option<&'a str>,
    /// The group that is joined; none begins a new one.
    pub(crate) group: Option<&'a GroupId>,
    /// The total that the buyer saw.
    pub(crate) expected_minor: i64,
}

/// What is written of a checkout.
struct Draft {
    checkout: Checkout,
    orders: Vec<Order>,
    lines: Vec<Line>,
    claims: Vec<Claim>,
}

/// Places what a buyer wants, at today's prices.
///
/// # Errors
/// 409 when the total is another one than the buyer saw, or there is less left than wanted; what quoting refuses.
pub(crate) async fn place(
    context: &Context,
    tx: &Tx,
    wish: &Wish<'_>,
) -> anyhow::Result<(Checkout, Vec<Order>)> {
    let quote = quoting::quote(tx, context.now, &wish.basket).await?;
    let total = quote.total_minor();
    if total != wish.expected_minor {
        return Err(total_changed(total, wish.expected_minor).into());
    }
    let mut draft = draft(context, wish, &quote)?;
    stock::reserve(tx, context.now, &draft.claims).await?;
    spend(context, tx, (wish, &quote), &mut draft).await?;
    if total > 0 {
        draft.checkout.payment = Some(context.new_id()?);
    }
    checkouts::insert_checkout(tx, &draft.checkout).await?;
    orders::insert_orders(tx, &draft.orders).await?;
    lines::insert_lines(tx, &draft.lines).await?;
    if quote.is_in_cart {
        let asks = wish.basket.asks.iter();
        let bought = asks.map(|ask| (&ask.variant, ask.slot.as_ref()));
        carts::remove_bought(tx, &wish.basket.buyer, bought).await?;
    }
    // Whoever pays asks payments, which hears first; others are concerned once it is paid.
    let mut facts = Vec::with_capacity(draft.orders.len() + 1);
    for order in &draft.orders {
        let fact = changed(context, order, "placed", Some(&order.buyer));
        facts.push(Fact::of(context.new_id()?, &fact)?.soon());
    }
    if total > 0 {
        let asked = paying::asked(&draft.checkout, &draft.orders)?;
        facts.push(Fact::of(context.new_id()?, &asked)?.soon());
    }
    append_drafts(tx, context.now, facts).await?;
    if total == 0 {
        paying::settle(context, tx, &mut draft.checkout, draft.orders).await?;
        draft.orders = orders::of_checkout(tx, tx.tenant(), &draft.checkout.id).await?;
    }
    Ok((draft.checkout, draft.orders))
}

fn draft(context: &Context, wish: &Wish<'_>, quote: &Quote) -> anyhow::Result<Draft> {
    let basket = &wish.basket;
    let mut draft = Draft {
        checkout: Checkout {
            id: context.new_id()?,
            buyer: basket.buyer.clone(),
            community: basket.community.clone(),
            total_minor: wish.expected_minor,
            payment: None,
            state: PaymentState::Unpaid,
            channel: None,
            placed_at: context.now,
            expires_at: context
                .now
                .plus_millis(context.terms.unpaid_minutes * 60_000),
            paid_at: None,
            version: 1,
        },
        orders: Vec::new(),
        lines: Vec::new(),
        claims: Vec::new(),
    };
    for shop in &quote.shops {
        for kind in SaleKind::ALL {
            let own: Vec<&QuotedLine> = shop.lines.iter().filter(|l| l.kind == *kind).collect();
            if !own.is_empty() {
                let delivery = delivery(basket, *kind);
                let order = order(context, wish, (&draft.checkout, shop), delivery)?;
                add(context, &mut draft, order, &own)?;
            }
        }
    }
    Ok(draft)
}

fn delivery(basket: &Basket, kind: SaleKind) -> Delivery {
    match kind {
        SaleKind::Service => Delivery::Appointment,
        SaleKind::Goods if basket.brought => Delivery::Carrier,
        SaleKind::Goods => Delivery::PickUp,
    }
}

fn order(
    context: &Context,
    wish: &Wish<'_>,
    (checkout, shop): (&Checkout, &QuotedShop),
    delivery: Delivery,
) -> anyhow::Result<Order> {
    Ok(Order {
        id: context.new_id()?,
        checkout: checkout.id.clone(),
        buyer: checkout.buyer.clone(),
        merchant: shop.merchant.clone(),
        community: checkout.community.clone(),
        state: OrderState::Placed,
        payment: PaymentState::Unpaid,
        delivery,
        fulfilment: Fulfilment::Waiting,
        contests: 0,
        group: None,
        waits_for_group: false,
        stock: StockState::Reserved,
        destination: wish.destination.clone(),
        remark: wish.remark.map(str::to_owned),
        carrier: None,
        code: None,
        wrong_codes: 0,
        goods_minor: 0,
        freight_minor: 0,
        refunded_minor: 0,
        collection: shop.collection,
        times: Times {
            placed: context.now,
            paid: None,
            accepted: None,
            shipped: None,
            delivered: None,
            completed: None,
            cancelled: None,
        },
        cancel_reason: None,
        transaction: None,
        cancel_until: None,
        version: 1,
    })
}

/// Adds an order with its lines, and what they claim of the stock.
fn add(
    context: &Context,
    draft: &mut Draft,
    mut order: Order,
    own: &[&QuotedLine],
) -> anyhow::Result<()> {
    for quoted in own {
        let line = line(context, &order.id, quoted)?;
        order.goods_minor += line.goods_minor;
        order.freight_minor += line.freight_minor;
        // Of several times the first one binds.
        order.cancel_until = match (order.cancel_until, quoted.cancel_until) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
        draft.claims.extend(quoted.items.iter().map(|item| Claim {
            line: line.id.clone(),
            item: item.clone(),
            order: order.id.clone(),
            checkout: order.checkout.clone(),
            buyer: order.buyer.clone(),
            quantity: quoted.quantity,
        }));
        draft.lines.push(line);
    }
    draft.orders.push(order);
    Ok(())
}

fn line(context: &Context, order: &OrderId, quoted: &QuotedLine) -> anyhow::Result<Line> {
    let priced = &quoted.priced;
    let promotion = priced.discounts.first();
    Ok(Line {
        id: context.new_id()?,
        order: order.clone(),
        product: quoted.product.clone(),
        variant: quoted.variant.clone(),
        slot: quoted.slot.as_ref().map(|slot| slot.id.clone()),
        promotion: promotion.map(|discount| discount.promotion.clone()),
        category: quoted.category.clone(),
        kind: quoted.kind,
        title: match quoted.variant_name.as_str() {
            "" => quoted.title.clone(),
            name => format!("{} {name}", quoted.title),
        },
        quantity: quoted.quantity.into(),
        unit_minor: quoted.unit_minor,
        merchant_discount_minor: priced.discount_minor - priced.subsidy_minor,
        subsidy_minor: priced.subsidy_minor,
        goods_minor: priced.payable_minor,
        freight_minor: priced.freight_minor,
        commission: Frozen::default(),
        back: Back::default(),
    })
}

/// Spends coupons and takes seats in groups.
async fn spend(
    context: &Context,
    tx: &Tx,
    (wish, quote): (&Wish<'_>, &Quote),
    draft: &mut Draft,
) -> anyhow::Result<()> {
    for shop in &quote.shops {
        let order = draft
            .orders
            .iter_mut()
            .find(|order| order.merchant == shop.merchant);
        let order = order.context("a quoted shop has no order")?;
        if let Some(coupon) = &shop.coupon {
            let held = (coupon, &order.buyer);
            if !coupons::use_for(tx, context.now, held, &order.checkout).await? {
                return Err(coupon_spent().into());
            }
        }
        for line in &shop.lines {
            if let Some(group) = &line.group {
                let joining = Joining {
                    promotion: &group.promotion,
                    merchant: &shop.merchant,
                    size: group.size,
                    hours: group.hours,
                    group: wish.group,
                    order: &order.id,
                    buyer: &order.buyer,
                };
                let joined = groups::join(tx, context.now, &joining).await?;
                order.group = Some(joined.ok_or_else(group_closed)?.to_string());
                order.waits_for_group = true;
            }
        }
    }
    Ok(())
}

fn coupon_spent() -> Refusal {
    Refusal::conflict(
        "coupon_spent",
        Message::new(
            "This coupon was used already, or is none of yours.",
            "该优惠券已使用或不属于您。",
        ),
    )
}

fn group_closed() -> Refusal {
    Refusal::conflict(
        "group_closed",
        Message::new(
            "This group is full or over, or you are in it already. Join another one, or begin a new one.",
            "该拼团已满、已结束或您已参加，请参加其他拼团或发起新的拼团。",
        ),
    )
}

fn total_changed(total: i64, expected: i64) -> Refusal {
    Refusal::conflict(
        "total_changed",
        Message::new(
            format!(
                "This costs {total} fen now, not {expected}. Look at it again and confirm the new total."
            ),
            format!("当前应付总额为 {total} 分，与您看到的 {expected} 分不同，请确认后重新提交。"),
        ),
    )
}
