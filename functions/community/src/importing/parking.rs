//! Parking spaces and number plates.

use std::collections::BTreeMap;

use kernel::{MessageId, RoomId};

use super::{Run, all};
use crate::domain::sheet::{ParkingRow, Sheet, parking_rows};
use crate::domain::{ParkingSpace, Plate, PlateHolding, place_key};
use crate::{facts, store as sql};

/// What is there and what is new.
struct Lots {
    spaces: BTreeMap<String, ParkingSpace>,
    plates: BTreeMap<Plate, PlateHolding>,
    new_spaces: Vec<ParkingSpace>,
    changed_spaces: Vec<ParkingSpace>,
    new_plates: Vec<(MessageId, PlateHolding)>,
}

pub(super) async fn take(run: &mut Run<'_>, sheet: &Sheet) -> anyhow::Result<()> {
    let (rows, faults) = parking_rows(sheet);
    run.report.faults = faults;
    let keys = run.keys().await?;
    let mut lots = load(run).await?;
    for row in &rows {
        let room = match &row.place {
            Some(place) => match run.room(&keys, (row.row, place)) {
                Some(room) => Some(room),
                None => continue,
            },
            None => None,
        };
        park(run, &mut lots, (row, room))?;
    }
    if !run.stores() {
        return Ok(());
    }
    sql::insert_spaces(run.tx, &lots.new_spaces).await?;
    for space in &lots.changed_spaces {
        sql::update_space(run.tx, space).await?;
    }
    sql::insert_plates(run.tx, &lots.new_plates, &run.actor.id).await?;
    for (_, holding) in &lots.new_plates {
        let told = (&holding.plate, &holding.community, Some(&holding.room));
        facts::plate_changed(run.context, run.tx, &run.actor.id, told).await?;
    }
    Ok(())
}

async fn load(run: &Run<'_>) -> anyhow::Result<Lots> {
    let (tx, everybody) = (run.tx, run.everybody());
    let here = sql::ParkingFilter {
        community: Some(run.community.clone()),
        ..sql::ParkingFilter::default()
    };
    let spaces = all!(
        async |page| sql::spaces(tx, &everybody, &here, page).await,
        |space: &ParkingSpace| space.id.clone()
    );
    let plates = all!(
        async |page| sql::plates(tx, &everybody, &here, page).await,
        |(id, _): &(MessageId, PlateHolding)| id.clone()
    );
    let spaces = spaces.into_iter();
    let plates = plates.into_iter();
    Ok(Lots {
        spaces: spaces.map(|it| (place_key(it.name.as_str()), it)).collect(),
        plates: plates.map(|(_, it)| (it.plate.clone(), it)).collect(),
        new_spaces: vec![],
        changed_spaces: vec![],
        new_plates: vec![],
    })
}

/// Decides on a row: what is new about the space and the plate.
fn park(
    run: &mut Run<'_>,
    lots: &mut Lots,
    (row, room): (&ParkingRow, Option<RoomId>),
) -> anyhow::Result<()> {
    if let Some(plate) = &row.plate
        && let Some(held) = lots.plates.get(plate)
        && Some(&held.room) != room.as_ref()
    {
        run.fault(
            row.row,
            "车牌",
            "plate_taken",
            (
                "This plate belongs to another household of the community. Release it there first.",
                "该车牌已绑定本小区其他住户，请先解除原绑定。",
            ),
        );
        return Ok(());
    }
    let (mut is_new, mut is_changed) = (false, false);
    let mut space_id = None;
    if let Some(name) = &row.space {
        let key = place_key(name.as_str());
        match lots.spaces.get_mut(&key) {
            Some(space) if room.is_some() && space.room != room => {
                space.room = room.clone();
                space.version += 1;
                lots.changed_spaces.push(space.clone());
                space_id = Some(space.id.clone());
                is_changed = true;
            }
            Some(space) => space_id = Some(space.id.clone()),
            None => {
                let space = ParkingSpace {
                    id: run.context.new_id()?,
                    community: run.community.clone(),
                    name: name.clone(),
                    room: room.clone(),
                    version: 1,
                };
                space_id = Some(space.id.clone());
                lots.new_spaces.push(space.clone());
                lots.spaces.insert(key, space);
                is_new = true;
            }
        }
    }
    if let (Some(plate), Some(room)) = (&row.plate, room)
        && !lots.plates.contains_key(plate)
    {
        let holding = PlateHolding {
            plate: plate.clone(),
            community: run.community.clone(),
            room,
            space: space_id,
            since: run.context.now,
            version: 1,
        };
        lots.plates.insert(plate.clone(), holding.clone());
        lots.new_plates.push((run.context.new_id()?, holding));
        is_new = true;
    }
    match (is_new, is_changed) {
        (true, _) => run.report.created += 1,
        (false, true) => run.report.changed.push(row.row),
        (false, false) => run.report.unchanged.push(row.row),
    }
    Ok(())
}
