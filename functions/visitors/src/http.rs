//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod blacklist;
mod form;
mod passes;
mod recurring;
mod registrations;
mod visits;

use kernel::{Actor, Refusal, TenantId};
use store::{Answer, Ask, Tx, once, tx};
use web::{Reply, Request, name_of, path_id, private};

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

/// Runs `work` in a transaction of the tenant; under the caller's Idempotency-Key it has its effect once, and its
/// first answer is given again.
async fn write(
    context: &Context,
    request: &Request,
    (tenant, caller): (&TenantId, &str),
    work: impl AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let asked = web::idempotency(request)?;
    let asked = asked
        .map(|asked| Ask::new(caller, asked.key, &asked.content))
        .transpose()?;
    tx(&context.db, tenant, async |tx| match &asked {
        None => work(tx).await,
        Some(asked) => once(tx, asked, context.now, async |tx| work(tx).await).await,
    })
    .await
}

/// An answer that can be given again: this JSON.
fn answer(status: u16, shown: &impl serde::Serialize) -> anyhow::Result<Answer> {
    Ok(Answer {
        status,
        body: serde_json::to_string(shown)?,
    })
}

/// The reply of a stored answer.
fn replied(answer: &Answer) -> anyhow::Result<Reply> {
    let status = ::http::StatusCode::from_u16(answer.status)?;
    Ok(Reply::with_body(
        status,
        "application/json",
        answer.body.clone().into(),
    ))
}

/// The reply of a stored answer to a creation; `folder` and the answer's own id are where it stands from now on.
fn stored(answer: &Answer, folder: &str) -> anyhow::Result<Reply> {
    #[derive(serde::Deserialize)]
    struct Shown {
        id: String,
    }
    let id = serde_json::from_str::<Shown>(&answer.body)?.id;
    Ok(replied(answer)?.with_header(::http::header::LOCATION, &format!("{folder}/{id}")))
}
