//! `/api/favourites`: what a person likes, products and shops.

use kernel::{MerchantId, Message, ProductId, Refusal, Timestamp};
use serde::Serialize;
use store::tx;
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{buyers_only, unknown_product, unknown_shop};
use crate::inbox;
use crate::store::favourites as sql;
use crate::store::known;

/// The most things that a person likes.
pub const FAVOURITES_MAX: i64 = 1_000;

#[derive(Serialize)]
struct ShownFavourite {
    kind: String,
    id: String,
    name: String,
    added_at: Timestamp,
    /// Whether it can be had now.
    available: bool,
}

fn unknown_kind() -> Refusal {
    Refusal::not_found(
        "favourite_kind_unknown",
        Message::new(
            "Favourites are of the kinds `product` and `shop`.",
            "收藏类型为 product（商品）或 shop（店铺）。",
        ),
    )
}

fn kind_of(text: &str) -> Result<&'static str, Refusal> {
    match text {
        "product" => Ok("product"),
        "shop" => Ok("shop"),
        _ => Err(unknown_kind()),
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let mut query = Query::of(request)?;
    let kind = query.take("kind", |text| {
        kind_of(text).map_err(|_| "it is product or shop")
    })?;
    let kind = kind.unwrap_or("product");
    let page = query.page(|text| ProductId::parse(text).map(String::from))?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let who = (&actor.tenant, &actor.id);
    let found = sql::favourites(&context.db, who, kind, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |favourite| favourite.id.clone(),
        |favourite| ShownFavourite {
            kind: favourite.kind,
            id: favourite.id,
            name: favourite.name,
            added_at: favourite.added_at,
            available: favourite.available,
        },
    )))
}

pub(super) async fn put(
    context: &Context,
    request: &Request,
    (kind, id): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let kind = kind_of(kind)?;
    inbox::catch_up(context, &actor.tenant).await?;
    match kind {
        "shop" => {
            let id: MerchantId = path_id(id, unknown_shop)?;
            let shop = known::merchant(&context.db, &actor.tenant, &id).await?;
            shop.filter(|shop| shop.trades).ok_or_else(unknown_shop)?;
        }
        _ => {
            let id: ProductId = path_id(id, unknown_product)?;
            super::products::seen(context, &actor, &id).await?;
        }
    }
    tx(&context.db, &actor.tenant, async |tx| {
        if sql::count(tx, &actor.id).await? >= FAVOURITES_MAX {
            return Err(too_many().into());
        }
        sql::put(tx, &actor.id, (kind, id), context.now).await
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn delete(
    context: &Context,
    request: &Request,
    (kind, id): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let kind = kind_of(kind)?;
    let was = tx(&context.db, &actor.tenant, async |tx| {
        sql::delete(tx, &actor.id, (kind, id)).await
    })
    .await?;
    if !was {
        return Err(unknown_favourite().into());
    }
    Ok(Reply::no_content())
}

fn unknown_favourite() -> Refusal {
    Refusal::not_found(
        "favourite_unknown",
        Message::new("That is not among your favourites.", "您的收藏中没有该项。"),
    )
}

fn too_many() -> Refusal {
    Refusal::conflict(
        "favourites_full",
        Message::new(
            format!("You like {FAVOURITES_MAX} things already. Take one away first."),
            format!("收藏已达 {FAVOURITES_MAX} 项，请先取消部分收藏。"),
        ),
    )
}
