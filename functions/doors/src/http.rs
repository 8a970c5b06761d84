//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod access_log;
mod cards;
mod doors;
mod gateways;
mod grants;
mod groups;
mod openings;
mod passes;
mod recognising;
mod releases;
mod schedules;
mod suspensions;

use kernel::{Actor, CommunityId, Refusal};
use web::{Reply, Request, path_id};
use writing::{answer, id_of, stored, write};

use crate::context::Context;
use crate::cron;
use crate::domain::unknown_community;

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
        ("POST", ["api", "doors"]) => doors::register(context, request).await,
        ("GET", ["api", "doors"]) => doors::list(context, request).await,
        ("GET", ["api", "doors", door]) => doors::show(context, request, door).await,
        ("PATCH", ["api", "doors", door]) => doors::change(context, request, door).await,
        ("GET", ["api", "doors", door, "occurrences"]) => doors::occurrences(context, request, door).await,
        ("POST", ["api", "doors", door, "grants"]) => grants::grant(context, request, door).await,
        ("GET", ["api", "doors", door, "grants"]) => grants::list(context, request, door).await,
        ("GET", ["api", "grants", grant]) => grants::show(context, request, grant).await,
        ("DELETE", ["api", "grants", grant]) => grants::revoke(context, request, grant).await,
        ("PUT", ["api", "grants", grant, "suspension"]) => grants::suspend(context, request, grant).await,
        ("DELETE", ["api", "grants", grant, "suspension"]) => grants::resume(context, request, grant).await,
        ("POST", ["api", "doors", door, "openings"]) => openings::request(context, request, door).await,
        ("GET", ["api", "doors", door, "openings"]) => openings::list(context, request, door).await,
        ("GET", ["api", "doors", door, "openings", opening]) => openings::show(context, request, door, opening).await,
        ("POST", ["api", "doors", door, "pass-checks"]) => passes::check(context, request, door).await,

        (_, ["api", "doors"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "doors", _]) => web::method_not_allowed("GET, PATCH"),
        (_, ["api", "doors", _, "occurrences"]) => web::method_not_allowed("GET"),
        (_, ["api", "doors", _, "grants" | "openings"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "grants", _]) => web::method_not_allowed("DELETE, GET"),
        (_, ["api", "grants", _, "suspension"]) => web::method_not_allowed("DELETE, PUT"),
        (_, ["api", "doors", _, "openings", _]) => web::method_not_allowed("GET"),
        (_, ["api", "doors", _, "pass-checks"]) => web::method_not_allowed("POST"),
        _ => people_route(context, request).await,
    }
}

/// The routes about people, gates and everything that is no single door.
#[rustfmt::skip]
async fn people_route(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("POST", ["api", "door-schedules"]) => schedules::make(context, request).await,
        ("GET", ["api", "door-schedules"]) => schedules::list(context, request).await,
        ("GET", ["api", "door-schedules", schedule]) => schedules::show(context, request, schedule).await,
        ("PATCH", ["api", "door-schedules", schedule]) => schedules::change(context, request, schedule).await,
        ("DELETE", ["api", "door-schedules", schedule]) => schedules::delete(context, request, schedule).await,
        ("POST", ["api", "door-groups"]) => groups::make(context, request).await,
        ("GET", ["api", "door-groups"]) => groups::list(context, request).await,
        ("GET", ["api", "door-groups", group]) => groups::show(context, request, group).await,
        ("PATCH", ["api", "door-groups", group]) => groups::change(context, request, group).await,
        ("DELETE", ["api", "door-groups", group]) => groups::delete(context, request, group).await,
        ("GET", ["api", "door-groups", group, "members"]) => groups::members(context, request, group).await,
        ("PUT", ["api", "door-groups", group, "members", person]) => groups::add_member(context, request, group, person).await,
        ("DELETE", ["api", "door-groups", group, "members", person]) => groups::remove_member(context, request, group, person).await,
        ("GET", ["api", "suspensions", community]) => suspensions::list(context, request, community).await,
        ("PUT", ["api", "suspensions", community, person]) => suspensions::suspend(context, request, community, person).await,
        ("DELETE", ["api", "suspensions", community, person]) => suspensions::resume(context, request, community, person).await,
        ("POST", ["api", "cards"]) => cards::register(context, request).await,
        ("GET", ["api", "cards"]) => cards::list(context, request).await,
        ("GET", ["api", "cards", card]) => cards::show(context, request, card).await,
        ("DELETE", ["api", "cards", card]) => cards::end(context, request, card).await,
        ("PUT", ["api", "cards", card, "block"]) => cards::block(context, request, card).await,
        ("DELETE", ["api", "cards", card, "block"]) => cards::unblock(context, request, card).await,
        ("POST", ["api", "passes"]) => passes::issue(context, request).await,
        ("GET", ["api", "passes", "keys"]) => passes::keys(context, request).await,
        ("GET", ["api", "releases", community]) => releases::show(context, request, community).await,
        ("PUT", ["api", "releases", community]) => releases::release(context, request, community).await,
        ("DELETE", ["api", "releases", community]) => releases::restore(context, request, community).await,
        ("GET", ["api", "access-log"]) => access_log::list(context, request).await,
        ("GET", ["api", "gateways", gateway, "snapshot"]) => gateways::snapshot(context, request, gateway).await,
        ("GET", ["api", "gateways", gateway, "audit"]) => gateways::audit(context, request, gateway).await,
        ("POST", ["internal", "ticks", "doors"]) => tick(context, request).await,

        (_, ["api", "door-schedules" | "door-groups" | "cards"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "door-schedules" | "door-groups", _]) => web::method_not_allowed("DELETE, GET, PATCH"),
        (_, ["api", "door-groups", _, "members"]) => web::method_not_allowed("GET"),
        (_, ["api", "door-groups", _, "members", _]) => web::method_not_allowed("DELETE, PUT"),
        (_, ["api", "suspensions", _]) => web::method_not_allowed("GET"),
        (_, ["api", "suspensions", _, _]) => web::method_not_allowed("DELETE, PUT"),
        (_, ["api", "cards", _]) => web::method_not_allowed("DELETE, GET"),
        (_, ["api", "cards", _, "block"]) => web::method_not_allowed("DELETE, PUT"),
        (_, ["api", "passes"]) => web::method_not_allowed("POST"),
        (_, ["api", "passes", "keys"] | ["api", "access-log"]) => web::method_not_allowed("GET"),
        (_, ["api", "releases", _]) => web::method_not_allowed("DELETE, GET, PUT"),
        (_, ["api", "gateways", _, "snapshot" | "audit"]) => web::method_not_allowed("GET"),
        (_, ["internal", "ticks", "doors"]) => web::method_not_allowed("POST"),
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

/// The community in a path, when the caller's tenant has it.
async fn path_community(
    context: &Context,
    actor: &Actor,
    text: &str,
) -> anyhow::Result<CommunityId> {
    let community = path_id(text, unknown_community)?;
    if !crate::store::groups::community_known(&context.db, &actor.tenant, &community).await? {
        return Err(unknown_community().into());
    }
    Ok(community)
}
