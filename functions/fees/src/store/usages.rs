//! What rooms and common areas used, as meters closed it.

use kernel::{Commodity, CommunityId, RoomId};
use store::Tx;
use wire::event::UsageClosed;

use crate::domain::{Month, UsageOf};
use crate::rows::{bands_text, read_usage};

/// The most rows of one page of usage.
const PAGE_ROWS: i64 = 900;

statements! {
    // Events may come again and out of order: an earlier revision changes nothing.
    PUT_USAGE = "insert into fees_usage (tenant, id, community, commodity, room, area, period, quantity_milli, bands,
            estimated, revision)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant, id) do update set community = excluded.community, commodity = excluded.commodity,
            room = excluded.room, area = excluded.area, period = excluded.period,
            quantity_milli = excluded.quantity_milli, bands = excluded.bands, estimated = excluded.estimated,
            revision = excluded.revision
        where excluded.revision > fees_usage.revision";

    USAGES = "select room, quantity_milli, bands, id, revision, estimated from fees_usage
        where tenant = $1 and community = $2 and commodity = $3 and period = $4
          and room >= $5 and room <= $6 and (room > $7 or (room = $7 and id > $8))
        order by room, id limit $9";

    USED = "select room, cast(sum(quantity_milli) as bigint) from fees_usage
        where tenant = $1 and community = $2 and commodity = $3 and period >= $4 and period < $5
          and room >= $6 and room <= $7
        group by room";

    AREAS = "select area, quantity_milli, bands, id, revision, estimated from fees_usage
        where tenant = $1 and community = $2 and commodity = $3 and period = $4 and room is null
        order by id limit 900";
}

/// Stores a usage, unless a later revision of it is known.
pub(crate) async fn put_usage(tx: &Tx, closed: &UsageClosed) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&closed.usage).into(),
        (&closed.community).into(),
        closed.commodity.as_str().into(),
        closed.room.as_ref().into(),
        closed.area.as_ref().into(),
        (&closed.period).into(),
        closed.quantity_milli.into(),
        bands_text(&closed.bands)?.into(),
        closed.estimated.into(),
        closed.revision.into(),
    ];
    tx.execute(PUT_USAGE, &parameters).await
}

/// What the rooms from one to another used in a month: a room has several when it has several meters.
pub(crate) async fn of_rooms(
    tx: &Tx,
    (community, commodity): (&CommunityId, Commodity),
    month: Month,
    (first, last): (&RoomId, &RoomId),
) -> anyhow::Result<Vec<(RoomId, UsageOf)>> {
    let mut found = Vec::new();
    let mut after = (String::new(), String::new());
    loop {
        let parameters = [
            tx.tenant().into(),
            community.into(),
            commodity.as_str().into(),
            month.to_string().into(),
            first.into(),
            last.into(),
            (&after.0).into(),
            (&after.1).into(),
            PAGE_ROWS.into(),
        ];
        let rows = tx.rows(USAGES, &parameters).await?;
        for row in &rows {
            found.push((row.id(0)?, read_usage(row)?));
            after = (row.text(0)?.to_owned(), row.text(3)?.to_owned());
        }
        if i64::try_from(rows.len())? < PAGE_ROWS {
            return Ok(found);
        }
    }
}

/// What the rooms from one to another used from one month until another, that one excluded.
pub(crate) async fn used_before(
    tx: &Tx,
    (community, commodity): (&CommunityId, Commodity),
    (from, until): (Month, Month),
    (first, last): (&RoomId, &RoomId),
) -> anyhow::Result<Vec<(RoomId, i64)>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        commodity.as_str().into(),
        from.to_string().into(),
        until.to_string().into(),
        first.into(),
        last.into(),
    ];
    let rows = tx.rows(USED, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.integer(1)?)))
        .collect()
}

/// What common areas used in a month, by name.
pub(crate) async fn of_areas(
    tx: &Tx,
    (community, commodity): (&CommunityId, Commodity),
    month: Month,
) -> anyhow::Result<Vec<(String, UsageOf)>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        commodity.as_str().into(),
        month.to_string().into(),
    ];
    let rows = tx.rows(AREAS, &parameters).await?;
    rows.iter()
        .map(|row| {
            let area = row.optional_text(0)?.unwrap_or_default();
            Ok((area.to_owned(), read_usage(row)?))
        })
        .collect()
}
