//! Money on its way to prepaid meters.

use anyhow::Context as _;
use kernel::{Commodity, MeterId, RechargeId, RoomId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::{Recharge, RechargeState};

statements! {
    RECHARGE = "select id, meter, community, amount_minor, commanded_at, state, number, doubtful, attempt, answered,
            next_at, ended_at, detail
        from meters_recharge where tenant = $1 and id = $2";

    RECHARGES = "select id, meter, community, amount_minor, commanded_at, state, number, doubtful, attempt, answered,
            next_at, ended_at, detail
        from meters_recharge
        where tenant = $1 and meter = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    DUE = "select tenant, id from meters_recharge where state = 'waiting' and next_at <= $1
        order by next_at limit $2";

    // Another one of the meter that is not ended: the numbers of purchases are given one after another.
    BEFORE = "select min(id) from meters_recharge
        where tenant = $1 and meter = $2 and id < $3 and state = 'waiting'";

    INSERT_RECHARGE = "insert into meters_recharge (tenant, id, meter, community, amount_minor, commanded_at, state,
            number, doubtful, attempt, answered, next_at)
        values ($1, $2, $3, $4, $5, $6, 'waiting', null, 0, 0, 1, $7)
        on conflict (tenant, id) do nothing";

    UPDATE_RECHARGE = "update meters_recharge set state = $3, number = $4, doubtful = $5, attempt = $6, answered = $7,
            next_at = $8, ended_at = $9, detail = $10
        where tenant = $1 and id = $2";

    PREPAID = "select id from meters_meter
        where tenant = $1 and room = $2 and commodity = $3 and prepaid = 1 and gateway is not null
          and removed_at is null
        order by id limit 2";
}

fn read(row: &Row) -> anyhow::Result<Recharge> {
    let state = row.text(5)?;
    let number = row.optional_integer(6)?.map(u8::try_from).transpose()?;
    Ok(Recharge {
        id: row.id(0)?,
        meter: row.id(1)?,
        community: row.id(2)?,
        amount_minor: row.integer(3)?,
        commanded_at: row.timestamp(4)?,
        state: RechargeState::parse(state).with_context(|| format!("a recharge is {state:?}"))?,
        number,
        doubtful: row.boolean(7)?,
        attempt: row.integer(8)?,
        answered: row.boolean(9)?,
        next_at: row.timestamp(10)?,
        ended_at: row.optional_timestamp(11)?,
        detail: row.optional_text(12)?.map(str::to_owned),
    })
}

/// The recharge.
pub(crate) async fn recharge(
    db: &impl Read,
    tenant: &TenantId,
    id: &RechargeId,
) -> anyhow::Result<Option<Recharge>> {
    let row = db.row(RECHARGE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The recharges of a meter, the latest first.
pub(crate) async fn recharges(
    db: &impl Read,
    tenant: &TenantId,
    meter: &MeterId,
    page: &Page<RechargeId>,
) -> anyhow::Result<Vec<Recharge>> {
    let parameters = [
        tenant.into(),
        meter.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RECHARGES, &parameters).await?;
    rows.iter().map(read).collect()
}

/// The recharges of all tenants whose next try is due.
pub(crate) async fn due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, RechargeId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// Whether an earlier recharge of the same meter has not ended.
pub(crate) async fn waits_for_another(tx: &Tx, recharge: &Recharge) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&recharge.meter).into(),
        (&recharge.id).into(),
    ];
    let row = tx.row(BEFORE, &parameters).await?;
    let before = row.map(|row| row.optional_text(0).map(|id| id.is_some()));
    Ok(before.transpose()?.unwrap_or(false))
}

/// Adds a recharge, unless it is there.
pub(crate) async fn insert(tx: &Tx, recharge: &Recharge) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&recharge.id).into(),
        (&recharge.meter).into(),
        (&recharge.community).into(),
        recharge.amount_minor.into(),
        recharge.commanded_at.into(),
        recharge.next_at.into(),
    ];
    tx.execute(INSERT_RECHARGE, &parameters).await
}

/// Stores how a recharge stands.
pub(crate) async fn update(tx: &Tx, recharge: &Recharge) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&recharge.id).into(),
        recharge.state.as_str().into(),
        recharge.number.map(i64::from).into(),
        recharge.doubtful.into(),
        recharge.attempt.into(),
        recharge.answered.into(),
        recharge.next_at.into(),
        recharge.ended_at.into(),
        recharge.detail.clone().into(),
    ];
    tx.execute(UPDATE_RECHARGE, &parameters).await
}

/// The prepaid meters of a room that a gateway reaches: two when there are several.
pub(crate) async fn prepaid(
    tx: &Tx,
    room: &RoomId,
    commodity: Commodity,
) -> anyhow::Result<Vec<MeterId>> {
    let parameters = [tx.tenant().into(), room.into(), commodity.as_str().into()];
    let rows = tx.rows(PREPAID, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}
