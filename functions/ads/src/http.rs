//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod articles;
mod barters;
mod columns;
mod creatives;
mod decisions;
mod lines;
mod orders;
mod placements;
mod reports;
mod rewards;

use kernel::{Actor, MerchantId, Refusal};
use store::Read;
use web::{Query, Reply, Request, path_id, private};
use writing::{answer, replied, stored, write, write_once};

use crate::context::Context;
use crate::cron;
use crate::domain::{Hold, hold, unknown_merchant};
use crate::store::known;

/// The HTTP trigger.
#[cfg(target_family = "wasm")]
pub(crate) async fn serve(incoming: spin_sdk::http::Request) -> Reply {
    let request = match web::read(incoming).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    match Context::open().await {
        Ok(context) => respond(&context, &request).await,
        Err(error) => web::answer(&request, Err(error)),
    }
}

/// Answers a request: always with a reply, whatever goes wrong.
pub async fn respond(context: &Context, request: &Request) -> Reply {
    let reply = web::answer(request, route(context, request).await);
    outgoing::ring(&context.db, &context.outbox).await;
    reply
}

#[rustfmt::skip]
async fn route(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("POST", ["api", "ads", "decisions"]) => decisions::decide(context, request).await,
        ("POST", ["api", "ads", "offers", offer, "views"]) => decisions::view(context, request, offer).await,
        ("POST", ["api", "ads", "offers", offer, "clicks"]) => decisions::click(context, request, offer).await,
        ("POST", ["api", "ads", "placements"]) => placements::add(context, request).await,
        ("GET", ["api", "ads", "placements"]) => placements::list(context, request).await,
        ("GET", ["api", "ads", "placements", placement]) => placements::show(context, request, placement).await,
        ("PUT", ["api", "ads", "placements", placement]) => placements::change(context, request, placement).await,
        ("POST", ["api", "ads", "rate-cards"]) => placements::add_rate(context, request).await,
        ("GET", ["api", "ads", "rate-cards"]) => placements::rates(context, request).await,
        ("GET", ["api", "ads", "availability"]) => placements::availability(context, request).await,
        ("POST", ["api", "ads", "orders"]) => orders::add(context, request).await,
        ("GET", ["api", "ads", "orders"]) => orders::list(context, request).await,
        ("GET", ["api", "ads", "orders", order]) => orders::show(context, request, order).await,
        ("POST", ["api", "ads", "orders", order, "lines"]) => orders::add_line(context, request, order).await,
        ("GET", ["api", "ads", "lines"]) => lines::list(context, request).await,
        ("GET", ["api", "ads", "lines", line]) => lines::show(context, request, line).await,
        ("PUT", ["api", "ads", "lines", line, "creatives"]) => lines::set_creatives(context, request, line).await,
        ("POST", ["api", "ads", "lines", line, "reservation"]) => lines::reserve(context, request, line).await,
        ("POST", ["api", "ads", "lines", line, "booking"]) => lines::book(context, request, line).await,
        ("POST", ["api", "ads", "lines", line, "cancellation"]) => lines::cancel(context, request, line).await,
        ("POST", ["api", "ads", "lines", line, "stop"]) => lines::stop(context, request, line).await,
        ("POST", ["api", "ads", "lines", line, "refusal"]) => lines::decline(context, request, line).await,
        ("POST", ["api", "ads", "lines", line, "make-goods"]) => lines::make_good(context, request, line).await,
        ("POST", ["api", "ads", "creatives"]) => creatives::add(context, request).await,
        ("GET", ["api", "ads", "creatives"]) => creatives::list(context, request).await,
        ("GET", ["api", "ads", "creatives", creative]) => creatives::show(context, request, creative).await,
        ("PUT", ["api", "ads", "creatives", creative]) => creatives::change(context, request, creative).await,
        ("POST", ["api", "ads", "creatives", creative, "review"]) => creatives::review(context, request, creative).await,
        ("POST", ["api", "ads", "columns"]) => columns::add(context, request).await,
        ("GET", ["api", "ads", "columns"]) => columns::list(context, request).await,
        ("GET", ["api", "ads", "columns", column]) => columns::show(context, request, column).await,
        ("PUT", ["api", "ads", "columns", column]) => columns::change(context, request, column).await,
        ("POST", ["api", "ads", "columns", column, "articles"]) => articles::add(context, request, column).await,
        ("GET", ["api", "ads", "columns", column, "articles"]) => articles::list(context, request, column).await,
        ("GET", ["api", "ads", "articles", article]) => articles::show(context, request, article).await,
        ("POST", ["api", "ads", "articles", article, "review"]) => articles::review(context, request, article).await,
        ("GET", ["api", "ads", "reports"]) => reports::report(context, request).await,
        ("GET", ["api", "ads", "charges"]) => reports::charges(context, request).await,
        ("GET", ["api", "ads", "revenue"]) => reports::revenue(context, request).await,
        ("POST", ["api", "ads", "barters"]) => barters::draft(context, request).await,
        ("GET", ["api", "ads", "barters"]) => barters::list(context, request).await,
        ("GET", ["api", "ads", "barters", barter]) => barters::show(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "proposal"]) => barters::propose(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "counter"]) => barters::counter(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "agreement"]) => barters::agree(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "signature"]) => barters::sign(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "activation"]) => barters::activate(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "receipts"]) => barters::receive(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "settlement"]) => barters::settle(context, request, barter).await,
        ("POST", ["api", "ads", "barters", barter, "termination"]) => barters::terminate(context, request, barter).await,
        ("POST", ["api", "ads", "rewards"]) => rewards::add(context, request).await,
        ("GET", ["api", "ads", "rewards"]) => rewards::list(context, request).await,
        ("POST", ["api", "ads", "rewards", reward, "claims"]) => rewards::claim(context, request, reward).await,
        ("GET", ["api", "ads", "rewards", reward, "claims"]) => rewards::own(context, request, reward).await,
        ("POST", ["api", "ads", "rewards", reward, "redemptions"]) => rewards::redeem(context, request, reward).await,
        ("POST", ["internal", "ticks", "ads"]) => tick(context, request).await,
        (_, path) => other_method(path),
    }
}

