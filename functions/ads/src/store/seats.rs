//! Seats: who has which, of a placement, on a day. A seat has one owner: the primary key says so.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::{AdLineId, BarterId, PlacementId, TenantId, Timestamp};
use store::{Read, Tx};

use super::{day, on};

statements! {
    TAKEN = "select day, cast(sum(bit) as bigint) from ads_seat
        where tenant = $1 and placement = $2 and day >= $3 and day < $4
        group by day order by day";

    TAKE = "insert into ads_seat (tenant, placement, day, seat, bit, line, price_minor, skipped)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, placement, day, seat) do nothing
        returning day";

    RELEASE = "delete from ads_seat where tenant = $1 and line = $2 and day >= $3";

    EXPIRED = "select id from ads_line
        where tenant = $1 and placement = $2 and live = 0 and state = 'reserved' and reserved_until <= $3
        order by reserved_until, id limit 50";

    FLOWN = "select cast(coalesce(sum(price_minor), 0) as bigint) from ads_seat
        where tenant = $1 and line = $2 and day < $3 and skipped = 0";

    FLOWN_OF_BARTER = "select s.line, cast(coalesce(sum(s.price_minor), 0) as bigint)
        from ads_line l cross join ads_seat s
        where l.tenant = $1 and l.barter = $2 and s.tenant = l.tenant and s.line = l.id and s.skipped = 0 and s.day < $3
            and s.day < coalesce(l.paused_from, '9999-12-31')
        group by s.line order by s.line";

    SKIP = "update ads_seat set skipped = 1
        where tenant = $1 and day < $3 and skipped = 0
            and line in (select l.id from ads_line l where l.tenant = $1 and l.barter = $2 and l.paused_from is not null)
            and day >= (select min(l.paused_from) from ads_line l where l.tenant = $1 and l.barter = $2)";

}

/// The bits of the seats that are taken, by day; a day that is not named has none.
pub async fn taken(
    db: &impl Read,
    tenant: &TenantId,
    placement: &PlacementId,
    (from, until): (NaiveDate, NaiveDate),
) -> anyhow::Result<BTreeMap<NaiveDate, i64>> {
    let rows = db
        .rows(
            TAKEN,
            &[tenant.into(), placement.into(), on(from), on(until)],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((day(row, 0)?, row.integer(1)?)))
        .collect()
}

/// A seat that somebody takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// The day.
    pub day: NaiveDate,
    /// Which one, from 0.
    pub seat: i64,
    /// What it costs, in fen.
    pub price_minor: i64,
}

/// Takes seats for a line; false when one of them was taken, and then the caller gives the transaction up.
pub async fn take(
    tx: &Tx,
    (placement, line): (&PlacementId, &AdLineId),
    seats: &[Seat],
) -> anyhow::Result<bool> {
    let rows: Vec<_> = seats
        .iter()
        .map(|seat| {
            vec![
                tx.tenant().into(),
                placement.into(),
                on(seat.day),
                seat.seat.into(),
                (1_i64 << seat.seat).into(),
                line.into(),
                seat.price_minor.into(),
                false.into(),
            ]
        })
        .collect();
    let got = tx.insert_many_rows(TAKE, &rows).await?;
    Ok(got.len() == seats.len())
}

/// Gives a line's seats back, from that day on.
pub async fn release(tx: &Tx, line: &AdLineId, from: NaiveDate) -> anyhow::Result<()> {
    tx.execute(RELEASE, &[tx.tenant().into(), line.into(), on(from)])
        .await
}

/// Reservations of a placement that are over, and may not have been let go yet.
pub async fn expired(
    tx: &Tx,
    placement: &PlacementId,
    now: Timestamp,
) -> anyhow::Result<Vec<AdLineId>> {
    let rows = tx
        .rows(EXPIRED, &[tx.tenant().into(), placement.into(), now.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// What the days of a line before that one cost.
pub async fn flown(
    db: &impl Read,
    tenant: &TenantId,
    line: &AdLineId,
    before: NaiveDate,
) -> anyhow::Result<i64> {
    let row = db
        .row(FLOWN, &[tenant.into(), line.into(), on(before)])
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// What of an exchange was shown before that day, line by line.
pub async fn flown_of_barter(
    db: &impl Read,
    tenant: &TenantId,
    barter: &BarterId,
    before: NaiveDate,
) -> anyhow::Result<Vec<(AdLineId, i64)>> {
    let rows = db
        .rows(FLOWN_OF_BARTER, &[tenant.into(), barter.into(), on(before)])
        .await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.integer(1)?)))
        .collect()
}

/// Days on which an exchange was held back were not shown.
pub async fn skip(tx: &Tx, barter: &BarterId, before: NaiveDate) -> anyhow::Result<()> {
    tx.execute(SKIP, &[tx.tenant().into(), barter.into(), on(before)])
        .await
}
