//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod bills;
mod cash;
mod coupons;
mod credits;
mod form;
mod payments;
mod points;
mod recharges;
mod rules;
mod runs;
mod statements;
mod tariffs;

use kernel::{Actor, CommunityId, Message, Refusal};
use web::{Query, Reply, Request, path_id, private};
use writing::{answer, replied, stored, write, write_once};

use crate::context::Context;
use crate::cron;
use crate::domain::check_reader;

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
        ("POST", ["api", "tariffs"]) => tariffs::add(context, request).await,
        ("GET", ["api", "tariffs"]) => tariffs::list(context, request).await,
        ("GET", ["api", "tariffs", tariff]) => tariffs::show(context, request, tariff).await,
        ("PUT", ["api", "tariffs", tariff]) => tariffs::change(context, request, tariff).await,
        ("POST", ["api", "tariffs", tariff, "preview"]) => tariffs::preview(context, request, tariff).await,
        ("GET", ["api", "fee-terms", community]) => rules::show_terms(context, request, community).await,
        ("PUT", ["api", "fee-terms", community]) => rules::change_terms(context, request, community).await,
        ("POST", ["api", "fee-rules"]) => rules::add(context, request).await,
        ("GET", ["api", "fee-rules"]) => rules::list(context, request).await,
        ("GET", ["api", "fee-rules", rule]) => rules::show(context, request, rule).await,
        ("PUT", ["api", "fee-rules", rule]) => rules::change(context, request, rule).await,
        ("POST", ["api", "bill-runs"]) => runs::start(context, request).await,
        ("GET", ["api", "bill-runs"]) => runs::list(context, request).await,
        ("GET", ["api", "bill-runs", run]) => runs::show(context, request, run).await,
        ("DELETE", ["api", "bill-runs", run]) => runs::discard(context, request, run).await,
        ("POST", ["api", "bill-runs", run, "steps"]) => runs::go_on(context, request, run).await,
        ("POST", ["api", "bill-runs", run, "publication"]) => runs::publish(context, request, run).await,
        ("POST", ["api", "bills"]) => bills::add(context, request).await,
        ("GET", ["api", "bills"]) => bills::list(context, request).await,
        ("GET", ["api", "bills", bill]) => bills::show(context, request, bill).await,
        ("POST", ["api", "bills", bill, "void"]) => bills::void(context, request, bill).await,
        ("POST", ["api", "bills", bill, "discounts"]) => bills::discount(context, request, bill).await,
        ("POST", ["api", "bills", bill, "late-fee-waivers"]) => bills::waive(context, request, bill).await,
        ("POST", ["api", "bill-payments"]) => payments::request(context, request).await,
        ("GET", ["api", "bill-payments"]) => payments::list(context, request).await,
        ("GET", ["api", "bill-payments", payment]) => payments::show(context, request, payment).await,
        ("GET", ["api", "bill-payments", payment, "receipt"]) => payments::receipt(context, request, payment).await,
        ("POST", ["api", "bill-payments", payment, "refunds"]) => payments::refund(context, request, payment).await,
        ("POST", ["api", "fee-coupons"]) => coupons::issue(context, request).await,
        ("GET", ["api", "fee-coupons"]) => coupons::list(context, request).await,
        ("GET", ["api", "fee-coupons", coupon]) => coupons::show(context, request, coupon).await,
        ("DELETE", ["api", "fee-coupons", coupon]) => coupons::take_back(context, request, coupon).await,
        ("POST", ["api", "fee-points"]) => points::grant(context, request).await,
        ("GET", ["api", "fee-points"]) => points::show(context, request).await,
        ("POST", ["api", "cash-closes"]) => cash::close(context, request).await,
        ("GET", ["api", "cash-closes"]) => cash::list(context, request).await,
        ("GET", ["api", "cash-closes", close]) => cash::show(context, request, close).await,
        ("POST", ["api", "recharges"]) => recharges::request(context, request).await,
        ("GET", ["api", "recharges"]) => recharges::list(context, request).await,
        ("GET", ["api", "recharges", recharge]) => recharges::show(context, request, recharge).await,
        ("POST", ["api", "recharges", recharge, "acknowledgement"]) => recharges::acknowledge(context, request, recharge).await,
        ("GET", ["api", "account-credits"]) => credits::show(context, request).await,
        ("GET", ["api", "fee-statements"]) => statements::arrears(context, request).await,
        ("GET", ["api", "fee-statements", room]) => statements::statement(context, request, room).await,
        ("POST", ["internal", "ticks", "fees"]) => tick(context, request).await,

        (_, ["api", "tariffs" | "fee-rules" | "bill-runs" | "bills" | "bill-payments" | "fee-coupons" | "fee-points" | "cash-closes" | "recharges"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "tariffs" | "fee-rules" | "fee-terms", _]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "bill-runs" | "fee-coupons", _]) => web::method_not_allowed("DELETE, GET"),
        (_, ["api", "bills" | "bill-payments" | "cash-closes" | "recharges" | "fee-statements", _]) => web::method_not_allowed("GET"),
        (_, ["api", "account-credits" | "fee-statements"]) => web::method_not_allowed("GET"),
        (_, ["api", "bill-payments", _, "receipt"]) => web::method_not_allowed("GET"),
        (_, ["api", "tariffs", _, "preview"]) => web::method_not_allowed("POST"),
        (_, ["api", "bill-runs", _, "steps" | "publication"]) => web::method_not_allowed("POST"),
        (_, ["api", "bills", _, "void" | "discounts" | "late-fee-waivers"]) => web::method_not_allowed("POST"),
        (_, ["api", "bill-payments", _, "refunds"]) => web::method_not_allowed("POST"),
        (_, ["api", "recharges", _, "acknowledgement"]) => web::method_not_allowed("POST"),
        (_, ["internal", "ticks", "fees"]) => web::method_not_allowed("POST"),
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

/// The community that a list is asked of, whose rules and runs the caller may read.
fn community_of(actor: &Actor, query: &mut Query) -> anyhow::Result<CommunityId> {
    let community = query.take("community", CommunityId::parse)?;
    let community = community.ok_or_else(community_required)?;
    check_reader(actor, &community)?;
    Ok(community)
}

fn community_required() -> Refusal {
    Refusal::invalid(
        "community_required",
        Message::new(
            "Name the community, as `?community=`.",
            "请以 ?community= 指定小区。",
        ),
    )
}

/// A page that prints.
fn printed(html: String) -> Reply {
    let reply = Reply::with_body(
        ::http::StatusCode::OK,
        "text/html; charset=utf-8",
        html.into(),
    );
    private(reply).with_header(
        ::http::header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'",
    )
}
