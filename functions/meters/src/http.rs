//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod alarms;
mod changes;
pub(crate) mod decodings;
mod fits;
mod meters;
mod periods;
mod readings;
mod reviews;
mod routes;
mod switchings;
mod usage;

use kernel::{Actor, CommunityId, MeterId, Refusal, Timestamp, Zone};
use web::{Reply, Request, path_id};
use writing::{answer, id_of, replied, stored, write};

use crate::context::Context;
use crate::domain::Object;
use crate::domain::caller::{is_overseer, is_people, unknown_meter};
use crate::rows::Known;
use crate::store::{batch, places};
use crate::{consume, cron};

/// The largest body of a batch of readings or a picture, in bytes.
pub const LARGE_BODY_BYTES_MAX: usize = 256 * 1024;

/// The HTTP trigger.
#[cfg(target_family = "wasm")]
pub(crate) async fn serve(incoming: spin_sdk::http::Request) -> Reply {
    let request = match web::read_up_to(incoming, bytes_max).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    match Context::open().await {
        Ok(context) => respond(&context, &request).await,
        Err(error) => web::answer(&request, Err(error)),
    }
}

/// How many bytes of a body are read.
#[must_use]
pub fn bytes_max(head: &Request) -> usize {
    match web::segments(head).as_slice() {
        ["api", "meter-readings"] | ["api", "meter-readings", _, "photo"] => LARGE_BODY_BYTES_MAX,
        _ => web::BODY_BYTES_MAX,
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
        ("POST", ["api", "meters"]) => meters::register(context, request).await,
        ("GET", ["api", "meters"]) => meters::list(context, request).await,
        ("GET", ["api", "meters", meter]) => meters::show(context, request, meter).await,
        ("PATCH", ["api", "meters", meter]) => changes::change(context, request, meter).await,
        ("GET", ["api", "meters", meter, "bindings"]) => meters::bindings(context, request, meter).await,
        ("POST", ["api", "meters", meter, "bindings"]) => changes::bind(context, request, meter).await,
        ("POST", ["api", "meters", meter, "replacements"]) => changes::replace(context, request, meter).await,
        ("PUT", ["api", "meters", meter, "removal"]) => changes::remove(context, request, meter).await,
        ("GET", ["api", "meters", meter, "readings"]) => readings::list(context, request, meter).await,
        ("POST", ["api", "meters", meter, "switchings"]) => switchings::request(context, request, meter).await,
        ("GET", ["api", "meters", meter, "switchings"]) => switchings::list(context, request, meter).await,
        ("GET", ["api", "meters", meter, "switchings", switching]) => switchings::show(context, request, (meter, switching)).await,
        ("GET", ["api", "meters", meter, "recharges"]) => switchings::list_recharges(context, request, meter).await,
        ("POST", ["api", "meter-decodings"]) => decodings::preview(context, request).await,
        ("POST", ["api", "meter-readings"]) => readings::send(context, request).await,
        ("GET", ["api", "meter-readings", reading]) => readings::show(context, request, reading).await,
        ("PUT", ["api", "meter-readings", reading, "photo"]) => readings::put_photo(context, request, reading).await,
        ("GET", ["api", "meter-readings", reading, "photo"]) => readings::photo(context, request, reading).await,
        ("GET", ["api", "meter-reviews"]) => reviews::list(context, request).await,
        ("PUT", ["api", "meter-reviews", reading]) => reviews::decide(context, request, reading).await,
        ("POST", ["api", "meter-routes"]) => routes::make(context, request).await,
        ("GET", ["api", "meter-routes"]) => routes::list(context, request).await,
        ("GET", ["api", "meter-routes", meter_route]) => routes::show(context, request, meter_route).await,
        ("PATCH", ["api", "meter-routes", meter_route]) => routes::change(context, request, meter_route).await,
        ("DELETE", ["api", "meter-routes", meter_route]) => routes::delete(context, request, meter_route).await,
        ("POST", ["api", "meter-periods"]) => periods::close(context, request).await,
        ("GET", ["api", "meter-periods"]) => periods::list(context, request).await,
        ("GET", ["api", "meter-alarms"]) => alarms::list(context, request).await,
        ("PUT", ["api", "meter-alarms", meter_alarm, "acknowledgement"]) => alarms::acknowledge(context, request, meter_alarm).await,
        ("GET", ["api", "usage"]) => usage::show(context, request).await,
        ("GET", ["api", "usage", "limits", community, commodity]) => usage::limits(context, request, (community, commodity)).await,
        ("PUT", ["api", "usage", "limits", community, commodity]) => usage::put_limits(context, request, (community, commodity)).await,
        ("POST", ["internal", "ticks", "meters"]) => tick(context, request).await,

        (_, ["api", "meters" | "meter-routes" | "meter-periods"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "meters", _]) => web::method_not_allowed("GET, PATCH"),
        (_, ["api", "meters", _, "bindings"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "meters", _, "replacements"]) => web::method_not_allowed("POST"),
        (_, ["api", "meters", _, "removal"]) => web::method_not_allowed("PUT"),
        (_, ["api", "meters", _, "switchings"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "meters", _, "switchings", _]) => web::method_not_allowed("GET"),
        (_, ["api", "meters", _, "recharges"]) => web::method_not_allowed("GET"),
        (_, ["api", "meter-decodings"]) => web::method_not_allowed("POST"),
        (_, ["api", "meters", _, "readings"]) => web::method_not_allowed("GET"),
        (_, ["api", "meter-readings"]) => web::method_not_allowed("POST"),
        (_, ["api", "meter-readings", _]) => web::method_not_allowed("GET"),
        (_, ["api", "meter-readings", _, "photo"]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "meter-reviews" | "meter-alarms" | "usage"]) => web::method_not_allowed("GET"),
        (_, ["api", "meter-reviews", _]) => web::method_not_allowed("PUT"),
        (_, ["api", "meter-routes", _]) => web::method_not_allowed("DELETE, GET, PATCH"),
        (_, ["api", "meter-alarms", _, "acknowledgement"]) => web::method_not_allowed("PUT"),
        (_, ["api", "usage", "limits", _, _]) => web::method_not_allowed("GET, PUT"),
        (_, ["internal", "ticks", "meters"]) => web::method_not_allowed("POST"),
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

/// The meter in a path, as far as the caller may know it, and from when on the caller may know what it counted:
/// those who live somewhere see their own time there only.
async fn seen(
    context: &Context,
    actor: &Actor,
    meter: &MeterId,
) -> anyhow::Result<(Known, Timestamp)> {
    let known = batch::known(&context.db, &actor.tenant, &[meter]).await?;
    let known = known.into_iter().next().ok_or_else(unknown_meter)?;
    if is_overseer(actor, &known.meter.community) {
        let opened_at = known.meter.opened_at;
        return Ok((known, opened_at));
    }
    let Object::Room(room) = &known.meter.object else {
        return Err(unknown_meter().into());
    };
    if !is_people(actor.kind) {
        return Err(unknown_meter().into());
    }
    consume::catch_up(context, &actor.tenant).await?;
    let since = places::lives_since(&context.db, actor, room, context.now).await?;
    let since = since.ok_or_else(unknown_meter)?;
    let bindings = crate::store::meters::bindings(&context.db, &actor.tenant, meter).await?;
    let bound = bindings.last().map_or(since, |binding| binding.from);
    let earliest = since.max(bound).max(known.meter.opened_at);
    Ok((known, earliest))
}

/// The clocks of a community of the caller's tenant.
async fn zone(context: &Context, actor: &Actor, community: &CommunityId) -> anyhow::Result<Zone> {
    consume::catch_up(context, &actor.tenant).await?;
    let zone = places::zone(&context.db, &actor.tenant, community).await?;
    Ok(zone.unwrap_or(Zone::SHANGHAI))
}

/// Tells a field that is `null` from one that is absent.
fn present<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    <Option<T> as serde::Deserialize>::deserialize(from).map(Some)
}

/// A field of the body that is text on the wire and a type of the domain behind it.
#[derive(serde::Deserialize)]
#[serde(
    try_from = "String",
    bound = "T: TryFrom<String>, T::Error: std::fmt::Display"
)]
struct Text<T>(T);

impl<T: TryFrom<String>> TryFrom<String> for Text<T> {
    type Error = T::Error;
    fn try_from(text: String) -> Result<Self, T::Error> {
        T::try_from(text).map(Self)
    }
}
