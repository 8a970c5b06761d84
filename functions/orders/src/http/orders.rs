//! `/api/orders`: what was bought, and each step of it.

use kernel::{
    Actor, ActorId, AfterSaleId, CheckoutId, CommunityId, Currency, MerchantId, OrderId,
    OrderLineId, Phone, ProductId, RefundId, SlotId, Timestamp, VariantId,
};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::{Query, Reply, Request};
use wire::mall::{Collection, SaleKind};

use super::{answer, private, replied, write};
use crate::context::Context;
use crate::domain::{Line, Order, OrderState, Party};
use crate::party::{self, Caller};
use crate::store::lines::PriceChange;
use crate::store::refunds::Refund;
use crate::store::{after_sales, lines, orders as sql, refunds};

/// An order as lists show it.
#[derive(Serialize)]
pub(super) struct ShownOrder {
    id: OrderId,
    checkout: CheckoutId,
    buyer: ActorId,
    merchant: MerchantId,
    community: CommunityId,
    /// The one word that people read.
    summary: &'static str,
    state: &'static str,
    payment: &'static str,
    delivery: &'static str,
    fulfilment: &'static str,
    contests: i64,
    group: Option<String>,
    waits_for_group: bool,
    receiver: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    remark: Option<String>,
    carrier: Option<String>,
    tracking: Option<String>,
    /// What the buyer shows; nobody else sees it.
    verification_code: Option<String>,
    goods_minor: i64,
    freight_minor: i64,
    total_minor: i64,
    refunded_minor: i64,
    currency: Currency,
    collection: Collection,
    placed_at: Timestamp,
    paid_at: Option<Timestamp>,
    accepted_at: Option<Timestamp>,
    shipped_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    cancel_reason: Option<String>,
    version: i64,
}

#[derive(Serialize)]
struct ShownWhole {
    #[serde(flatten)]
    order: ShownOrder,
    lines: Vec<ShownLine>,
    refunds: Vec<ShownRefund>,
    after_sales: Vec<ShownAfterSale>,
    price_changes: Vec<ShownPriceChange>,
}

#[derive(Serialize)]
struct ShownLine {
    id: OrderLineId,
    product: ProductId,
    variant: VariantId,
    /// When, for a service.
    slot: Option<SlotId>,
    kind: SaleKind,
    title: String,
    quantity: i64,
    unit_minor: i64,
    discount_minor: i64,
    subsidy_minor: i64,
    goods_minor: i64,
    freight_minor: i64,
    refunded_quantity: i64,
    refunded_minor: i64,
}

