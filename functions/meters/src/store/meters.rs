//! Meters, their registers and bindings.

use std::collections::BTreeMap;

use kernel::{Actor, Commodity, CommunityId, MeterId, RoomId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use super::reach;
use crate::domain::{Binding, Meter, Object, Register};
use crate::rows::{Known, read_binding, read_known, read_register};

statements! {
    METERS = "select m.id, m.community, m.commodity, m.name, m.gateway, m.master, m.interval_ms, m.limit_milli, m.opened_at,
            m.room, m.area, m.version, g.seq, g.digits, g.multiplier, g.serial_number,
            s.seen_at, s.at, s.register_milli, s.seq, s.total_milli, s.rate_milli, s.moved_at, s.flow_hours, s.flow_now,
            s.band_registers, s.band_totals, s.p99_milli, s.p99_at, s.closed_at, s.leak_alarm, s.stuck_alarm,
            coalesce(c.time_zone, 'Asia/Shanghai'), m.removed_at, m.prepaid, m.step_milli, m.offset_milli
        from meters_meter m
        join meters_state s on s.tenant = m.tenant and s.meter = m.id
        join meters_register g on g.tenant = m.tenant and g.meter = m.id and g.seq = s.seq
        left join meters_community c on c.tenant = m.tenant and c.id = m.community
        where m.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || m.community || ',', '') <> $2
            or exists (select 1 from meters_household h
                where h.tenant = m.tenant and h.room = m.room and h.person = $3
                  and h.valid_from <= $4 and (h.valid_until is null or h.valid_until > $4)))
          and (cast($5 as text) is null or m.community = $5)
          and (cast($6 as text) is null or m.room = $6)
          and (cast($7 as text) is null or m.commodity = $7)
          and (cast($8 as text) is null or m.id > $8)
        order by m.id limit $9";

    BEHIND = "select m.id, m.community, m.commodity, m.name, m.gateway, m.master, m.interval_ms, m.limit_milli, m.opened_at,
            m.room, m.area, m.version, g.seq, g.digits, g.multiplier, g.serial_number,
            s.seen_at, s.at, s.register_milli, s.seq, s.total_milli, s.rate_milli, s.moved_at, s.flow_hours, s.flow_now,
            s.band_registers, s.band_totals, s.p99_milli, s.p99_at, s.closed_at, s.leak_alarm, s.stuck_alarm,
            coalesce(c.time_zone, 'Asia/Shanghai'), m.removed_at, m.prepaid, m.step_milli, m.offset_milli
        from meters_meter m
        join meters_state s on s.tenant = m.tenant and s.meter = m.id
        join meters_register g on g.tenant = m.tenant and g.meter = m.id and g.seq = s.seq
        left join meters_community c on c.tenant = m.tenant and c.id = m.community
        where m.tenant = $1 and m.master = $2 and m.removed_at is null
        order by m.id limit 1000";

    OF_COMMUNITY = "select m.id, m.community, m.commodity, m.name, m.gateway, m.master, m.interval_ms, m.limit_milli, m.opened_at,
            m.room, m.area, m.version, g.seq, g.digits, g.multiplier, g.serial_number,
            s.seen_at, s.at, s.register_milli, s.seq, s.total_milli, s.rate_milli, s.moved_at, s.flow_hours, s.flow_now,
            s.band_registers, s.band_totals, s.p99_milli, s.p99_at, s.closed_at, s.leak_alarm, s.stuck_alarm,
            coalesce(c.time_zone, 'Asia/Shanghai'), m.removed_at, m.prepaid, m.step_milli, m.offset_milli
        from meters_meter m
        join meters_state s on s.tenant = m.tenant and s.meter = m.id
        join meters_register g on g.tenant = m.tenant and g.meter = m.id and g.seq = s.seq
        left join meters_community c on c.tenant = m.tenant and c.id = m.community
        where m.tenant = $1 and m.community = $2 and m.id > $3 and m.opened_at < $4
          and (m.removed_at is null or m.removed_at > $5)
        order by m.id limit $6";

    // The masters that may not have been compared for a day yet, and were not tried lately.
    MASTERS = "select distinct m.tenant, m.master from meters_meter m
        left join meters_check c on c.tenant = m.tenant and c.master = m.master
        where m.master is not null and (m.tenant > $1 or (m.tenant = $1 and m.master > $2))
          and (c.day is null or (c.day < $3 and c.tried_at <= $4))
        order by m.tenant, m.master limit $5";

    BINDINGS_OF = "select b.meter, b.starts_at, b.room, b.area
        from meters_meter m join meters_binding b on b.tenant = m.tenant and b.meter = m.id
        where m.tenant = $1 and m.community = $2 and m.id >= $3 and m.id <= $4
        order by b.meter, b.starts_at limit 1000";

    INSERT_METER = "insert into meters_meter (tenant, id, community, commodity, name, gateway, master, interval_ms,
            limit_milli, opened_at, room, area, version, prepaid, step_milli, offset_milli)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

    UPDATE_METER = "update meters_meter set name = $3, gateway = $4, master = $5, interval_ms = $6, limit_milli = $7,
            room = $8, area = $9, version = $10, removed_at = $11, prepaid = $12, step_milli = $13, offset_milli = $14
        where tenant = $1 and id = $2";

    REGISTERS = "select seq, digits, multiplier from meters_register where tenant = $1 and meter = $2 order by seq";

    OPENED_AT = "select max(opened_at) from meters_register where tenant = $1 and meter = $2";

    INSERT_REGISTER = "insert into meters_register (tenant, meter, seq, serial_number, digits, multiplier, opened_at,
            opening_milli)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    CLOSE_REGISTER = "update meters_register set closed_at = $4, closing_milli = $5, reason = $6
        where tenant = $1 and meter = $2 and seq = $3";

    BINDINGS = "select starts_at, room, area from meters_binding
        where tenant = $1 and meter = $2 order by starts_at limit 1000";

    INSERT_BINDING = "insert into meters_binding (tenant, meter, starts_at, room, area) values ($1, $2, $3, $4, $5)";
}

