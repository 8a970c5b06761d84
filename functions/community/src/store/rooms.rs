//! Rooms, and what they are found by.

use kernel::{Actor, ActorId, BuildingId, CommunityId, RoomId, TenantId, Timestamp, UnitId};
use store::{Read, Tx, Value};
use web::Page;

use super::{reach, statements};
use crate::domain::Room;
use crate::rows::{read_room, room_values};

statements! {
    ROOM = "select r.id, r.unit, r.building, r.community, b.name, u.name, r.number, r.floor, r.area_dm2, r.usage,
            r.aliases, r.version
        from community_room r
        join community_building b on b.tenant = r.tenant and b.id = r.building
        join community_unit u on u.tenant = r.tenant and u.id = r.unit
        where r.tenant = $1 and r.id = $2";

    ROOM_NUMBERED = "select r.id, r.unit, r.building, r.community, b.name, u.name, r.number, r.floor, r.area_dm2, r.usage,
            r.aliases, r.version
        from community_room r
        join community_building b on b.tenant = r.tenant and b.id = r.building
        join community_unit u on u.tenant = r.tenant and u.id = r.unit
        where r.tenant = $1 and r.unit = $2 and r.place_key = $3";

    // Rooms that go by this text exactly; two are enough to know that it is not one.
    ROOMS_CALLED = "select r.id, r.unit, r.building, r.community, b.name, u.name, r.number, r.floor, r.area_dm2, r.usage,
            r.aliases, r.version
        from community_room_key k
        join community_room r on r.tenant = k.tenant and r.id = k.room
        join community_building b on b.tenant = r.tenant and b.id = r.building
        join community_unit u on u.tenant = r.tenant and u.id = r.unit
        where k.tenant = $1 and k.community = $2 and k.place_key = $3
        order by r.id limit 2";

    // The communities come as ',a,b,'; a text is found at the start of any of a room's keys.
    ROOMS = "select r.id, r.unit, r.building, r.community, b.name, u.name, r.number, r.floor, r.area_dm2, r.usage,
            r.aliases, r.version
        from community_room r
        join community_building b on b.tenant = r.tenant and b.id = r.building
        join community_unit u on u.tenant = r.tenant and u.id = r.unit
        where r.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || r.community || ',', '') <> $2)
          and (cast($3 as text) is null or r.community = $3)
          and (cast($4 as text) is null or r.building = $4)
          and (cast($5 as text) is null or r.unit = $5)
          and (cast($6 as text) is null or exists (select k.room from community_room_key k
            where k.tenant = r.tenant and k.room = r.id and substr(k.place_key, 1, length($6)) = $6))
          and (cast($7 as text) is null or exists (select h.id from community_binding h
            where h.tenant = r.tenant and h.room = r.id and h.person = $7
              and h.from_at <= $8 and (h.until_at is null or h.until_at > $8)))
          and (cast($9 as text) is null or r.id > $9)
        order by r.id limit $10";

    INSERT_ROOM = "insert into community_room (tenant, id, unit, building, community, number, place_key, floor,
            area_dm2, usage, aliases, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    UPDATE_ROOM = "update community_room set unit = $3, building = $4, community = $5, number = $6, place_key = $7,
            floor = $8, area_dm2 = $9, usage = $10, aliases = $11, version = $12
        where tenant = $1 and id = $2";

    INSERT_KEY = "insert into community_room_key (tenant, community, place_key, room)
        values ($1, $2, $3, $4) on conflict (tenant, community, place_key, room) do nothing";

    DELETE_KEYS = "delete from community_room_key where tenant = $1 and room = $2";

    KEYS = "select place_key, room from community_room_key
        where tenant = $1 and community = $2
          and (cast($3 as text) is null or (place_key, room) > ($3, $4))
        order by place_key, room limit $5";
}

