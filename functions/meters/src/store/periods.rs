//! The usage of closed months, and how far closing has come.

use kernel::{Actor, CommunityId, MeterId, TenantId, Timestamp, UsageId};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::reach;
use super::usage::Span;
use crate::domain::counting::Bands;
use crate::domain::{Month, Object};
use crate::rows::{bands_value, read_bands, read_object};

statements! {
    USAGES_OF = "select u.id, u.meter, u.community, u.commodity, u.room, u.area, u.period, u.bound_at, u.from_at,
            u.until_at, u.quantity_milli, u.bands, u.estimated, u.revision, u.register_from_milli,
            u.register_until_milli
        from meters_usage u
        where u.tenant = $1 and u.community = $2 and u.period = $3 and u.meter >= $4 and u.meter <= $5
        order by u.meter, u.bound_at limit 1000";

    USAGES = "select u.id, u.meter, u.community, u.commodity, u.room, u.area, u.period, u.bound_at, u.from_at,
            u.until_at, u.quantity_milli, u.bands, u.estimated, u.revision, u.register_from_milli,
            u.register_until_milli
        from meters_usage u
        where u.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || u.community || ',', '') <> $2
            or exists (select 1 from meters_household h
                where h.tenant = u.tenant and h.room = u.room and h.person = $3 and h.valid_from < u.until_at
                  and h.valid_from <= $4 and (h.valid_until is null or h.valid_until > $4)))
          and (cast($5 as text) is null or u.community = $5)
          and (cast($6 as text) is null or u.period = $6)
          and (cast($7 as text) is null or u.meter = $7)
          and (cast($8 as text) is null or u.id > $8)
        order by u.id limit $9";

    PUT_USAGES = "insert into meters_usage (tenant, id, meter, community, commodity, room, area, period, bound_at,
            from_at, until_at, quantity_milli, bands, estimated, revision, register_from_milli,
            register_until_milli, closed_at, stale)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        on conflict (tenant, id) do update set room = excluded.room, area = excluded.area, from_at = excluded.from_at,
            until_at = excluded.until_at, quantity_milli = excluded.quantity_milli, bands = excluded.bands,
            estimated = excluded.estimated, revision = excluded.revision,
            register_from_milli = excluded.register_from_milli,
            register_until_milli = excluded.register_until_milli, closed_at = excluded.closed_at,
            stale = excluded.stale";

    MARK_STALE = "update meters_usage set stale = 1 where tenant = $1 and meter = $2 and until_at >= $3";

    NO_LONGER_STALE = "update meters_usage set stale = 0
        where tenant = $1 and community = $2 and period = $3 and meter >= $4 and meter <= $5 and stale = 1";

    STALE = "select distinct tenant, community, period from meters_usage where stale = 1
        order by tenant, community, period limit $1";

    STALE_METERS = "select distinct meter from meters_usage
        where tenant = $1 and community = $2 and period = $3 and stale = 1 order by meter limit $4";

    CLOSED_UNTIL = "update meters_state set closed_at = $5
        where tenant = $1 and meter >= $3 and meter <= $4 and closed_at < $5
          and exists (select 1 from meters_usage u where u.tenant = meters_state.tenant
            and u.meter = meters_state.meter and u.community = $2 and u.period = $6)";

    // The communities whose month may still be to close, and was not tried lately.
    COMMUNITIES = "select distinct m.tenant, m.community, coalesce(c.time_zone, 'Asia/Shanghai')
        from meters_meter m left join meters_community c on c.tenant = m.tenant and c.id = m.community
        left join meters_period p on p.tenant = m.tenant and p.community = m.community and p.period = $3
        where (m.tenant > $1 or (m.tenant = $1 and m.community > $2))
          and (p.period is null or (p.done = 0 and p.tried_at <= $4))
        order by m.tenant, m.community limit $5";

    PERIOD = "select tried_at, done from meters_period where tenant = $1 and community = $2 and period = $3";

    PUT_PERIOD = "insert into meters_period (tenant, community, period, tried_at, done) values ($1, $2, $3, $4, $5)
        on conflict (tenant, community, period) do update set tried_at = excluded.tried_at, done = excluded.done";

    CHECKED = "select day from meters_check where tenant = $1 and master = $2";

    PUT_CHECKED = "insert into meters_check (tenant, master, day, tried_at) values ($1, $2, $3, $4)
        on conflict (tenant, master) do update set day = excluded.day, tried_at = excluded.tried_at";
}

/// What a meter counted in one month for one room or area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Usage {
    pub id: UsageId,
    pub meter: MeterId,
    pub community: CommunityId,
    pub commodity: String,
    pub object: Object,
    pub period: String,
    /// From when on the meter measures for that room or area.
    pub bound_at: Timestamp,
    pub from: Timestamp,
    pub until: Timestamp,
    pub quantity_milli: i64,
    pub bands: Option<Bands>,
    pub estimated: bool,
    pub revision: u32,
    pub register_from_milli: i64,
    pub register_until_milli: i64,
}

fn read(row: &Row) -> anyhow::Result<Usage> {
    Ok(Usage {
        id: row.id(0)?,
        meter: row.id(1)?,
        community: row.id(2)?,
        commodity: row.text(3)?.to_owned(),
        object: read_object(row, 4)?,
        period: row.text(6)?.to_owned(),
        bound_at: row.timestamp(7)?,
        from: row.timestamp(8)?,
        until: row.timestamp(9)?,
        quantity_milli: row.integer(10)?,
        bands: read_bands(row, 11)?,
        estimated: row.boolean(12)?,
        revision: u32::try_from(row.integer(13)?)?,
        register_from_milli: row.integer(14)?,
        register_until_milli: row.integer(15)?,
    })
}