/// Which meters a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct MeterFilter {
    /// In this community.
    pub community: Option<CommunityId>,
    /// Of this room.
    pub room: Option<RoomId>,
    /// Of this commodity.
    pub commodity: Option<Commodity>,
}

/// The meters that the caller may know.
pub(crate) async fn meters(
    db: &impl Read,
    actor: &Actor,
    filter: &MeterFilter,
    (page, now): (&Page<MeterId>, Timestamp),
) -> anyhow::Result<Vec<Known>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        (&actor.id).into(),
        now.into(),
        filter.community.as_ref().into(),
        filter.room.as_ref().into(),
        filter.commodity.map(Commodity::as_str).into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(METERS, &parameters).await?;
    rows.iter().map(read_known).collect()
}

/// The meters behind a master.
pub(crate) async fn behind(
    db: &impl Read,
    tenant: &TenantId,
    master: &MeterId,
) -> anyhow::Result<Vec<Known>> {
    let rows = db.rows(BEHIND, &[tenant.into(), master.into()]).await?;
    rows.iter().map(read_known).collect()
}

/// A page of a community's meters after `after` that stood within that span.
pub(crate) async fn of_community(
    tx: &Tx,
    (community, after): (&CommunityId, &str),
    (start, end): (Timestamp, Timestamp),
    limit: i64,
) -> anyhow::Result<Vec<Known>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        after.into(),
        end.into(),
        start.into(),
        limit.into(),
    ];
    let rows = tx.rows(OF_COMMUNITY, &parameters).await?;
    rows.iter().map(read_known).collect()
}

