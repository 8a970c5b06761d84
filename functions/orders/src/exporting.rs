//! The orders of a span of time as a table (CSV, RFC 4180, with a byte order mark for spreadsheets): the same orders, the
//! same bytes. That of a day that is over is kept as it stood then.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate};
use kernel::{TenantId, Timestamp, Zone};
use sha2::{Digest as _, Sha256};
use store::{Read, Row, Value, tx};

use crate::context::Context;
use crate::store::exports::{self, Export};
use crate::store::reports::{EXPORT_COLUMNS, export};

/// Rows read at once.
const ROWS: i64 = 500;
/// The most rows of one table.
const ROWS_MAX: usize = 50_000;
/// How many days that are over are owed an export, should nothing have run for a while.
const OWED_DAYS: u64 = 7;
/// How much of a kept export one row holds, in bytes.
const PART_BYTES: usize = 256 * 1024;
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

/// Makes and keeps the exports of the last days that are over, for everybody who has none yet; how many.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn keep(context: &Context, limit: i64) -> anyhow::Result<i64> {
    let today = Zone::SHANGHAI.local(context.now).date;
    let mut kept = 0;
    for days in (1..=OWED_DAYS).rev() {
        let before = |days| today.checked_sub_days(Days::new(days));
        let (Some(day), Some(next)) = (before(days), before(days - 1)) else {
            continue;
        };
        let span = (
            Zone::SHANGHAI.moment(day, 0),
            Zone::SHANGHAI.moment(next, 0),
        );
        let owed = (day, span.0, span.1);
        for tenant in exports::tenants_to_export(&context.db, owed, limit - kept).await? {
            kept += i64::from(keep_day(context, &tenant, (day, span)).await?);
        }
    }
    Ok(kept)
}

async fn keep_day(
    context: &Context,
    tenant: &TenantId,
    (day, span): (NaiveDate, (Timestamp, Timestamp)),
) -> anyhow::Result<bool> {
    let table = orders(&context.db, tenant, span).await?;
    let export = Export {
        day: day.to_string(),
        rows: i64::try_from(table.matches("\r\n").count())? - 1,
        bytes: i64::try_from(table.len())?,
        digest: hexadecimal(&Sha256::digest(table.as_bytes())),
        made_at: context.now,
    };
    let parts = parts(&table);
    tx(&context.db, tenant, async |tx| {
        exports::insert(tx, &export, &parts).await
    })
    .await
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text in parts of about [`PART_BYTES`], none of them within a character.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let mut at = rest.len().min(PART_BYTES);
        while !rest.is_char_boundary(at) {
            at += 1;
        }
        let (part, after) = rest.split_at(at);
        parts.push(part);
        rest = after;
    }
    parts
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
    fn parts_are_the_whole_and_end_between_characters() {
        let text = "苹果,1\r\n".repeat(100_000);
        let parts = parts(&text);
        assert_eq!((parts.len(), parts.concat()), (4, text));
        assert!(super::parts("").is_empty());
    }

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
