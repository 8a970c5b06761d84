//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod commands;
mod form;
mod gateways;
mod terminals;

use kernel::{Actor, Refusal};
use store::{Answer, Ask, Tx, once, tx};
use web::{Reply, Request, path_id};

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
        ("GET", ["api", "gateways"]) => gateways::list(context, request).await,
        ("PUT", ["api", "gateways", gateway]) => gateways::describe(context, request, gateway).await,
        ("GET", ["api", "gateways", gateway]) => gateways::show(context, request, gateway).await,
        ("PUT", ["api", "gateways", gateway, "configuration"]) => gateways::configure(context, request, gateway).await,
        ("GET", ["api", "gateways", gateway, "configuration"]) => gateways::configuration(context, request, gateway).await,
        ("POST", ["api", "gateways", gateway, "commands"]) => commands::command(context, request, gateway).await,
        ("GET", ["api", "gateways", gateway, "commands"]) => commands::list(context, request, gateway).await,
        ("GET", ["api", "gateways", gateway, "commands", command]) => commands::show(context, request, (gateway, command)).await,
        ("DELETE", ["api", "gateways", gateway, "commands", command]) => commands::cancel(context, request, (gateway, command)).await,
        ("GET", ["api", "terminals"]) => terminals::list(context, request).await,
        ("PUT", ["api", "terminals", terminal]) => terminals::describe(context, request, terminal).await,
        ("GET", ["api", "terminals", terminal]) => terminals::show(context, request, terminal).await,
        ("POST", ["internal", "ticks", "devices"]) => tick(context, request).await,

        (_, ["api", "gateways" | "terminals"]) => web::method_not_allowed("GET"),
        (_, ["api", "gateways" | "terminals", _]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "gateways", _, "configuration"]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "gateways", _, "commands"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "gateways", _, "commands", _]) => web::method_not_allowed("DELETE, GET"),
        (_, ["internal", "ticks", "devices"]) => web::method_not_allowed("POST"),
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

/// Runs `work` in a transaction of the caller's tenant; under the caller's Idempotency-Key it has its effect once, and its
/// first answer is given again.
async fn write(
    context: &Context,
    request: &Request,
    actor: &Actor,
    work: impl AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let caller = format!("{}/{}", actor.kind.as_str(), actor.id);
    let asked = web::idempotency(request)?;
    let asked = asked
        .map(|asked| Ask::new(&caller, asked.key, &asked.content))
        .transpose()?;
    tx(&context.db, &actor.tenant, async |tx| match &asked {
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

/// The reply of a stored answer to a creation; `folder` and the answer's own id are where it stands from now on.
fn stored(answer: &Answer, folder: &str) -> anyhow::Result<Reply> {
    #[derive(serde::Deserialize)]
    struct Shown {
        id: String,
    }
    let id = serde_json::from_str::<Shown>(&answer.body)?.id;
    let status = ::http::StatusCode::from_u16(answer.status)?;
    let reply = Reply::with_body(status, "application/json", answer.body.clone().into());
    Ok(reply.with_header(::http::header::LOCATION, &format!("{folder}/{id}")))
}
