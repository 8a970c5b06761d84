//! `/api/units/{unit}/rooms` and `/api/rooms`: entering, finding and changing rooms.

use ::http::StatusCode;
use kernel::{Actor, BuildingId, CommunityId, Message, RoomId, UnitId};
use serde::Deserialize;
use store::{Tx, tx};
use web::{Problem, Query, Reply, Request};

use super::{answer, caller, only_own, path_id, shown, stored, versioned, write};
use crate::context::Context;
use crate::domain::{
    Name, Room, RoomUse, find_one, know_building, know_room, know_unit, managers_only,
    managing_kinds_only, people_only, place_key, taken, unknown,
};
use crate::{facts, store as sql};

const ROOM: (&str, &str, &str) = ("room_unknown", "room", "房屋");
const UNIT: (&str, &str, &str) = ("unit_unknown", "entrance", "单元");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    number: Name,
    area_dm2: i64,
    floor: Option<i64>,
    r#use: Option<String>,
    #[serde(default)]
    aliases: Vec<Name>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomChange {
    number: Option<Name>,
    area_dm2: Option<i64>,
    floor: Option<i64>,
    r#use: Option<String>,
    aliases: Option<Vec<Name>>,
}

/// A room by its id, or by its community and how people call it.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub room: Option<RoomId>,
    pub community: Option<CommunityId>,
    pub place: Option<String>,
}

impl Place {
    /// The room that is meant.
    pub(super) async fn find(&self, db: &impl store::Read, actor: &Actor) -> anyhow::Result<Room> {
        match (&self.room, &self.community, &self.place) {
            (Some(room), ..) => {
                let (code, english, chinese) = ROOM;
                let found = sql::room(db, &actor.tenant, room).await?;
                Ok(found.ok_or_else(|| unknown(code, english, chinese))?)
            }
            (None, Some(community), Some(place)) => {
                let key = place_key(place);
                let found = sql::rooms_called(db, &actor.tenant, community, &key).await?;
                Ok(find_one(found)?)
            }
            _ => {
                let message = Message::new(
                    "Name the room: `room`, or `community` with `place` such as 1-1-101.",
                    "请指定房屋：填写 room，或填写 community 与 place（如 1-1-101）。",
                );
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Err(Problem::new(status, "room_required", message)
                    .at_field("room")
                    .into())
            }
        }
    }
}

fn usage(text: Option<&str>) -> Result<Option<RoomUse>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let known = RoomUse::parse(text);
    known.map(Some).ok_or_else(|| {
        wrong(
            "use",
            "residential, commercial, office, garage, storage or other",
        )
    })
}

fn wrong(field: &'static str, english: &str) -> Problem {
    let message = Message::new(
        format!("The field {field} cannot be accepted: write {english}."),
        format!("字段 {field} 不正确：应为 {english}。"),
    );
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_type", message).at_field(field)
}

/// Refuses what no room is.
fn check(room: &Room) -> Result<(), Problem> {
    if !(1..=Room::AREA_DM2_MAX).contains(&room.area_dm2) {
        return Err(wrong("area_dm2", "1 to 10000000 (1/100 m²)"));
    }
    if room
        .floor
        .is_some_and(|floor| !Room::FLOORS.contains(&floor))
    {
        return Err(wrong("floor", "-20 to 300"));
    }
    if room.aliases.len() > Room::ALIASES_MAX {
        return Err(wrong("aliases", "at most 10 names"));
    }
    if place_key(room.number.as_str()).is_empty() {
        return Err(wrong("number", "a number such as 101"));
    }
    Ok(())
}

pub(super) async fn add(context: &Context, request: &Request, unit: &str) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let unit: UnitId = path_id(unit, UNIT)?;
    let new: NewRoom = web::body(request)?;
    let usage = usage(new.r#use.as_deref())?.unwrap_or(RoomUse::Residential);
    let id: RoomId = context.new_id()?;
    let added = write(context, request, &actor, async |tx| {
        let unit = know_unit(&actor, sql::unit(tx, &actor.tenant, &unit).await?)?;
        let building = sql::building(tx, &actor.tenant, &unit.building).await?;
        let building = know_building(&actor, building)?;
        let room = Room {
            id: id.clone(),
            unit: unit.id,
            building: unit.building,
            community: unit.community,
            place: (building.name, unit.name),
            number: new.number.clone(),
            floor: new.floor,
            area_dm2: new.area_dm2,
            usage,
            aliases: new.aliases.clone(),
            version: 1,
        };
        check(&room)?;
        free_number(tx, &room).await?;
        sql::insert_rooms(tx, std::slice::from_ref(&room)).await?;
        facts::append(context, tx, &facts::room_changed(&actor.id, &room)).await?;
        answer(201, &shown::room(&room))
    })
    .await?;
    stored(&added, "/api/rooms")
}

async fn free_number(tx: &Tx, room: &Room) -> anyhow::Result<()> {
    let key = place_key(room.number.as_str());
    match sql::room_numbered(tx, &room.unit, &key).await? {
        Some(other) if other.id != room.id => Err(taken("room_exists", "room", "房屋").into()),
        _ => Ok(()),
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(RoomId::parse)?;
    let filter = sql::RoomFilter {
        community: query.take("community", CommunityId::parse)?,
        building: query.take("building", BuildingId::parse)?,
        unit: query.take("unit", UnitId::parse)?,
        key: query.take("q", |text| Ok::<_, String>(place_key(text)))?,
        of: only_own(context, &actor),
    };
    query.finish()?;
    let rooms = sql::rooms(&context.db, &actor, &filter, &page).await?;
    Ok(Reply::ok(&page.listing(
        rooms,
        |room| room.id.to_string(),
        |room| shown::room(&room),
    )))
}

/// The room, if the caller may know it.
pub(super) async fn known(context: &Context, actor: &Actor, room: &str) -> anyhow::Result<Room> {
    let id = path_id(room, ROOM)?;
    let is_household = sql::is_in_household(&context.db, actor, &id, context.now).await?;
    let found = sql::room(&context.db, &actor.tenant, &id).await?;
    Ok(know_room(actor, found, is_household)?)
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    room: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let room = known(context, &actor, room).await?;
    Ok(versioned(request, room.version, &shown::room(&room)))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    room: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: RoomId = path_id(room, ROOM)?;
    let expected = web::required_if_match(request)?;
    let change: RoomChange = web::body(request)?;
    let usage = usage(change.r#use.as_deref())?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let before = know_room(&actor, sql::room(tx, &actor.tenant, &id).await?, false)?;
        managers_only(&actor, &before.community)?;
        expected.check(before.version)?;
        let after = Room {
            number: change.number.clone().unwrap_or(before.number),
            area_dm2: change.area_dm2.unwrap_or(before.area_dm2),
            floor: change.floor.or(before.floor),
            usage: usage.unwrap_or(before.usage),
            aliases: change.aliases.clone().unwrap_or(before.aliases),
            version: before.version + 1,
            id: before.id,
            unit: before.unit,
            building: before.building,
            community: before.community,
            place: before.place,
        };
        check(&after)?;
        free_number(tx, &after).await?;
        sql::update_room(tx, &after).await?;
        facts::append(context, tx, &facts::room_changed(&actor.id, &after)).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::room(&changed)).with_etag(changed.version))
}