/// The closed usage of a page of meters in a month.
pub(crate) async fn usages_of(
    tx: &Tx,
    span: &Span<'_>,
    month: Month,
) -> anyhow::Result<Vec<Usage>> {
    let parameters = [
        tx.tenant().into(),
        span.community.into(),
        month.to_string().into(),
        span.first.into(),
        span.last.into(),
    ];
    let rows = tx.rows(USAGES_OF, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Which closed usage a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct UsageFilter {
    pub community: Option<CommunityId>,
    pub period: Option<Month>,
    pub meter: Option<MeterId>,
}

/// The closed usage that the caller may know.
pub(crate) async fn usages(
    db: &impl Read,
    actor: &Actor,
    filter: &UsageFilter,
    (page, now): (&Page<UsageId>, Timestamp),
) -> anyhow::Result<Vec<Usage>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        (&actor.id).into(),
        now.into(),
        filter.community.as_ref().into(),
        filter.period.map(|month| month.to_string()).into(),
        filter.meter.as_ref().into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(USAGES, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Stores usage that is new, or known better.
pub(crate) async fn put_usages(tx: &Tx, usages: &[Usage], now: Timestamp) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = usages
        .iter()
        .map(|usage| {
            Ok(vec![
                tx.tenant().into(),
                (&usage.id).into(),
                (&usage.meter).into(),
                (&usage.community).into(),
                (&usage.commodity).into(),
                usage.object.room().into(),
                usage.object.area().into(),
                (&usage.period).into(),
                usage.bound_at.into(),
                usage.from.into(),
                usage.until.into(),
                usage.quantity_milli.into(),
                bands_value(usage.bands.as_ref())?,
                usage.estimated.into(),
                usage.revision.into(),
                usage.register_from_milli.into(),
                usage.register_until_milli.into(),
                now.into(),
                false.into(),
            ])
        })
        .collect::<anyhow::Result<_>>()?;
    tx.insert_many(PUT_USAGES, &rows).await
}

/// A meter's closed usage that ends after that moment is to be looked at again.
pub(crate) async fn mark_stale(tx: &Tx, meter: &MeterId, since: Timestamp) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), meter.into(), since.into()];
    tx.execute(MARK_STALE, &parameters).await
}

/// A page of meters was looked at again; until when its usage is closed from now on.
pub(crate) async fn looked_at(
    tx: &Tx,
    span: &Span<'_>,
    (month, end): (Month, Timestamp),
) -> anyhow::Result<()> {
    let period = month.to_string();
    let parameters = [
        tx.tenant().into(),
        span.community.into(),
        (&period).into(),
        span.first.into(),
        span.last.into(),
    ];
    tx.execute(NO_LONGER_STALE, &parameters).await?;
    let parameters = [
        tx.tenant().into(),
        span.community.into(),
        span.first.into(),
        span.last.into(),
        end.into(),
        period.into(),
    ];
    tx.execute(CLOSED_UNTIL, &parameters).await
}

/// The tenants, communities and months with usage to be looked at again, at most `limit`.
pub(crate) async fn stale(
    db: &impl Read,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, CommunityId, Month)>> {
    let rows = db.rows(STALE, &[limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?, Month::parse(row.text(2)?)?)))
        .collect()
}

/// The meters whose usage of that month is to be looked at again, at most `limit`.
pub(crate) async fn stale_meters(
    db: &impl Read,
    tenant: &TenantId,
    (community, month): (&CommunityId, Month),
    limit: i64,
) -> anyhow::Result<Vec<MeterId>> {
    let parameters = [
        tenant.into(),
        community.into(),
        month.to_string().into(),
        limit.into(),
    ];
    let rows = db.rows(STALE_METERS, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The communities with meters after that one whose month may be to close and was not tried since, with their clocks.
pub(crate) async fn communities(
    db: &impl Read,
    (tenant, after): (&str, &str),
    (month, tried_before): (Month, Timestamp),
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, CommunityId, kernel::Zone)>> {
    let parameters = [
        tenant.into(),
        after.into(),
        month.to_string().into(),
        tried_before.into(),
        limit.into(),
    ];
    let rows = db.rows(COMMUNITIES, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?, kernel::Zone::parse(row.text(2)?)?)))
        .collect()
}

/// When a month was last closed, and whether nothing of it is missing.
pub(crate) async fn period(
    db: &impl Read,
    tenant: &TenantId,
    (community, month): (&CommunityId, Month),
) -> anyhow::Result<Option<(Timestamp, bool)>> {
    let parameters = [tenant.into(), community.into(), month.to_string().into()];
    let row = db.row(PERIOD, &parameters).await?;
    row.map(|row| Ok((row.timestamp(0)?, row.boolean(1)?)))
        .transpose()
}

/// Stores that a month was closed, and whether nothing of it is missing.
pub(crate) async fn put_period(
    tx: &Tx,
    (community, month): (&CommunityId, Month),
    (now, done): (Timestamp, bool),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        month.to_string().into(),
        now.into(),
        done.into(),
    ];
    tx.execute(PUT_PERIOD, &parameters).await
}

/// The last day for which a master was compared with its meters.
pub(crate) async fn checked(
    db: &impl Read,
    tenant: &TenantId,
    master: &MeterId,
) -> anyhow::Result<Option<String>> {
    let row = db.row(CHECKED, &[tenant.into(), master.into()]).await?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Stores the last day for which a master was compared, and when that was tried.
pub(crate) async fn put_checked(
    tx: &Tx,
    master: &MeterId,
    (day, now): (&str, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), master.into(), day.into(), now.into()];
    tx.execute(PUT_CHECKED, &parameters).await
}
