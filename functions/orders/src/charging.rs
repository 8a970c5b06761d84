//! The seam to the plugged commission: in a component the import `linli:settlement/commission`, natively the library that
//! the plugin is made of. What is frozen on a line when it is paid, and what of it goes back, is decided there.

use anyhow::anyhow;
use kernel::{CommissionRuleId, Timestamp};
use store::Tx;
use wire::mall::SaleKind;

use crate::domain::{Back, Frozen, Line, Order};
use crate::rows::CommissionRule;
use crate::store::{known, lines};

/// Freezes the commission of an order's lines: the rule, its version, the rate, the base and the amount.
pub(crate) async fn freeze(
    tx: &Tx,
    (order, paid_at): (&Order, Timestamp),
    own: Vec<Line>,
) -> anyhow::Result<()> {
    let rules = known::commission_rules(tx, tx.tenant(), &order.merchant, paid_at).await?;
    let rules: Vec<commission::Rule> = rules.iter().map(rule).collect();
    let mut told = Vec::with_capacity(own.len());
    for line in &own {
        let above = known::lineage(tx, tx.tenant(), &line.category).await?;
        let mut categories: Vec<String> = above.iter().map(ToString::to_string).collect();
        if categories.is_empty() {
            categories.push(line.category.to_string());
        }
        told.push(commission::Line {
            merchant: order.merchant.to_string(),
            categories,
            kind: kind(line.kind),
            paid: line.goods_minor,
            subsidy: line.subsidy_minor,
            freight: line.freight_minor,
            paid_at: paid_at.millis(),
        });
    }
    let charged = engine::rate(&rules, &told).map_err(refused)?;
    for (mut line, outcome) in own.into_iter().zip(charged) {
        line.commission = frozen(&rules, outcome.map_err(refused)?)?;
        lines::freeze(tx, &line).await?;
    }
    Ok(())
}

fn frozen(rules: &[commission::Rule], charge: commission::Charge) -> anyhow::Result<Frozen> {
    let chosen = charge.chosen.as_ref();
    let rule = chosen.and_then(|chosen| rules.iter().find(|rule| rule.id == chosen.rule));
    Ok(Frozen {
        rule: match chosen {
            None => None,
            Some(chosen) => Some((CommissionRuleId::parse(&chosen.rule)?, chosen.version)),
        },
        rate_bps: charge.rate_bps,
        includes_freight: rule.is_some_and(|rule| rule.includes_freight),
        base_minor: charge.base,
        amount_minor: charge.amount,
    })
}

/// What of the commission goes back with these parts.
pub(crate) fn give_back(parts: Vec<(Line, Back)>) -> anyhow::Result<Vec<(Line, Back)>> {
    let told: Vec<commission::Refund> = parts
        .iter()
        .map(|(line, back)| commission::Refund {
            base: line.commission.base_minor,
            amount: line.commission.amount_minor,
            refunded_before: line.back.base_minor,
            returned_before: line.back.commission_minor,
            refunded: back.base_minor,
        })
        .collect();
    let returned = engine::give_back(&told).map_err(refused)?;
    let mut priced = Vec::with_capacity(parts.len());
    for ((line, back), outcome) in parts.into_iter().zip(returned) {
        let commission_minor = match outcome {
            Ok(minor) => minor,
            // A refund before this one failed, and what went back since was rounded with it: the next one closes the sum.
            Err(problem) if problem.code == "returned_too_much" => 0,
            Err(problem) => return Err(refused(problem)),
        };
        let back = Back {
            commission_minor,
            ..back
        };
        priced.push((line, back));
    }
    Ok(priced)
}

fn refused(problem: commission::Problem) -> anyhow::Error {
    anyhow!("{}: {}", problem.code, problem.english)
}

fn rule(rule: &CommissionRule) -> commission::Rule {
    commission::Rule {
        id: rule.id.to_string(),
        version: rule.version,
        merchant: rule.merchant.as_ref().map(ToString::to_string),
        category: rule.category.as_ref().map(ToString::to_string),
        kind: rule.kind.map(kind),
        rate_bps: rule.rate_bps,
        includes_freight: rule.includes_freight,
        begins: rule.from.millis(),
        ends: rule.until.map(|until| until.millis()),
    }
}

fn kind(kind: SaleKind) -> commission::SaleKind {
    match kind {
        SaleKind::Goods => commission::SaleKind::Goods,
        SaleKind::Service => commission::SaleKind::Service,
    }
}

#[cfg(not(target_family = "wasm"))]
mod engine {
    use commission::{Line, Outcome, Problem, Refund, ReturnOutcome, Rule};

    pub(super) fn rate(rules: &[Rule], lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
        commission::charge(rules, lines)
    }

    pub(super) fn give_back(refunds: &[Refund]) -> Result<Vec<ReturnOutcome>, Problem> {
        commission::give_back(refunds)
    }
}

#[cfg(target_family = "wasm")]
#[path = "charging/plugged.rs"]
mod engine;
