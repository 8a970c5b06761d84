//! Readings that count, around moments and over spans; and the limits that usage is compared with.

use std::collections::BTreeMap;

use kernel::{Commodity, CommunityId, MeterId, TenantId, Timestamp};
use store::{Read, Row, Tx};

use crate::domain::Point;
use crate::domain::curve::Step;
use crate::rows::read_point;

statements! {
    POINTS = "select p.at, p.register_milli, p.total_milli, p.band_registers, p.band_totals
        from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.verdict = 'counted' and p.at > $3 and p.at <= $4
        order by p.at, p.seq, p.total_milli, p.reading limit 1000";

    // The first and the last reading of each day; the moments between them are not needed.
    DAY_EDGES = "select p.at, p.register_milli, p.total_milli, p.band_registers, p.band_totals
        from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.verdict = 'counted' and p.at > $3 and p.at <= $4
          and p.at in (
            select min(q.at) from meters_point q where q.tenant = $1 and q.meter = $2 and q.verdict = 'counted'
                and q.at > $3 and q.at <= $4 group by q.day
            union all
            select max(q.at) from meters_point q where q.tenant = $1 and q.meter = $2 and q.verdict = 'counted'
                and q.at > $3 and q.at <= $4 group by q.day)
        order by p.at, p.seq, p.total_milli, p.reading limit 1000";

    MONTH_EDGES = "select p.at, p.register_milli, p.total_milli, p.band_registers, p.band_totals
        from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.verdict = 'counted' and p.at > $3 and p.at <= $4
          and p.at in (
            select min(q.at) from meters_point q where q.tenant = $1 and q.meter = $2 and q.verdict = 'counted'
                and q.at > $3 and q.at <= $4 group by substr(q.day, 1, 7)
            union all
            select max(q.at) from meters_point q where q.tenant = $1 and q.meter = $2 and q.verdict = 'counted'
                and q.at > $3 and q.at <= $4 group by substr(q.day, 1, 7))
        order by p.at, p.seq, p.total_milli, p.reading limit 1000";

    BEFORE = "select p.at, p.register_milli, p.total_milli, p.band_registers, p.band_totals
        from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.verdict = 'counted' and p.at <= $3
        order by p.at desc, p.seq desc, p.total_milli desc, p.reading desc limit 1";

    AFTER = "select p.at, p.register_milli, p.total_milli, p.band_registers, p.band_totals
        from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.verdict = 'counted' and p.at >= $3
        order by p.at, p.seq, p.total_milli, p.reading limit 1";

    // The same for a page of a community's meters.
    ALL_BEFORE = "select p.meter, p.at, p.register_milli, p.total_milli, p.band_registers, p.band_totals
        from meters_meter m
        join meters_point p on p.tenant = m.tenant and p.meter = m.id and p.verdict = 'counted'
          and p.at = (select max(q.at) from meters_point q where q.tenant = m.tenant and q.meter = m.id
            and q.verdict = 'counted' and q.at <= $3)
        where m.tenant = $1 and m.community = $2 and m.id >= $4 and m.id <= $5
        order by p.meter, p.at, p.seq, p.total_milli, p.reading";

    ALL_AFTER = "select p.meter, p.at, p.register_milli, p.total_milli, p.band_registers, p.band_totals
        from meters_meter m
        join meters_point p on p.tenant = m.tenant and p.meter = m.id and p.verdict = 'counted'
          and p.at = (select min(q.at) from meters_point q where q.tenant = m.tenant and q.meter = m.id
            and q.verdict = 'counted' and q.at >= $3)
        where m.tenant = $1 and m.community = $2 and m.id >= $4 and m.id <= $5
        order by p.meter desc, p.at desc, p.seq desc, p.total_milli desc, p.reading desc";

    COUNTED = "select count(p.reading) from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.verdict = 'counted' and p.at > $3";

    RATE = "select p.rate_milli from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.verdict = 'counted' and p.at > $3
        order by p.rate_milli desc limit 1 offset $4";

    TO_RATE = "select tenant, meter from meters_state where p99_at <= $1 order by p99_at limit $2";

    PUT_RATE = "update meters_state set p99_milli = $3, p99_at = $4 where tenant = $1 and meter = $2";

    LIMIT = "select per, bounds, version from meters_limit where tenant = $1 and community = $2 and commodity = $3";

    PUT_LIMIT = "insert into meters_limit (tenant, community, commodity, per, bounds, version)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, community, commodity) do update set per = excluded.per, bounds = excluded.bounds,
            version = excluded.version";
}

