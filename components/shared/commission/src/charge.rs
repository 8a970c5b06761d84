//! The rule of a line, its base, and the one rounding.

use crate::problem::{problem, too_large, too_many};
use crate::{CATEGORIES_MAX, Charge, Chosen, Line, Outcome, Problem, RATE_BPS_MAX, Rule};

pub(crate) fn line(rules: &[Rule], line: &Line) -> Outcome {
    if line.paid < 0 || line.subsidy < 0 || line.freight < 0 {
        return Err(problem(
            "negative_amount",
            "What was paid, the subsidy and the freight are never below zero.",
            "已付金额、补贴和运费均不能为负数。",
        ));
    }
    if line.categories.len() > CATEGORIES_MAX {
        return Err(too_many("categories", "级类目", CATEGORIES_MAX));
    }
    let rule = chosen(rules, line);
    let freight = rule.filter(|rule| rule.includes_freight);
    let base = line
        .paid
        .checked_add(line.subsidy)
        .and_then(|base| base.checked_add(freight.map_or(0, |_| line.freight)))
        .ok_or_else(too_large)?;
    let rate_bps = rule.map_or(0, |rule| rule.rate_bps);
    Ok(Charge {
        chosen: rule.map(|rule| Chosen {
            rule: rule.id.clone(),
            version: rule.version,
        }),
        rate_bps,
        base,
        amount: percent(base, rate_bps)?,
    })
}

/// The most particular rule that holds when the line was paid: merchant before category (the nearest first) before
/// kind before none. Of equals, which checked rules never are, the one that began last.
#[must_use]
pub fn chosen<'r>(rules: &'r [Rule], line: &Line) -> Option<&'r Rule> {
    let holding = rules.iter().filter_map(|rule| {
        let holds = rule.begins <= line.paid_at && rule.ends.is_none_or(|ends| line.paid_at < ends);
        let is_merchants = rule.merchant.as_ref().is_none_or(|id| *id == line.merchant);
        let is_kind = rule.kind.is_none_or(|kind| kind == line.kind);
        // The nearest category counts most: the whole chain for its first, one for its last.
        let nearness = match &rule.category {
            None => 0,
            Some(id) => {
                let above = line.categories.iter().position(|one| one == id)?;
                line.categories.len() - above
            }
        };
        let weight = (
            rule.merchant.is_some(),
            nearness,
            rule.kind.is_some(),
            rule.begins,
        );
        (holds && is_merchants && is_kind).then_some((weight, rule))
    });
    holding
        .max_by_key(|(weight, _)| *weight)
        .map(|(_, rule)| rule)
}

/// `base x rate_bps / 10000`, rounded once, half up (away from zero).
///
/// # Errors
/// An amount beyond every range.
pub fn percent(base: i64, rate_bps: u32) -> Result<i64, Problem> {
    half_up(
        i128::from(base) * i128::from(rate_bps),
        i128::from(RATE_BPS_MAX),
    )
}

/// The quotient to the nearest, halves away from zero. The denominator is above zero.
pub(crate) fn half_up(numerator: i128, denominator: i128) -> Result<i64, Problem> {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let is_away = rest.unsigned_abs() >= denominator.unsigned_abs().div_ceil(2);
    let rounded = whole + if is_away { numerator.signum() } else { 0 };
    i64::try_from(rounded).map_err(|_| too_large())
}
