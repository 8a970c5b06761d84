//! Files of the property office as tables: CSV and XLSX, in and out. What a cell means is not known here.

mod csv;
mod xlsx;

use kernel::Message;

use crate::domain::sheet::{Fault, Sheet};

/// The most columns of a file.
pub const COLUMNS_MAX: usize = 64;
/// The longest cell, in bytes.
pub const CELL_BYTES_MAX: usize = 8 * 1024;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated text in UTF-8.
    Csv,
    /// A workbook; its first sheet counts.
    Xlsx,
}

impl Format {
    /// The format of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// The table in a file.
///
/// # Errors
/// What is wrong with the file as a whole, and what to do about it.
pub fn read(format: Format, bytes: &[u8]) -> Result<Sheet, Fault> {
    let sheet = match format {
        Format::Csv => csv::read(bytes)?,
        Format::Xlsx => xlsx::read(bytes)?,
    };
    if sheet.header.iter().all(|header| header.trim().is_empty()) {
        return Err(file_fault(
            1,
            "file_empty",
            "The file has no header in its first row. Export a file to see what one looks like.",
            "文件首行没有列名，可先导出文件作为模板。",
        ));
    }
    Ok(sheet)
}

/// A file with these rows; the same rows make the same bytes.
///
/// # Errors
/// When the archive cannot be written, which its memory never refuses.
pub fn write(format: Format, rows: &[Vec<String>]) -> anyhow::Result<Vec<u8>> {
    match format {
        Format::Csv => Ok(csv::write(rows)),
        Format::Xlsx => xlsx::write(rows),
    }
}

fn file_fault(row: u32, code: &'static str, english: &str, chinese: &str) -> Fault {
    Fault {
        row,
        column: None,
        code,
        message: Message::new(english, chinese),
    }
}

fn cell_too_long(row: u32) -> Fault {
    file_fault(
        row,
        "cell_too_long",
        "This row has a cell that is too long, or a quotation mark that does not end. Correct it.",
        "该行有单元格过长或引号未闭合，请更正。",
    )
}

fn too_many_columns(row: u32) -> Fault {
    file_fault(
        row,
        "columns_too_many",
        "This row has too many columns. Remove those that are not needed.",
        "该行的列数过多，请删除多余的列。",
    )
}

#[cfg(test)]
#[path = "file/file_tests.rs"]
mod tests;
