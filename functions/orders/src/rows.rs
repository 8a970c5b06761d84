//! Rows become domain values here, by position. A row that cannot be a value is an error and never a default.

use anyhow::Context as _;
use kernel::{CategoryId, CommissionRuleId, MerchantId, Timestamp};
use store::Row;
use wire::mall::{MerchantMode, SaleKind};

use crate::domain::Merchant;
use crate::domain::stock::{Movement, MovementKind, Stock};

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
