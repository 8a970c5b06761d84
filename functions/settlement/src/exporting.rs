//! A statement as a file, CSV or XLSX: its lines, the sums of each kind, the total. Made only of what never changes
//! after the statement was sent, so that the same statement is the same bytes, today and in a year.

mod csv;
mod xlsx;

use kernel::{TenantId, Timestamp, Zone};
use store::Read;

use crate::domain::{Item, KindSums, Statement, Sums};
use crate::store::{items, statements};

/// The lines of one page.
const PAGE_LINES: i64 = 1_000;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Xlsx,
}

impl Format {
    /// Parses `csv` or `xlsx`.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "csv" => Ok(Self::Csv),
            "xlsx" => Ok(Self::Xlsx),
            _ => Err("it is csv or xlsx"),
        }
    }

    /// The type of the content, and the end of the file's name.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => ("text/csv; charset=utf-8", "csv"),
            Self::Xlsx => (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "xlsx",
            ),
        }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Text(String),
    /// Yuan with two decimals, written exactly.
    Yuan(i64),
    Count(i64),
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// The sheet in the making.
enum Sheet {
    Csv(csv::Sheet),
    Xlsx(Box<xlsx::Sheet>),
}

impl Sheet {
    fn row(&mut self, cells: &[Cell]) -> anyhow::Result<()> {
        match self {
            Self::Csv(sheet) => {
                sheet.row(cells);
                Ok(())
            }
            Self::Xlsx(sheet) => sheet.row(cells),
        }
    }

    fn done(self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Csv(sheet) => Ok(sheet.done()),
            Self::Xlsx(sheet) => sheet.done(),
        }
    }
}

/// The statement as a file.
///
/// # Errors
/// A failure of the database, or more than fits a file.
pub(crate) async fn export(
    db: &impl Read,
    tenant: &TenantId,
    statement: &Statement,
    format: Format,
) -> anyhow::Result<Vec<u8>> {
    let zone = statement.zone;
    let mut sheet = match format {
        Format::Csv => Sheet::Csv(csv::Sheet::new()),
        Format::Xlsx => Sheet::Xlsx(Box::new(xlsx::Sheet::new()?)),
    };
    for row in head(statement, zone) {
        sheet.row(&row)?;
    }
    let mut after = None;
    loop {
        let place = (tenant, &statement.id);
        let page = items::lines(db, place, (after.as_ref(), PAGE_LINES)).await?;
        for item in &page {
            sheet.row(&line(item, zone))?;
        }
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.key.clone());
    }
    for of in statements::sums_of(db, tenant, &statement.id).await? {
        sheet.row(&sum(&of))?;
    }
    sheet.row(&sums(("合计 / total", ""), statement.sums))?;
    sheet.done()
}

fn head(statement: &Statement, zone: Zone) -> [Vec<Cell>; 5] {
    let pair = |name: &str, value: String| vec![Cell::text(name), Cell::text(value)];
    [
        pair("结算单 / statement", statement.id.to_string()),
        pair("商家 / merchant", statement.merchant.to_string()),
        pair("月份 / month", statement.month.to_string()),
        pair("到期 / due", local(zone, statement.due_at)),
        [
            "类型 / kind",
            "来源 / source",
            "关联 / reference",
            "时间 / time",
            "交易额 / sale",
            "平台收入 / revenue",
            "已扣 / settled",
            "其他欠款 / other debt",
            "应付 / owed",
            "备注 / memo",
        ]
        .into_iter()
        .map(Cell::text)
        .collect(),
    ]
}

fn line(item: &Item, zone: Zone) -> Vec<Cell> {
    vec![
        Cell::text(item.key.kind.as_str()),
        Cell::text(&item.key.source),
        Cell::text(&item.reference),
        Cell::text(local(zone, item.at)),
        Cell::Yuan(item.sale_minor),
        Cell::Yuan(item.amount_minor),
        Cell::Yuan(item.settled_minor),
        Cell::Yuan(item.debt_minor),
        Cell::Yuan(item.amount_minor - item.settled_minor + item.debt_minor),
        Cell::text(&item.memo),
    ]
}

fn sum(of: &KindSums) -> Vec<Cell> {
    sums(("小计 / sum", of.kind.as_str()), of.sums)
}

fn sums((name, kind): (&str, &str), sums: Sums) -> Vec<Cell> {
    vec![
        Cell::text(name),
        Cell::text(kind),
        Cell::text(""),
        Cell::Count(sums.lines),
        Cell::Yuan(sums.sale_minor),
        Cell::Yuan(sums.amount_minor),
        Cell::Yuan(sums.settled_minor),
        Cell::Yuan(sums.debt_minor),
        Cell::Yuan(sums.total_minor()),
        Cell::text(""),
    ]
}

/// A moment as the zone's clocks show it.
fn local(zone: Zone, at: Timestamp) -> String {
    let local = zone.local(at);
    let (hour, minute) = (local.minute / 60, local.minute % 60);
    let second = at.millis().rem_euclid(60_000) / 1_000;
    format!("{} {hour:02}:{minute:02}:{second:02}", local.date)
}

/// Fen as yuan with two decimals: `-0.05`.
fn yuan(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let magnitude = minor.unsigned_abs();
    format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fen_are_written_as_yuan_exactly() {
        for (minor, text) in [
            (0, "0.00"),
            (-5, "-0.05"),
            (1_961, "19.61"),
            (i64::MAX, "92233720368547758.07"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(yuan(minor), text);
        }
    }

    #[test]
    fn a_moment_is_written_as_the_clocks_of_the_zone_show_it() {
        let at = Timestamp::parse("2026-10-31T15:59:59.999Z").unwrap();
        assert_eq!(local(Zone::SHANGHAI, at), "2026-10-31 23:59:59");
    }
}
