//! `/api/checkouts`: what a basket costs, placing it, and what is still to be paid.

use kernel::{
    ActorId, AddressId, CheckoutId, CommunityId, CouponId, Currency, GroupId, MerchantId, Message,
    PaymentId, PromotionId, Refusal, SlotId, Timestamp, VariantId,
};
use serde::{Deserialize, Serialize};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::orders::{ShownOrder, brief};
use super::{answer, path_id, replied, stored, write, write_once};
use crate::context::Context;
use crate::domain::{
    Checkout, Destination, OrderState, Party, PaymentState, Words, buyer_only, buyers_only,
    illegal, party_of, unknown_checkout,
};
use crate::party::{self, Caller};
use crate::paying;
use crate::placing::{self, Wish};
use crate::quoting::{self, Ask, Basket, Quote};
use crate::store::{addresses, checkouts, orders};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    community: CommunityId,
    lines: Vec<WantedLine>,
    #[serde(default)]
    coupons: Vec<CouponId>,
    /// Whether the buyer fetches the goods.
    #[serde(default)]
    pick_up: bool,
    /// The group to join; with none a line of a group-buy begins a new one.
    #[serde(default)]
    group: Option<GroupId>,
    #[serde(default)]
    address: Option<AddressId>,
    #[serde(default)]
    remark: Option<Words>,
    /// The total that the buyer saw; of a quote it is not asked.
    #[serde(default)]
    expected_total_minor: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedLine {
    variant: VariantId,
    quantity: u32,
    #[serde(default)]
    slot: Option<SlotId>,
    /// The group-buy in which it is wanted.
    #[serde(default)]
    group_buy: Option<PromotionId>,
}

#[derive(Serialize)]
struct ShownQuote {
    total_minor: i64,
    currency: Currency,
    shops: Vec<ShownShop>,
}

#[derive(Serialize)]
struct ShownShop {
    merchant: MerchantId,
    name: String,
    coupon: Option<CouponId>,
    total_minor: i64,
    lines: Vec<ShownLine>,
}

#[derive(Serialize)]
struct ShownLine {
    variant: VariantId,
    title: String,
    quantity: u32,
    unit_minor: i64,
    list_minor: i64,
    discount_minor: i64,
    subsidy_minor: i64,
    goods_minor: i64,
    freight_minor: i64,
}

#[derive(Serialize)]
struct ShownCheckout {
    id: CheckoutId,
    buyer: ActorId,
    community: CommunityId,
    total_minor: i64,
    currency: Currency,
    /// Where a channel is chosen and the money is paid; absent when nothing is to be paid.
    payment: Option<PaymentId>,
    state: &'static str,
    placed_at: Timestamp,
    expires_at: Timestamp,
    paid_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Vec<ShownOrder>>,
}

pub(super) async fn quote(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    buyers_only(&caller.actor)?;
    let wanted: Wanted = web::body(request)?;
    let basket = basket(&caller, &wanted);
    let quote = store::tx(&context.db, &caller.actor.tenant, async |tx| {
        quoting::quote(tx, context.now, &basket).await
    })
    .await?;
    Ok(Reply::ok(&shown_quote(&quote)))
}

pub(super) async fn place(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    buyers_only(&caller.actor)?;
    let wanted: Wanted = web::body(request)?;
    let expected_minor = wanted.expected_total_minor.ok_or_else(total_missing)?;
    let made = write_once(context, request, &caller.actor, async |tx| {
        let wish = Wish {
            basket: basket(&caller, &wanted),
            destination: destination(tx, &caller, wanted.address.as_ref()).await?,
            group: wanted.group.as_ref(),
            remark: wanted.remark.as_ref().map(Words::as_str),
            expected_minor,
        };
        let (checkout, orders) = placing::place(context, tx, &wish).await?;
        let orders = orders.iter().map(|order| brief(order, Party::Buyer));
        let orders = Some(orders.collect());
        answer(
            201,
            &ShownCheckout {
                orders,
                ..shown(checkout)
            },
        )
    })
    .await?;
    stored(&made, "/api/checkouts")
}

fn basket(caller: &Caller, wanted: &Wanted) -> Basket {
    let asks = wanted.lines.iter().map(|line| Ask {
        variant: line.variant.clone(),
        slot: line.slot.clone(),
        quantity: line.quantity,
        group: line.group_buy.clone(),
    });
    Basket {
        buyer: caller.actor.id.clone(),
        community: wanted.community.clone(),
        asks: asks.collect(),
        coupons: wanted.coupons.clone(),
        brought: !wanted.pick_up,
    }
}

