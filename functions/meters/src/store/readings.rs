//! Single readings: how they stand, the queue of those held back, what somebody decided, and pictures.

use kernel::{Actor, CommunityId, MeterId, ReadingId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use super::reach;
use crate::domain::{Decision, Source};
use crate::rows::{read_bands, read_source};

statements! {
    STORED = "select meter, register_milli from meters_reading where tenant = $1 and id = $2";

    PHONE_READING = "select r.id from meters_reading r
        left join meters_review v on v.tenant = r.tenant and v.reading = r.id
        where r.tenant = $1 and r.meter = $2 and r.source = 'phone' and r.at >= $3 and r.at < $4
          and coalesce(v.decision, '') <> 'rejected'
        order by r.at, r.id limit 1";

    READING = "select r.id, r.meter, m.community, r.at, r.device_at, r.clock_believed, r.received_at, r.register_milli,
            r.bands, r.source, r.gateway, r.actor, r.flags, p.verdict, p.reason, p.register_milli, p.total_milli,
            v.decision, v.reason, v.actor, v.decided_at,
            case when f.reading is null then 0 else 1 end
        from meters_reading r
        join meters_meter m on m.tenant = r.tenant and m.id = r.meter
        join meters_point p on p.tenant = r.tenant and p.meter = r.meter and p.at = r.at and p.reading = r.id
        left join meters_review v on v.tenant = r.tenant and v.reading = r.id
        left join meters_photo f on f.tenant = r.tenant and f.reading = r.id
        where r.tenant = $1 and r.id = $2";

    READINGS = "select r.id, r.meter, m.community, r.at, r.device_at, r.clock_believed, r.received_at, r.register_milli,
            r.bands, r.source, r.gateway, r.actor, r.flags, p.verdict, p.reason, p.register_milli, p.total_milli,
            v.decision, v.reason, v.actor, v.decided_at,
            case when f.reading is null then 0 else 1 end
        from meters_reading r
        join meters_meter m on m.tenant = r.tenant and m.id = r.meter
        join meters_point p on p.tenant = r.tenant and p.meter = r.meter and p.at = r.at and p.reading = r.id
        left join meters_review v on v.tenant = r.tenant and v.reading = r.id
        left join meters_photo f on f.tenant = r.tenant and f.reading = r.id
        where r.tenant = $1 and r.meter = $2 and r.at >= $3 and r.at < $4
          and (cast($5 as bigint) is null or r.at < $5 or (r.at = $5 and r.id < $6))
        order by r.at desc, r.id desc limit $7";

    HELD = "select r.id, r.meter, m.community, r.at, r.device_at, r.clock_believed, r.received_at, r.register_milli,
            r.bands, r.source, r.gateway, r.actor, r.flags, p.verdict, p.reason, p.register_milli, p.total_milli,
            v.decision, v.reason, v.actor, v.decided_at,
            case when f.reading is null then 0 else 1 end
        from meters_point p
        join meters_meter m on m.tenant = p.tenant and m.id = p.meter
        join meters_reading r on r.tenant = p.tenant and r.id = p.reading
        left join meters_review v on v.tenant = p.tenant and v.reading = p.reading
        left join meters_photo f on f.tenant = p.tenant and f.reading = p.reading
        where p.tenant = $1 and p.verdict = 'held'
          and (cast($2 as text) is null or replace($2, ',' || m.community || ',', '') <> $2)
          and (cast($3 as text) is null or m.community = $3)
          and (cast($4 as text) is null or p.reading > $4)
        order by p.reading limit $5";

    PUT_REVIEW = "insert into meters_review (tenant, reading, decision, register_milli, reason, actor, decided_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, reading) do update set decision = excluded.decision,
            register_milli = excluded.register_milli, reason = excluded.reason, actor = excluded.actor,
            decided_at = excluded.decided_at";

    PHOTO = "select jpeg from meters_photo where tenant = $1 and reading = $2";

    PUT_PHOTO = "insert into meters_photo (tenant, reading, jpeg, taken_by, stored_at) values ($1, $2, $3, $4, $5)
        on conflict (tenant, reading) do nothing returning reading";

    FORGET_PHOTOS = "delete from meters_photo where (tenant, reading) in
            (select f.tenant, f.reading from meters_photo f where f.stored_at <= $1 order by f.stored_at limit $2)
        returning reading";
}

/// A reading with what it is worth and what somebody decided.
#[derive(Debug, Clone)]
pub(crate) struct Stands {
    pub id: ReadingId,
    pub meter: MeterId,
    pub community: CommunityId,
    pub at: Timestamp,
    pub device_at: Timestamp,
    pub clock_believed: bool,
    pub received_at: Timestamp,
    pub register_milli: i64,
    pub bands: Option<[i64; 4]>,
    pub source: Source,
    pub gateway: Option<String>,
    pub actor: Option<String>,
    pub flags: Vec<String>,
    pub verdict: String,
    pub reason: Option<String>,
    pub counted_milli: i64,
    pub total_milli: i64,
    pub review: Option<Reviewed>,
    pub has_photo: bool,
}

/// What somebody decided.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Reviewed {
    pub decision: String,
    pub reason: String,
    pub actor: String,
    pub decided_at: Timestamp,
}

