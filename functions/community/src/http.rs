//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod bindings;
mod buildings;
mod communities;
mod exports;
mod imports;
mod parking;
mod requests;
mod residents;
mod rooms;
mod shown;

use kernel::{Actor, ActorId, Refusal, Timestamp};
use serde_json::Value;
use web::{Reply, Request};
use writing::{answer, stored, write};

use crate::context::Context;
use crate::{cron, domain};

/// The HTTP trigger.
#[cfg(target_family = "wasm")]
pub(crate) async fn serve(incoming: spin_sdk::http::Request) -> Reply {
    let request = match web::read_up_to(incoming, imports::body_bytes_max).await {
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
        ("POST", ["api", "companies"]) => communities::add_company(context, request).await,
        ("GET", ["api", "companies"]) => communities::list_companies(context, request).await,
        ("GET", ["api", "companies", company]) => communities::show_company(context, request, company).await,
        ("PATCH", ["api", "companies", company]) => communities::change_company(context, request, company).await,
        ("POST", ["api", "communities"]) => communities::add(context, request).await,
        ("GET", ["api", "communities"]) => communities::list(context, request).await,
        ("GET", ["api", "communities", community]) => communities::show(context, request, community).await,
        ("PATCH", ["api", "communities", community]) => communities::change(context, request, community).await,
        ("POST", ["api", "communities", community, "buildings"]) => buildings::add(context, request, community).await,
        ("GET", ["api", "communities", community, "buildings"]) => buildings::list(context, request, community).await,
        ("GET", ["api", "buildings", building]) => buildings::show(context, request, building).await,
        ("PATCH", ["api", "buildings", building]) => buildings::change(context, request, building).await,
        ("POST", ["api", "buildings", building, "units"]) => buildings::add_unit(context, request, building).await,
        ("GET", ["api", "buildings", building, "units"]) => buildings::list_units(context, request, building).await,
        ("GET", ["api", "units", unit]) => buildings::show_unit(context, request, unit).await,
        ("PATCH", ["api", "units", unit]) => buildings::change_unit(context, request, unit).await,
        ("POST", ["api", "units", unit, "rooms"]) => rooms::add(context, request, unit).await,
        ("GET", ["api", "rooms"]) => rooms::list(context, request).await,
        ("GET", ["api", "rooms", room]) => rooms::show(context, request, room).await,
        ("PATCH", ["api", "rooms", room]) => rooms::change(context, request, room).await,
        ("POST", ["api", "residents"]) => residents::add(context, request).await,
        ("GET", ["api", "residents"]) => residents::list(context, request).await,
        ("GET", ["api", "residents", resident]) => residents::show(context, request, resident).await,
        ("PATCH", ["api", "residents", resident]) => residents::change(context, request, resident).await,
        ("POST", ["api", "residents", resident, "bindings"]) => bindings::add(context, request, resident).await,
        ("GET", ["api", "bindings"]) => bindings::list(context, request).await,
        ("GET", ["api", "bindings", binding]) => bindings::show(context, request, binding).await,
        ("PUT", ["api", "bindings", binding, "end"]) => bindings::end(context, request, binding).await,
        ("POST", ["api", "binding-requests"]) => requests::ask(context, request).await,
        ("GET", ["api", "binding-requests"]) => requests::list(context, request).await,
        ("GET", ["api", "binding-requests", asked]) => requests::show(context, request, asked).await,
        ("PUT", ["api", "binding-requests", asked, "approval"]) => requests::approve(context, request, asked).await,
        ("PUT", ["api", "binding-requests", asked, "rejection"]) => requests::reject(context, request, asked).await,
        ("POST", ["api", "parking-spaces"]) => parking::add_space(context, request).await,
        ("GET", ["api", "parking-spaces"]) => parking::list_spaces(context, request).await,
        ("GET", ["api", "parking-spaces", space]) => parking::show_space(context, request, space).await,
        ("PATCH", ["api", "parking-spaces", space]) => parking::change_space(context, request, space).await,
        ("POST", ["api", "plates"]) => parking::add_plate(context, request).await,
        ("GET", ["api", "plates"]) => parking::list_plates(context, request).await,
        ("GET", ["api", "plates", plate]) => parking::show_plate(context, request, plate).await,
        ("DELETE", ["api", "plates", plate]) => parking::release_plate(context, request, plate).await,
        ("POST", ["api", "imports"]) => imports::open(context, request).await,
        ("GET", ["api", "imports", import]) => imports::show(context, request, import).await,
        ("PUT", ["api", "imports", import, "parts", part]) => imports::put_part(context, request, import, part).await,
        ("POST", ["api", "imports", import, "run"]) => imports::run(context, request, import).await,
        ("GET", ["api", "exports", community, what]) => exports::export(context, request, community, what).await,
        ("POST", ["internal", "ticks", "community"]) => tick(context, request).await,

        (_, ["api", "companies" | "communities" | "residents" | "binding-requests" | "parking-spaces" | "plates"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "rooms" | "bindings"]) => web::method_not_allowed("GET"),
        (_, ["api", "imports"]) => web::method_not_allowed("POST"),
        (_, ["api", "companies" | "communities" | "buildings" | "units" | "rooms" | "residents" | "parking-spaces", _]) => web::method_not_allowed("GET, PATCH"),
        (_, ["api", "bindings" | "binding-requests" | "imports", _]) => web::method_not_allowed("GET"),
        (_, ["api", "plates", _]) => web::method_not_allowed("DELETE, GET"),
        (_, ["api", "communities", _, "buildings"] | ["api", "buildings", _, "units"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "units", _, "rooms"] | ["api", "residents", _, "bindings"] | ["api", "imports", _, "run"]) => web::method_not_allowed("POST"),
        (_, ["api", "bindings", _, "end"] | ["api", "binding-requests", _, "approval" | "rejection"] | ["api", "imports", _, "parts", _]) => web::method_not_allowed("PUT"),
        (_, ["api", "exports", _, _]) => web::method_not_allowed("GET"),
        (_, ["internal", "ticks", "community"]) => web::method_not_allowed("POST"),
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

/// The id in a path; a text that is no id names nothing.
fn path_id<Id: TryFrom<String>>(
    text: &str,
    (code, english, chinese): (&'static str, &str, &str),
) -> Result<Id, Refusal> {
    Id::try_from(text.to_owned()).map_err(|_| domain::unknown(code, english, chinese))
}

/// Whose household alone the caller sees in a list; nothing for those who read the register.
fn only_own(context: &Context, actor: &Actor) -> Option<(ActorId, Timestamp)> {
    (!domain::is_overseer(actor)).then(|| (actor.id.clone(), context.now))
}

/// What is shown with its version, unless the caller's copy is that version.
fn versioned(request: &Request, version: i64, shown: &Value) -> Reply {
    if web::is_fresh(request, version) {
        return Reply::not_modified(version);
    }
    Reply::ok(shown).with_etag(version)
}
