//! Rooms with their buildings and entrances.

use std::collections::BTreeMap;

use kernel::{BuildingId, UnitId};

use super::{Run, all};
use crate::domain::sheet::{RoomRow, Sheet, room_rows};
use crate::domain::{Building, Room, RoomUse, Unit, place_key};
use crate::facts;
use crate::store as sql;

/// What is there and what is new, by natural key.
#[derive(Default)]
struct Houses {
    buildings: BTreeMap<String, Building>,
    units: BTreeMap<(BuildingId, String), Unit>,
    rooms: BTreeMap<(UnitId, String), Room>,
    new_buildings: Vec<Building>,
    new_units: Vec<Unit>,
    new_rooms: Vec<Room>,
    changed_rooms: Vec<Room>,
}

pub(super) async fn take(run: &mut Run<'_>, sheet: &Sheet) -> anyhow::Result<()> {
    let (rows, faults) = room_rows(sheet);
    run.report.faults = faults;
    let mut houses = load(run).await?;
    for row in &rows {
        house(run, &mut houses, row)?;
    }
    if !run.stores() {
        return Ok(());
    }
    sql::insert_buildings(run.tx, &houses.new_buildings).await?;
    sql::insert_units(run.tx, &houses.new_units).await?;
    sql::insert_rooms(run.tx, &houses.new_rooms).await?;
    for room in &houses.changed_rooms {
        sql::update_room(run.tx, room).await?;
    }
    let told = houses.new_rooms.iter().chain(&houses.changed_rooms);
    let told = told.map(|room| facts::room_changed(&run.actor.id, room));
    facts::append_all(run.context, run.tx, told.collect()).await
}

async fn load(run: &Run<'_>) -> anyhow::Result<Houses> {
    let (tx, tenant, community) = (run.tx, run.tx.tenant(), run.community);
    let everybody = run.everybody();
    let filter = sql::RoomFilter {
        community: Some(community.clone()),
        ..sql::RoomFilter::default()
    };
    let buildings = all!(
        async |page| sql::buildings(tx, tenant, community, page).await,
        |building: &Building| building.id.clone()
    );
    let units = all!(
        async |page| sql::units_of_community(tx, tenant, community, page).await,
        |unit: &Unit| unit.id.clone()
    );
    let rooms = all!(
        async |page| sql::rooms(tx, &everybody, &filter, page).await,
        |room: &Room| room.id.clone()
    );
    let buildings = buildings.into_iter();
    let units = units.into_iter();
    let rooms = rooms.into_iter();
    Ok(Houses {
        buildings: buildings
            .map(|it| (place_key(it.name.as_str()), it))
            .collect(),
        units: units
            .map(|it| ((it.building.clone(), place_key(it.name.as_str())), it))
            .collect(),
        rooms: rooms
            .map(|it| ((it.unit.clone(), place_key(it.number.as_str())), it))
            .collect(),
        ..Houses::default()
    })
}

/// Decides on a row: a new room, another one than before, or the same.
fn house(run: &mut Run<'_>, houses: &mut Houses, row: &RoomRow) -> anyhow::Result<()> {
    let (building, unit) = entrance(run, houses, row)?;
    let (_, _, number_key) = row.keys();
    let Some(before) = houses.rooms.get(&(unit.id.clone(), number_key)) else {
        run.report.created += 1;
        houses.new_rooms.push(Room {
            id: run.context.new_id()?,
            unit: unit.id,
            building: building.id,
            community: run.community.clone(),
            place: (building.name, unit.name),
            number: row.number.clone(),
            floor: row.floor,
            area_dm2: row.area_dm2,
            usage: row.usage.unwrap_or(RoomUse::Residential),
            aliases: row.aliases.clone(),
            version: 1,
        });
        return Ok(());
    };
    let after = Room {
        area_dm2: row.area_dm2,
        floor: row.floor.or(before.floor),
        usage: row.usage.unwrap_or(before.usage),
        aliases: match row.aliases.is_empty() {
            true => before.aliases.clone(),
            false => row.aliases.clone(),
        },
        ..before.clone()
    };
    if after == *before {
        run.report.unchanged.push(row.row);
    } else {
        run.report.changed.push(row.row);
        houses.changed_rooms.push(Room {
            version: before.version + 1,
            ..after
        });
    }
    Ok(())
}

/// Building and entrance of a row, new where they are not there yet.
fn entrance(run: &Run<'_>, houses: &mut Houses, row: &RoomRow) -> anyhow::Result<(Building, Unit)> {
    let (building_key, unit_key, _) = row.keys();
    let building = match houses.buildings.get(&building_key) {
        Some(building) => building.clone(),
        None => {
            let building = Building {
                id: run.context.new_id()?,
                community: run.community.clone(),
                name: row.building.clone(),
                version: 1,
            };
            houses.new_buildings.push(building.clone());
            houses.buildings.insert(building_key, building.clone());
            building
        }
    };
    let unit_key = (building.id.clone(), unit_key);
    if let Some(unit) = houses.units.get(&unit_key) {
        return Ok((building, unit.clone()));
    }
    let unit = Unit {
        id: run.context.new_id()?,
        building: building.id.clone(),
        community: run.community.clone(),
        name: row.unit.clone(),
        version: 1,
    };
    houses.new_units.push(unit.clone());
    houses.units.insert(unit_key, unit.clone());
    Ok((building, unit))
}
