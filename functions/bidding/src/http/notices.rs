//! `/openrtb2/notices/...`: what exchanges and browsers say of a bid. Nobody is asked who they are: the offer's token is
//! what only we can have made, and each notice has its effect once.

use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, LOCATION};
use kernel::{Message, OfferId, Refusal, TenantId};
use web::{Query, Reply, Request};

use super::offers::user_agent;
use crate::context::Context;
use crate::counting::{self, Deed, Done};
use crate::domain::Kind;
use crate::offering::times;
use crate::openrtb::Decimal;
use crate::store::{known, offers};

/// A bid won: nothing is billed by that yet.
pub(super) fn win(context: &Context, offer: &str) -> anyhow::Result<Reply> {
    named(context, offer)?;
    Ok(taken())
}

/// A bid is billed: once, however often this is said.
pub(super) async fn bill(
    context: &Context,
    request: &Request,
    offer: &str,
) -> anyhow::Result<Reply> {
    let (tenant, id) = named(context, offer)?;
    let found = offers::offer(&context.db, &tenant, &id).await?;
    // What our own auction said stands; of another one's we are told.
    let price_micros = match found {
        Some(found) if found.placement.is_none() => price(request, found.bid_micros),
        _ => None,
    };
    let done = Done {
        deed: Deed::View,
        actor: None,
        user_agent: user_agent(request),
        price_micros,
    };
    // What does not count is in the report; whoever calls has nothing to do about it.
    counting::count(context, &tenant, (&id, &done)).await?.ok();
    Ok(taken())
}

/// A bid lost: what was reserved for it is let go.
pub(super) async fn lose(context: &Context, offer: &str) -> anyhow::Result<Reply> {
    let (tenant, id) = named(context, offer)?;
    counting::lose(context, &tenant, &id).await?;
    Ok(taken())
}

/// Somebody follows an advertisement: it is counted if it counts, and leads on in any case.
pub(super) async fn follow(
    context: &Context,
    request: &Request,
    offer: &str,
) -> anyhow::Result<Reply> {
    let (tenant, id) = named(context, offer)?;
    let found = offers::offer(&context.db, &tenant, &id).await?;
    let found = found.ok_or_else(unknown)?;
    let creative = known::creative(&context.db, &tenant, &found.creative).await?;
    let landing = creative.ok_or_else(unknown)?.landing;
    let done = Done {
        deed: Deed::Click,
        actor: None,
        user_agent: user_agent(request),
        price_micros: None,
    };
    counting::count(context, &tenant, (&id, &done)).await?.ok();
    let landing = match landing.strip_prefix('/') {
        Some(path) => format!("{}/{path}", context.public_url),
        None => landing,
    };
    Ok(Reply::empty(StatusCode::FOUND)
        .with_header(LOCATION, &landing)
        .with_header(CACHE_CONTROL, "no-store"))
}

/// What an exchange says that a thousand cost, as what this one costs; nothing where it does not say it in yuan.
fn price(request: &Request, bid_micros: i64) -> Option<i64> {
    let mut query = Query::of(request).ok()?;
    let price = query.take("price", Decimal::parse).ok()??;
    let currency = query.take("currency", |text| match text {
        "CNY" => Ok(()),
        _ => Err("it is CNY"),
    });
    currency.ok()??;
    let views = query.take("views", str::parse::<i64>).ok()??;
    // In fen for a thousand; a part of a fen is rounded up.
    let one = Kind::Display.micros(price.fen_up())?;
    Some(times(one, views)?.clamp(0, bid_micros))
}

fn named(context: &Context, offer: &str) -> Result<(TenantId, OfferId), Refusal> {
    context.signer.read(offer).ok_or_else(unknown)
}

fn unknown() -> Refusal {
    Refusal::not_found(
        "offer_unknown",
        Message::new(
            "There was no such bid. Call the address as the bid named it.",
            "该竞价不存在，请按出价中的地址调用。",
        ),
    )
}

/// A browser may have asked, for a pixel.
fn taken() -> Reply {
    Reply::no_content()
        .with_header(ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .with_header(CACHE_CONTROL, "no-store")
}
