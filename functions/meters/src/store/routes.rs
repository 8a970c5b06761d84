//! Who goes round and reads what, in which order.

use kernel::{Actor, CommunityId, MeterId, MeterRouteId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::reach;
use crate::domain::Name;

statements! {
    ROUTE = "select id, community, name, version from meters_route where tenant = $1 and id = $2";

    ROUTES = "select id, community, name, version from meters_route
        where tenant = $1 and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2)
          and (cast($3 as text) is null or community = $3)
          and (cast($4 as text) is null or id > $4)
        order by id limit $5";

    INSERT_ROUTE = "insert into meters_route (tenant, id, community, name, version) values ($1, $2, $3, $4, $5)";

    UPDATE_ROUTE = "update meters_route set name = $3, version = $4 where tenant = $1 and id = $2";

    DELETE_ROUTE = "delete from meters_route where tenant = $1 and id = $2";

    DELETE_STOPS = "delete from meters_stop where tenant = $1 and route = $2";

    INSERT_STOP = "insert into meters_stop (tenant, route, place, meter) values ($1, $2, $3, $4)";

    // The stops with what a reader without the net needs: where it is, what it showed, and whether it was read.
    STOPS = "select t.meter, m.name, m.commodity, coalesce(r.name, m.area, m.room), g.serial_number, g.digits,
            s.at, s.register_milli, m.limit_milli, s.p99_milli, m.interval_ms, g.multiplier,
            (select min(d.id) from meters_reading d where d.tenant = t.tenant and d.meter = t.meter
                and d.source = 'phone' and d.at >= $3 and d.at < $4
                and not exists (select 1 from meters_review v where v.tenant = d.tenant and v.reading = d.id
                    and v.decision = 'rejected'))
        from meters_stop t
        join meters_meter m on m.tenant = t.tenant and m.id = t.meter
        join meters_state s on s.tenant = m.tenant and s.meter = m.id
        join meters_register g on g.tenant = m.tenant and g.meter = m.id and g.seq = s.seq
        left join meters_room r on r.tenant = m.tenant and r.id = m.room
        where t.tenant = $1 and t.route = $2
        order by t.place limit 1000";
}

/// A route.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub id: MeterRouteId,
    pub community: CommunityId,
    pub name: Name,
    pub version: i64,
}

/// A stop of a route.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub meter: MeterId,
    pub name: String,
    pub commodity: String,
    pub place: String,
    pub serial: Option<String>,
    pub digits: i64,
    pub read_at: Timestamp,
    pub register_milli: i64,
    pub limit_milli: i64,
    pub p99_milli: i64,
    pub interval_ms: i64,
    pub multiplier: i64,
    pub reading: Option<String>,
}

fn read(row: &Row) -> anyhow::Result<Route> {
    Ok(Route {
        id: row.id(0)?,
        community: row.id(1)?,
        name: Name::parse(row.text(2)?)?,
        version: row.integer(3)?,
    })
}

/// The route.
pub(crate) async fn route(
    db: &impl Read,
    tenant: &TenantId,
    id: &MeterRouteId,
) -> anyhow::Result<Option<Route>> {
    let row = db.row(ROUTE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The routes that the caller may know.
pub(crate) async fn routes(
    db: &impl Read,
    actor: &Actor,
    community: Option<&CommunityId>,
    page: &Page<MeterRouteId>,
) -> anyhow::Result<Vec<Route>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ROUTES, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a route.
pub(crate) async fn insert(tx: &Tx, route: &Route) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&route.id).into(),
        (&route.community).into(),
        route.name.as_str().into(),
        route.version.into(),
    ];
    tx.execute(INSERT_ROUTE, &parameters).await
}

/// Stores what changed about a route.
pub(crate) async fn update(tx: &Tx, route: &Route) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&route.id).into(),
        route.name.as_str().into(),
        route.version.into(),
    ];
    tx.execute(UPDATE_ROUTE, &parameters).await
}

/// Takes a route away.
pub(crate) async fn delete(tx: &Tx, id: &MeterRouteId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), id.into()];
    tx.execute(DELETE_STOPS, &parameters).await?;
    tx.execute(DELETE_ROUTE, &parameters).await
}

/// Stores the stops of a route, in their order, in place of those it had.
pub(crate) async fn put_stops(
    tx: &Tx,
    id: &MeterRouteId,
    meters: &[MeterId],
) -> anyhow::Result<()> {
    tx.execute(DELETE_STOPS, &[tx.tenant().into(), id.into()])
        .await?;
    let rows: Vec<Vec<Value>> = (1_i64..)
        .zip(meters)
        .map(|(place, meter)| vec![tx.tenant().into(), id.into(), place.into(), meter.into()])
        .collect();
    tx.insert_many(INSERT_STOP, &rows).await
}

/// The stops of a route, and whether they were read by hand in that span.
pub(crate) async fn stops(
    db: &impl Read,
    tenant: &TenantId,
    id: &MeterRouteId,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<Vec<Stop>> {
    let parameters = [tenant.into(), id.into(), from.into(), until.into()];
    let rows = db.rows(STOPS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Stop {
                meter: row.id(0)?,
                name: row.text(1)?.to_owned(),
                commodity: row.text(2)?.to_owned(),
                place: row.text(3)?.to_owned(),
                serial: row.optional_text(4)?.map(str::to_owned),
                digits: row.integer(5)?,
                read_at: row.timestamp(6)?,
                register_milli: row.integer(7)?,
                limit_milli: row.integer(8)?,
                p99_milli: row.integer(9)?,
                interval_ms: row.integer(10)?,
                multiplier: row.integer(11)?,
                reading: row.optional_text(12)?.map(str::to_owned),
            })
        })
        .collect()
}