/// The readings that count after `from` up to `until`, all of them for hours, the edges of longer steps.
pub(crate) async fn points(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
    (from, until, step): (Timestamp, Timestamp, Step),
) -> anyhow::Result<Vec<Point>> {
    let sql = match step {
        Step::Hour => POINTS,
        Step::Day => DAY_EDGES,
        Step::Month => MONTH_EDGES,
    };
    let mut points: Vec<Point> = Vec::new();
    loop {
        let since = points.last().map_or(from, |point| point.at);
        let parameters = [tenant.into(), meter.into(), since.into(), until.into()];
        let rows = db.rows(sql, &parameters).await?;
        for row in &rows {
            points.push(read_point(row, 0)?);
        }
        if rows.len() < store::ROWS_MAX {
            return Ok(points);
        }
    }
}

/// The last reading that counts at or before a moment.
pub(crate) async fn before(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
    at: Timestamp,
) -> anyhow::Result<Option<Point>> {
    let row = db
        .row(BEFORE, &[tenant.into(), meter.into(), at.into()])
        .await?;
    row.map(|row| read_point(&row, 0)).transpose()
}

/// The first reading that counts at or after a moment.
pub(crate) async fn after(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
    at: Timestamp,
) -> anyhow::Result<Option<Point>> {
    let row = db
        .row(AFTER, &[tenant.into(), meter.into(), at.into()])
        .await?;
    row.map(|row| read_point(&row, 0)).transpose()
}

/// A page of a community's meters: the first and the last of them.
pub(crate) struct Span<'a> {
    /// The community.
    pub community: &'a CommunityId,
    /// The first meter.
    pub first: &'a MeterId,
    /// The last meter.
    pub last: &'a MeterId,
}

/// The last readings that count at or before a moment, and the first ones at or after it, of a page of meters.
pub(crate) async fn all_around(
    tx: &Tx,
    span: &Span<'_>,
    at: Timestamp,
) -> anyhow::Result<(BTreeMap<MeterId, Point>, BTreeMap<MeterId, Point>)> {
    let parameters = [
        tx.tenant().into(),
        span.community.into(),
        at.into(),
        span.first.into(),
        span.last.into(),
    ];
    let before = by_meter(&tx.rows(ALL_BEFORE, &parameters).await?)?;
    let after = by_meter(&tx.rows(ALL_AFTER, &parameters).await?)?;
    Ok((before, after))
}

/// Of several readings of one moment the last row stays.
fn by_meter(rows: &[Row]) -> anyhow::Result<BTreeMap<MeterId, Point>> {
    rows.iter()
        .map(|row| Ok((row.id(0)?, read_point(row, 1)?)))
        .collect()
}

/// The 99th percentile of a meter's rates since a moment, in thousandths an hour; 0 with too few readings.
pub(crate) async fn p99(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
    since: Timestamp,
) -> anyhow::Result<i64> {
    const READINGS_MIN: i64 = 20;
    let parameters = [tenant.into(), meter.into(), since.into()];
    let counted = db.row(COUNTED, &parameters).await?;
    let counted = counted.map_or(Ok(0), |row| row.integer(0))?;
    if counted < READINGS_MIN {
        return Ok(0);
    }
    let above = counted / 100;
    let parameters = [tenant.into(), meter.into(), since.into(), above.into()];
    let row = db.row(RATE, &parameters).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// The meters whose percentile was found by that moment, at most `limit`.
pub(crate) async fn to_rate(
    db: &impl Read,
    before: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, MeterId)>> {
    let rows = db.rows(TO_RATE, &[before.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// Stores a percentile.
pub(crate) async fn put_rate(
    tx: &Tx,
    meter: &MeterId,
    (p99_milli, now): (i64, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        meter.into(),
        p99_milli.into(),
        now.into(),
    ];
    tx.execute(PUT_RATE, &parameters).await
}

/// The limits that usage is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// `month` or `year`.
    pub per: String,
    /// Where tiers end, in thousandths, rising.
    pub bounds: Vec<i64>,
    /// From 1.
    pub version: i64,
}

/// The limits of a commodity in a community.
pub(crate) async fn limits(
    db: &impl Read,
    tenant: &TenantId,
    (community, commodity): (&CommunityId, Commodity),
) -> anyhow::Result<Option<Limits>> {
    let parameters = [tenant.into(), community.into(), commodity.as_str().into()];
    let row = db.row(LIMIT, &parameters).await?;
    row.map(|row| {
        Ok(Limits {
            per: row.text(0)?.to_owned(),
            bounds: serde_json::from_str(row.text(1)?)?,
            version: row.integer(2)?,
        })
    })
    .transpose()
}

/// Stores the limits of a commodity in a community.
pub(crate) async fn put_limits(
    tx: &Tx,
    (community, commodity): (&CommunityId, Commodity),
    limits: &Limits,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        commodity.as_str().into(),
        (&limits.per).into(),
        serde_json::to_string(&limits.bounds)?.into(),
        limits.version.into(),
    ];
    tx.execute(PUT_LIMIT, &parameters).await
}