/// A place in a list of readings, the latest first.
#[derive(Debug, Clone)]
pub(crate) struct Cursor(pub Timestamp, pub ReadingId);

fn read(row: &store::Row) -> anyhow::Result<Stands> {
    let owned = |position| -> anyhow::Result<Option<String>> {
        Ok(row.optional_text(position)?.map(str::to_owned))
    };
    let review = match owned(17)? {
        None => None,
        Some(decision) => Some(Reviewed {
            decision,
            reason: row.text(18)?.to_owned(),
            actor: row.text(19)?.to_owned(),
            decided_at: row.timestamp(20)?,
        }),
    };
    let flags = row.optional_text(12)?.unwrap_or_default().split(',');
    Ok(Stands {
        id: row.id(0)?,
        meter: row.id(1)?,
        community: row.id(2)?,
        at: row.timestamp(3)?,
        device_at: row.timestamp(4)?,
        clock_believed: row.boolean(5)?,
        received_at: row.timestamp(6)?,
        register_milli: row.integer(7)?,
        bands: read_bands(row, 8)?,
        source: read_source(row.text(9)?)?,
        gateway: owned(10)?,
        actor: owned(11)?,
        flags: flags
            .filter(|flag| !flag.is_empty())
            .map(str::to_owned)
            .collect(),
        verdict: row.text(13)?.to_owned(),
        reason: owned(14)?,
        counted_milli: row.integer(15)?,
        total_milli: row.integer(16)?,
        review,
        has_photo: row.boolean(21)?,
    })
}

/// The meter and register of a stored reading.
pub(crate) async fn stored(tx: &Tx, id: &ReadingId) -> anyhow::Result<Option<(MeterId, i64)>> {
    let row = tx.row(STORED, &[tx.tenant().into(), id.into()]).await?;
    row.map(|row| Ok((row.id(0)?, row.integer(1)?))).transpose()
}

/// The reading by hand in that span, if there is one that was not rejected.
pub(crate) async fn phone_reading(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<Option<ReadingId>> {
    let parameters = [tenant.into(), meter.into(), from.into(), until.into()];
    let row = db.row(PHONE_READING, &parameters).await?;
    row.map(|row| row.id(0)).transpose()
}

/// The reading as it stands.
pub(crate) async fn reading(
    db: &impl Read,
    tenant: &TenantId,
    id: &ReadingId,
) -> anyhow::Result<Option<Stands>> {
    let row = db.row(READING, &[tenant.into(), id.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The readings of a meter in a span, the latest first.
pub(crate) async fn readings(
    db: &impl Read,
    tenant: &TenantId,
    (meter, from, until): (&MeterId, Timestamp, Timestamp),
    page: &Page<Cursor>,
) -> anyhow::Result<Vec<Stands>> {
    let after = page.after.as_ref();
    let parameters = [
        tenant.into(),
        meter.into(),
        from.into(),
        until.into(),
        after.map(|cursor| cursor.0).into(),
        after.map(|cursor| &cursor.1).into(),
        page.rows().into(),
    ];
    let rows = db.rows(READINGS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// The readings that wait for a decision, the oldest id first.
pub(crate) async fn held(
    db: &impl Read,
    actor: &Actor,
    community: Option<&CommunityId>,
    page: &Page<ReadingId>,
) -> anyhow::Result<Vec<Stands>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(HELD, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Stores what somebody decided about a reading.
pub(crate) async fn put_review(
    tx: &Tx,
    reading: &ReadingId,
    (decision, register_milli, reason): (Decision, Option<i64>, &str),
    (actor, now): (&Actor, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        reading.into(),
        decision.as_str().into(),
        register_milli.into(),
        reason.into(),
        (&actor.id).into(),
        now.into(),
    ];
    tx.execute(PUT_REVIEW, &parameters).await
}

/// The picture of a reading, in base64.
pub(crate) async fn photo(
    db: &impl Read,
    tenant: &TenantId,
    reading: &ReadingId,
) -> anyhow::Result<Option<String>> {
    let row = db.row(PHOTO, &[tenant.into(), reading.into()]).await?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Stores the picture of a reading; whether there was none.
pub(crate) async fn put_photo(
    tx: &Tx,
    reading: &ReadingId,
    jpeg: &str,
    (actor, now): (&Actor, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        reading.into(),
        jpeg.into(),
        (&actor.id).into(),
        now.into(),
    ];
    Ok(tx.row(PUT_PHOTO, &parameters).await?.is_some())
}

/// Deletes pictures that were stored by that moment, at most `limit`; how many.
pub(crate) async fn forget_photos(
    batch: &store::Batch,
    before: Timestamp,
    limit: i64,
) -> anyhow::Result<usize> {
    let removed = batch
        .rows(FORGET_PHOTOS, &[before.into(), limit.into()])
        .await?;
    Ok(removed.len())
}
