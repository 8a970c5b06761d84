//! `/api/communities/{community}/buildings`, `/api/buildings` and `/api/units`.

use kernel::{Actor, BuildingId, CommunityId, UnitId};
use serde::Deserialize;
use store::tx;
use web::{Query, Reply, Request};
use wire::event::{BuildingChanged, UnitChanged};

use super::{answer, caller, path_id, shown, stored, versioned, write};
use crate::context::Context;
use crate::domain::{
    Building, Name, Unit, know_building, know_unit, managers_only, managing_kinds_only, oversees,
    taken, unknown_community,
};
use crate::{facts, store as sql};

const COMMUNITY: (&str, &str, &str) = ("community_unknown", "community", "小区");
const BUILDING: (&str, &str, &str) = ("building_unknown", "building", "楼栋");
const UNIT: (&str, &str, &str) = ("unit_unknown", "entrance", "单元");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: Name,
}

pub(super) async fn add(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let community: CommunityId = path_id(community, COMMUNITY)?;
    managers_only(&actor, &community)?;
    let Named { name } = web::body(request)?;
    let building = Building {
        id: context.new_id()?,
        community,
        name,
        version: 1,
    };
    let added = write(context, request, &actor, async |tx| {
        let community = sql::community(tx, &actor.tenant, &building.community).await?;
        community.ok_or_else(unknown_community)?;
        free_name(tx, &building).await?;
        sql::insert_buildings(tx, std::slice::from_ref(&building)).await?;
        facts::append(context, tx, &building_fact(&actor, &building)).await?;
        answer(201, &shown::building(&building))
    })
    .await?;
    stored(&added, "/api/buildings")
}

async fn free_name(tx: &store::Tx, building: &Building) -> anyhow::Result<()> {
    let named = sql::building_named(tx, &building.community, building.name.as_str()).await?;
    match named {
        Some(other) if other.id != building.id => {
            Err(taken("building_exists", "building", "楼栋").into())
        }
        _ => Ok(()),
    }
}