#[derive(Serialize)]
struct ShownRefund {
    id: RefundId,
    amount_minor: i64,
    state: &'static str,
    reason: String,
    requested_at: Timestamp,
    ended_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct ShownAfterSale {
    id: AfterSaleId,
    kind: &'static str,
    state: &'static str,
    amount_minor: i64,
}

#[derive(Serialize)]
struct ShownPriceChange {
    before_goods_minor: i64,
    before_freight_minor: i64,
    goods_minor: i64,
    freight_minor: i64,
    reason: String,
    changed_by: ActorId,
    changed_at: Timestamp,
}

#[derive(Deserialize)]
struct Filter {
    merchant: Option<MerchantId>,
    state: Option<OrderState>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let mut query = Query::of(request)?;
    let filter = Filter {
        merchant: query.take("merchant", MerchantId::parse)?,
        state: query.take("state", |text| {
            OrderState::parse(text).ok_or("it is placed, accepted, completed or cancelled")
        })?,
    };
    let page = query.page(OrderId::parse)?;
    query.finish()?;
    let whose = caller.whose(filter.merchant)?;
    let state = filter.state.map(OrderState::as_str);
    let found = sql::orders(&context.db, (&caller.actor.tenant, &whose), state, &page).await?;
    let show = |order: Order| {
        let party = caller.party(&order).unwrap_or(Party::Reader);
        brief(&order, party)
    };
    let listing = page.listing(found, |order| order.id.to_string(), show);
    Ok(private(Reply::ok(&listing)))
}

pub(super) async fn show(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let (db, tenant) = (&context.db, &caller.actor.tenant);
    let (order, party) = caller.order(db, id).await?;
    let own = lines::lines(db, tenant, &order.id).await?;
    let refunds = refunds::refunds_of(db, tenant, &order.id).await?;
    let contests = after_sales::of_order(db, tenant, &order.id).await?;
    let prices = lines::price_changes(db, tenant, &order.id).await?;
    let whole = ShownWhole {
        order: brief(&order, party),
        lines: own.into_iter().map(shown_line).collect(),
        refunds: refunds.into_iter().map(shown_refund).collect(),
        after_sales: contests
            .into_iter()
            .map(|contest| ShownAfterSale {
                id: contest.id,
                kind: contest.kind.as_str(),
                state: contest.state.as_str(),
                amount_minor: contest.amount_minor,
            })
            .collect(),
        price_changes: prices.into_iter().map(shown_price).collect(),
    };
    Ok(private(Reply::ok(&whole).with_etag(order.version)))
}

/// Takes a step of an order: loads it for that side, changes it, shows it.
pub(super) async fn step(
    context: &Context,
    request: &Request,
    (caller, id, by): (&Caller, &str, Party),
    work: impl AsyncFn(&Tx, &Actor, &mut Order) -> anyhow::Result<()>,
) -> anyhow::Result<Reply> {
    let done = write(context, request, &caller.actor, async |tx| {
        let mut order = match by {
            Party::Buyer => caller.bought(tx, id).await?,
            _ => caller.sold(tx, id).await?,
        };
        let condition = web::if_match(request);
        if let Some(condition) = condition {
            condition.check(order.version)?;
        }
        work(tx, &caller.actor, &mut order).await?;
        answer(200, &brief(&order, by))
    })
    .await?;
    Ok(private(replied(&done)?))
}

/// An order as this party sees it: the code is the buyer's alone; the phone is masked for those who do not bring it.
pub(super) fn brief(order: &Order, party: Party) -> ShownOrder {
    let (carrier, tracking) = order.carrier.clone().unzip();
    let brings = party == Party::Merchant && order.state == OrderState::Accepted;
    let phone = order.destination.phone.clone();
    let times = order.times;
    ShownOrder {
        id: order.id.clone(),
        checkout: order.checkout.clone(),
        buyer: order.buyer.clone(),
        merchant: order.merchant.clone(),
        community: order.community.clone(),
        summary: order.stage().summary(),
        state: order.state.as_str(),
        payment: order.money(),
        delivery: order.delivery.as_str(),
        fulfilment: order.fulfilment.as_str(),
        contests: order.contests,
        group: order.group.clone(),
        waits_for_group: order.waits_for_group,
        receiver: order.destination.name.clone(),
        phone: match party {
            Party::Buyer => phone,
            _ if brings => phone,
            _ => phone.map(|phone| Phone::parse(&phone).map_or("***".to_owned(), |p| p.masked())),
        },
        address: order.destination.address.clone(),
        remark: order.remark.clone(),
        carrier,
        tracking,
        verification_code: order.code.clone().filter(|_| party == Party::Buyer),
        goods_minor: order.goods_minor,
        freight_minor: order.freight_minor,
        total_minor: order.total_minor(),
        refunded_minor: order.refunded_minor,
        currency: Currency::Cny,
        collection: order.collection,
        placed_at: times.placed,
        paid_at: times.paid,
        accepted_at: times.accepted,
        shipped_at: times.shipped,
        delivered_at: times.delivered,
        completed_at: times.completed,
        cancelled_at: times.cancelled,
        cancel_reason: order.cancel_reason.clone(),
        version: order.version,
    }
}

fn shown_line(line: Line) -> ShownLine {
    ShownLine {
        id: line.id,
        product: line.product,
        variant: line.variant,
        slot: line.slot,
        kind: line.kind,
        title: line.title,
        quantity: line.quantity,
        unit_minor: line.unit_minor,
        discount_minor: line.merchant_discount_minor + line.subsidy_minor,
        subsidy_minor: line.subsidy_minor,
        goods_minor: line.goods_minor,
        freight_minor: line.freight_minor,
        refunded_quantity: line.back.quantity,
        refunded_minor: line.back.amount_minor(),
    }
}

fn shown_refund(refund: Refund) -> ShownRefund {
    ShownRefund {
        id: refund.id,
        amount_minor: refund.amount_minor,
        state: refund.state.as_str(),
        reason: refund.reason,
        requested_at: refund.requested_at,
        ended_at: refund.ended_at,
    }
}

fn shown_price(change: PriceChange) -> ShownPriceChange {
    ShownPriceChange {
        before_goods_minor: change.before.0,
        before_freight_minor: change.before.1,
        goods_minor: change.after.0,
        freight_minor: change.after.1,
        reason: change.reason,
        changed_by: change.changed_by,
        changed_at: change.changed_at,
    }
}