/// What the path knows, when it is not the method that was asked with.
#[rustfmt::skip]
fn other_method(path: &[&str]) -> anyhow::Result<Reply> {
    match path {
        ["internal", "ticks", "ads"] => web::method_not_allowed("POST"),
        ["api", "ads", rest @ ..] => match rest {
            ["decisions"] => web::method_not_allowed("POST"),
            ["offers", _, "views" | "clicks"] => web::method_not_allowed("POST"),
            ["placements" | "rate-cards" | "orders" | "creatives" | "columns" | "barters" | "rewards"] => web::method_not_allowed("GET, POST"),
            ["placements" | "creatives" | "columns", _] => web::method_not_allowed("GET, PUT"),
            ["availability" | "lines" | "reports" | "charges" | "revenue"] => web::method_not_allowed("GET"),
            ["orders" | "lines" | "articles" | "barters", _] => web::method_not_allowed("GET"),
            ["orders", _, "lines"] => web::method_not_allowed("POST"),
            ["lines", _, "creatives"] => web::method_not_allowed("PUT"),
            ["lines", _, "reservation" | "booking" | "cancellation" | "stop" | "refusal" | "make-goods"] => web::method_not_allowed("POST"),
            ["creatives" | "articles", _, "review"] => web::method_not_allowed("POST"),
            ["columns", _, "articles"] | ["rewards", _, "claims"] => web::method_not_allowed("GET, POST"),
            ["barters", _, "proposal" | "counter" | "agreement" | "signature" | "activation" | "receipts" | "settlement" | "termination"] => web::method_not_allowed("POST"),
            ["rewards", _, "redemptions"] => web::method_not_allowed("POST"),
            _ => web::unknown_route(),
        },
        _ => web::unknown_route(),
    }
}

async fn tick(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    Ok(Reply::ok(&cron::tick(context).await?))
}

/// Who is calling.
fn caller(context: &Context, request: &Request) -> Result<Actor, Refusal> {
    web::actor(request, &context.token_secret, context.now)
}

/// What the caller may do with what belongs to a merchant; unknown to whom it is not there.
async fn held(
    db: &impl Read,
    actor: &Actor,
    merchant: &MerchantId,
    unknown: fn() -> Refusal,
) -> anyhow::Result<Hold> {
    let is_member = known::is_member(db, &actor.tenant, (&actor.id, merchant)).await?;
    Ok(hold(actor, is_member).ok_or_else(unknown)?)
}

/// Of which merchant a list is: the one that is asked for, the caller's own, or all of them.
async fn whose(
    context: &Context,
    actor: &Actor,
    query: &mut Query,
) -> anyhow::Result<Option<MerchantId>> {
    let asked = query.take("merchant", MerchantId::parse)?;
    if let Some(merchant) = asked {
        held(&context.db, actor, &merchant, unknown_merchant).await?;
        return Ok(Some(merchant));
    }
    crate::domain::check_advertiser(actor)?;
    if crate::domain::may_read(actor) {
        return Ok(None);
    }
    let own = known::merchants_of(&context.db, &actor.tenant, &actor.id).await?;
    let first = own.into_iter().next();
    Ok(Some(first.ok_or_else(unknown_merchant)?))
}