fn building_fact(actor: &Actor, building: &Building) -> BuildingChanged {
    BuildingChanged {
        building: building.id.clone(),
        community: building.community.clone(),
        version: building.version,
        actor: actor.id.clone(),
    }
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let community: CommunityId = path_id(community, COMMUNITY)?;
    let found = sql::community(&context.db, &actor.tenant, &community).await?;
    if found.is_none() || !oversees(&actor, &community) {
        return Err(unknown_community().into());
    }
    let mut query = Query::of(request)?;
    let page = query.page(BuildingId::parse)?;
    query.finish()?;
    let buildings = sql::buildings(&context.db, &actor.tenant, &community, &page).await?;
    Ok(Reply::ok(&page.listing(
        buildings,
        |building| building.id.to_string(),
        |building| shown::building(&building),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    building: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(building, BUILDING)?;
    let building = know_building(
        &actor,
        sql::building(&context.db, &actor.tenant, &id).await?,
    )?;
    Ok(versioned(
        request,
        building.version,
        &shown::building(&building),
    ))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    building: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: BuildingId = path_id(building, BUILDING)?;
    let expected = web::required_if_match(request)?;
    let Named { name } = web::body(request)?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let before = know_building(&actor, sql::building(tx, &actor.tenant, &id).await?)?;
        expected.check(before.version)?;
        let after = Building {
            name: name.clone(),
            version: before.version + 1,
            ..before
        };
        free_name(tx, &after).await?;
        sql::update_building(tx, &after).await?;
        rekey(
            context,
            tx,
            &actor,
            (&after.community, Some(&after.id), None),
        )
        .await?;
        facts::append(context, tx, &building_fact(&actor, &after)).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::building(&changed)).with_etag(changed.version))
}

/// What the rooms of a building or an entrance are called and found by, after it got another name.
async fn rekey(
    context: &Context,
    tx: &store::Tx,
    actor: &Actor,
    (community, building, unit): (&CommunityId, Option<&BuildingId>, Option<&UnitId>),
) -> anyhow::Result<()> {
    let filter = sql::RoomFilter {
        community: Some(community.clone()),
        building: building.cloned(),
        unit: unit.cloned(),
        ..sql::RoomFilter::default()
    };
    let mut page = web::Page {
        limit: web::PAGE_ITEMS_MAX,
        after: None,
    };
    loop {
        let rooms = sql::rooms(tx, actor, &filter, &page).await?;
        let Some(last) = rooms.last() else {
            return Ok(());
        };
        page.after = Some(last.id.clone());
        for room in &rooms {
            sql::update_room(tx, room).await?;
        }
        let told = rooms
            .iter()
            .map(|room| facts::room_changed(&actor.id, room));
        facts::append_all(context, tx, told.collect()).await?;
    }
}

pub(super) async fn add_unit(
    context: &Context,
    request: &Request,
    building: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let building: BuildingId = path_id(building, BUILDING)?;
    let Named { name } = web::body(request)?;
    let id: UnitId = context.new_id()?;
    let added = write(context, request, &actor, async |tx| {
        let building = know_building(&actor, sql::building(tx, &actor.tenant, &building).await?)?;
        let unit = Unit {
            id: id.clone(),
            building: building.id,
            community: building.community,
            name: name.clone(),
            version: 1,
        };
        free_unit_name(tx, &unit).await?;
        sql::insert_units(tx, std::slice::from_ref(&unit)).await?;
        facts::append(context, tx, &unit_fact(&actor, &unit)).await?;
        answer(201, &shown::unit(&unit))
    })
    .await?;
    stored(&added, "/api/units")
}

async fn free_unit_name(tx: &store::Tx, unit: &Unit) -> anyhow::Result<()> {
    match sql::unit_named(tx, &unit.building, unit.name.as_str()).await? {
        Some(other) if other.id != unit.id => Err(taken("unit_exists", "entrance", "单元").into()),
        _ => Ok(()),
    }
}

fn unit_fact(actor: &Actor, unit: &Unit) -> UnitChanged {
    UnitChanged {
        unit: unit.id.clone(),
        building: unit.building.clone(),
        community: unit.community.clone(),
        version: unit.version,
        actor: actor.id.clone(),
    }
}

pub(super) async fn list_units(
    context: &Context,
    request: &Request,
    building: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(building, BUILDING)?;
    let building = know_building(
        &actor,
        sql::building(&context.db, &actor.tenant, &id).await?,
    )?;
    let mut query = Query::of(request)?;
    let page = query.page(UnitId::parse)?;
    query.finish()?;
    let units = sql::units(&context.db, &actor.tenant, &building.id, &page).await?;
    Ok(Reply::ok(&page.listing(
        units,
        |unit| unit.id.to_string(),
        |unit| shown::unit(&unit),
    )))
}

pub(super) async fn show_unit(
    context: &Context,
    request: &Request,
    unit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(unit, UNIT)?;
    let unit = know_unit(&actor, sql::unit(&context.db, &actor.tenant, &id).await?)?;
    Ok(versioned(request, unit.version, &shown::unit(&unit)))
}

pub(super) async fn change_unit(
    context: &Context,
    request: &Request,
    unit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: UnitId = path_id(unit, UNIT)?;
    let expected = web::required_if_match(request)?;
    let Named { name } = web::body(request)?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let before = know_unit(&actor, sql::unit(tx, &actor.tenant, &id).await?)?;
        expected.check(before.version)?;
        let after = Unit {
            name: name.clone(),
            version: before.version + 1,
            ..before
        };
        free_unit_name(tx, &after).await?;
        sql::update_unit(tx, &after).await?;
        rekey(
            context,
            tx,
            &actor,
            (&after.community, None, Some(&after.id)),
        )
        .await?;
        facts::append(context, tx, &unit_fact(&actor, &after)).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::unit(&changed)).with_etag(changed.version))
}
