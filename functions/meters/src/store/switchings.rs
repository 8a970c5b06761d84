//! Requests to cut or restore the supply behind a meter.

use anyhow::Context as _;
use kernel::{MeterId, SwitchingId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;
use wire::meter::Supply;

use crate::domain::{CutReason, Reason, Switching, SwitchingState};

statements! {
    SWITCHING = "select id, meter, community, room, supply, reason, note, actor, requested_at, expires_at, state,
            settled_at, detail
        from meters_switching where tenant = $1 and id = $2";

    SWITCHINGS = "select id, meter, community, room, supply, reason, note, actor, requested_at, expires_at, state,
            settled_at, detail
        from meters_switching
        where tenant = $1 and meter = $2 and requested_at >= $3 and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    OPEN = "select id, meter, community, room, supply, reason, note, actor, requested_at, expires_at, state,
            settled_at, detail
        from meters_switching where tenant = $1 and meter = $2 and state = 'requested'";

    OVERDUE = "select tenant, id from meters_switching where state = 'requested' and expires_at <= $1
        order by expires_at limit $2";

    INSERT_SWITCHING = "insert into meters_switching (tenant, id, meter, community, room, supply, reason, note, actor,
            requested_at, expires_at, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'requested')";

    SETTLE_SWITCHING = "update meters_switching set state = $3, settled_at = $4, detail = $5
        where tenant = $1 and id = $2";
}

fn read(row: &Row) -> anyhow::Result<Switching> {
    let (supply, state) = (row.text(4)?, row.text(10)?);
    let settled = row.optional_timestamp(11)?;
    let detail = row.optional_text(12)?.map(str::to_owned);
    let reason = row.optional_text(5)?;
    let reason = reason.map(|name| {
        CutReason::parse(name).with_context(|| format!("a supply is cut because of {name:?}"))
    });
    Ok(Switching {
        id: row.id(0)?,
        meter: row.id(1)?,
        community: row.id(2)?,
        room: row.optional_id(3)?,
        supply: Supply::parse(supply).with_context(|| format!("a supply is {supply:?}"))?,
        reason: reason.transpose()?,
        note: row.optional_text(6)?.map(Reason::parse).transpose()?,
        actor: row.id(7)?,
        requested_at: row.timestamp(8)?,
        expires_at: row.timestamp(9)?,
        state: match (state, settled, detail) {
            ("requested", ..) => SwitchingState::Requested,
            ("done", Some(at), _) => SwitchingState::Done { at },
            ("refused", Some(at), Some(detail)) => SwitchingState::Refused { at, detail },
            ("timed_out", Some(at), detail) => SwitchingState::TimedOut { at, detail },
            _ => anyhow::bail!("a switching is {state:?}"),
        },
    })
}

/// The request.
pub(crate) async fn switching(
    db: &impl Read,
    tenant: &TenantId,
    id: &SwitchingId,
) -> anyhow::Result<Option<Switching>> {
    let row = db.row(SWITCHING, &[tenant.into(), id.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The requests about a meter since a moment, the latest first.
pub(crate) async fn switchings(
    db: &impl Read,
    tenant: &TenantId,
    (meter, since): (&MeterId, Timestamp),
    page: &Page<SwitchingId>,
) -> anyhow::Result<Vec<Switching>> {
    let parameters = [
        tenant.into(),
        meter.into(),
        since.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(SWITCHINGS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// The request about a meter that is not settled.
pub(crate) async fn open(tx: &Tx, meter: &MeterId) -> anyhow::Result<Option<Switching>> {
    let row = tx.row(OPEN, &[tx.tenant().into(), meter.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The requests of all tenants that expired by that moment and are not settled.
pub(crate) async fn overdue(
    db: &impl Read,
    expired_by: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, SwitchingId)>> {
    let rows = db.rows(OVERDUE, &[expired_by.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// Adds a request.
pub(crate) async fn insert(tx: &Tx, switching: &Switching) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&switching.id).into(),
        (&switching.meter).into(),
        (&switching.community).into(),
        switching.room.as_ref().into(),
        switching.supply.as_str().into(),
        switching.reason.map(CutReason::as_str).into(),
        switching.note.as_ref().map(Reason::as_str).into(),
        (&switching.actor).into(),
        switching.requested_at.into(),
        switching.expires_at.into(),
    ];
    tx.execute(INSERT_SWITCHING, &parameters).await
}

/// Stores what became of a request.
pub(crate) async fn settle(tx: &Tx, switching: &Switching) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&switching.id).into(),
        switching.state.name().into(),
        switching.state.settled_at().into(),
        switching.state.detail().into(),
    ];
    tx.execute(SETTLE_SWITCHING, &parameters).await
}
