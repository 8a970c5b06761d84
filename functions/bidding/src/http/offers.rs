//! `/api/bidding/offers/{offer}/views` and `.../clicks`: what a visitor's app says. What does not count is told with its
//! reason, and is in the report.

use kernel::{Message, OfferId, Refusal, RefusalKind};
use serde::Serialize;
use web::{Reply, Request};

use super::caller;
use crate::context::Context;
use crate::counting::{self, Deed, Done};
use crate::domain::Invalid;

#[derive(Serialize)]
struct Counted {
    offer: OfferId,
    counted: bool,
}

pub(super) async fn view(
    context: &Context,
    request: &Request,
    offer: &str,
) -> anyhow::Result<Reply> {
    count(context, request, (offer, Deed::View)).await
}

pub(super) async fn click(
    context: &Context,
    request: &Request,
    offer: &str,
) -> anyhow::Result<Reply> {
    count(context, request, (offer, Deed::Click)).await
}

async fn count(
    context: &Context,
    request: &Request,
    (offer, deed): (&str, Deed),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let read = context.signer.read(offer);
    // Another tenant's offer is unknown here.
    let id = match read.filter(|(tenant, _)| *tenant == actor.tenant) {
        Some((_, id)) => id,
        None => return Err(refused(Invalid::Unknown).into()),
    };
    let done = Done {
        deed,
        actor: Some(&actor),
        user_agent: user_agent(request),
        price_micros: None,
    };
    let counted = counting::count(context, &actor.tenant, (&id, &done)).await?;
    counted.map_err(refused)?;
    Ok(Reply::ok(&Counted {
        offer: id,
        counted: true,
    }))
}

/// How a program introduces itself.
pub(super) fn user_agent(request: &Request) -> &str {
    let header = request.headers().get(http::header::USER_AGENT);
    header.and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// Why something does not count, for people.
fn refused(reason: Invalid) -> Refusal {
    let conflict = |code, english: &str, chinese: &str| {
        Refusal::conflict(code, Message::new(english, chinese))
    };
    match reason {
        Invalid::Unknown => Refusal::not_found(
            "offer_unknown",
            Message::new(
                "There was no such offer. Ask for a ranking again.",
                "该广告展示不存在，请重新获取。",
            ),
        ),
        Invalid::Used => conflict(
            "offer_used",
            "It was counted before, and counts once.",
            "已计数，不重复计算。",
        ),
        Invalid::Expired => conflict(
            "offer_expired",
            "Its time is over. Ask for a ranking again.",
            "已过期，请重新获取。",
        ),
        Invalid::NotViewed => conflict(
            "offer_not_viewed",
            "A click counts only after its view. Report the view first.",
            "请先上报展示，再上报点击。",
        ),
        Invalid::Crawler => conflict(
            "offer_crawler",
            "Programs that only look through pages do not count.",
            "爬虫访问不计数。",
        ),
        Invalid::Internal => conflict(
            "offer_internal",
            "The advertiser's and the platform's own people do not count.",
            "广告主及平台人员的操作不计数。",
        ),
        Invalid::RateLimited => Refusal::new(
            RefusalKind::TooMany,
            "offer_rate_limited",
            Message::new(
                "You clicked this too often today; it no longer counts.",
                "今日点击次数过多，不再计数。",
            ),
        ),
        Invalid::NotTargeted => conflict(
            "offer_not_targeted",
            "It may no longer be shown. Ask for a ranking again.",
            "该广告已停止投放，请重新获取。",
        ),
    }
}
