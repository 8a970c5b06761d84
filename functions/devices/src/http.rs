//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod commands;
mod form;
mod gateways;
mod terminals;

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id};
use writing::{answer, stored, write};

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
