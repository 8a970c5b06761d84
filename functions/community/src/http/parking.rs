//! `/api/parking-spaces` and `/api/plates`.

use kernel::{Actor, CommunityId, Message, MessageId, ParkingSpaceId, Refusal, RoomId};
use serde::Deserialize;
use store::{Tx, tx};
use web::{Query, Reply, Request};
use wire::event::ParkingSpaceChanged;

use super::rooms::Place;
use super::{answer, caller, only_own, path_id, shown, stored, versioned, write};
use crate::context::Context;
use crate::domain::{
    Name, ParkingSpace, Plate, PlateHolding, know_space, managers_only, managing_kinds_only,
    oversees, people_only, taken, unknown_community, unknown_plate,
};
use crate::{facts, store as sql};

const SPACE: (&str, &str, &str) = ("parking_space_unknown", "parking space", "车位");
const PLATE: (&str, &str, &str) = ("plate_unknown", "number plate", "车牌");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSpace {
    community: CommunityId,
    name: Name,
    room: Option<RoomId>,
    /// The room as people call it.
    place: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpaceChange {
    name: Option<Name>,
    room: Option<RoomId>,
    /// Nobody's household uses it any more.
    #[serde(default)]
    vacate: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPlate {
    plate: Plate,
    room: Option<RoomId>,
    community: Option<CommunityId>,
    place: Option<String>,
    space: Option<ParkingSpaceId>,
}

pub(super) async fn add_space(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let new: NewSpace = web::body(request)?;
    managers_only(&actor, &new.community)?;
    let id: ParkingSpaceId = context.new_id()?;
    let added = write(context, request, &actor, async |tx| {
        let community = sql::community(tx, &actor.tenant, &new.community).await?;
        let community = community.ok_or_else(unknown_community)?.id;
        let room = match (&new.room, &new.place) {
            (None, None) => None,
            (room, place) => {
                let place = Place {
                    room: room.clone(),
                    community: Some(community.clone()),
                    place: place.clone(),
                };
                Some(room_of(tx, &actor, &place, &community).await?)
            }
        };
        let space = ParkingSpace {
            id: id.clone(),
            community,
            name: new.name.clone(),
            room,
            version: 1,
        };
        free_name(tx, &space).await?;
        sql::insert_spaces(tx, std::slice::from_ref(&space)).await?;
        facts::append(context, tx, &fact(&actor, &space)).await?;
        answer(201, &shown::space(&space))
    })
    .await?;
    stored(&added, "/api/parking-spaces")
}

/// The room, which must be one of the community.
async fn room_of(
    tx: &Tx,
    actor: &Actor,
    place: &Place,
    community: &CommunityId,
) -> anyhow::Result<RoomId> {
    let room = place.find(tx, actor).await?;
    if room.community == *community {
        return Ok(room.id);
    }
    Err(crate::domain::unknown("room_unknown", "room", "房屋").into())
}

async fn free_name(tx: &Tx, space: &ParkingSpace) -> anyhow::Result<()> {
    match sql::space_named(tx, &space.community, space.name.as_str()).await? {
        Some(other) if other.id != space.id => {
            Err(taken("parking_space_exists", "parking space", "车位").into())
        }
        _ => Ok(()),
    }
}

fn fact(actor: &Actor, space: &ParkingSpace) -> ParkingSpaceChanged {
    ParkingSpaceChanged {
        space: space.id.clone(),
        community: space.community.clone(),
        room: space.room.clone(),
        version: space.version,
        actor: actor.id.clone(),
    }
}

pub(super) async fn list_spaces(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(ParkingSpaceId::parse)?;
    let filter = sql::ParkingFilter {
        community: query.take("community", CommunityId::parse)?,
        room: query.take("room", RoomId::parse)?,
        plate: None,
        household_of: only_own(context, &actor),
    };
    query.finish()?;
    let spaces = sql::spaces(&context.db, &actor, &filter, &page).await?;
    Ok(Reply::ok(&page.listing(
        spaces,
        |space| space.id.to_string(),
        |space| shown::space(&space),
    )))
}

pub(super) async fn show_space(
    context: &Context,
    request: &Request,
    space: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(space, SPACE)?;
    let found = sql::space(&context.db, &actor.tenant, &id).await?;
    let room = found.as_ref().and_then(|space| space.room.as_ref());
    let is_household = match room {
        Some(room) => sql::is_in_household(&context.db, &actor, room, context.now).await?,
        None => false,
    };
    let space = know_space(&actor, found, is_household)?;
    Ok(versioned(request, space.version, &shown::space(&space)))
}

pub(super) async fn change_space(
    context: &Context,
    request: &Request,
    space: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: ParkingSpaceId = path_id(space, SPACE)?;
    let expected = web::required_if_match(request)?;
    let change: SpaceChange = web::body(request)?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let before = know_space(&actor, sql::space(tx, &actor.tenant, &id).await?, false)?;
        managers_only(&actor, &before.community)?;
        expected.check(before.version)?;
        let room = match &change.room {
            Some(room) => {
                let place = Place {
                    room: Some(room.clone()),
                    community: None,
                    place: None,
                };
                Some(room_of(tx, &actor, &place, &before.community).await?)
            }
            None if change.vacate => None,
            None => before.room,
        };
        let after = ParkingSpace {
            name: change.name.clone().unwrap_or(before.name),
            room,
            version: before.version + 1,
            id: before.id,
            community: before.community,
        };
        free_name(tx, &after).await?;
        sql::update_space(tx, &after).await?;
        facts::append(context, tx, &fact(&actor, &after)).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::space(&changed)).with_etag(changed.version))
}

