//! Parking spaces and number plates.

use kernel::{Actor, ActorId, CommunityId, MessageId, ParkingSpaceId, RoomId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use super::{reach, statements};
use crate::domain::{ParkingSpace, Plate, PlateHolding, place_key};
use crate::rows::{plate_values, read_plate, read_space, space_values};

statements! {
    SPACE = "select id, community, name, room, version from community_parking_space where tenant = $1 and id = $2";

    SPACE_NAMED = "select id, community, name, room, version from community_parking_space
        where tenant = $1 and community = $2 and place_key = $3";

    SPACES = "select s.id, s.community, s.name, s.room, s.version from community_parking_space s
        where s.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || s.community || ',', '') <> $2)
          and (cast($3 as text) is null or s.community = $3)
          and (cast($4 as text) is null or s.room = $4)
          and (cast($5 as text) is null or exists (select h.id from community_binding h
            where h.tenant = s.tenant and h.room = s.room and h.person = $5
              and h.from_at <= $6 and (h.until_at is null or h.until_at > $6)))
          and (cast($7 as text) is null or s.id > $7)
        order by s.id limit $8";

    INSERT_SPACE = "insert into community_parking_space (tenant, id, community, name, place_key, room, version)
        values ($1, $2, $3, $4, $5, $6, $7)";

    UPDATE_SPACE = "update community_parking_space set community = $3, name = $4, place_key = $5, room = $6, version = $7
        where tenant = $1 and id = $2";

    PLATE = "select id, plate, community, room, space, since, version from community_plate
        where tenant = $1 and id = $2 and until_at is null";

    PLATE_HELD = "select id, plate, community, room, space, since, version from community_plate
        where tenant = $1 and community = $2 and plate = $3 and until_at is null";

    PLATES = "select p.id, p.plate, p.community, p.room, p.space, p.since, p.version from community_plate p
        where p.tenant = $1 and p.until_at is null
          and (cast($2 as text) is null or replace($2, ',' || p.community || ',', '') <> $2)
          and (cast($3 as text) is null or p.community = $3)
          and (cast($4 as text) is null or p.room = $4)
          and (cast($5 as text) is null or p.plate = $5)
          and (cast($6 as text) is null or exists (select h.id from community_binding h
            where h.tenant = p.tenant and h.room = p.room and h.person = $6
              and h.from_at <= $7 and (h.until_at is null or h.until_at > $7)))
          and (cast($8 as text) is null or p.id > $8)
        order by p.id limit $9";

    INSERT_PLATE = "insert into community_plate (tenant, id, community, plate, room, space, since, bound_by, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    RELEASE_PLATE = "update community_plate set until_at = $3, released_by = $4, version = version + 1
        where tenant = $1 and id = $2";
}

/// Which spaces or plates a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct ParkingFilter {
    /// Of this community.
    pub community: Option<CommunityId>,
    /// Of this room.
    pub room: Option<RoomId>,
    /// This plate.
    pub plate: Option<Plate>,
    /// Only of the household of this person at that moment.
    pub household_of: Option<(ActorId, Timestamp)>,
}

/// The space.
pub(crate) async fn space(
    db: &impl Read,
    tenant: &TenantId,
    id: &ParkingSpaceId,
) -> anyhow::Result<Option<ParkingSpace>> {
    let row = db.row(SPACE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_space(&row)).transpose()
}

/// The space of the community that goes by this name.
pub(crate) async fn space_named(
    tx: &Tx,
    community: &CommunityId,
    name: &str,
) -> anyhow::Result<Option<ParkingSpace>> {
    let key = [tx.tenant().into(), community.into(), place_key(name).into()];
    let row = tx.row(SPACE_NAMED, &key).await?;
    row.map(|row| read_space(&row)).transpose()
}

/// Spaces that the caller reaches, by id.
pub(crate) async fn spaces(
    db: &impl Read,
    actor: &Actor,
    filter: &ParkingFilter,
    page: &Page<ParkingSpaceId>,
) -> anyhow::Result<Vec<ParkingSpace>> {
    let reach = reach(actor).filter(|_| filter.household_of.is_none());
    let (person, now) = filter
        .household_of
        .as_ref()
        .map(|(person, now)| (person, *now))
        .unzip();
    let parameters = [
        (&actor.tenant).into(),
        reach.into(),
        filter.community.as_ref().into(),
        filter.room.as_ref().into(),
        person.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(SPACES, &parameters).await?;
    rows.iter().map(read_space).collect()
}

/// Adds spaces.
pub(crate) async fn insert_spaces(tx: &Tx, spaces: &[ParkingSpace]) -> anyhow::Result<()> {
    let rows: Vec<_> = spaces
        .iter()
        .map(|space| space_values(tx.tenant(), space).to_vec())
        .collect();
    tx.insert_many(INSERT_SPACE, &rows).await
}

/// Stores the changes of a space.
pub(crate) async fn update_space(tx: &Tx, space: &ParkingSpace) -> anyhow::Result<()> {
    tx.execute(UPDATE_SPACE, &space_values(tx.tenant(), space))
        .await
}

/// Whose the plate is.
pub(crate) async fn plate(
    db: &impl Read,
    tenant: &TenantId,
    id: &MessageId,
) -> anyhow::Result<Option<(MessageId, PlateHolding)>> {
    let row = db.row(PLATE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_plate(&row)).transpose()
}

/// Whose that plate is in a community.
pub(crate) async fn plate_held(
    tx: &Tx,
    community: &CommunityId,
    plate: &Plate,
) -> anyhow::Result<Option<(MessageId, PlateHolding)>> {
    let key = [tx.tenant().into(), community.into(), plate.as_str().into()];
    let row = tx.row(PLATE_HELD, &key).await?;
    row.map(|row| read_plate(&row)).transpose()
}

/// Plates that the caller reaches, by id.
pub(crate) async fn plates(
    db: &impl Read,
    actor: &Actor,
    filter: &ParkingFilter,
    page: &Page<MessageId>,
) -> anyhow::Result<Vec<(MessageId, PlateHolding)>> {
    let reach = reach(actor).filter(|_| filter.household_of.is_none());
    let (person, now) = filter
        .household_of
        .as_ref()
        .map(|(person, now)| (person, *now))
        .unzip();
    let parameters = [
        (&actor.tenant).into(),
        reach.into(),
        filter.community.as_ref().into(),
        filter.room.as_ref().into(),
        filter.plate.as_ref().map(Plate::as_str).into(),
        person.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(PLATES, &parameters).await?;
    rows.iter().map(read_plate).collect()
}

/// Binds plates to households.
pub(crate) async fn insert_plates(
    tx: &Tx,
    plates: &[(MessageId, PlateHolding)],
    by: &ActorId,
) -> anyhow::Result<()> {
    let rows: Vec<_> = plates
        .iter()
        .map(|(id, holding)| plate_values(tx.tenant(), (id, holding), by).to_vec())
        .collect();
    tx.insert_many(INSERT_PLATE, &rows).await
}

/// The plate belongs to nobody from that moment on.
pub(crate) async fn release_plate(
    tx: &Tx,
    id: &MessageId,
    (at, by): (Timestamp, &ActorId),
) -> anyhow::Result<()> {
    tx.execute(
        RELEASE_PLATE,
        &[tx.tenant().into(), id.into(), at.into(), by.into()],
    )
    .await
}
