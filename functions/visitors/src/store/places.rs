//! Communities and households, as the event log tells of them.

use kernel::{ActorId, BindingId, CommunityId, RoomId, TenantId, Timestamp};
use store::{Read, Tx};
use wire::event::BindingStarted;

use crate::domain::Room;
use crate::rows::read_room;

statements! {
    ZONE = "select time_zone from visitors_community where tenant = $1 and id = $2";

    PUT_COMMUNITY = "insert into visitors_community (tenant, id, time_zone) values ($1, $2, $3)
        on conflict (tenant, id) do update set time_zone = excluded.time_zone";

    PUT_BINDING = "insert into visitors_household
            (tenant, binding, person, community, building, unit, room, valid_from, valid_until)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant, binding) do update set person = excluded.person, community = excluded.community,
            building = excluded.building, unit = excluded.unit, room = excluded.room,
            valid_from = excluded.valid_from, valid_until = excluded.valid_until";

    END_BINDING = "update visitors_household set valid_until = $3 where tenant = $1 and binding = $2";

    LIVES_IN = "select 1 from visitors_household
        where tenant = $1 and person = $2 and community = $3 and room = $4
          and valid_from <= $5 and (valid_until is null or valid_until > $5)
        limit 1";

    HOSTS = "select distinct person from visitors_household
        where tenant = $1 and community = $2 and room = $3
          and valid_from <= $4 and (valid_until is null or valid_until > $4)
        order by person limit 100";

    // Who lived there last knows the way best.
    ROOM = "select building, unit, room, community from visitors_household
        where tenant = $1 and room = $2 and (cast($3 as text) is null or community = $3)
        order by valid_from desc limit 1";
}

/// The time zone of a community; nothing for one that is not known.
pub(crate) async fn zone(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
) -> anyhow::Result<Option<kernel::Zone>> {
    let row = db.row(ZONE, &[tenant.into(), community.into()]).await?;
    Ok(row
        .map(|row| row.text(0).map(kernel::Zone::parse))
        .transpose()?
        .transpose()?)
}

/// Stores a community and its time zone.
pub(crate) async fn put_community(
    tx: &Tx,
    community: &CommunityId,
    time_zone: &str,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), community.into(), time_zone.into()];
    tx.execute(PUT_COMMUNITY, &parameters).await
}

/// Stores that a person lives in a room.
pub(crate) async fn put_binding(
    tx: &Tx,
    started: &BindingStarted,
    room: &Room,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&started.binding).into(),
        (&started.person).into(),
        (&started.community).into(),
        (&room.building).into(),
        (&room.unit).into(),
        (&room.room).into(),
        started.from.into(),
        started.until.into(),
    ];
    tx.execute(PUT_BINDING, &parameters).await
}

/// Stores until when a binding holds.
pub(crate) async fn end_binding(
    tx: &Tx,
    binding: &BindingId,
    until: Option<Timestamp>,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), binding.into(), until.into()];
    tx.execute(END_BINDING, &parameters).await
}

/// Whether the person lives in that room now.
pub(crate) async fn lives_in(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
    (community, room): (&CommunityId, &RoomId),
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tenant.into(),
        person.into(),
        community.into(),
        room.into(),
        now.into(),
    ];
    Ok(db.row(LIVES_IN, &parameters).await?.is_some())
}

/// Who lives in that room now.
pub(crate) async fn hosts(
    tx: &Tx,
    (community, room): (&CommunityId, &RoomId),
    now: Timestamp,
) -> anyhow::Result<Vec<ActorId>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        room.into(),
        now.into(),
    ];
    let rows = tx.rows(HOSTS, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The way to a room in which somebody lives or lived, and its community.
pub(crate) async fn room(
    tx: &Tx,
    room: &RoomId,
    community: Option<&CommunityId>,
) -> anyhow::Result<Option<(Room, CommunityId)>> {
    let parameters = [tx.tenant().into(), room.into(), community.into()];
    let row = tx.row(ROOM, &parameters).await?;
    row.map(|row| Ok((read_room(&row, 0)?, row.id(3)?)))
        .transpose()
}
