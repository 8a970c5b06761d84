//! Many readings at once: what is known of their meters comes with one statement for a hundred of them, and what
//! becomes of them goes in with one for hundreds.

use kernel::{MeterId, ReadingId, TenantId, Timestamp};
use store::{Read, Tx, Value};

use crate::domain::{Count, Item};
use crate::rows::{
    Known, Raw, point_values, raw_values, read_count, read_item, read_known, state_values,
};

/// The meters that one statement knows; see `KNOWN`.
const KNOWN_METERS_MAX: usize = 100;

statements! {
    KNOWN = "select m.id, m.community, m.commodity, m.name, m.gateway, m.master, m.interval_ms, m.limit_milli, m.opened_at,
            m.room, m.area, m.version, g.seq, g.digits, g.multiplier, g.serial_number,
            s.seen_at, s.at, s.register_milli, s.seq, s.total_milli, s.rate_milli, s.moved_at, s.flow_hours, s.flow_now,
            s.band_registers, s.band_totals, s.p99_milli, s.p99_at, s.closed_at, s.leak_alarm, s.stuck_alarm,
            coalesce(c.time_zone, 'Asia/Shanghai'), m.removed_at, m.prepaid, m.step_milli, m.offset_milli
        from meters_meter m
        join meters_state s on s.tenant = m.tenant and s.meter = m.id
        join meters_register g on g.tenant = m.tenant and g.meter = m.id and g.seq = s.seq
        left join meters_community c on c.tenant = m.tenant and c.id = m.community
        where m.tenant = $1 and m.id in (
            $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41,
            $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61,
            $62, $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81,
            $82, $83, $84, $85, $86, $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101)";

    // The same for one meter, as most messages are about.
    KNOWN_ONE = "select m.id, m.community, m.commodity, m.name, m.gateway, m.master, m.interval_ms, m.limit_milli, m.opened_at,
            m.room, m.area, m.version, g.seq, g.digits, g.multiplier, g.serial_number,
            s.seen_at, s.at, s.register_milli, s.seq, s.total_milli, s.rate_milli, s.moved_at, s.flow_hours, s.flow_now,
            s.band_registers, s.band_totals, s.p99_milli, s.p99_at, s.closed_at, s.leak_alarm, s.stuck_alarm,
            coalesce(c.time_zone, 'Asia/Shanghai'), m.removed_at, m.prepaid, m.step_milli, m.offset_milli
        from meters_meter m
        join meters_state s on s.tenant = m.tenant and s.meter = m.id
        join meters_register g on g.tenant = m.tenant and g.meter = m.id and g.seq = s.seq
        left join meters_community c on c.tenant = m.tenant and c.id = m.community
        where m.tenant = $1 and m.id = $2";

    INSERT_READINGS = "insert into meters_reading (tenant, id, meter, at, device_at, clock_believed, received_at,
            register_milli, bands, source, gateway, actor, flags, opens)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (tenant, id) do nothing returning id";

    INSERT_POINTS = "insert into meters_point (tenant, meter, at, reading, verdict, reason, register_milli, seq,
            total_milli, rate_milli, moved_at, flow_hours, flow_now, band_registers, band_totals, day)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        on conflict (tenant, meter, at, reading) do update set verdict = excluded.verdict, reason = excluded.reason,
            register_milli = excluded.register_milli, seq = excluded.seq, total_milli = excluded.total_milli,
            rate_milli = excluded.rate_milli, moved_at = excluded.moved_at, flow_hours = excluded.flow_hours,
            flow_now = excluded.flow_now, band_registers = excluded.band_registers,
            band_totals = excluded.band_totals, day = excluded.day";

    PUT_STATES = "insert into meters_state (tenant, meter, seen_at, at, register_milli, seq, total_milli, rate_milli,
            moved_at, flow_hours, flow_now, band_registers, band_totals, p99_milli, p99_at, closed_at, leak_alarm,
            stuck_alarm)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        on conflict (tenant, meter) do update set seen_at = excluded.seen_at, at = excluded.at,
            register_milli = excluded.register_milli, seq = excluded.seq, total_milli = excluded.total_milli,
            rate_milli = excluded.rate_milli, moved_at = excluded.moved_at, flow_hours = excluded.flow_hours,
            flow_now = excluded.flow_now, band_registers = excluded.band_registers,
            band_totals = excluded.band_totals, leak_alarm = excluded.leak_alarm,
            stuck_alarm = excluded.stuck_alarm";

    // Where the count stood right before a moment.
    COUNT_BEFORE = "select p.at, p.register_milli, p.seq, p.total_milli, p.rate_milli, p.moved_at, p.flow_hours,
            p.flow_now, p.band_registers, p.band_totals
        from meters_point p
        where p.tenant = $1 and p.meter = $2 and p.at < $3 and p.verdict = 'counted'
        order by p.at desc, p.total_milli desc, p.seq desc, p.reading desc limit 1";

    // A page of what was read since a moment, with what somebody decided about it.
    ITEMS_SINCE = "select r.at, r.id, r.register_milli, r.bands, r.source, r.opens, v.decision, v.register_milli,
            r.clock_believed
        from meters_reading r
        left join meters_review v on v.tenant = r.tenant and v.reading = r.id
        where r.tenant = $1 and r.meter = $2 and r.at >= $3 and (r.at > $3 or r.id > $4)
        order by r.at, r.id limit 1000";
}

