//! `/api/meter-routes`: who goes round and reads what, with all that is needed without the net.

use kernel::{CommunityId, Message, MeterId, MeterRouteId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, tx};
use web::{Query, Reply, Request};

use super::{Text, answer, caller, path_id, replied, write, zone};
use crate::context::Context;
use crate::domain::caller::{
    is_overseer, managers_only, managing_kinds, overseeing_kinds, overseers_only, unknown_route,
};
use crate::domain::{Basis, Month, Name};
use crate::store::batch;
use crate::store::routes::{self as sql, Route, Stop};

/// The most meters of one route.
pub const STOPS_MAX: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoute {
    id: MeterRouteId,
    community: CommunityId,
    name: Text<Name>,
    meters: Vec<MeterId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteChange {
    name: Option<Text<Name>>,
    meters: Option<Vec<MeterId>>,
}

#[derive(Serialize)]
struct ShownRoute {
    id: MeterRouteId,
    community: CommunityId,
    name: String,
    version: i64,
}

#[derive(Serialize)]
struct Sheet {
    #[serde(flatten)]
    route: ShownRoute,
    period: String,
    stops: Vec<ShownStop>,
    read: usize,
}

#[derive(Serialize)]
struct ShownStop {
    meter: MeterId,
    name: String,
    commodity: String,
    place: String,
    serial: Option<String>,
    digits: i64,
    read_at: Timestamp,
    register_milli: i64,
    plausible_until_milli: i64,
    reading: Option<String>,
}

impl From<Route> for ShownRoute {
    fn from(route: Route) -> Self {
        Self {
            id: route.id,
            community: route.community,
            name: route.name.as_str().to_owned(),
            version: route.version,
        }
    }
}

/// Every meter once, and of the route's community.
async fn fit(tx: &Tx, community: &CommunityId, meters: &[MeterId]) -> anyhow::Result<()> {
    let refused = || {
        Refusal::invalid(
            "route_meters",
            Message::new(
                "A route has 1 to 500 meters of its community, each once.",
                "抄表册应包含本小区 1 到 500 块表，且不重复。",
            ),
        )
    };
    let mut ids: Vec<&MeterId> = meters.iter().collect();
    ids.sort();
    ids.dedup();
    if meters.is_empty() || meters.len() > STOPS_MAX || ids.len() != meters.len() {
        return Err(refused().into());
    }
    let known = batch::known(tx, tx.tenant(), &ids).await?;
    let all_here = known.len() == ids.len()
        && known
            .iter()
            .all(|known| known.meter.community == *community);
    if all_here {
        Ok(())
    } else {
        Err(refused().into())
    }
}

pub(super) async fn make(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let new: NewRoute = web::body(request)?;
    managers_only(&actor, &new.community)?;
    let route = Route {
        id: new.id,
        community: new.community,
        name: new.name.0,
        version: 1,
    };
    let made = write(context, request, &actor, async |tx| {
        if let Some(existing) = sql::route(tx, &actor.tenant, &route.id).await? {
            if existing.community == route.community {
                return answer(200, &ShownRoute::from(existing));
            }
            return Err(taken().into());
        }
        fit(tx, &route.community, &new.meters).await?;
        sql::insert(tx, &route).await?;
        sql::put_stops(tx, &route.id, &new.meters).await?;
        answer(201, &ShownRoute::from(route.clone()))
    })
    .await?;
    let location = format!("/api/meter-routes/{}", route.id);
    Ok(replied(&made)?.with_header(::http::header::LOCATION, &location))
}

fn taken() -> Refusal {
    Refusal::conflict(
        "meter_route_id_taken",
        Message::new(
            "Another route has this id. Choose another id.",
            "该编号已被其他抄表册使用，请更换编号。",
        ),
    )
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    overseeing_kinds(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(MeterRouteId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    let found = sql::routes(&context.db, &actor, community.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |route| route.id.to_string(),
        ShownRoute::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    meter_route: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    overseeing_kinds(&actor)?;
    let id = path_id(meter_route, unknown_route)?;
    let mut query = Query::of(request)?;
    let period = query.take("period", Month::parse)?;
    query.finish()?;
    let route = sql::route(&context.db, &actor.tenant, &id).await?;
    let route = route.ok_or_else(unknown_route)?;
    if !is_overseer(&actor, &route.community) {
        return Err(unknown_route().into());
    }
    overseers_only(&actor, &route.community)?;
    let zone = zone(context, &actor, &route.community).await?;
    let month = period.unwrap_or_else(|| Month::of(context.now, zone));
    let span = (month.start(zone), month.end(zone));
    let stops = sql::stops(&context.db, &actor.tenant, &id, span).await?;
    let version = route.version;
    let sheet = Sheet {
        route: route.into(),
        period: month.to_string(),
        read: stops.iter().filter(|stop| stop.reading.is_some()).count(),
        stops: stops
            .into_iter()
            .map(|stop| shown_stop(stop, context.now))
            .collect(),
    };
    Ok(Reply::ok(&sheet).with_etag(version))
}

fn shown_stop(stop: Stop, now: Timestamp) -> ShownStop {
    let basis = Basis {
        limit_milli_per_hour: stop.limit_milli,
        p99_milli_per_hour: stop.p99_milli,
        interval_ms: stop.interval_ms,
    };
    let allowed =
        basis.allowed_milli(now.millis_since(stop.read_at)) / i128::from(stop.multiplier.max(1));
    let until = i128::from(stop.register_milli) + allowed;
    ShownStop {
        meter: stop.meter,
        name: stop.name,
        commodity: stop.commodity,
        place: stop.place,
        serial: stop.serial,
        digits: stop.digits,
        read_at: stop.read_at,
        register_milli: stop.register_milli,
        plausible_until_milli: i64::try_from(until).unwrap_or(i64::MAX),
        reading: stop.reading,
    }
}

/// The route, for those who look after it.
async fn managed(tx: &Tx, actor: &kernel::Actor, id: &MeterRouteId) -> anyhow::Result<Route> {
    let route = sql::route(tx, &actor.tenant, id).await?;
    let route = route.ok_or_else(unknown_route)?;
    if !is_overseer(actor, &route.community) {
        return Err(unknown_route().into());
    }
    managers_only(actor, &route.community)?;
    Ok(route)
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    meter_route: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(meter_route, unknown_route)?;
    let expected = web::required_if_match(request)?;
    let asked: RouteChange = web::body(request)?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let mut route = managed(tx, &actor, &id).await?;
        expected.check(route.version)?;
        if let Some(Text(name)) = &asked.name {
            route.name = name.clone();
        }
        if let Some(meters) = &asked.meters {
            fit(tx, &route.community, meters).await?;
            sql::put_stops(tx, &id, meters).await?;
        }
        route.version += 1;
        sql::update(tx, &route).await?;
        Ok(route)
    })
    .await?;
    let version = changed.version;
    Ok(Reply::ok(&ShownRoute::from(changed)).with_etag(version))
}

pub(super) async fn delete(
    context: &Context,
    request: &Request,
    meter_route: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(meter_route, unknown_route)?;
    tx(&context.db, &actor.tenant, async |tx| {
        managed(tx, &actor, &id).await?;
        sql::delete(tx, &id).await
    })
    .await?;
    Ok(Reply::no_content())
}
