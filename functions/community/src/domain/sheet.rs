//! Files of the property office: which columns there are, and what is wrong in which row.

mod parking;
mod residents;
mod rooms;

pub use parking::{ParkingRow, parking_rows};
pub use residents::{Dates, ResidentRow, resident_rows, role_word};
pub use rooms::{RoomRow, room_rows};

use std::collections::BTreeMap;

use kernel::Message;

/// The most rows of one file, without its header.
pub const ROWS_MAX: usize = 10_000;
/// The most faults that are kept; the rest is counted.
pub const FAULTS_MAX: usize = 500;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rooms, with their buildings and entrances.
    Rooms,
    /// People, with what binds them.
    Residents,
    /// Parking spaces and number plates.
    Parking,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Rooms, Self::Residents, Self::Parking];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Residents => "residents",
            Self::Parking => "parking",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Its columns, in the order in which they are exported.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Rooms => rooms::COLUMNS,
            Self::Residents => residents::COLUMNS,
            Self::Parking => parking::COLUMNS,
        }
    }
}

/// A column of a kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name that programs use; a header may be written with it.
    pub name: &'static str,
    /// The header that the property office writes, and that is exported.
    pub chinese: &'static str,
    /// Other headers that mean the same.
    pub others: &'static [&'static str],
    /// Whether a file without it is refused.
    pub required: bool,
}

impl Column {
    /// Whether a header means this column.
    fn is_called(&self, header: &str) -> bool {
        self.name == header || self.chinese == header || self.others.contains(&header)
    }
}

/// A table as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    /// The first row.
    pub header: Vec<String>,
    /// The others, with their number in the file; empty ones are left out.
    pub rows: Vec<(u32, Vec<String>)>,
}

/// What is wrong, where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The row in the file, from 1; the header is row 1.
    pub row: u32,
    /// The header of the column, as the property office writes it.
    pub column: Option<String>,
    /// The stable name that programs branch on.
    pub code: &'static str,
    /// What people read.
    pub message: Message,
}

/// The faults of a file: the first of them, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// At most [`FAULTS_MAX`].
    pub first: Vec<Fault>,
    /// How many there are.
    pub total: usize,
    /// The rows at fault; they are left out when the rest is taken.
    rows: std::collections::BTreeSet<u32>,
}

impl Faults {
    /// Notes a fault.
    pub fn add(&mut self, fault: Fault) {
        self.rows.insert(fault.row);
        self.total += 1;
        if self.first.len() < FAULTS_MAX {
            self.first.push(fault);
        }
    }

    /// Whether there is a fault in that row.
    #[must_use]
    pub fn is_in(&self, row: u32) -> bool {
        self.rows.contains(&row)
    }

    /// How many rows are at fault.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }
}

/// A fault of a row in a column.
#[must_use]
pub fn fault(
    row: u32,
    column: &str,
    code: &'static str,
    (english, chinese): (impl Into<String>, impl Into<String>),
) -> Fault {
    Fault {
        row,
        column: (!column.is_empty()).then(|| column.to_owned()),
        code,
        message: Message::new(english, chinese),
    }
}

/// A row by the names of its columns.
struct Cells<'a> {
    number: u32,
    cells: BTreeMap<&'static str, &'a str>,
    columns: &'static [Column],
}

impl Cells<'_> {
    /// The cell of that column, trimmed; empty when there is none.
    fn get(&self, name: &str) -> &str {
        self.cells.get(name).map_or("", |cell| cell.trim())
    }

    fn header(&self, name: &str) -> &'static str {
        let found = self.columns.iter().find(|column| column.name == name);
        found.map_or("", |column| column.chinese)
    }

    /// The cell parsed; nothing when it is empty, and a fault when it cannot be.
    fn take<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        (english, chinese): (&str, &str),
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let cell = self.get(name);
        if cell.is_empty() {
            return None;
        }
        let parsed = parse(cell);
        if parsed.is_none() {
            let shown: String = cell.chars().take(40).collect();
            faults.add(fault(
                self.number,
                self.header(name),
                "cell_invalid",
                (
                    format!("“{shown}” cannot be read: {english}."),
                    format!("“{shown}”不正确：{chinese}。"),
                ),
            ));
        }
        parsed
    }

    /// The cell parsed; a fault when it is empty or cannot be.
    fn need<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        says: (&str, &str),
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if self.get(name).is_empty() {
            faults.add(fault(
                self.number,
                self.header(name),
                "cell_missing",
                ("Fill in this cell.", "此单元格不能为空。"),
            ));
            return None;
        }
        self.take(name, faults, says, parse)
    }
}

