//! Alipay's bill of a day: an archive of tables in GBK, one of which has a line a movement.
//!
//! Nothing is decoded here: the columns are found by the bytes of their names, and what is read of a line is ASCII. No
//! byte of a Chinese character is a comma, a line end or a number sign in GBK, so that the bytes are split safely.

use std::io::{Cursor, Read as _};

use anyhow::Context as _;
use zip::ZipArchive;

use super::alipay::moment;
use super::yuan;
use crate::domain::{Bill, BillStatus, Entry, Movement};

/// The largest table that is read, in bytes.
const TABLE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most files of an archive.
const FILES_MAX: usize = 20;
/// How much of a tenant's name the channel gives back.
pub const OPERATOR_CHARACTERS_MAX: usize = 28;

// The names of the columns, in GBK.
/// 商户订单号.
const NUMBER: &[u8] = b"\xc9\xcc\xbb\xa7\xb6\xa9\xb5\xa5\xba\xc5";
/// 业务类型.
const KIND: &[u8] = b"\xd2\xb5\xce\xf1\xc0\xe0\xd0\xcd";
/// 完成时间.
const DONE_AT: &[u8] = b"\xcd\xea\xb3\xc9\xca\xb1\xbc\xe4";
/// 操作员.
const OPERATOR: &[u8] = b"\xb2\xd9\xd7\xf7\xd4\xb1";
/// 订单金额（元）.
const AMOUNT: &[u8] = b"\xb6\xa9\xb5\xa5\xbd\xf0\xb6\xee\xa3\xa8\xd4\xaa\xa3\xa9";
/// 退款批次号/请求号.
const REFUND: &[u8] = b"\xcd\xcb\xbf\xee\xc5\xfa\xb4\xce\xba\xc5/\xc7\xeb\xc7\xf3\xba\xc5";
/// 服务费（元）.
const FEE: &[u8] = b"\xb7\xfe\xce\xf1\xb7\xd1\xa3\xa8\xd4\xaa\xa3\xa9";
const COLUMNS: [&[u8]; 7] = [NUMBER, KIND, DONE_AT, OPERATOR, AMOUNT, REFUND, FEE];

// The kinds of lines, in GBK.
/// 交易.
const PAYMENT: &[u8] = b"\xbd\xbb\xd2\xd7";
/// 退款.
const BACK: &[u8] = b"\xcd\xcb\xbf\xee";

/// A line as the channel knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What moved. The number of a refund is that of its request.
    pub entry: Entry,
    /// The charge in fen; below zero where it is given back.
    pub fee: i64,
    /// Whose it is, as we gave it along.
    pub operator: String,
}

impl Line {
    /// The line for reconciliation: an Alipay bill lists only what was done.
    #[must_use]
    pub fn into_bill(self) -> Bill {
        Bill {
            entry: self.entry,
            status: BillStatus::Done,
            fee: self.fee,
            carried: false,
        }
    }
}

/// What goes along with a payment and comes back on its line.
#[must_use]
pub fn operator(tenant: &str) -> &str {
    tenant.get(..OPERATOR_CHARACTERS_MAX).unwrap_or(tenant)
}

/// The lines of the bill in that archive.
///
/// # Errors
/// What is no archive, has no table with the columns, or a line that is none.
pub fn read(archive: &[u8]) -> anyhow::Result<Vec<Line>> {
    let mut files = ZipArchive::new(Cursor::new(archive)).context("opening the bill")?;
    anyhow::ensure!(files.len() <= FILES_MAX, "the bill has too many files");
    for place in 0..files.len() {
        let file = files
            .by_index(place)
            .context("opening a file of the bill")?;
        let mut table = Vec::new();
        file.take(TABLE_BYTES_MAX + 1)
            .read_to_end(&mut table)
            .context("reading a file of the bill")?;
        let size = u64::try_from(table.len())?;
        anyhow::ensure!(size <= TABLE_BYTES_MAX, "a file of the bill is too large");
        if let Some(lines) = lines_of(&table)? {
            return Ok(lines);
        }
    }
    anyhow::bail!("no file of the bill has its columns")
}

/// The lines of a table; nothing when it is another one.
fn lines_of(table: &[u8]) -> anyhow::Result<Option<Vec<Line>>> {
    let mut rows = table
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|row| !row.is_empty() && !row.starts_with(b"#"));
    let Some(head) = rows.next() else {
        return Ok(None);
    };
    let names: Vec<&[u8]> = cells(head).collect();
    let mut places = Vec::with_capacity(COLUMNS.len());
    for column in COLUMNS {
        match names.iter().position(|name| *name == column) {
            Some(place) => places.push(place),
            None => return Ok(None),
        }
    }
    let mut lines = Vec::new();
    for row in rows {
        let values: Vec<&[u8]> = cells(row).collect();
        let found: Option<Vec<&[u8]>> = places
            .iter()
            .map(|place| values.get(*place).copied())
            .collect();
        lines.push(line(&found.context("a line of the bill is too short")?)?);
    }
    Ok(Some(lines))
}

