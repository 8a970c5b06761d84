//! Communities and households, as the event log tells of them.

use kernel::{ActorId, BindingId, CommunityId, RoomId, TenantId, Timestamp};
use store::{Read, Tx};
use wire::event::{BindingStarted, RoomChanged};

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

    // Who lived there last knows the way best; a room that nobody ever lived in is known from the register.
    ROOM = "select building, unit, room, community from visitors_household
        where tenant = $1 and room = $2 and (cast($3 as text) is null or community = $3)
        order by valid_from desc limit 1";

    REGISTERED_ROOM = "select building, unit, id, community from visitors_room
        where tenant = $1 and id = $2 and (cast($3 as text) is null or community = $3)";

    PUT_ROOM = "insert into visitors_room (tenant, id, community, building, unit) values ($1, $2, $3, $4, $5)
        on conflict (tenant, id) do update set community = excluded.community, building = excluded.building,
            unit = excluded.unit";

    DELETE_KEYS = "delete from visitors_room_key where tenant = $1 and room = $2";

    PUT_KEY = "insert into visitors_room_key (tenant, community, key, room) values ($1, $2, $3, $4)
        on conflict (tenant, community, key, room) do nothing";

    // Two are as good as many: the words name no room.
    ROOMS_OF_KEY = "select r.building, r.unit, r.id from visitors_room_key k
        join visitors_room r on r.tenant = k.tenant and r.id = k.room
        where k.tenant = $1 and k.community = $2 and k.key = $3
        order by r.id limit 2";
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

/// Stores a room of the register and everything it is found by.
pub(crate) async fn put_room(tx: &Tx, changed: &RoomChanged) -> anyhow::Result<()> {
    let room = [
        tx.tenant().into(),
        (&changed.room).into(),
        (&changed.community).into(),
        (&changed.building).into(),
        (&changed.unit).into(),
    ];
    tx.execute(PUT_ROOM, &room).await?;
    tx.execute(DELETE_KEYS, &[tx.tenant().into(), (&changed.room).into()])
        .await?;
    let row = |key: &String| {
        vec![
            tx.tenant().into(),
            (&changed.community).into(),
            key.clone().into(),
            (&changed.room).into(),
        ]
    };
    let keys: Vec<_> = changed.keys.iter().map(row).collect();
    tx.insert_many(PUT_KEY, &keys).await
}

/// The one room of the community that goes by that key; nothing when there is none, or several.
pub(crate) async fn room_of_key(
    tx: &Tx,
    community: &CommunityId,
    key: &str,
) -> anyhow::Result<Option<Room>> {
    let parameters = [tx.tenant().into(), community.into(), key.into()];
    match tx.rows(ROOMS_OF_KEY, &parameters).await?.as_slice() {
        [only] => Ok(Some(read_room(only, 0)?)),
        _ => Ok(None),
    }
}

/// The way to a room of the register, or in which somebody lives or lived, and its community.
pub(crate) async fn room(
    tx: &Tx,
    room: &RoomId,
    community: Option<&CommunityId>,
) -> anyhow::Result<Option<(Room, CommunityId)>> {
    let parameters = [tx.tenant().into(), room.into(), community.into()];
    let row = match tx.row(ROOM, &parameters).await? {
        Some(row) => Some(row),
        None => tx.row(REGISTERED_ROOM, &parameters).await?,
    };
    row.map(|row| Ok((read_room(&row, 0)?, row.id(3)?)))
        .transpose()
}
