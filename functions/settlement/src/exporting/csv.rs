//! CSV as spreadsheets open it: UTF-8 with its mark, lines that end with CR LF, and no text that a spreadsheet would
//! take for a formula.

use super::{Cell, yuan};

/// What tells a spreadsheet that the file is UTF-8.
const MARK: &str = "\u{feff}";

/// A file in the making.
pub(super) struct Sheet(String);

impl Sheet {
    pub(super) fn new() -> Self {
        Self(MARK.to_owned())
    }

    pub(super) fn row(&mut self, cells: &[Cell]) {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            match cell {
                Cell::Text(text) => self.text(text),
                Cell::Yuan(minor) => self.0.push_str(&yuan(*minor)),
                Cell::Count(count) => self.0.push_str(&count.to_string()),
            }
        }
        self.0.push_str("\r\n");
    }

    fn text(&mut self, text: &str) {
        let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let quoted = is_formula || text.contains([',', '"', '\r', '\n']);
        if !quoted {
            self.0.push_str(text);
            return;
        }
        self.0.push('"');
        if is_formula {
            self.0.push('\'');
        }
        self.0.push_str(&text.replace('"', "\"\""));
        self.0.push('"');
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_and_numbers_stay_numbers() {
        let mut sheet = Sheet::new();
        sheet.row(&[
            Cell::text("=1+1"),
            Cell::text("a,\"b\""),
            Cell::text("门"),
            Cell::Yuan(-150),
            Cell::Count(3),
        ]);
        let text = String::from_utf8(sheet.done()).unwrap();
        assert_eq!(text, "\u{feff}\"'=1+1\",\"a,\"\"b\"\"\",门,-1.50,3\r\n");
    }
}