/// The rows of a sheet by the names of their columns.
///
/// # Errors
/// A fault for each column that is missing, unknown or there twice, and for too many rows.
fn arrange(kind: Kind, sheet: &Sheet) -> Result<Vec<Cells<'_>>, Faults> {
    let columns = kind.columns();
    let mut faults = Faults::default();
    let places = place_columns(columns, &sheet.header, &mut faults);
    if sheet.rows.len() > ROWS_MAX {
        faults.add(fault(
            u32::try_from(ROWS_MAX + 2).unwrap_or(u32::MAX),
            "",
            "rows_too_many",
            (
                format!("A file has at most {ROWS_MAX} rows. Split it."),
                format!("每个文件最多 {ROWS_MAX} 行，请拆分后导入。"),
            ),
        ));
    }
    if faults.total > 0 {
        return Err(faults);
    }
    Ok(sheet
        .rows
        .iter()
        .map(|(number, row)| Cells {
            number: *number,
            cells: places
                .iter()
                .zip(row)
                .filter_map(|(place, cell)| Some(((*place)?, cell.as_str())))
                .collect(),
            columns,
        })
        .collect())
}

/// Which column stands where in the header; a fault for each that is missing, unknown or there twice.
fn place_columns(
    columns: &'static [Column],
    header: &[String],
    faults: &mut Faults,
) -> Vec<Option<&'static str>> {
    let mut places: Vec<Option<&'static str>> = Vec::new();
    for header in header {
        let plain = plain_header(header);
        let known = columns.iter().find(|column| column.is_called(&plain));
        match known {
            Some(column) if places.contains(&Some(column.name)) => faults.add(fault(
                1,
                column.chinese,
                "column_twice",
                (
                    format!("The column {header} stands twice. Remove one of them."),
                    format!("列“{header}”重复，请删除其中一列。"),
                ),
            )),
            Some(column) => places.push(Some(column.name)),
            None if plain.is_empty() => places.push(None),
            None => faults.add(unknown_column(columns, header)),
        }
    }
    for column in columns.iter().filter(|column| column.required) {
        if !places.contains(&Some(column.name)) {
            let (name, chinese) = (column.name, column.chinese);
            faults.add(fault(
                1,
                chinese,
                "column_missing",
                (
                    format!("The column {chinese} ({name}) is missing. Add it to the first row."),
                    format!("缺少列“{chinese}”，请在首行补充该列。"),
                ),
            ));
        }
    }
    places
}

fn unknown_column(columns: &[Column], header: &str) -> Fault {
    let names: Vec<&str> = columns.iter().map(|column| column.chinese).collect();
    let names = names.join("、");
    fault(
        1,
        header,
        "column_unknown",
        (
            format!("The column {header} is not known. The columns are: {names}."),
            format!("无法识别列“{header}”，可用的列为：{names}。"),
        ),
    )
}

/// A header without its unit and decoration: `面积（㎡）*` is `面积`.
fn plain_header(header: &str) -> String {
    let before = header.split(['(', '（']).next().unwrap_or_default();
    before.trim().trim_matches('*').trim().to_lowercase()
}

/// Notes rows whose key has stood in the file before.
fn note_duplicates<Row>(
    rows: &[Row],
    faults: &mut Faults,
    key: impl Fn(&Row) -> Option<(u32, &'static str, String)>,
) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (number, column, key) in rows.iter().filter_map(key) {
        if let Some(first) = seen.get(&key) {
            faults.add(fault(
                number,
                column,
                "duplicate_in_file",
                (
                    format!("This is already in row {first}. Remove one of the two."),
                    format!("与第 {first} 行重复，请删除其中一行。"),
                ),
            ));
        } else {
            seen.insert(key, number);
        }
    }
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
