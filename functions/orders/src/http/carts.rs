//! `/api/carts`: what a person has put aside to buy, with today's prices, and what of it cannot be had and why.

use kernel::{Actor, CommunityId, MerchantId, Message, ProductId, Refusal, SlotId, VariantId};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};

use super::{answer, caller, path_id, replied, write};
use crate::context::Context;
use crate::domain::{buyers_only, unknown_product};
use crate::inbox;
use crate::quoting::{LINES_MAX, QUANTITY_MAX, quantity_invalid, today};
use crate::store::carts::{self as sql, CartLine};
use crate::store::{offers, slots};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLine {
    quantity: u32,
    slot: Option<SlotId>,
    community: Option<CommunityId>,
}

#[derive(Serialize)]
struct ShownLine {
    variant: VariantId,
    slot: Option<SlotId>,
    product: ProductId,
    title: String,
    quantity: u32,
    /// What one costs today.
    price_minor: i64,
    /// What one cost when it was put in, when that was something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_minor: Option<i64>,
    amount_minor: i64,
    /// Why it cannot be bought now; absent when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<&'static str>,
}

#[derive(Serialize)]
struct ShownPart {
    merchant: MerchantId,
    shop: String,
    lines: Vec<ShownLine>,
    /// What its lines that can be bought cost, before promotions and freight.
    amount_minor: i64,
}

#[derive(Serialize)]
struct ShownCart {
    shops: Vec<ShownPart>,
    amount_minor: i64,
    currency: &'static str,
}

pub(super) async fn show(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let mut query = Query::of(request)?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let cart = cart(context, &context.db, &actor, community.as_ref()).await?;
    Ok(Reply::ok(&cart))
}

async fn cart(
    context: &Context,
    db: &impl store::Read,
    actor: &Actor,
    community: Option<&CommunityId>,
) -> anyhow::Result<ShownCart> {
    let today = today(db, &actor.tenant, community, context.now).await?;
    let mut cart = ShownCart {
        shops: Vec::new(),
        amount_minor: 0,
        currency: "CNY",
    };
    let lines = sql::lines(db, &actor.tenant, &actor.id).await?;
    let wanted = lines.iter().map(|line| &line.variant);
    let offers = offers::offers(db, &actor.tenant, wanted, community).await?;
    for line in lines {
        let found = offers.iter().find(|offer| offer.variant.id == line.variant);
        let Some(offer) = found.cloned() else {
            continue;
        };
        let slot = match &line.slot {
            Some(id) => slots::slot(db, &actor.tenant, id).await?,
            None => None,
        };
        let checked = offer.check(line.quantity, slot.as_ref(), (today, context.now));
        let price_minor = offer.variant.price_on(today);
        let amount_minor = price_minor * i64::from(line.quantity);
        let shown = ShownLine {
            title: offer.title(),
            variant: line.variant,
            slot: line.slot,
            product: offer.product,
            quantity: line.quantity,
            price_minor,
            seen_minor: Some(line.seen_minor).filter(|seen| *seen != price_minor),
            amount_minor,
            unavailable: checked.err().map(|why| why.code()),
        };
        let counts = if shown.unavailable.is_none() {
            amount_minor
        } else {
            0
        };
        cart.amount_minor += counts;
        match cart
            .shops
            .iter_mut()
            .find(|shop| shop.merchant == offer.merchant)
        {
            Some(shop) => {
                shop.amount_minor += counts;
                shop.lines.push(shown);
            }
            None => cart.shops.push(ShownPart {
                merchant: offer.merchant,
                shop: offer.shop,
                lines: vec![shown],
                amount_minor: counts,
            }),
        }
    }
    Ok(cart)
}

pub(super) async fn put(
    context: &Context,
    request: &Request,
    variant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let variant: VariantId = path_id(variant, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = offers::offer(&context.db, &actor.tenant, &variant, None).await?;
    found
        .filter(|offer| offer.listed)
        .ok_or_else(unknown_product)?;
    let new: NewLine = web::body(request)?;
    if !(1..=QUANTITY_MAX).contains(&new.quantity) {
        return Err(quantity_invalid().into());
    }
    let community = new.community.as_ref();
    let put = write(context, request, &actor, async |tx| {
        let offer = offers::offer(&*tx, &actor.tenant, &variant, community).await?;
        let offer = offer.ok_or_else(unknown_product)?;
        let slot = match &new.slot {
            Some(id) => slots::slot(&*tx, &actor.tenant, id).await?,
            None => None,
        };
        let today = today(&*tx, &actor.tenant, community, context.now).await?;
        offer
            .check(new.quantity, slot.as_ref(), (today, context.now))
            .map_err(|why| why.refusal(&offer.title()))?;
        if usize::try_from(sql::count(tx, &actor.id).await?)? >= LINES_MAX {
            return Err(cart_full().into());
        }
        let line = CartLine {
            variant: variant.clone(),
            slot: new.slot.clone(),
            quantity: new.quantity,
            seen_minor: offer.variant.price_on(today),
            added_at: context.now,
        };
        sql::put(tx, &actor.id, &line).await?;
        answer(200, &cart(context, &*tx, &actor, community).await?)
    })
    .await?;
    replied(&put)
}

pub(super) async fn remove(
    context: &Context,
    request: &Request,
    variant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let variant: VariantId = path_id(variant, unknown_line)?;
    let mut query = Query::of(request)?;
    let slot = query.take("slot", SlotId::parse)?;
    query.finish()?;
    store::tx(&context.db, &actor.tenant, async |tx| {
        let of = (&variant, slot.as_ref());
        match sql::remove(tx, &actor.id, of).await? {
            true => Ok(()),
            false => Err(unknown_line().into()),
        }
    })
    .await?;
    Ok(Reply::no_content())
}

fn unknown_line() -> Refusal {
    Refusal::not_found(
        "cart_line_unknown",
        Message::new("That is not in your cart.", "购物车中没有该商品。"),
    )
}

fn cart_full() -> Refusal {
    Refusal::conflict(
        "cart_full",
        Message::new(
            format!("A cart holds {LINES_MAX} different things. Take something out first."),
            format!("购物车最多 {LINES_MAX} 种商品，请先移除部分商品。"),
        ),
    )
}
