//! Rows become domain values here, by position. A row that cannot be a value is an error and never a default.

pub(crate) mod promotion;

use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{CategoryId, CommissionRuleId, MerchantId, Timestamp};
use store::Row;
use wire::mall::{MerchantMode, SaleKind};

use crate::domain::Merchant;
use crate::domain::batch::Batch;
use crate::domain::product::{Content, Product, ProductState, Shelf, Slot, Variant};
use crate::domain::stock::{Movement, MovementKind, Stock};
use crate::domain::text::{Code, Description, Line, Name, Summary, TextError};

/// What the platform takes of sales, as far as one merchant is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommissionRule {
    pub(crate) id: CommissionRuleId,
    pub(crate) version: i64,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) category: Option<CategoryId>,
    pub(crate) kind: Option<SaleKind>,
    pub(crate) rate_bps: u32,
    pub(crate) includes_freight: bool,
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
}

/// A merchant from the columns of `MERCHANT`, its lists still empty.
pub(crate) fn read_merchant(row: &Row) -> anyhow::Result<Merchant> {
    let mode = row.text(2)?;
    Ok(Merchant {
        id: row.id(0)?,
        name: row.text(1)?.to_owned(),
        mode: MerchantMode::parse(mode)
            .with_context(|| format!("a merchant's mode is {mode:?}"))?,
        trades: row.boolean(3)?,
        communities: Vec::new(),
        categories: Vec::new(),
        members: Vec::new(),
    })
}

/// A rule from the columns of `COMMISSION_RULES`.
pub(crate) fn read_commission_rule(row: &Row) -> anyhow::Result<CommissionRule> {
    Ok(CommissionRule {
        id: row.id(0)?,
        version: row.integer(1)?,
        merchant: row.optional_id(2)?,
        category: row.optional_id(3)?,
        kind: row.optional_text(4)?.and_then(SaleKind::parse),
        rate_bps: u32::try_from(row.integer(5)?)?,
        includes_freight: row.boolean(6)?,
        from: row.timestamp(7)?,
        until: row.optional_timestamp(8)?,
    })
}

/// The counters from the columns of `STOCK`.
pub(crate) fn read_stock(row: &Row) -> anyhow::Result<Stock> {
    Ok(Stock {
        item: row.text(0)?.to_owned(),
        kind: row.text(1)?.to_owned(),
        available: row.integer(2)?,
        reserved: row.integer(3)?,
        taken: row.integer(4)?,
    })
}

/// A movement from the columns of `MOVEMENTS`.
pub(crate) fn read_movement(row: &Row) -> anyhow::Result<Movement> {
    let kind = row.text(1)?;
    Ok(Movement {
        id: row.text(0)?.to_owned(),
        kind: MovementKind::parse(kind).with_context(|| format!("a movement is {kind:?}"))?,
        available: row.integer(2)?,
        reserved: row.integer(3)?,
        line: row.optional_id(4)?,
        actor: row.optional_id(5)?,
        reason: row.optional_text(6)?.map(str::to_owned),
        at: row.timestamp(7)?,
    })
}

/// A day as text.
pub(crate) fn date(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// A product from the columns of `PRODUCT`.
pub(crate) fn read_product(row: &Row) -> anyhow::Result<Product> {
    let (kind, state) = (row.text(3)?, row.text(7)?);
    Ok(Product {
        id: row.id(0)?,
        merchant: row.id(1)?,
        category: row.id(2)?,
        kind: SaleKind::parse(kind).with_context(|| format!("a product's kind is {kind:?}"))?,
        content: Content {
            name: Name::parse(row.text(4)?)?,
            summary: optional(row.text(5)?, Summary::parse)?,
            description: Description::parse(row.text(6)?)?,
            lead_minutes: u32::try_from(row.integer(8)?)?,
            cancel_minutes: u32::try_from(row.integer(9)?)?,
        },
        state: match state {
            "draft" => ProductState::Draft,
            "listed" => ProductState::Listed(row.timestamp(13)?),
            "delisted" => ProductState::Delisted(line(row.optional_text(14)?)?),
            other => anyhow::bail!("a product's state is {other:?}"),
        },
        version: row.integer(10)?,
        created_at: row.timestamp(11)?,
        changed_at: row.timestamp(12)?,
    })
}

/// A variant from the columns of `VARIANTS`.
pub(crate) fn read_variant(row: &Row) -> anyhow::Result<Variant> {
    Ok(Variant {
        id: row.id(0)?,
        name: Name::parse(row.text(1)?)?,
        price_minor: row.integer(2)?,
        code: line(row.optional_text(3)?)?,
        barcode: line(row.optional_text(4)?)?,
        shelf: match row.optional_text(5)? {
            None => None,
            Some(day) => Some(Shelf {
                expires_on: day.parse().context("a variant's last day")?,
                trace_code: line(row.optional_text(6)?)?,
                near_days: u32::try_from(row.integer(7)?)?,
                markdown_bps: u32::try_from(row.integer(8)?)?,
            }),
        },
        gone: row.boolean(9)?,
    })
}

/// A batch from the columns of `OPEN`.
pub(crate) fn read_batch(row: &Row) -> anyhow::Result<Batch> {
    let (expires_on, trace_code) = read_label(row, 1)?;
    Ok(Batch {
        id: row.text(0)?.to_owned(),
        expires_on,
        trace_code,
        units: row.integer(3)?,
        left: row.integer(4)?,
        received_at: row.timestamp(5)?,
    })
}

/// The last day and the code of a batch, from two columns.
pub(crate) fn read_label(
    row: &Row,
    at: usize,
) -> anyhow::Result<(Option<NaiveDate>, Option<Code>)> {
    let last = row.optional_text(at)?.map(str::parse).transpose();
    Ok((
        last.context("a batch's last day")?,
        line(row.optional_text(at + 1)?)?,
    ))
}

/// A slot from the first columns of `SLOT`.
pub(crate) fn read_slot(row: &Row) -> anyhow::Result<Slot> {
    Ok(Slot {
        id: row.id(0)?,
        product: row.id(1)?,
        starts_at: row.timestamp(2)?,
        ends_at: row.timestamp(3)?,
        gone: row.boolean(4)?,
    })
}

/// A line that may be absent.
pub(crate) fn line<const MAX: usize>(text: Option<&str>) -> anyhow::Result<Option<Line<MAX>>> {
    Ok(text.map(Line::parse).transpose()?)
}

fn optional<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, TextError>,
) -> anyhow::Result<Option<T>> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(parse(text)?))
}
