//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod blacklist;
mod form;
mod passes;
mod recurring;
mod registrations;
mod visits;

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id, private};
use writing::{answer, replied, stored, write};

use crate::context::Context;
use crate::cron;

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
        ("POST", ["api", "visits"]) => visits::invite(context, request).await,
        ("GET", ["api", "visits"]) => visits::list(context, request).await,
        ("GET", ["api", "visits", visit]) => visits::show(context, request, visit).await,
        ("DELETE", ["api", "visits", visit]) => visits::revoke(context, request, visit).await,
        ("GET", ["api", "visits", visit, "pass"]) => passes::show(context, request, visit).await,
        ("POST", ["api", "visits", visit, "arrival"]) => visits::arrive(context, request, visit).await,
        ("POST", ["api", "visits", visit, "departure"]) => visits::leave(context, request, visit).await,
        ("POST", ["api", "visits", visit, "answer"]) => visits::decide(context, request, visit).await,
        ("POST", ["api", "recurring-visits"]) => recurring::make(context, request).await,
        ("GET", ["api", "recurring-visits"]) => recurring::list(context, request).await,
        ("GET", ["api", "recurring-visits", recurring]) => recurring::show(context, request, recurring).await,
        ("DELETE", ["api", "recurring-visits", recurring]) => recurring::revoke(context, request, recurring).await,
        ("POST", ["api", "visitor-registrations"]) => registrations::register(context, request).await,
        ("GET", ["api", "visitor-registrations", token]) => registrations::show(context, token).await,
        ("POST", ["api", "visitor-blacklist"]) => blacklist::block(context, request).await,
        ("GET", ["api", "visitor-blacklist"]) => blacklist::list(context, request).await,
        ("DELETE", ["api", "visitor-blacklist", entry]) => blacklist::unblock(context, request, entry).await,
        ("POST", ["internal", "ticks", "visitors"]) => tick(context, request).await,

        (_, ["api", "visits" | "recurring-visits" | "visitor-blacklist"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "visits" | "recurring-visits", _]) => web::method_not_allowed("DELETE, GET"),
        (_, ["api", "visits", _, "pass"]) => web::method_not_allowed("GET"),
        (_, ["api", "visits", _, "arrival" | "departure" | "answer"]) => web::method_not_allowed("POST"),
        (_, ["api", "visitor-registrations"]) => web::method_not_allowed("POST"),
        (_, ["api", "visitor-registrations", _]) => web::method_not_allowed("GET"),
        (_, ["api", "visitor-blacklist", _]) => web::method_not_allowed("DELETE"),
        (_, ["internal", "ticks", "visitors"]) => web::method_not_allowed("POST"),
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