/// What is known of these meters; unknown ones are not among them.
pub(crate) async fn known(
    db: &impl Read,
    tenant: &TenantId,
    meters: &[&MeterId],
) -> anyhow::Result<Vec<Known>> {
    if let [meter] = meters {
        let rows = db
            .rows(KNOWN_ONE, &[tenant.into(), (*meter).into()])
            .await?;
        return rows.iter().map(read_known).collect();
    }
    let mut known = Vec::with_capacity(meters.len());
    for chunk in meters.chunks(KNOWN_METERS_MAX) {
        let mut parameters: Vec<Value> = vec![tenant.into()];
        parameters.extend(chunk.iter().map(|meter| Value::from(*meter)));
        parameters.resize(1 + KNOWN_METERS_MAX, Value::from(""));
        for row in db.rows(KNOWN, &parameters).await? {
            known.push(read_known(&row)?);
        }
    }
    Ok(known)
}

/// Stores what was read; the ids of those that were not there yet.
pub(crate) async fn insert_readings(tx: &Tx, readings: &[Raw]) -> anyhow::Result<Vec<ReadingId>> {
    let rows: Vec<Vec<Value>> = readings
        .iter()
        .map(|reading| raw_values(tx.tenant(), reading))
        .collect();
    let fresh = tx.insert_many_rows(INSERT_READINGS, &rows).await?;
    fresh.iter().map(|row| row.id(0)).collect()
}

/// Stores what readings are worth.
pub(crate) async fn put_points(
    tx: &Tx,
    points: &[crate::rows::Judgement<'_>],
) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = points
        .iter()
        .map(|point| point_values(tx.tenant(), point))
        .collect::<anyhow::Result<_>>()?;
    tx.insert_many(INSERT_POINTS, &rows).await
}

/// Stores where the counts of these meters stand.
pub(crate) async fn put_states(tx: &Tx, known: &[&Known]) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = known
        .iter()
        .map(|known| state_values(tx.tenant(), known))
        .collect::<anyhow::Result<_>>()?;
    tx.insert_many(PUT_STATES, &rows).await
}

/// Where the count of a meter stood right before a moment.
pub(crate) async fn count_before(
    tx: &Tx,
    meter: &MeterId,
    at: Timestamp,
) -> anyhow::Result<Option<Count>> {
    let parameters = [tx.tenant().into(), meter.into(), at.into()];
    let row = tx.row(COUNT_BEFORE, &parameters).await?;
    row.map(|row| read_count(&row, 0)).transpose()
}

/// Everything that was read of a meter since a moment.
pub(crate) async fn items_since(
    tx: &Tx,
    meter: &MeterId,
    at: Timestamp,
) -> anyhow::Result<Vec<Item>> {
    let mut items: Vec<Item> = Vec::new();
    loop {
        let (since, after) = items
            .last()
            .map_or((at, String::new()), |item| (item.at, item.id.to_string()));
        let parameters = [tx.tenant().into(), meter.into(), since.into(), after.into()];
        let rows = tx.rows(ITEMS_SINCE, &parameters).await?;
        let is_last = rows.len() < store::ROWS_MAX;
        for row in &rows {
            items.push(read_item(row)?);
        }
        if is_last {
            return Ok(items);
        }
    }
}
