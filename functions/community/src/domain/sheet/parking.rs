//! Rows of parking spaces and number plates.

use super::{Cells, Column, Faults, Kind, Sheet, arrange, fault, note_duplicates};
use crate::domain::{Name, Plate, place_key};

pub(super) const COLUMNS: &[Column] = &[
    Column {
        name: "space",
        chinese: "车位",
        others: &["车位号"],
        required: false,
    },
    Column {
        name: "room",
        chinese: "房屋",
        others: &["房号"],
        required: false,
    },
    Column {
        name: "plate",
        chinese: "车牌",
        others: &["车牌号"],
        required: true,
    },
];

/// A space, a plate, or both, as a row says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkingRow {
    /// The row in the file.
    pub row: u32,
    /// The space's name.
    pub space: Option<Name>,
    /// Whose household, as it is written.
    pub place: Option<String>,
    /// The plate.
    pub plate: Option<Plate>,
}

/// The parking of a sheet, those rows without a fault, and the faults.
#[must_use]
pub fn parking_rows(sheet: &Sheet) -> (Vec<ParkingRow>, Faults) {
    let cells = match arrange(Kind::Parking, sheet) {
        Ok(cells) => cells,
        Err(faults) => return (vec![], faults),
    };
    let mut faults = Faults::default();
    let mut rows: Vec<ParkingRow> = cells
        .iter()
        .filter_map(|cells| parking_row(cells, &mut faults))
        .collect();
    note_duplicates(&rows, &mut faults, |row| {
        let plate = row.plate.as_ref()?;
        Some((row.row, "车牌", plate.as_str().to_owned()))
    });
    note_duplicates(&rows, &mut faults, |row| {
        let space = row.space.as_ref().filter(|_| row.plate.is_none())?;
        Some((row.row, "车位", place_key(space.as_str())))
    });
    note_spaces(&rows, &mut faults);
    rows.retain(|row| !faults.is_in(row.row));
    (rows, faults)
}

/// A space belongs to one household: rows that give it to two are at odds.
fn note_spaces(rows: &[ParkingRow], faults: &mut Faults) {
    let mut rooms = std::collections::BTreeMap::new();
    for row in rows {
        let Some(space) = &row.space else { continue };
        let room = row.place.as_deref().map(place_key);
        let (first, of) = rooms
            .entry(place_key(space.as_str()))
            .or_insert((row.row, room.clone()));
        if *of != room {
            faults.add(fault(
                row.row,
                "房屋",
                "space_of_another",
                (
                    format!(
                        "Row {first} gives this space to another room. Correct one of the two."
                    ),
                    format!("该车位与第 {first} 行的房屋不一致，请更正其中一行。"),
                ),
            ));
        }
    }
}

fn parking_row(cells: &Cells<'_>, faults: &mut Faults) -> Option<ParkingRow> {
    let text = ("write 1 to 100 characters", "请填写 1 到 100 个字符");
    let before = faults.total;
    let space = cells.take("space", faults, text, |text| {
        Name::parse(text)
            .ok()
            .filter(|name| !place_key(name.as_str()).is_empty())
    });
    let place = cells.take(
        "room",
        faults,
        ("write 1-1-101", "请填写如 1-1-101"),
        |text| (!place_key(text).is_empty()).then(|| text.to_owned()),
    );
    let says = (
        "write 京A12345 or 京AD12345",
        "请填写如 京A12345 或 京AD12345 的车牌",
    );
    let plate = cells.take("plate", faults, says, |text| Plate::parse(text).ok());
    if faults.total > before {
        return None;
    }
    let missing = match (&space, &place, &plate) {
        (None, _, None) => Some("plate"),
        (_, None, Some(_)) => Some("room"),
        _ => None,
    };
    if let Some(missing) = missing {
        faults.add(fault(
            cells.number,
            cells.header(missing),
            "cell_missing",
            (
                "Name a space, or a plate with its room.",
                "请填写车位，或填写车牌及所属房屋。",
            ),
        ));
        return None;
    }
    Some(ParkingRow {
        row: cells.number,
        space,
        place,
        plate,
    })
}
