//! Rows of rooms.

use super::{Cells, Column, Faults, Kind, Sheet, arrange, note_duplicates};
use crate::domain::{Name, Room, RoomUse, place_key};

pub(super) const COLUMNS: &[Column] = &[
    Column {
        name: "building",
        chinese: "楼栋",
        others: &["楼号", "栋号", "幢号"],
        required: true,
    },
    Column {
        name: "unit",
        chinese: "单元",
        others: &["单元号"],
        required: false,
    },
    Column {
        name: "number",
        chinese: "房号",
        others: &["room", "房间号", "室号"],
        required: true,
    },
    Column {
        name: "area",
        chinese: "面积",
        others: &["建筑面积", "area_m2"],
        required: true,
    },
    Column {
        name: "floor",
        chinese: "楼层",
        others: &["层"],
        required: false,
    },
    Column {
        name: "use",
        chinese: "用途",
        others: &["房屋用途"],
        required: false,
    },
    Column {
        name: "aliases",
        chinese: "别名",
        others: &["alias"],
        required: false,
    },
];

/// The entrance of a row that names none.
const UNIT_DEFAULT: &str = "1单元";

/// A room as a row says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRow {
    /// The row in the file.
    pub row: u32,
    /// The building's name.
    pub building: Name,
    /// The entrance's name.
    pub unit: Name,
    /// The room's number.
    pub number: Name,
    /// Its area in 1/100 m².
    pub area_dm2: i64,
    /// Its floor.
    pub floor: Option<i64>,
    /// What it is for, where the row says so.
    pub usage: Option<RoomUse>,
    /// Other names.
    pub aliases: Vec<Name>,
}

impl RoomRow {
    /// The keys of building, entrance and number: together the room's natural key.
    #[must_use]
    pub fn keys(&self) -> (String, String, String) {
        (
            place_key(self.building.as_str()),
            place_key(self.unit.as_str()),
            place_key(self.number.as_str()),
        )
    }
}

/// The rooms of a sheet, those without a fault, and the faults.
#[must_use]
pub fn room_rows(sheet: &Sheet) -> (Vec<RoomRow>, Faults) {
    let cells = match arrange(Kind::Rooms, sheet) {
        Ok(cells) => cells,
        Err(faults) => return (vec![], faults),
    };
    let mut faults = Faults::default();
    let mut rows: Vec<RoomRow> = cells
        .iter()
        .filter_map(|cells| room_row(cells, &mut faults))
        .collect();
    note_duplicates(&rows, &mut faults, |row| {
        let (building, unit, number) = row.keys();
        Some((row.row, "房号", format!("{building}-{unit}-{number}")))
    });
    rows.retain(|row| !faults.is_in(row.row));
    (rows, faults)
}

fn room_row(cells: &Cells<'_>, faults: &mut Faults) -> Option<RoomRow> {
    let text = ("write 1 to 100 characters", "请填写 1 到 100 个字符");
    let named = |text: &str| {
        Name::parse(text)
            .ok()
            .filter(|name| !place_key(name.as_str()).is_empty())
    };
    let building = cells.need("building", faults, text, named);
    let unit = match cells.get("unit") {
        "" => Name::parse(UNIT_DEFAULT).ok(),
        _ => cells.need("unit", faults, text, named),
    };
    let number = cells.need("number", faults, text, named);
    let area = (
        "write square metres, for example 89.50",
        "请填写平方米数，例如 89.50",
    );
    let area_dm2 = cells.need("area", faults, area, parse_area);
    let storey = ("write a number from -20 to 300", "请填写 -20 到 300 的整数");
    let floor = cells.take("floor", faults, storey, |text| {
        let text = text.trim_end_matches(['层', '楼']);
        text.parse()
            .ok()
            .filter(|floor| Room::FLOORS.contains(floor))
    });
    let usage = (
        "write 住宅, 商铺, 办公, 车库, 储藏室 or 其他",
        "请填写住宅、商铺、办公、车库、储藏室或其他",
    );
    let usage = cells.take("use", faults, usage, RoomUse::parse);
    let most = (
        "write at most 10 names with ; between them",
        "最多 10 个别名，以分号分隔",
    );
    let aliases = cells.take("aliases", faults, most, parse_aliases);
    Some(RoomRow {
        row: cells.number,
        building: building?,
        unit: unit?,
        number: number?,
        area_dm2: area_dm2?,
        floor,
        usage,
        aliases: aliases.unwrap_or_default(),
    })
}

fn parse_aliases(text: &str) -> Option<Vec<Name>> {
    let parts = text.split([';', '；', '、']).map(str::trim);
    let names: Option<Vec<Name>> = parts
        .filter(|part| !part.is_empty())
        .map(|part| Name::parse(part).ok())
        .collect();
    names.filter(|names| names.len() <= Room::ALIASES_MAX)
}

/// Square metres with at most two decimals as 1/100 m². A spreadsheet may write 89.5 as 89.500000000000014: beyond
/// six decimals it is rounded half up, before that a third decimal is a mistake.
pub(crate) fn parse_area(text: &str) -> Option<i64> {
    let text = text
        .trim_end_matches(['㎡', '²'])
        .trim_end_matches('m')
        .trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 7 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let (hundredths, rest) = part.split_at(part.len().min(2));
    let is_noise = part.len() > 6;
    if !is_noise && rest.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let round_up = is_noise && rest.as_bytes().first().is_some_and(|digit| *digit >= b'5');
    let hundredths: i64 = format!("{hundredths:0<2}").parse().ok()?;
    let area = whole.parse::<i64>().ok()? * 100 + hundredths + i64::from(round_up);
    (1..=Room::AREA_DM2_MAX).contains(&area).then_some(area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_exact_to_a_hundredth() {
        for (text, area) in [
            ("89.5", 8950),
            ("89.50", 8950),
            ("89", 8900),
            ("120.05㎡", 12005),
            ("0.01", 1),
            ("89.500000000000014", 8950),
            ("89.11999999999999", 8912),
        ] {
            assert_eq!(parse_area(text), Some(area), "{text}");
        }
        for text in [
            "", "-1", "0", "89.555", "89,5", "1e3", "100001", "很大", ".",
        ] {
            assert_eq!(parse_area(text), None, "{text}");
        }
    }
}
