//! Communities, rooms and households, as the event log tells of them.

use kernel::{Actor, BindingId, CommunityId, RoomId, TenantId, Timestamp, Zone};
use store::{Read, Tx};
use wire::event::BindingStarted;

statements! {
    ZONE = "select time_zone from meters_community where tenant = $1 and id = $2";

    PUT_COMMUNITY = "insert into meters_community (tenant, id, time_zone) values ($1, $2, $3)
        on conflict (tenant, id) do update set time_zone = excluded.time_zone";

    PUT_ROOM = "insert into meters_room (tenant, id, community, name) values ($1, $2, $3, $4)
        on conflict (tenant, id) do update set community = excluded.community, name = excluded.name";

    COMMUNITY_OF = "select community from meters_room where tenant = $1 and id = $2";

    ANY_ROOM = "select id from meters_room where tenant = $1 and community = $2 limit 1";

    PUT_BINDING = "insert into meters_household (tenant, binding, person, community, room, valid_from, valid_until)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, binding) do update set person = excluded.person, community = excluded.community,
            room = excluded.room, valid_from = excluded.valid_from, valid_until = excluded.valid_until";

    END_BINDING = "update meters_household set valid_until = $3 where tenant = $1 and binding = $2";

    // Since when the person lives there without having moved out.
    LIVES_SINCE = "select min(valid_from) from meters_household
        where tenant = $1 and person = $2 and room = $3
          and valid_from <= $4 and (valid_until is null or valid_until > $4)";
}

/// The clocks of a community; nothing for one that is not known.
pub(crate) async fn zone(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
) -> anyhow::Result<Option<Zone>> {
    let row = db.row(ZONE, &[tenant.into(), community.into()]).await?;
    Ok(row
        .map(|row| row.text(0).map(Zone::parse))
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

/// Stores a room and its name.
pub(crate) async fn put_room(
    tx: &Tx,
    (room, community): (&RoomId, &CommunityId),
    name: &str,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        room.into(),
        community.into(),
        name.into(),
    ];
    tx.execute(PUT_ROOM, &parameters).await
}

/// Where a room stands; nothing for one that is not known.
pub(crate) async fn community_of(tx: &Tx, room: &RoomId) -> anyhow::Result<Option<CommunityId>> {
    let row = tx
        .row(COMMUNITY_OF, &[tx.tenant().into(), room.into()])
        .await?;
    row.map(|row| row.id(0)).transpose()
}

/// Whether any room of the community is known.
pub(crate) async fn has_rooms(tx: &Tx, community: &CommunityId) -> anyhow::Result<bool> {
    let row = tx
        .row(ANY_ROOM, &[tx.tenant().into(), community.into()])
        .await?;
    Ok(row.is_some())
}

/// Stores that a person lives in a room.
pub(crate) async fn put_binding(
    tx: &Tx,
    started: &BindingStarted,
    room: &RoomId,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&started.binding).into(),
        (&started.person).into(),
        (&started.community).into(),
        room.into(),
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

/// Since when the caller lives in that room; nothing when the caller does not.
pub(crate) async fn lives_since(
    db: &impl Read,
    actor: &Actor,
    room: &RoomId,
    now: Timestamp,
) -> anyhow::Result<Option<Timestamp>> {
    let parameters = [
        (&actor.tenant).into(),
        (&actor.id).into(),
        room.into(),
        now.into(),
    ];
    let row = db.row(LIVES_SINCE, &parameters).await?;
    Ok(row
        .map(|row| row.optional_timestamp(0))
        .transpose()?
        .flatten())
}
