//! What is not right with meters.

use kernel::{Actor, CommunityId, MeterAlarmId, MeterId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use super::reach;
use crate::domain::{AlarmKind, Meter};

statements! {
    ALARM = "select id, meter, community, room, kind, since, raised_at, cleared_at, acknowledged_by, acknowledged_at, note
        from meters_alarm where tenant = $1 and id = $2";

    ALARMS = "select a.id, a.meter, a.community, a.room, a.kind, a.since, a.raised_at, a.cleared_at, a.acknowledged_by,
            a.acknowledged_at, a.note
        from meters_alarm a
        where a.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || a.community || ',', '') <> $2
            or exists (select 1 from meters_household h
                where h.tenant = a.tenant and h.room = a.room and h.person = $3
                  and h.valid_from <= $4 and (h.valid_until is null or h.valid_until > $4)))
          and (cast($5 as text) is null or a.community = $5)
          and (cast($6 as bigint) is null or ($6 = 1 and a.cleared_at is null) or ($6 = 0 and a.cleared_at is not null))
          and (cast($7 as text) is null or a.id < $7)
        order by a.id desc limit $8";

    INSERT_ALARM = "insert into meters_alarm (tenant, id, meter, community, room, kind, since, raised_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    CLEAR_ALARM = "update meters_alarm set cleared_at = $3 where tenant = $1 and id = $2 and cleared_at is null";

    ACKNOWLEDGE = "update meters_alarm set acknowledged_by = $3, acknowledged_at = $4, note = $5
        where tenant = $1 and id = $2";

    ACTIVE = "select id from meters_alarm where tenant = $1 and meter = $2 and kind = $3 and cleared_at is null";
}

/// An alarm as it stands.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Alarm {
    pub id: MeterAlarmId,
    pub meter: MeterId,
    pub community: CommunityId,
    pub room: Option<kernel::RoomId>,
    pub kind: String,
    pub since: Timestamp,
    pub raised_at: Timestamp,
    pub cleared_at: Option<Timestamp>,
    pub acknowledged_by: Option<String>,
    pub acknowledged_at: Option<Timestamp>,
    pub note: Option<String>,
}

fn read(row: &Row) -> anyhow::Result<Alarm> {
    Ok(Alarm {
        id: row.id(0)?,
        meter: row.id(1)?,
        community: row.id(2)?,
        room: row.optional_id(3)?,
        kind: row.text(4)?.to_owned(),
        since: row.timestamp(5)?,
        raised_at: row.timestamp(6)?,
        cleared_at: row.optional_timestamp(7)?,
        acknowledged_by: row.optional_text(8)?.map(str::to_owned),
        acknowledged_at: row.optional_timestamp(9)?,
        note: row.optional_text(10)?.map(str::to_owned),
    })
}

/// The alarm.
pub(crate) async fn alarm(
    db: &impl Read,
    tenant: &TenantId,
    id: &MeterAlarmId,
) -> anyhow::Result<Option<Alarm>> {
    let row = db.row(ALARM, &[tenant.into(), id.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The alarms that the caller may know, the latest first; `active` keeps those that stand, or those that do not.
pub(crate) async fn alarms(
    db: &impl Read,
    actor: &Actor,
    (community, active): (Option<&CommunityId>, Option<bool>),
    (page, now): (&Page<MeterAlarmId>, Timestamp),
) -> anyhow::Result<Vec<Alarm>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        (&actor.id).into(),
        now.into(),
        community.into(),
        active.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ALARMS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds an alarm.
pub(crate) async fn insert(
    tx: &Tx,
    meter: &Meter,
    (alarm, kind, since): (&MeterAlarmId, AlarmKind, Timestamp),
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        alarm.into(),
        (&meter.id).into(),
        (&meter.community).into(),
        meter.object.room().into(),
        kind.as_str().into(),
        since.into(),
        now.into(),
    ];
    tx.execute(INSERT_ALARM, &parameters).await
}

/// Stores that it is right again.
pub(crate) async fn clear(tx: &Tx, alarm: &MeterAlarmId, now: Timestamp) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), alarm.into(), now.into()];
    tx.execute(CLEAR_ALARM, &parameters).await
}

/// Stores that somebody looks after it.
pub(crate) async fn acknowledge(
    tx: &Tx,
    alarm: &MeterAlarmId,
    (actor, now): (&Actor, Timestamp),
    note: Option<&str>,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        alarm.into(),
        (&actor.id).into(),
        now.into(),
        note.into(),
    ];
    tx.execute(ACKNOWLEDGE, &parameters).await
}

/// The alarm of that kind that stands.
pub(crate) async fn active(
    tx: &Tx,
    meter: &MeterId,
    kind: AlarmKind,
) -> anyhow::Result<Option<MeterAlarmId>> {
    let parameters = [tx.tenant().into(), meter.into(), kind.as_str().into()];
    let row = tx.row(ACTIVE, &parameters).await?;
    row.map(|row| row.id(0)).transpose()
}
