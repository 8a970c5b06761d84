//! A workbook of one sheet: five parts of XML in a zip, with no clock in it.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Cell, yuan};

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="statement" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const WORKBOOK_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const SHEET_HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#;
const SHEET_FOOT: &str = "</sheetData></worksheet>";

/// The most rows of a sheet.
const ROWS_MAX: usize = 1_048_576;

/// A workbook in the making: the rows go into the archive as they come.
pub(super) struct Sheet {
    archive: ZipWriter<Cursor<Vec<u8>>>,
    rows: usize,
}

impl Sheet {
    /// # Errors
    /// When the archive cannot be written.
    pub(super) fn new() -> anyhow::Result<Self> {
        // The same rows make the same bytes: no clock, one method.
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default());
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, xml) in [
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONS),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONS),
            ("xl/worksheets/sheet1.xml", SHEET_HEAD),
        ] {
            archive.start_file(name, options)?;
            archive.write_all(xml.as_bytes())?;
        }
        Ok(Self { archive, rows: 0 })
    }

    /// # Errors
    /// When the archive cannot be written, or the sheet is full.
    pub(super) fn row(&mut self, cells: &[Cell]) -> anyhow::Result<()> {
        self.rows += 1;
        anyhow::ensure!(self.rows <= ROWS_MAX, "a sheet has at most {ROWS_MAX} rows");
        let mut xml = String::from("<row>");
        for cell in cells {
            match cell {
                Cell::Text(text) if text.is_empty() => xml.push_str("<c/>"),
                Cell::Text(text) => {
                    xml.push_str(r#"<c t="inlineStr"><is><t xml:space="preserve">"#);
                    escape(&mut xml, text);
                    xml.push_str("</t></is></c>");
                }
                Cell::Yuan(minor) => number(&mut xml, &yuan(*minor)),
                Cell::Count(count) => number(&mut xml, &count.to_string()),
            }
        }
        xml.push_str("</row>");
        Ok(self.archive.write_all(xml.as_bytes())?)
    }

    /// # Errors
    /// When the archive cannot be written.
    pub(super) fn done(mut self) -> anyhow::Result<Vec<u8>> {
        self.archive.write_all(SHEET_FOOT.as_bytes())?;
        Ok(self.archive.finish()?.into_inner())
    }
}

fn number(xml: &mut String, text: &str) {
    xml.push_str("<c><v>");
    xml.push_str(text);
    xml.push_str("</v></c>");
}

/// Text as XML holds it; control characters, which it cannot hold, are left out.
fn escape(xml: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            other if other.is_control() => {}
            other => xml.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_workbook_is_read_back_and_the_same_rows_are_the_same_bytes() {
        let make = || {
            let mut sheet = Sheet::new().unwrap();
            sheet
                .row(&[Cell::text("a<b>&\u{1}c"), Cell::Yuan(-5), Cell::Count(2)])
                .unwrap();
            sheet.done().unwrap()
        };
        let bytes = make();
        assert_eq!(bytes, make());
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut xml = String::new();
        let mut part = archive.by_name("xl/worksheets/sheet1.xml").unwrap();
        part.read_to_string(&mut xml).unwrap();
        assert!(xml.contains("a&lt;b&gt;&amp;c</t>") && xml.contains("<v>-0.05</v>"));
        let mut reader = quick_xml::Reader::from_str(&xml);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    }
}
