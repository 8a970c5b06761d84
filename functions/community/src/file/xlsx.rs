//! Workbooks: a zip of XML. The first sheet is read, cell by cell, and never more of it than the limits allow,
//! whatever the archive claims. One sheet is written, its cells as text, which no spreadsheet takes for formulas.

use std::io::{BufReader, Cursor, Read, Write as _};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::{CELL_BYTES_MAX, COLUMNS_MAX, cell_too_long, file_fault, too_many_columns};
use crate::domain::sheet::{Fault, ROWS_MAX, Sheet};

/// The most bytes of all parts that are read, inflated.
const INFLATED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The most texts that cells share.
const SHARED_TEXTS_MAX: usize = 200_000;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

pub(super) fn read(bytes: &[u8]) -> Result<Sheet, Fault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    let mut left = INFLATED_BYTES_MAX;
    let name = first_sheet(&mut archive, &mut left)?;
    let shared = shared_texts(&mut archive, &mut left)?;
    let Some(xml) = part(&mut archive, &name, &mut left)? else {
        return Err(unreadable());
    };
    let mut sheet = Sheets {
        shared,
        ..Sheets::default()
    };
    walk(&xml, |event| sheet.take(event))?;
    Ok(sheet.done())
}

/// A part of the archive, inflated within what is left; nothing when it is not there.
fn part(archive: &mut Archive<'_>, name: &str, left: &mut u64) -> Result<Option<Vec<u8>>, Fault> {
    let Ok(mut file) = archive.by_name(name) else {
        return Ok(None);
    };
    let mut xml = Vec::new();
    let read = Read::by_ref(&mut file)
        .take(*left + 1)
        .read_to_end(&mut xml)
        .map_err(|_| unreadable())?;
    let read = u64::try_from(read).unwrap_or(u64::MAX);
    *left = left.checked_sub(read).ok_or_else(|| {
        file_fault(
            1,
            "file_inflates",
            "This workbook is too large when unpacked. Split it, or send it as CSV.",
            "该工作簿解压后过大，请拆分或改用 CSV 导入。",
        )
    })?;
    Ok(Some(xml))
}

fn unreadable() -> Fault {
    file_fault(
        1,
        "file_unreadable",
        "This is not a workbook that can be read. Save it as XLSX again, or send it as CSV.",
        "无法读取该工作簿，请重新另存为 XLSX，或改用 CSV 导入。",
    )
}

/// Calls `take` for each event of the XML.
fn walk(xml: &[u8], mut take: impl FnMut(&Event<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut reader = Reader::from_reader(BufReader::new(xml));
    let mut buffer = Vec::new();
    loop {
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|_| unreadable())?;
        if matches!(event, Event::Eof) {
            return Ok(());
        }
        take(&event)?;
        drop(event);
        buffer.clear();
    }
}

/// Where the first sheet of the workbook stands.
fn first_sheet(archive: &mut Archive<'_>, left: &mut u64) -> Result<String, Fault> {
    let (mut wanted, mut target) = (None, None);
    if let Some(xml) = part(archive, "xl/workbook.xml", left)? {
        walk(&xml, |event| {
            if let Event::Start(tag) | Event::Empty(tag) = event
                && tag.local_name().as_ref() == "sheet"
                && wanted.is_none()
            {
                wanted = attribute(tag, "r:id");
            }
            Ok(())
        })?;
    }
    if let Some(xml) = part(archive, "xl/_rels/workbook.xml.rels", left)? {
        walk(&xml, |event| {
            if let Event::Start(tag) | Event::Empty(tag) = event
                && attribute(tag, "Id").is_some_and(|id| wanted.as_deref() == Some(id.as_str()))
            {
                target = attribute(tag, "Target");
            }
            Ok(())
        })?;
    }
    let target = target.unwrap_or_else(|| "worksheets/sheet1.xml".to_owned());
    Ok(match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("xl/{target}"),
    })
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok()??;
    Some(found.value.into_owned())
}

/// The texts that cells share.
fn shared_texts(archive: &mut Archive<'_>, left: &mut u64) -> Result<Vec<String>, Fault> {
    let Some(xml) = part(archive, "xl/sharedStrings.xml", left)? else {
        return Ok(vec![]);
    };
    let mut texts = Vec::new();
    let mut text = Text::default();
    walk(&xml, |event| {
        text.take(event, &["t"]);
        if let Event::End(tag) = event
            && tag.local_name().as_ref() == "si"
            && texts.len() < SHARED_TEXTS_MAX
        {
            texts.push(std::mem::take(&mut text.text));
        }
        if matches!(event, Event::Empty(tag) if tag.local_name().as_ref() == "si") {
            texts.push(String::new());
        }
        Ok(())
    })?;
    Ok(texts)
}

/// Text that is gathered inside certain tags; what is said about pronunciation (`rPh`) is none of it.
#[derive(Default)]
struct Text {
    text: String,
    is_inside: bool,
    is_phonetic: bool,
}