pub(super) async fn add_plate(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let new: NewPlate = web::body(request)?;
    let id: MessageId = context.new_id()?;
    let added = write(context, request, &actor, async |tx| {
        let place = Place {
            room: new.room.clone(),
            community: new.community.clone(),
            place: new.place.clone(),
        };
        let room = place.find(tx, &actor).await?;
        managers_only(&actor, &room.community)?;
        if let Some(space) = &new.space {
            let found = sql::space(tx, &actor.tenant, space).await?;
            let found = found.filter(|space| space.community == room.community);
            know_space(&actor, found, false)?;
        }
        if let Some(held) = sql::plate_held(tx, &room.community, &new.plate).await? {
            if held.1.room == room.id {
                return answer(200, &shown::plate(&held));
            }
            return Err(plate_taken().into());
        }
        let holding = PlateHolding {
            plate: new.plate.clone(),
            community: room.community,
            room: room.id,
            space: new.space.clone(),
            since: context.now,
            version: 1,
        };
        let told = (&holding.plate, &holding.community, Some(&holding.room));
        facts::plate_changed(context, tx, &actor.id, told).await?;
        let added = [(id.clone(), holding)];
        sql::insert_plates(tx, &added, &actor.id).await?;
        let [added] = &added;
        answer(201, &shown::plate(added))
    })
    .await?;
    stored(&added, "/api/plates")
}

fn plate_taken() -> Refusal {
    Refusal::conflict(
        "plate_taken",
        Message::new(
            "This plate belongs to another household of the community. Release it there first.",
            "该车牌已绑定本小区其他住户，请先解除原绑定。",
        ),
    )
}

pub(super) async fn list_plates(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(MessageId::parse)?;
    let filter = sql::ParkingFilter {
        community: query.take("community", CommunityId::parse)?,
        room: query.take("room", RoomId::parse)?,
        plate: query.take("plate", Plate::parse)?,
        household_of: only_own(context, &actor),
    };
    query.finish()?;
    let plates = sql::plates(&context.db, &actor, &filter, &page).await?;
    Ok(Reply::ok(&page.listing(
        plates,
        |(id, _)| id.to_string(),
        |plate| shown::plate(&plate),
    )))
}

pub(super) async fn show_plate(
    context: &Context,
    request: &Request,
    plate: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: MessageId = path_id(plate, PLATE)?;
    let found = sql::plate(&context.db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_plate)?;
    let (community, room) = (&found.1.community, &found.1.room);
    if !oversees(&actor, community)
        && !sql::is_in_household(&context.db, &actor, room, context.now).await?
    {
        return Err(unknown_plate().into());
    }
    Ok(versioned(request, found.1.version, &shown::plate(&found)))
}

pub(super) async fn release_plate(
    context: &Context,
    request: &Request,
    plate: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: MessageId = path_id(plate, PLATE)?;
    let expected = web::if_match(request);
    tx(&context.db, &actor.tenant, async |tx| {
        let found = sql::plate(tx, &actor.tenant, &id).await?;
        let found = found.filter(|(_, holding)| oversees(&actor, &holding.community));
        let (_, holding) = found.ok_or_else(unknown_plate)?;
        managers_only(&actor, &holding.community)?;
        if let Some(expected) = &expected {
            expected.check(holding.version)?;
        }
        sql::release_plate(tx, &id, (context.now, &actor.id)).await?;
        let told = (&holding.plate, &holding.community, None);
        facts::plate_changed(context, tx, &actor.id, told).await
    })
    .await?;
    Ok(Reply::no_content())
}
