//! Files in and out: round trips, encodings, and what a hostile file cannot do.

use std::io::{Cursor, Write as _};

use proptest::prelude::*;

use super::*;

fn rows(cells: &[&[&str]]) -> Vec<Vec<String>> {
    cells
        .iter()
        .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
        .collect()
}

fn code(format: Format, bytes: &[u8]) -> (u32, &'static str) {
    let fault = read(format, bytes).unwrap_err();
    (fault.row, fault.code)
}

/// A workbook whose sheet is this XML.
fn workbook(sheet: &str, shared: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, xml) in [
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", shared),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(xml.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn text_is_read_with_and_without_a_mark_and_with_any_line_end() {
    for text in [
        "楼栋,房号\n1栋,101\n\n2栋,\"1,0\"\"2\"\n",
        "\u{feff}楼栋,房号\r\n1栋,101\r\n\r\n2栋,\"1,0\"\"2\"",
        "楼栋;房号\n1栋;101\n\n2栋;\"1,0\"\"2\"",
        "楼栋\t房号\n1栋\t101\n,\n2栋\t\"1,0\"\"2\"",
    ] {
        let sheet = read(Format::Csv, text.as_bytes()).unwrap();
        assert_eq!(sheet.header, ["楼栋", "房号"], "{text:?}");
        let last = sheet.rows.last().unwrap();
        assert_eq!(
            (last.0, last.1.as_slice()),
            (4, &["2栋".to_owned(), "1,0\"2".to_owned()][..]),
            "{text:?}"
        );
        assert_eq!(sheet.rows.first().unwrap().0, 2, "{text:?}");
    }
}

#[test]
fn a_cell_of_two_lines_does_not_shift_the_rows_after_it() {
    let sheet = read(Format::Csv, "a,b\n\"x\ny\",1\nz,2\n".as_bytes()).unwrap();
    let numbers: Vec<u32> = sheet.rows.iter().map(|(row, _)| *row).collect();
    assert_eq!(numbers, [2, 4]);
}

#[test]
fn another_encoding_is_named_with_what_to_do() {
    // 楼栋 in GB18030.
    let gb = [0xc2, 0xa5, 0xb6, 0xb0, b',', b'a', b'\n'];
    assert_eq!(code(Format::Csv, &gb), (1, "file_gb18030"));
    let fault = read(Format::Csv, &gb).unwrap_err();
    assert!(fault.message.english.contains("UTF-8") && fault.message.chinese.contains("另存为"));
    assert_eq!(
        code(Format::Csv, &[b'a', b'\n', 0xff, b'x']),
        (2, "file_not_utf8")
    );
    assert_eq!(code(Format::Csv, &[0xff, 0xfe, b'a', 0]), (1, "file_utf16"));
    assert_eq!(code(Format::Csv, b""), (1, "file_empty"));
    assert_eq!(code(Format::Xlsx, b"PK"), (1, "file_unreadable"));
}

#[test]
fn a_quotation_mark_that_never_ends_is_an_error_of_its_row() {
    let text = format!("a,b\n1,2\n\"{}", "x\n".repeat(40_000));
    assert_eq!(
        read(Format::Csv, text.as_bytes()).unwrap_err().code,
        "cell_too_long"
    );
    let wide = vec!["x"; 100].join(",");
    assert_eq!(code(Format::Csv, wide.as_bytes()).1, "columns_too_many");
}

#[test]
fn no_cell_of_an_export_is_a_formula() {
    let cells = rows(&[
        &["a", "b"],
        &["=1+1", "@x"],
        &["+86138", "-1"],
        &["-x", "a\"b"],
    ]);
    let csv = String::from_utf8(write(Format::Csv, &cells).unwrap()).unwrap();
    assert_eq!(
        csv,
        "\u{feff}a,b\r\n'=1+1,'@x\r\n'+86138,-1\r\n'-x,\"a\"\"b\"\r\n"
    );
}

#[test]
fn what_is_written_is_read_and_twice_the_same_bytes() {
    let cells = rows(&[
        &["楼栋", "备注"],
        &["1栋", "=x & <y> \"z\""],
        &["2栋", "'单引号 "],
        &["+1", "-"],
    ]);
    for format in [Format::Csv, Format::Xlsx] {
        let bytes = write(format, &cells).unwrap();
        assert_eq!(bytes, write(format, &cells).unwrap());
        let sheet = read(format, &bytes).unwrap();
        assert_eq!(sheet.header, cells[0]);
        let back: Vec<Vec<String>> = sheet.rows.into_iter().map(|(_, row)| row).collect();
        assert_eq!(back, cells[1..], "{format:?}");
    }
}

#[test]
fn a_workbook_is_read_as_spreadsheets_write_it() {
    let sheet = r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>
        <row r="5"><c r="A5"><v>101</v></c><c r="B5" t="str"><f>A1&amp;"x"</f><v>x</v></c><c r="C5" t="s"><v>1</v></c></row></sheetData></worksheet>"#;
    let shared = "<sst><si><t>房号</t></si><si><r><t>面</t></r><r><t>积 &amp;</t></r><rPh><t>miàn</t></rPh></si></sst>";
    let sheet = read(Format::Xlsx, &workbook(sheet, shared)).unwrap();
    assert_eq!(sheet.header, ["房号", "", "面积 &"]);
    assert_eq!(
        sheet.rows,
        [(5, rows(&[&["101", "x", "面积 &"]]).remove(0))]
    );
}

#[test]
fn a_hostile_workbook_takes_no_memory() {
    let far = r#"<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>"#;
    assert_eq!(
        code(Format::Xlsx, &workbook(far, "<sst/>")),
        (1_048_576, "columns_too_many")
    );
    let bomb = " ".repeat(33 * 1024 * 1024);
    let packed = workbook(&bomb, "<sst/>");
    assert!(packed.len() < 100_000, "{}", packed.len());
    assert_eq!(code(Format::Xlsx, &packed), (1, "file_inflates"));
    let wrong = r#"<worksheet><sheetData><row><c t="s"><v>7</v></c></row></sheetData></worksheet>"#;
    assert_eq!(
        code(Format::Xlsx, &workbook(wrong, "<sst/>")).1,
        "file_unreadable"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_table_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _either = read(Format::Csv, &bytes);
        let _either = read(Format::Xlsx, &bytes);
    }

    #[test]
    fn any_table_survives(cells in prop::collection::vec(prop::collection::vec("[a-z=+@'\"<&,;房 -]{0,8}x", 3), 2..6)) {
        for format in [Format::Csv, Format::Xlsx] {
            let sheet = read(format, &write(format, &cells).unwrap()).unwrap();
            prop_assert_eq!(&sheet.header, &cells[0]);
            let back: Vec<_> = sheet.rows.into_iter().map(|(_, row)| row).collect();
            prop_assert_eq!(&back, &cells[1..]);
        }
    }
}
