//! Lists of goods as comma-separated text: a header, and a variant on each line.

use csv_core::{ReadRecordResult, Reader};
use kernel::{Message, Refusal};

/// The most lines below the header.
pub const ROWS_MAX: usize = 2_000;
/// The most columns.
const COLUMNS_MAX: usize = 32;
/// The longest cell, in bytes.
const CELL_BYTES_MAX: usize = 8 * 1024;
/// What spreadsheets put before UTF-8.
const BOM: &str = "\u{feff}";

/// The columns, in the words of the header: English and Chinese.
pub const COLUMNS: [(&str, &str); 12] = [
    ("code", "商家编码"),
    ("name", "商品名称"),
    ("variant", "规格"),
    ("category", "品类"),
    ("price", "价格"),
    ("units", "库存"),
    ("summary", "简介"),
    ("barcode", "条码"),
    ("expires_on", "到期日"),
    ("trace_code", "追溯码"),
    ("near_days", "临期天数"),
    ("markdown_bps", "临期折扣"),
];

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its number in the file, the header being 1.
    pub(crate) number: u32,
    cells: Vec<(&'static str, String)>,
}

impl Row {
    /// What stands in a column; nothing when it is blank or not there.
    pub(crate) fn cell(&self, column: &str) -> Option<&str> {
        let found = self.cells.iter().find(|(name, _)| *name == column);
        found
            .map(|(_, text)| text.trim())
            .filter(|text| !text.is_empty())
    }
}

/// The lines of a file.
///
/// # Errors
/// 422 for what is no such file: not UTF-8, an unknown column, too long.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Row>, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        fault(
            "The file is not UTF-8. Save it as \"CSV UTF-8\".",
            "文件不是 UTF-8 编码，请另存为“CSV UTF-8”。",
        )
    })?;
    let text = format!("{}\n", text.strip_prefix(BOM).unwrap_or(text));
    let mut records = records(&text)?.into_iter();
    let header = records.next().map(|(_, cells)| cells).unwrap_or_default();
    let names = header
        .iter()
        .map(|cell| name_of(cell))
        .collect::<Result<Vec<_>, _>>()?;
    for needed in ["code", "name", "variant", "category", "price"] {
        if !names.contains(&needed) {
            return Err(fault(
                &format!("The column {needed} is missing."),
                &format!("缺少列 {needed}。"),
            ));
        }
    }
    let rows: Vec<Row> = records
        .filter(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()))
        .map(|(number, cells)| Row {
            number,
            cells: names.iter().copied().zip(cells).collect(),
        })
        .collect();
    if rows.is_empty() || rows.len() > ROWS_MAX {
        return Err(fault(
            &format!("A file has 1 to {ROWS_MAX} lines below its header."),
            &format!("文件应有 1 至 {ROWS_MAX} 行数据。"),
        ));
    }
    Ok(rows)
}

fn name_of(cell: &str) -> Result<&'static str, Refusal> {
    let cell = cell.trim();
    let found = COLUMNS
        .iter()
        .find(|(english, chinese)| cell.eq_ignore_ascii_case(english) || cell == *chinese);
    let names: Vec<&str> = COLUMNS.iter().map(|(english, _)| *english).collect();
    found.map(|(english, _)| *english).ok_or_else(|| {
        fault(
            &format!(
                "The column {cell:?} is not known; known are {}.",
                names.join(", ")
            ),
            &format!("不支持列“{cell}”，支持的列：{}。", names.join("、")),
        )
    })
}

/// The records with the numbers of their lines.
fn records(text: &str) -> Result<Vec<(u32, Vec<String>)>, Refusal> {
    let mut reader = Reader::new();
    let mut rest = text.as_bytes();
    let mut output = vec![0; CELL_BYTES_MAX * 4];
    let mut ends = [0; COLUMNS_MAX];
    let mut records = Vec::new();
    while records.len() <= ROWS_MAX + 1 {
        let (result, read, written, fields) = reader.read_record(rest, &mut output, &mut ends);
        let (consumed, after) = rest.split_at_checked(read).unwrap_or((rest, &[]));
        rest = after;
        let line = u32::try_from(reader.line()).unwrap_or(u32::MAX);
        match result {
            ReadRecordResult::Record => {
                let row = cells(&output, written, ends.get(..fields));
                let inside: usize = row.iter().map(|cell| cell.matches('\n').count()).sum();
                let ended = u32::from(consumed.ends_with(b"\n"));
                let inside = u32::try_from(inside).unwrap_or_default();
                records.push((line.saturating_sub(ended + inside), row));
            }
            ReadRecordResult::InputEmpty if written == 0 && fields == 0 => break,
            ReadRecordResult::End => break,
            ReadRecordResult::InputEmpty
            | ReadRecordResult::OutputFull
            | ReadRecordResult::OutputEndsFull => {
                return Err(fault(
                    &format!("Line {line} is too long, or a quotation mark in it does not end."),
                    &format!("第 {line} 行过长，或引号未闭合。"),
                ));
            }
        }
    }
    Ok(records)
}

fn cells(output: &[u8], written: usize, ends: Option<&[usize]>) -> Vec<String> {
    let mut start = 0;
    let mut cells = Vec::new();
    for end in ends.unwrap_or_default() {
        let cell = output.get(start..(*end).min(written)).unwrap_or_default();
        cells.push(String::from_utf8_lossy(cell).into_owned());
        start = *end;
    }
    cells
}

fn fault(english: &str, chinese: &str) -> Refusal {
    Refusal::invalid("file_invalid", Message::new(english, chinese))
}

/// Fen of an amount in yuan with at most two decimals, as people write it: `39.9`.
pub(crate) fn fen(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_become_fen_without_a_float() {
        for (text, expected) in [
            ("39.9", Some(3_990)),
            ("0.15", Some(15)),
            ("7", Some(700)),
            ("7.", Some(700)),
            ("-1", None),
            ("1.234", None),
            ("1,000", None),
            ("", None),
            (".5", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(fen(text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_has_a_header_of_known_columns_and_lines_with_numbers() {
        let rows = read("\u{feff}商家编码,商品名称,规格,品类,价格\r\nA1,\"苹果,红\",5斤,fruits,39.9\r\n\r\nA2,梨,斤,fruits,5\r\n".as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].number, rows[0].cell("name")), (2, Some("苹果,红")));
        assert_eq!(
            (rows[1].cell("price"), rows[1].cell("summary")),
            (Some("5"), None)
        );
        for wrong in [
            b"\xff\xfe".as_slice(),
            b"code,name\na,b",
            b"code,name,variant,category,price,colour\n",
            b"code,name,variant,category,price\n\"a",
        ] {
            assert_eq!(read(wrong).unwrap_err().code, "file_invalid", "{wrong:?}");
        }
    }
}