/// The masters of all tenants after that one that were not compared for that day and not tried since, at most
/// `limit`.
pub(crate) async fn masters(
    db: &impl Read,
    (tenant, after): (&str, &str),
    (day, tried_before): (&str, Timestamp),
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, MeterId)>> {
    let parameters = [
        tenant.into(),
        after.into(),
        day.into(),
        tried_before.into(),
        limit.into(),
    ];
    let rows = db.rows(MASTERS, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// What a page of a community's meters measured for.
pub(crate) async fn bindings_of(
    tx: &Tx,
    span: &super::usage::Span<'_>,
) -> anyhow::Result<BTreeMap<MeterId, Vec<Binding>>> {
    let parameters = [
        tx.tenant().into(),
        span.community.into(),
        span.first.into(),
        span.last.into(),
    ];
    let mut found: BTreeMap<MeterId, Vec<Binding>> = BTreeMap::new();
    for row in tx.rows(BINDINGS_OF, &parameters).await? {
        let bindings = found.entry(row.id(0)?).or_default();
        bindings.push(read_binding(&row, 1)?);
    }
    Ok(found)
}

/// Adds a meter.
pub(crate) async fn insert_meter(tx: &Tx, meter: &Meter) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&meter.id).into(),
        (&meter.community).into(),
        meter.commodity.as_str().into(),
        meter.name.as_str().into(),
        meter.gateway.as_ref().into(),
        meter.master.as_ref().into(),
        meter.interval_ms.into(),
        meter.limit_milli_per_hour.into(),
        meter.opened_at.into(),
        meter.object.room().into(),
        meter.object.area().into(),
        meter.version.into(),
        meter.prepaid.into(),
        meter.decoding.map(|decoding| decoding.step_milli).into(),
        meter.decoding.map(|decoding| decoding.offset_milli).into(),
    ];
    tx.execute(INSERT_METER, &parameters).await
}

/// Stores what changed about a meter.
pub(crate) async fn update_meter(tx: &Tx, meter: &Meter) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&meter.id).into(),
        meter.name.as_str().into(),
        meter.gateway.as_ref().into(),
        meter.master.as_ref().into(),
        meter.interval_ms.into(),
        meter.limit_milli_per_hour.into(),
        meter.object.room().into(),
        meter.object.area().into(),
        meter.version.into(),
        meter.removed_at.into(),
        meter.prepaid.into(),
        meter.decoding.map(|decoding| decoding.step_milli).into(),
        meter.decoding.map(|decoding| decoding.offset_milli).into(),
    ];
    tx.execute(UPDATE_METER, &parameters).await
}

/// The registers of a meter, the first one first.
pub(crate) async fn registers(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
) -> anyhow::Result<Vec<Register>> {
    let rows = db.rows(REGISTERS, &[tenant.into(), meter.into()]).await?;
    rows.iter().map(|row| read_register(row, 0)).collect()
}

/// When the present register of a meter was put up.
pub(crate) async fn opened_at(tx: &Tx, meter: &MeterId) -> anyhow::Result<Option<Timestamp>> {
    let row = tx
        .row(OPENED_AT, &[tx.tenant().into(), meter.into()])
        .await?;
    Ok(row
        .map(|row| row.optional_timestamp(0))
        .transpose()?
        .flatten())
}

/// Adds a register; `opening` is when, and what it showed.
pub(crate) async fn insert_register(
    tx: &Tx,
    meter: &Meter,
    (opened_at, opening_milli): (Timestamp, i64),
) -> anyhow::Result<()> {
    let parameters: [Value; 8] = [
        tx.tenant().into(),
        (&meter.id).into(),
        meter.register.seq.into(),
        meter.serial.as_ref().map(|serial| serial.as_str()).into(),
        meter.register.digits.into(),
        meter.register.multiplier.into(),
        opened_at.into(),
        opening_milli.into(),
    ];
    tx.execute(INSERT_REGISTER, &parameters).await
}

/// Closes a register: when, what it showed, and why.
pub(crate) async fn close_register(
    tx: &Tx,
    (meter, seq): (&MeterId, i64),
    (closed_at, closing_milli, reason): (Timestamp, i64, &str),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        meter.into(),
        seq.into(),
        closed_at.into(),
        closing_milli.into(),
        reason.into(),
    ];
    tx.execute(CLOSE_REGISTER, &parameters).await
}

/// What a meter measured for and does, the first first.
pub(crate) async fn bindings(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
) -> anyhow::Result<Vec<Binding>> {
    let rows = db.rows(BINDINGS, &[tenant.into(), meter.into()]).await?;
    rows.iter().map(|row| read_binding(row, 0)).collect()
}

/// Adds a binding.
pub(crate) async fn insert_binding(
    tx: &Tx,
    meter: &MeterId,
    (from, object): (Timestamp, &Object),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        meter.into(),
        from.into(),
        object.room().into(),
        object.area().into(),
    ];
    tx.execute(INSERT_BINDING, &parameters).await
}