/// Where things are brought, as the buyer's address says today.
async fn destination(
    tx: &Tx,
    caller: &Caller,
    address: Option<&AddressId>,
) -> anyhow::Result<Destination> {
    let Some(id) = address else {
        return Ok(Destination::default());
    };
    let actor = &caller.actor;
    let found = addresses::address(tx, &actor.tenant, &actor.id, id).await?;
    let found = found.ok_or_else(address_unknown)?;
    Ok(Destination {
        name: Some(found.name.as_str().to_owned()),
        phone: Some(found.phone.as_str().to_owned()),
        address: Some(found.detail.as_str().to_owned()),
    })
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    buyers_only(&caller.actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(CheckoutId::parse)?;
    query.finish()?;
    let whose = (&caller.actor.tenant, &caller.actor.id);
    let found = checkouts::checkouts_of(&context.db, whose, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |checkout| checkout.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let (checkout, party) = seen(&context.db, &caller, id).await?;
    let orders = orders::of_checkout(&context.db, &caller.actor.tenant, &checkout.id).await?;
    let orders = orders.iter().map(|order| brief(order, party));
    let orders = Some(orders.collect());
    let version = checkout.version;
    let content = ShownCheckout {
        orders,
        ..shown(checkout)
    };
    Ok(Reply::ok(&content).with_etag(version))
}

/// The buyer wants none of it any more.
pub(super) async fn cancel(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let done = write(context, request, &caller.actor, async |tx| {
        let (mut checkout, party) = seen(tx, &caller, id).await?;
        buyer_only(party)?;
        if checkout.state != PaymentState::Unpaid {
            let state = checkout.state.as_str();
            return Err(illegal("checkout_state", "cancellation", state, &[]).into());
        }
        let placed = orders::of_checkout(tx, tx.tenant(), &checkout.id).await?;
        for mut order in placed {
            if order.state == OrderState::Placed {
                let why = ("cancelled", "买家取消 / cancelled", Some(&caller.actor.id));
                paying::let_go(context, tx, &mut order, why).await?;
            }
        }
        paying::ask_anew(context, tx, &mut checkout, "买家取消 / cancelled").await?;
        answer(200, &shown(checkout))
    })
    .await?;
    replied(&done)
}

/// The checkout, when it is the caller's own, or the caller watches over all.
async fn seen(db: &impl Read, caller: &Caller, text: &str) -> anyhow::Result<(Checkout, Party)> {
    let id: CheckoutId = path_id(text, unknown_checkout)?;
    let found = checkouts::checkout(db, &caller.actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_checkout)?;
    let party = party_of(&caller.actor, &[], (&found.buyer, None));
    Ok((found, party.ok_or_else(unknown_checkout)?))
}

fn shown_quote(quote: &Quote) -> ShownQuote {
    let shops: Vec<ShownShop> = quote
        .shops
        .iter()
        .map(|shop| ShownShop {
            merchant: shop.merchant.clone(),
            name: shop.name.clone(),
            coupon: shop.coupon.clone(),
            total_minor: shop.total_minor(),
            lines: shop
                .lines
                .iter()
                .map(|line| ShownLine {
                    variant: line.variant.clone(),
                    title: line.title.clone(),
                    quantity: line.quantity,
                    unit_minor: line.unit_minor,
                    list_minor: line.priced.list_minor,
                    discount_minor: line.priced.discount_minor,
                    subsidy_minor: line.priced.subsidy_minor,
                    goods_minor: line.priced.payable_minor,
                    freight_minor: line.priced.freight_minor,
                })
                .collect(),
        })
        .collect();
    ShownQuote {
        total_minor: shops.iter().map(|shop| shop.total_minor).sum(),
        currency: Currency::Cny,
        shops,
    }
}

fn shown(checkout: Checkout) -> ShownCheckout {
    ShownCheckout {
        id: checkout.id,
        buyer: checkout.buyer,
        community: checkout.community,
        total_minor: checkout.total_minor,
        currency: Currency::Cny,
        payment: checkout.payment,
        state: checkout.state.as_str(),
        placed_at: checkout.placed_at,
        expires_at: checkout.expires_at,
        paid_at: checkout.paid_at,
        orders: None,
    }
}

fn total_missing() -> Refusal {
    Refusal::invalid(
        "total_missing",
        Message::new(
            "Send expected_total_minor, the total that the buyer saw in the quote.",
            "请提交 expected_total_minor，即买家在报价中看到的总额。",
        ),
    )
}

fn address_unknown() -> Refusal {
    Refusal::not_found(
        "address_unknown",
        Message::new(
            "There is no such address of yours.",
            "未找到您的该收货地址。",
        ),
    )
}
