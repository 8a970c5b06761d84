//! `/api/shops` and `/api/shelves`: who sells and what is sold, and how a shop brings things.

use kernel::{CategoryId, CommunityId, MerchantId, Message, Refusal};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};
use wire::event::ShopDeliveryChanged;

use super::{answer, caller, path_id, replied, write};
use crate::context::Context;
use crate::domain::product::PRICE_MINOR_MAX;
use crate::domain::{
    Merchant, ShopDelivery, goods_keeper, goods_reader, unknown_merchant, unknown_shop,
};
use crate::store::{known, shops as sql};
use crate::{facts, inbox, quoting};

/// What share of the goods on offer may have run out, in 1/10,000 (缺货率).
const SHORTAGE_BPS_MAX: i64 = 300;

#[derive(Serialize)]
struct ShownShop {
    id: MerchantId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<WrittenDelivery>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDelivery {
    freight_minor: i64,
    #[serde(default)]
    free_from_minor: Option<i64>,
    own: bool,
    carrier: bool,
    pickup: bool,
}

impl From<ShopDelivery> for WrittenDelivery {
    fn from(delivery: ShopDelivery) -> Self {
        Self {
            freight_minor: delivery.freight_minor,
            free_from_minor: delivery.free_from_minor,
            own: delivery.own,
            carrier: delivery.carrier,
            pickup: delivery.pickup,
        }
    }
}

#[derive(Serialize)]
struct ShownShelf {
    id: CategoryId,
    parent: Option<CategoryId>,
    name: String,
    kind: String,
    /// How many products are on offer in it.
    products: i64,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(MerchantId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::shops(&context.db, &actor.tenant, community.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |(id, _)| id.to_string(),
        |(id, name)| ShownShop {
            id,
            name,
            mode: None,
            delivery: None,
        },
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    shop: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: MerchantId = path_id(shop, unknown_shop)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = known::merchant(&context.db, &actor.tenant, &id).await?;
    let merchant = merchant
        .filter(|merchant| merchant.trades)
        .ok_or_else(unknown_shop)?;
    let delivery = sql::delivery(&context.db, &actor.tenant, &id).await?;
    Ok(Reply::ok(&ShownShop {
        id: merchant.id,
        name: merchant.name,
        mode: Some(merchant.mode.as_str()),
        delivery: Some(delivery.into()),
    }))
}

pub(super) async fn shelves(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(CategoryId::parse)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::shelves(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |shelf| shelf.id.to_string(),
        |shelf| ShownShelf {
            id: shelf.id,
            parent: shelf.parent,
            name: shelf.name,
            kind: shelf.kind,
            products: shelf.products,
        },
    )))
}

/// The merchant of a shop, for those who act for it or read all of it.
async fn read(context: &Context, request: &Request, shop: &str) -> anyhow::Result<Merchant> {
    let actor = caller(context, request)?;
    let id: MerchantId = path_id(shop, unknown_merchant)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = known::merchant(&context.db, &actor.tenant, &id).await?;
    let merchant = merchant.ok_or_else(unknown_merchant)?;
    goods_reader(&actor, &merchant, unknown_merchant)?;
    Ok(merchant)
}

pub(super) async fn change_delivery(
    context: &Context,
    request: &Request,
    shop: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let merchant = read(context, request, shop).await?;
    goods_keeper(&actor, &merchant, unknown_merchant)?;
    let new: WrittenDelivery = web::body(request)?;
    let price = |minor: i64| (0..=PRICE_MINOR_MAX).contains(&minor);
    let is_fine = price(new.freight_minor)
        && new.free_from_minor.is_none_or(price)
        && (new.own || new.carrier || new.pickup);
    if !is_fine {
        return Err(delivery_invalid().into());
    }
    let changed = write(context, request, &actor, async |tx| {
        let held = sql::delivery(&*tx, &actor.tenant, &merchant.id).await?;
        let delivery = ShopDelivery {
            freight_minor: new.freight_minor,
            free_from_minor: new.free_from_minor,
            own: new.own,
            carrier: new.carrier,
            pickup: new.pickup,
            version: held.version + 1,
        };
        sql::put_delivery(tx, &merchant.id, &delivery).await?;
        let fact = ShopDeliveryChanged {
            merchant: merchant.id.clone(),
            freight_minor: delivery.freight_minor,
            free_from_minor: delivery.free_from_minor,
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(200, &WrittenDelivery::from(delivery))
    })
    .await?;
    replied(&changed)
}

pub(super) async fn shortage(
    context: &Context,
    request: &Request,
    shop: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let merchant = read(context, request, shop).await?;
    let (on_offer, run_out) = sql::shortage(&context.db, &actor.tenant, &merchant.id).await?;
    let rate_bps = if on_offer == 0 {
        0
    } else {
        (run_out * 10_000 + on_offer / 2) / on_offer
    };
    Ok(Reply::ok(&serde_json::json!({
        "variants": on_offer, "run_out": run_out, "rate_bps": rate_bps, "rate_bps_max": SHORTAGE_BPS_MAX,
        "within": rate_bps <= SHORTAGE_BPS_MAX,
    })))
}

#[derive(Serialize)]
struct ShownExpiry {
    variant: kernel::VariantId,
    product: kernel::ProductId,
    name: String,
    expires_on: String,
    trace_code: Option<String>,
    price_minor: i64,
    usual_minor: i64,
    available: i64,
    expired: bool,
}

pub(super) async fn near_expiry(
    context: &Context,
    request: &Request,
    shop: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let days = query.take("days", |text| match text.parse() {
        Ok(days) if (0..=365).contains(&days) => Ok(days),
        _ => Err("it is a number from 0 to 365"),
    })?;
    query.finish()?;
    let merchant = read(context, request, shop).await?;
    let today = quoting::today(&context.db, &actor.tenant, None, context.now).await?;
    let until = today + chrono::Days::new(days.unwrap_or(30));
    let key = (&actor.tenant, &merchant.id);
    let found = sql::expiring(&context.db, key, until).await?;
    let items: Vec<ShownExpiry> = found
        .into_iter()
        .map(|found| {
            let freshness = found.variant.freshness(today);
            let (expires_on, trace_code) = match &found.variant.shelf {
                Some(shelf) => (
                    crate::rows::date(shelf.expires_on),
                    shelf
                        .trace_code
                        .as_ref()
                        .map(|code| code.as_str().to_owned()),
                ),
                None => (String::new(), None),
            };
            ShownExpiry {
                product: found.product,
                name: format!("{} {}", found.name, found.variant.name.as_str()),
                expires_on,
                trace_code,
                price_minor: found.variant.price_on(today),
                usual_minor: found.variant.price_minor,
                available: found.available,
                expired: freshness == crate::domain::Freshness::Expired,
                variant: found.variant.id,
            }
        })
        .collect();
    Ok(Reply::ok(&serde_json::json!({ "items": items })))
}

fn delivery_invalid() -> Refusal {
    Refusal::invalid(
        "delivery_invalid",
        Message::new(
            "Freight is 0 or more, and things are brought by the shop, by a carrier, or picked up.",
            "运费不得小于零，且须至少支持一种方式：自配送、快递或自提。",
        ),
    )
}
