//! `/api/search`: goods, services and shops by any piece of their names.

use kernel::{CommunityId, MerchantId};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::caller;
use crate::context::Context;
use crate::domain::search::Wanted;
use crate::inbox;
use crate::store::search::{self as sql, Among, Hit};

#[derive(Serialize)]
struct ShownHit {
    kind: String,
    id: String,
    title: String,
    merchant: MerchantId,
    shop: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_from_minor: Option<i64>,
}

/// Where a page ends: how well its last one fits, and which it is.
fn cursor(text: &str) -> Result<(i64, String), &'static str> {
    const WRONG: &str = "it is the next of the page before";
    let (place, id) = text.split_once('-').ok_or(WRONG)?;
    let place = place.parse().map_err(|_| WRONG)?;
    Ok((place, id.to_owned()))
}

pub(super) async fn search(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(cursor)?;
    let words = query.take("q", |text| Ok::<_, &str>(text.to_owned()))?;
    let kind = query.take("kind", |text| match text {
        "goods" | "service" | "shop" => Ok(text.to_owned()),
        _ => Err("it is goods, service or shop"),
    })?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    let wanted = Wanted::parse(words.as_deref().unwrap_or(""))?;
    inbox::catch_up(context, &actor.tenant).await?;
    let among = Among {
        kind: kind.as_deref(),
        community: community.as_ref(),
        after: page.after.clone(),
        rows: page.rows(),
    };
    let found = sql::search(&context.db, &actor.tenant, &wanted, &among).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |hit| format!("{}-{}", hit.place, hit.id),
        |hit: Hit| ShownHit {
            kind: hit.kind,
            id: hit.id,
            title: hit.title,
            merchant: hit.merchant,
            shop: hit.shop,
            price_from_minor: hit.price_minor,
        },
    )))
}