/// Which rooms a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoomFilter {
    /// Of this community.
    pub community: Option<CommunityId>,
    /// Of this building.
    pub building: Option<BuildingId>,
    /// Of this entrance.
    pub unit: Option<UnitId>,
    /// Found by this text, in its normal form.
    pub key: Option<String>,
    /// Of whom, at that moment.
    pub of: Option<(ActorId, Timestamp)>,
}

/// The room.
pub(crate) async fn room(
    db: &impl Read,
    tenant: &TenantId,
    id: &RoomId,
) -> anyhow::Result<Option<Room>> {
    let row = db.row(ROOM, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_room(&row)).transpose()
}

/// The room of that entrance with this number.
pub(crate) async fn room_numbered(
    tx: &Tx,
    unit: &UnitId,
    key: &str,
) -> anyhow::Result<Option<Room>> {
    let row = tx
        .row(
            ROOM_NUMBERED,
            &[tx.tenant().into(), unit.into(), key.into()],
        )
        .await?;
    row.map(|row| read_room(&row)).transpose()
}

/// The rooms of a community that go by that text, in its normal form: at most two.
pub(crate) async fn rooms_called(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    key: &str,
) -> anyhow::Result<Vec<Room>> {
    let rows = db
        .rows(ROOMS_CALLED, &[tenant.into(), community.into(), key.into()])
        .await?;
    rows.iter().map(read_room).collect()
}

/// Rooms that the caller reaches, by id.
pub(crate) async fn rooms(
    db: &impl Read,
    actor: &Actor,
    filter: &RoomFilter,
    page: &Page<RoomId>,
) -> anyhow::Result<Vec<Room>> {
    // A household's room is known to it whatever the token says.
    let reach = reach(actor).filter(|_| filter.of.is_none());
    let (person, now) = filter
        .of
        .as_ref()
        .map(|(person, now)| (person, *now))
        .unzip();
    let parameters = [
        (&actor.tenant).into(),
        reach.into(),
        filter.community.as_ref().into(),
        filter.building.as_ref().into(),
        filter.unit.as_ref().into(),
        filter.key.as_deref().into(),
        person.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ROOMS, &parameters).await?;
    rows.iter().map(read_room).collect()
}

/// Adds rooms with what they are found by.
pub(crate) async fn insert_rooms(tx: &Tx, rooms: &[Room]) -> anyhow::Result<()> {
    let mut rows = Vec::with_capacity(rooms.len());
    for room in rooms {
        rows.push(room_values(tx.tenant(), room)?.to_vec());
    }
    tx.insert_many(INSERT_ROOM, &rows).await?;
    insert_keys(tx, rooms).await
}

/// Stores the changes of a room, and what it is found by from now on.
pub(crate) async fn update_room(tx: &Tx, room: &Room) -> anyhow::Result<()> {
    tx.execute(UPDATE_ROOM, &room_values(tx.tenant(), room)?)
        .await?;
    tx.execute(DELETE_KEYS, &[tx.tenant().into(), (&room.id).into()])
        .await?;
    insert_keys(tx, std::slice::from_ref(room)).await
}

async fn insert_keys(tx: &Tx, rooms: &[Room]) -> anyhow::Result<()> {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for room in rooms {
        let row = |key: String| {
            vec![
                tx.tenant().into(),
                (&room.community).into(),
                key.into(),
                (&room.id).into(),
            ]
        };
        rows.extend(room.keys().into_iter().map(row));
    }
    tx.insert_many(INSERT_KEY, &rows).await
}

/// What rooms of a community are found by, in the order of the keys, after that one.
pub(crate) async fn keys(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    after: Option<&(String, RoomId)>,
    limit: i64,
) -> anyhow::Result<Vec<(String, RoomId)>> {
    let (key, room) = after.map(|(key, room)| (key.as_str(), room)).unzip();
    let parameters = [
        tenant.into(),
        community.into(),
        key.into(),
        room.into(),
        limit.into(),
    ];
    let rows = db.rows(KEYS, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.id(1)?)))
        .collect()
}
