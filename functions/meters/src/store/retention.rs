//! What becomes of old readings: of each day the first and the last stay.

use kernel::{MeterId, Timestamp};
use store::Tx;

statements! {
    // What somebody decided about, what has a picture, and what is no reading of an interval stays for good.
    THIN_POINTS = "delete from meters_point
        where tenant = $1 and meter = $2 and verdict = 'counted' and at >= $3 and at < $4
          and at not in (
            select min(q.at) from meters_point q where q.tenant = $1 and q.meter = $2 and q.verdict = 'counted'
                and q.at >= $3 and q.at < $4 group by q.day
            union all
            select max(q.at) from meters_point q where q.tenant = $1 and q.meter = $2 and q.verdict = 'counted'
                and q.at >= $3 and q.at < $4 group by q.day)
          and exists (select 1 from meters_reading r where r.tenant = meters_point.tenant
            and r.id = meters_point.reading and r.source = 'interval')
          and not exists (select 1 from meters_review v where v.tenant = meters_point.tenant
            and v.reading = meters_point.reading)
          and not exists (select 1 from meters_photo f where f.tenant = meters_point.tenant
            and f.reading = meters_point.reading)";

    THIN_READINGS = "delete from meters_reading
        where tenant = $1 and meter = $2 and source = 'interval' and at >= $3 and at < $4
          and not exists (select 1 from meters_point p where p.tenant = meters_reading.tenant
            and p.meter = meters_reading.meter and p.at = meters_reading.at and p.reading = meters_reading.id)";
}

/// Keeps the first and the last reading of each day of that span. Totals stay as they are: they are differences of
/// registers, whatever was read in between.
pub(crate) async fn thin(
    tx: &Tx,
    meter: &MeterId,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), meter.into(), from.into(), until.into()];
    tx.execute(THIN_POINTS, &parameters).await?;
    tx.execute(THIN_READINGS, &parameters).await
}
