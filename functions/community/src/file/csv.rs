//! Comma-separated text: UTF-8 with or without a byte-order mark; `;` and tabs are understood, too.

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::{CELL_BYTES_MAX, COLUMNS_MAX, cell_too_long, file_fault, too_many_columns};
use crate::domain::sheet::{Fault, ROWS_MAX, Sheet};

/// The byte-order mark that spreadsheets want before UTF-8.
const BOM: &str = "\u{feff}";
/// What a spreadsheet takes for a formula when a cell starts with it.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r'];

pub(super) fn read(bytes: &[u8]) -> Result<Sheet, Fault> {
    // With a line end at the very end, every record ends inside of the text.
    let text = format!("{}\n", decode(bytes)?);
    let mut reader = ReaderBuilder::new().delimiter(delimiter(&text)).build();
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
            // All of the text has been read: what is open is a quotation mark that does not end.
            ReadRecordResult::InputEmpty if written > 0 || fields > 0 => {
                return Err(cell_too_long(line));
            }
            ReadRecordResult::InputEmpty => break,
            ReadRecordResult::OutputFull => return Err(cell_too_long(line)),
            ReadRecordResult::OutputEndsFull => return Err(too_many_columns(line)),
            ReadRecordResult::Record => {
                let row = cells(&output, written, ends.get(..fields));
                let inside = row
                    .iter()
                    .map(|cell| cell.matches('\n').count())
                    .sum::<usize>();
                let ended = u32::from(consumed.ends_with(b"\n"));
                let inside = u32::try_from(inside).unwrap_or_default();
                records.push((line.saturating_sub(ended + inside), row));
            }
            ReadRecordResult::End => break,
        }
    }
    let mut records = records.into_iter();
    let header = records.next().map(|(_, header)| header).unwrap_or_default();
    let rows = records.filter(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()));
    Ok(Sheet {
        header,
        rows: rows.collect(),
    })
}

fn cells(output: &[u8], written: usize, ends: Option<&[usize]>) -> Vec<String> {
    let mut start = 0;
    let mut cells = Vec::new();
    for end in ends.unwrap_or_default() {
        let cell = output.get(start..(*end).min(written)).unwrap_or_default();
        let text = String::from_utf8_lossy(cell);
        // What an export put before a formula's sign is no part of the text.
        let guarded = text.strip_prefix('\'').filter(|rest| is_formula(rest));
        cells.push(guarded.unwrap_or(&text).to_owned());
        start = *end;
    }
    cells
}

/// The text, or what to do about its encoding.
fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.strip_prefix(BOM).unwrap_or(text)),
        Err(error) => error,
    };
    let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let row = u32::try_from(lines + 1).unwrap_or(u32::MAX);
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(file_fault(
            1,
            "file_utf16",
            "This file is in UTF-16. Save it as “CSV UTF-8 (comma delimited)”, or send it as XLSX.",
            "该文件为 UTF-16 编码，请另存为“CSV UTF-8（逗号分隔）”，或改用 XLSX 导入。",
        ));
    }
    if looks_like_gb18030(bytes) {
        return Err(file_fault(
            row,
            "file_gb18030",
            "This file is in GB18030 (GBK). Save it as “CSV UTF-8 (comma delimited)”, or send it as XLSX.",
            "该文件为 GB18030（GBK）编码，请另存为“CSV UTF-8（逗号分隔）”，或改用 XLSX 导入。",
        ));
    }
    Err(file_fault(
        row,
        "file_not_utf8",
        "This file is not text in UTF-8. Save it as “CSV UTF-8 (comma delimited)”, or send it as XLSX.",
        "该文件不是 UTF-8 文本，请另存为“CSV UTF-8（逗号分隔）”，或改用 XLSX 导入。",
    ))
}

/// Whether every byte above ASCII is part of a double or fourfold byte of GB18030.
fn looks_like_gb18030(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return true,
            [0..=0x7f, rest @ ..]
            | [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, rest @ ..]
            | [
                0x81..=0xfe,
                0x30..=0x39,
                0x81..=0xfe,
                0x30..=0x39,
                rest @ ..,
            ] => rest,
            _ => return false,
        };
    }
}

/// What stands between the cells: a comma, or what the first line has instead of one.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    [b',', b';', b'\t']
        .into_iter()
        .find(|byte| first.as_bytes().contains(byte))
        .unwrap_or(b',')
}

pub(super) fn write(rows: &[Vec<String>]) -> Vec<u8> {
    let mut text = BOM.to_owned();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

/// Whether a spreadsheet takes the cell for a formula, or would without the signs of text before it.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

/// A cell that no spreadsheet takes for a formula, in quotes where it needs them. A number stays one.
fn escaped(cell: &str) -> String {
    let is_number = cell.parse::<i64>().is_ok() && !cell.starts_with('+');
    let guarded = if is_formula(cell) && !is_number {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if guarded.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}