impl Text {
    fn take(&mut self, event: &Event<'_>, tags: &[&str]) {
        match event {
            Event::Start(tag) if tag.local_name().as_ref() == "rPh" => self.is_phonetic = true,
            Event::End(tag) if tag.local_name().as_ref() == "rPh" => self.is_phonetic = false,
            Event::Start(tag) if tags.contains(&tag.local_name().as_ref()) => self.is_inside = true,
            Event::End(tag) if tags.contains(&tag.local_name().as_ref()) => self.is_inside = false,
            Event::Text(text) if self.is_here() => self.push(&text.xml10_content()),
            Event::CData(text) if self.is_here() => self.push(&text.xml10_content()),
            Event::GeneralRef(name) if self.is_here() => {
                if let Ok(Some(character)) = name.resolve_char_ref() {
                    self.push(character.encode_utf8(&mut [0; 4]));
                } else if let Some(text) = resolve_predefined_entity(name) {
                    self.push(text);
                }
            }
            _ => {}
        }
    }

    fn is_here(&self) -> bool {
        self.is_inside && !self.is_phonetic
    }

    /// Keeps no more than shows that it is too long.
    fn push(&mut self, text: &str) {
        if self.text.len() <= CELL_BYTES_MAX {
            self.text.push_str(text);
        }
    }
}

/// The sheet as it is read.
#[derive(Default)]
struct Sheets {
    shared: Vec<String>,
    text: Text,
    row: u32,
    column: usize,
    kind: String,
    cells: Vec<String>,
    rows: Vec<(u32, Vec<String>)>,
}

impl Sheets {
    fn take(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        self.text.take(event, &["v", "t"]);
        match event {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "row" => {
                let number = attribute(tag, "r").and_then(|row| row.parse().ok());
                self.row = number.unwrap_or(self.row.saturating_add(1));
                self.column = 0;
                self.cells.clear();
            }
            Event::Start(tag) if tag.local_name().as_ref() == "c" => {
                if let Some(column) = attribute(tag, "r").and_then(|place| column_of(&place)) {
                    self.column = column;
                }
                self.kind = attribute(tag, "t").unwrap_or_default();
                self.text.text.clear();
            }
            Event::Empty(tag) if tag.local_name().as_ref() == "c" => self.column += 1,
            Event::End(tag) if tag.local_name().as_ref() == "c" => self.end_cell()?,
            Event::End(tag) if tag.local_name().as_ref() == "row" => self.end_row(),
            _ => {}
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Fault> {
        let raw = std::mem::take(&mut self.text.text);
        let text = match self.kind.as_str() {
            "s" => {
                let index = raw.trim().parse::<usize>().ok();
                let shared = index.and_then(|index| self.shared.get(index));
                shared.cloned().ok_or_else(unreadable)?
            }
            _ => raw,
        };
        if text.len() > CELL_BYTES_MAX {
            return Err(cell_too_long(self.row));
        }
        let column = self.column;
        self.column += 1;
        if text.is_empty() {
            return Ok(());
        }
        if column >= COLUMNS_MAX {
            return Err(too_many_columns(self.row));
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = text;
        }
        Ok(())
    }

    fn end_row(&mut self) {
        let is_empty = self.cells.iter().all(|cell| cell.trim().is_empty());
        if !is_empty && self.rows.len() <= ROWS_MAX + 1 {
            self.rows.push((self.row, std::mem::take(&mut self.cells)));
        }
    }

    fn done(self) -> Sheet {
        let mut rows = self.rows.into_iter();
        let header = rows.next().map(|(_, header)| header).unwrap_or_default();
        Sheet {
            header,
            rows: rows.collect(),
        }
    }
}

/// The column of a place such as `AB12`, from 0.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase);
    let mut column: usize = 0;
    for letter in letters {
        column = column
            .checked_mul(26)?
            .checked_add(usize::from(letter - b'A') + 1)?;
    }
    column.checked_sub(1)
}

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const WORKBOOK_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

pub(super) fn write(rows: &[Vec<String>]) -> anyhow::Result<Vec<u8>> {
    // The same rows make the same bytes: no clock, one method.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let sheet = sheet_xml(rows);
    for (name, xml) in [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", RELATIONS),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONS),
        ("xl/worksheets/sheet1.xml", &sheet),
    ] {
        archive.start_file(name, options)?;
        archive.write_all(xml.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

fn sheet_xml(rows: &[Vec<String>]) -> String {
    let mut xml = String::from(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#,
    );
    for row in rows {
        xml.push_str("<row>");
        for cell in row {
            if cell.is_empty() {
                xml.push_str("<c/>");
            } else {
                xml.push_str(r#"<c t="inlineStr"><is><t xml:space="preserve">"#);
                xml.push_str(&quick_xml::escape::escape(cell));
                xml.push_str("</t></is></c>");
            }
        }
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData></worksheet>");
    xml
}
