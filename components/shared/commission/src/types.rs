//! What rules, lines, charges and refunds are. Amounts are in minor units, moments in milliseconds since 1970-01-01.

use crate::Problem;

/// What is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleKind {
    /// Things.
    Goods,
    /// Life services.
    Service,
}

/// What was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// Only for this merchant.
    pub merchant: Option<String>,
    /// Only for this category and those below it.
    pub category: Option<String>,
    /// Only for goods, or only for services.
    pub kind: Option<SaleKind>,
    /// The share, in 1/10,000.
    pub rate_bps: u32,
    /// Whether freight is part of the base.
    pub includes_freight: bool,
    /// The first moment at which it holds.
    pub begins: i64,
    /// The first at which it no longer does.
    pub ends: Option<i64>,
}

/// A line of a sale that was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who sells.
    pub merchant: String,
    /// The category of what was sold, then the one that it is a part of, up to the root.
    pub categories: Vec<String>,
    /// Goods or service.
    pub kind: SaleKind,
    /// What was paid, without freight.
    pub paid: i64,
    /// What the platform adds for discounts that it bears.
    pub subsidy: i64,
    /// The line's share of the freight.
    pub freight: i64,
    /// When it was paid.
    pub paid_at: i64,
}

/// The rule that was chosen, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: i64,
}

/// The commission of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// None when no rule holds: then the rate and the amount are 0.
    pub chosen: Option<Chosen>,
    /// The share, in 1/10,000.
    pub rate_bps: u32,
    /// What the amount is a share of.
    pub base: i64,
    /// The commission.
    pub amount: i64,
}

/// A part of a line's base goes back to the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// The base that was frozen when the line was paid.
    pub base: i64,
    /// The commission that was frozen when the line was paid.
    pub amount: i64,
    /// What of the base went back before.
    pub refunded_before: i64,
    /// What of the commission went back before.
    pub returned_before: i64,
    /// What of the base goes back now.
    pub refunded: i64,
}

/// What becomes of one line.
pub type Outcome = Result<Charge, Problem>;

/// What becomes of one refund: the commission that goes back.
pub type ReturnOutcome = Result<i64, Problem>;
