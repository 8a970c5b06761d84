//! The orders of a span of time as a table (CSV, RFC 4180, with a byte order mark for spreadsheets): the same orders, the
//! same bytes.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate};
use kernel::{TenantId, Timestamp, Zone};
use store::{Read, Row, Value};

use crate::store::reports::{EXPORT_COLUMNS, export};

/// Rows read at once.
const ROWS: i64 = 500;
/// The most rows of one table.
const ROWS_MAX: usize = 50_000;
/// Columns that hold moments.
const MOMENTS: std::ops::Range<usize> = 7..10;

/// The table of all lines of the orders placed from then until then.
pub(crate) async fn orders(
    db: &impl Read,
    tenant: &TenantId,
    span: (Timestamp, Timestamp),
) -> anyhow::Result<String> {
    let mut table = format!("\u{feff}{}\r\n", EXPORT_COLUMNS.join(","));
    let (mut order, mut line) = (String::new(), String::new());
    let mut written = 0;
    loop {
        let rows = export(db, tenant, span, ((&order, &line), ROWS)).await?;
        for row in &rows {
            write_row(&mut table, row)?;
        }
        written += rows.len();
        match rows.last() {
            Some(last) if i64::try_from(rows.len())? == ROWS && written < ROWS_MAX => {
                last.text(0)?.clone_into(&mut order);
                last.text(EXPORT_COLUMNS.len())?.clone_into(&mut line);
            }
            _ => return Ok(table),
        }
    }
}

fn write_row(table: &mut String, row: &Row) -> anyhow::Result<()> {
    for (at, value) in row.values().iter().take(EXPORT_COLUMNS.len()).enumerate() {
        if at > 0 {
            table.push(',');
        }
        match value {
            Value::Null => {}
            Value::Integer(millis) if MOMENTS.contains(&at) => {
                let moment = Timestamp::from_millis(*millis)?;
                write!(table, "{}", local(moment))?;
            }
            Value::Integer(number) => write!(table, "{number}")?,
            Value::Text(text) => table.push_str(&cell(text)),
            Value::Blob(_) => anyhow::bail!("an export holds no bytes"),
        }
    }
    table.push_str("\r\n");
    Ok(())
}

/// A moment by the clocks of Shanghai.
fn local(moment: Timestamp) -> String {
    let local = Zone::SHANGHAI.local(moment);
    let minute = local.minute;
    format!("{} {:02}:{:02}", local.date, minute / 60, minute % 60)
}

/// A text as a cell: quoted where it must be, and never a formula of a spreadsheet.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

/// The day of that number, counted from 1970.
pub(crate) fn day(number: i64) -> anyhow::Result<String> {
    let moment = DateTime::from_timestamp_secs(number * 24 * 60 * 60);
    let date: Option<NaiveDate> = moment.map(|moment| moment.date_naive());
    Ok(date.map_or_else(|| number.to_string(), |date| date.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        for (text, shown) in [
            ("鸡蛋", "鸡蛋"),
            ("a,b", "\"a,b\""),
            ("5\" 板", "\"5\"\" 板\""),
            ("=1+1", "'=1+1"),
        ] {
            assert_eq!(cell(text), shown);
        }
        assert_eq!(day(20_759).unwrap(), "2026-11-02");
    }
}
