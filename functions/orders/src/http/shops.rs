//! `/api/shops`: who sells, as buyers see it.

use kernel::{CommunityId, MerchantId};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::unknown_shop;
use crate::inbox;
use crate::store::{known, shops as sql};

#[derive(Serialize)]
struct ShownShop {
    id: MerchantId,
    name: String,
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
        |(id, name)| ShownShop { id, name },
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
    Ok(Reply::ok(&ShownShop {
        id: merchant.id,
        name: merchant.name,
    }))
}
