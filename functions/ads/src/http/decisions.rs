//! `/api/ads/decisions` and `/api/ads/offers`: what is shown to the caller, and what they tell of it.
//!
//! An offer's token is all that its view and its click need: screens and pages tell them without a login.

use advertising::{Invalid, is_crawler};
use kernel::{CommunityId, Message, PlacementId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use web::{Reply, Request};

use super::{caller, private};
use crate::context::Context;
use crate::domain::{check_viewer, unknown_community, unknown_offer};
use crate::store::offers::{PLACEMENTS_MAX, Shown};
use crate::store::told::Told;
use crate::{serving, tracking};

/// What everything paid says (Advertising Law, article 14).
pub const LABEL: &str = "广告";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    placements: Vec<PlacementId>,
    community: Option<CommunityId>,
}

#[derive(Serialize)]
struct Decision<'a> {
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    placement: &'a PlacementId,
    label: &'static str,
    offer: &'a str,
    expires_at: Timestamp,
    creative: &'a Shown,
}

pub(super) async fn decide(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_viewer(&actor)?;
    let asked: Asked = web::body(request)?;
    let is_twice = |one: &PlacementId| {
        asked
            .placements
            .iter()
            .filter(|other| *other == one)
            .count()
            > 1
    };
    if !(1..=PLACEMENTS_MAX).contains(&asked.placements.len())
        || asked.placements.iter().any(is_twice)
    {
        return Err(placements_invalid().into());
    }
    let communities = match asked.community {
        Some(community) if !actor.reaches(&community) => return Err(unknown_community().into()),
        Some(community) => vec![community],
        None => actor.communities.clone(),
    };
    let served = serving::decide(context, &actor, &asked.placements, &communities).await?;
    let items = served.iter().map(|one| Item {
        placement: &one.placement,
        label: LABEL,
        offer: &one.token,
        expires_at: one.expires_at,
        creative: &one.shown,
    });
    let items = items.collect();
    Ok(private(Reply::ok(&Decision { items })))
}

pub(super) async fn view(
    context: &Context,
    request: &Request,
    offer: &str,
) -> anyhow::Result<Reply> {
    tell(context, request, (offer, Told::View)).await
}

pub(super) async fn click(
    context: &Context,
    request: &Request,
    offer: &str,
) -> anyhow::Result<Reply> {
    tell(context, request, (offer, Told::Click)).await
}

async fn tell(
    context: &Context,
    request: &Request,
    (offer, told): (&str, Told),
) -> anyhow::Result<Reply> {
    let agent = request.headers().get(::http::header::USER_AGENT);
    let agent = agent
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let invalid = tracking::tell(context, offer, told, is_crawler(agent)).await?;
    match invalid {
        // What the caller can do nothing about is told without fuss; it is counted with its reason.
        Some(Invalid::Unknown) if told == Told::Click => Err(not_viewed().into()),
        Some(Invalid::Unknown) => Err(unknown_offer().into()),
        Some(Invalid::Used) => Err(used().into()),
        Some(Invalid::Expired) => Err(expired().into()),
        other => Ok(private(Reply::ok(&json!({
            "counted": other.is_none(),
            "reason": other.map(Invalid::as_str),
        })))),
    }
}

fn placements_invalid() -> Refusal {
    Refusal::invalid(
        "placements_invalid",
        Message::new(
            "Ask for 1 to 5 different placements.",
            "请指定 1 至 5 个不同的广告位。",
        ),
    )
}

fn not_viewed() -> Refusal {
    Refusal::not_found(
        "offer_unknown",
        Message::new(
            "There is no such offer, or it was not viewed before the click. Ask for a decision, tell its view, then its click.",
            "未找到该广告展示凭证，或点击前没有展示记录。",
        ),
    )
}

fn used() -> Refusal {
    Refusal::conflict(
        "offer_used",
        Message::new(
            "This offer was counted already: each is viewed once and clicked once. Ask for a new decision.",
            "该广告展示凭证已计数，每个凭证只能展示一次、点击一次。",
        ),
    )
}

fn expired() -> Refusal {
    Refusal::conflict(
        "offer_expired",
        Message::new(
            "The offer held for two hours and is over. Ask for a new decision.",
            "该广告展示凭证已超过两小时有效期，请重新请求广告。",
        ),
    )
}