fn cells(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    row.split(|byte| *byte == b',')
        .map(|cell| unquoted(cell.trim_ascii()))
}

/// Cells stand in double quotes when an accountant has saved the table again.
fn unquoted(cell: &[u8]) -> &[u8] {
    let inner = cell.strip_prefix(b"\"");
    inner
        .and_then(|cell| cell.strip_suffix(b"\""))
        .unwrap_or(cell)
}

fn line(values: &[&[u8]]) -> anyhow::Result<Line> {
    let [number, kind, done_at, operator, amount, refund, fee] = values else {
        anyhow::bail!("a line of the bill is too short");
    };
    let movement = match *kind {
        PAYMENT => Movement::Payment,
        BACK => Movement::Refund,
        _ => anyhow::bail!("a line of the bill is neither a payment nor a refund"),
    };
    let number = match movement {
        Movement::Payment => number,
        Movement::Refund => refund,
    };
    Ok(Line {
        entry: Entry {
            number: text(number)?.to_owned(),
            movement,
            // What went back is written below zero.
            amount: fen(amount)?.abs(),
            at: moment(text(done_at)?)?,
        },
        fee: -charge(fee)?,
        operator: String::from_utf8_lossy(operator).into_owned(),
    })
}

fn text(cell: &[u8]) -> anyhow::Result<&str> {
    let text = std::str::from_utf8(cell).context("a cell of the bill is no plain text")?;
    anyhow::ensure!(!text.is_empty(), "a cell of the bill is empty");
    Ok(text)
}

fn charge(cell: &[u8]) -> anyhow::Result<i64> {
    let text = text(cell)?;
    yuan::charge_to_fen(text).with_context(|| format!("{text:?} is no charge"))
}

fn fen(cell: &[u8]) -> anyhow::Result<i64> {
    let text = text(cell)?;
    yuan::to_fen(text).with_context(|| format!("{text:?} is no amount"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A table as Alipay writes it: a comment, the columns, lines with tabs, sums.
    fn table(lines: &[&[u8]]) -> Vec<u8> {
        let mut table = b"#2088000000000001\r\n".to_vec();
        table.extend(COLUMNS.join(&b","[..]));
        for line in lines {
            table.extend_from_slice(b"\r\n");
            table.extend_from_slice(line);
        }
        table.extend_from_slice(b"\r\n#-----\r\n");
        table
    }

    fn archive(tables: &[&[u8]]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (place, table) in tables.iter().enumerate() {
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(format!("{place}.csv"), options).unwrap();
            archive.write_all(table).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    const PAID: &[u8] = b"A1\t,\xbd\xbb\xd2\xd7,2026-10-31 08:00:00,demo,88.88,,-0.53";
    const GIVEN: &[u8] = b"A1\t,\xcd\xcb\xbf\xee,2026-10-31 09:00:00,demo,-10.00,R1,0.06";

    #[test]
    fn payments_and_refunds_are_found_by_the_names_of_their_columns() {
        let bill = archive(&[b"#summary\r\na,b\r\n1,2\r\n", &table(&[PAID, GIVEN])]);
        let lines = read(&bill).unwrap();
        let [paid, given] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert_eq!(
            (paid.entry.number.as_str(), paid.entry.amount, paid.fee),
            ("A1", 8_888, 53)
        );
        assert_eq!(paid.entry.at.to_string(), "2026-10-31T00:00:00.000Z");
        assert_eq!(
            (given.entry.number.as_str(), given.entry.amount, given.fee),
            ("R1", 1_000, -6)
        );
        assert_eq!(given.entry.movement, Movement::Refund);
        assert_eq!(read(&archive(&[&table(&[])])).unwrap(), []);
    }

    #[test]
    fn what_is_cut_off_or_garbled_is_no_bill() {
        let bill = archive(&[&table(&[PAID])]);
        let garbled: &[u8] = b"A1,\xbd\xbb\xd2\xd7,2026-10-31 08:00:00,demo,1e2,,0";
        for wrong in [
            &b""[..],
            &bill[..bill.len() - 30],
            &archive(&[]),
            &archive(&[b"a,b"]),
            &archive(&[&table(&[b"A1,x"])]),
            &archive(&[&table(&[garbled])]),
        ] {
            assert!(read(wrong).is_err());
        }
    }
}
