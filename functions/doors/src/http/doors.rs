//! `/api/doors`: registering, reading and changing doors, and what happened at them by themselves.

use kernel::{CommunityId, DeviceId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Query, Reply, Request};
use wire::door::OccurrenceKind;
use wire::snapshot::Direction;

use super::{answer, caller, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    Change, Door, Name, Occurrence, Registration, UnlockMillis, change_door, know, overseers_only,
    register_door, unknown_door,
};
use crate::{facts, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDoor {
    id: DeviceId,
    community: CommunityId,
    name: Text<Name>,
    gateway: DeviceId,
    unlock_ms: Option<Number<UnlockMillis>>,
    direction: Option<Direction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoorChange {
    name: Option<Text<Name>>,
    gateway: Option<DeviceId>,
    unlock_ms: Option<Number<UnlockMillis>>,
    direction: Option<Direction>,
}

#[derive(Serialize)]
struct ShownDoor {
    id: DeviceId,
    community: CommunityId,
    name: String,
    gateway: DeviceId,
    unlock_ms: u32,
    direction: Direction,
    released: bool,
    version: i64,
}

#[derive(Serialize)]
struct ShownOccurrence {
    id: MessageId,
    door: DeviceId,
    gateway: DeviceId,
    #[serde(flatten)]
    kind: OccurrenceKind,
    happened_at: Timestamp,
    clock_believed: bool,
    reported_at: Timestamp,
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewDoor = web::body(request)?;
    let registration = Registration {
        id: new.id,
        community: new.community,
        name: new.name.0,
        gateway: new.gateway,
        unlock: new
            .unlock_ms
            .map_or(UnlockMillis::DEFAULT, |millis| millis.0),
        direction: new.direction.unwrap_or_default(),
    };
    let registered = write(context, request, &actor, async |tx| {
        let existing = sql::door(tx, &actor.tenant, &registration.id).await?;
        let door = register_door(&actor, registration.clone(), existing.as_ref())?;
        if existing.is_some() {
            return answer(200, &ShownDoor::from(door));
        }
        sql::insert_door(tx, &door).await?;
        sql::gateways::mark(tx, &door.gateway).await?;
        facts::door_registered(context, tx, &actor, &door).await?;
        answer(201, &ShownDoor::from(door))
    })
    .await?;
    stored(&registered, "/api/doors")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(DeviceId::parse)?;
    query.finish()?;
    let doors = sql::doors(&context.db, &actor, &page).await?;
    Ok(Reply::ok(&page.listing(
        doors,
        |door| door.id.to_string(),
        ShownDoor::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(door, unknown_door)?;
    let door = know(&actor, sql::door(&context.db, &actor.tenant, &id).await?)?;
    let version = door.version;
    if web::is_fresh(request, version) {
        return Ok(Reply::not_modified(version));
    }
    Ok(Reply::ok(&ShownDoor::from(door)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(door, unknown_door)?;
    let expected = web::required_if_match(request)?;
    let asked: DoorChange = web::body(request)?;
    let change = Change {
        name: asked.name.map(|name| name.0),
        gateway: asked.gateway,
        unlock: asked.unlock_ms.map(|millis| millis.0),
        direction: asked.direction,
    };
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let door = know(&actor, sql::door(tx, &actor.tenant, &id).await?)?;
        let changed = change_door(&actor, &door, change.clone())?;
        expected.check(door.version)?;
        sql::update_door(tx, &changed).await?;
        for gateway in [&door.gateway, &changed.gateway] {
            sql::gateways::mark(tx, gateway).await?;
        }
        facts::door_changed(context, tx, &actor, &changed).await?;
        Ok(changed)
    })
    .await?;
    let version = changed.version;
    Ok(Reply::ok(&ShownDoor::from(changed)).with_etag(version))
}

pub(super) async fn occurrences(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(door, unknown_door)?;
    let mut query = Query::of(request)?;
    let page = query.page(MessageId::parse)?;
    query.finish()?;
    let door = know(&actor, sql::door(&context.db, &actor.tenant, &id).await?)?;
    overseers_only(&actor, &door)?;
    let found = sql::occurrences(&context.db, &actor.tenant, &door.id, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |occurrence| occurrence.id.to_string(),
        ShownOccurrence::from,
    )))
}

/// A field of the body that is text on the wire and a type of the domain behind it.
#[derive(Deserialize)]
#[serde(
    try_from = "String",
    bound = "T: TryFrom<String>, T::Error: std::fmt::Display"
)]
pub(super) struct Text<T>(pub(super) T);

/// A field of the body that is a number on the wire and a type of the domain behind it.
#[derive(Deserialize)]
#[serde(
    try_from = "u32",
    bound = "T: TryFrom<u32>, T::Error: std::fmt::Display"
)]
struct Number<T>(T);

impl<T: TryFrom<String>> TryFrom<String> for Text<T> {
    type Error = T::Error;
    fn try_from(text: String) -> Result<Self, T::Error> {
        T::try_from(text).map(Self)
    }
}

impl<T: TryFrom<u32>> TryFrom<u32> for Number<T> {
    type Error = T::Error;
    fn try_from(number: u32) -> Result<Self, T::Error> {
        T::try_from(number).map(Self)
    }
}

impl From<Door> for ShownDoor {
    fn from(door: Door) -> Self {
        let Door {
            id,
            community,
            name,
            gateway,
            unlock,
            direction,
            released,
            version,
        } = door;
        Self {
            id,
            community,
            name: name.as_str().to_owned(),
            gateway,
            unlock_ms: unlock.millis(),
            direction,
            released,
            version,
        }
    }
}

impl From<Occurrence> for ShownOccurrence {
    fn from(occurrence: Occurrence) -> Self {
        let Occurrence {
            id,
            door,
            gateway,
            kind,
            happened_at,
            clock_believed,
            reported_at,
        } = occurrence;
        Self {
            id,
            door,
            gateway,
            kind,
            happened_at,
            clock_believed,
            reported_at,
        }
    }
}
