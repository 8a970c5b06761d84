//! Commission rules: what share of a sale is the platform's, for whom and from when on.

use kernel::{CategoryId, CommissionRuleId, MerchantId, Message, Refusal, Timestamp};
use wire::mall::SaleKind;

/// For what a rule is: two of one scope never hold at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Only for this merchant.
    pub merchant: Option<MerchantId>,
    /// Only for this category and those below it.
    pub category: Option<CategoryId>,
    /// Only for goods, or only for services.
    pub kind: Option<SaleKind>,
}

/// What is agreed, and when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleTerms {
    /// The share, in 1/10,000.
    pub rate_bps: u32,
    /// Whether freight is part of the base.
    pub includes_freight: bool,
    /// The first moment at which it holds.
    pub from: Timestamp,
    /// The first at which it no longer does.
    pub until: Option<Timestamp>,
}

impl RuleTerms {
    /// Lets terms pass that can be.
    ///
    /// # Errors
    /// A rate above 100 %, an end that is not after the begin.
    pub fn checked(self) -> Result<Self, Refusal> {
        let ends = self.until.is_none_or(|until| self.from < until);
        if self.rate_bps <= commission::RATE_BPS_MAX && ends {
            return Ok(self);
        }
        Err(Refusal::invalid(
            "commission_rule_invalid",
            Message::new(
                "A rate is 0 to 10000 of 10,000, and a rule ends after it begins.",
                "费率为 0 至 10000（万分之一），结束时间须晚于开始时间。",
            ),
        ))
    }
}

/// What share of a sale is the platform's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: CommissionRuleId,
    /// For what it is.
    pub scope: Scope,
    /// What it says.
    pub terms: RuleTerms,
    /// Counts up with each change.
    pub version: i64,
}

/// The rule with other terms. What has begun is frozen on orders: of such a rule only the end moves, and never to before
/// this moment; one that has not begun yet never begins in the past.
///
/// # Errors
/// More is changed, or the past is.
pub fn change_rule(rule: &Rule, terms: RuleTerms, now: Timestamp) -> Result<Rule, Refusal> {
    let before = rule.terms;
    let is_over = before.until.is_some_and(|until| until <= now);
    let has_begun = before.from <= now;
    let only_end = RuleTerms {
        until: before.until,
        ..terms
    } == before;
    let fits = match has_begun {
        true => only_end && !is_over && terms.until.is_none_or(|until| until >= now),
        false => terms.from >= now,
    };
    if !fits {
        return Err(begun(rule));
    }
    Ok(Rule {
        terms,
        version: rule.version + 1,
        ..rule.clone()
    })
}

/// The rule, taken back before it began: it ends when it begins, and never holds.
///
/// # Errors
/// It has begun.
pub fn withdraw_rule(rule: &Rule, now: Timestamp) -> Result<Rule, Refusal> {
    let terms = RuleTerms {
        until: Some(rule.terms.from),
        ..rule.terms
    };
    if rule.terms.from <= now || rule.terms == terms {
        return Err(begun(rule));
    }
    Ok(Rule {
        terms,
        version: rule.version + 1,
        ..rule.clone()
    })
}

fn begun(rule: &Rule) -> Refusal {
    let (from, until) = (rule.terms.from, rule.terms.until);
    let until = until.map_or_else(|| "-".to_owned(), |until| until.to_string());
    Refusal::conflict(
        "commission_rule_begun",
        Message::new(
            format!(
                "This rule holds from {from} until {until}. The past is not changed: of a rule that has begun only the end can be moved, to now or later; make another for what comes after."
            ),
            format!(
                "该规则自 {from} 至 {until} 生效，已生效部分不可修改：只能将结束时间改为当前或以后，之后请另建规则。"
            ),
        ),
    )
}

/// Another rule of the same scope holds at one of these moments.
#[must_use]
pub fn overlap(other: &Rule) -> Refusal {
    let (id, from) = (&other.id, other.terms.from);
    let until = other.terms.until;
    let until = until.map_or_else(|| "-".to_owned(), |until| until.to_string());
    Refusal::conflict(
        "commission_rule_overlap",
        Message::new(
            format!(
                "The rule {id} of the same scope holds from {from} until {until}. End it first, or begin later."
            ),
            format!(
                "适用范围相同的规则 {id} 已在 {from} 至 {until} 生效，请先终止该规则或推迟开始时间。"
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis(day * 86_400_000).unwrap()
    }

    fn rule(from: i64, until: Option<i64>) -> Rule {
        Rule {
            id: CommissionRuleId::parse("r").unwrap(),
            scope: Scope {
                merchant: None,
                category: None,
                kind: None,
            },
            terms: RuleTerms {
                rate_bps: 500,
                includes_freight: false,
                from: at(from),
                until: until.map(at),
            },
            version: 1,
        }
    }

    #[test]
    fn of_a_rule_that_has_begun_only_the_end_moves_and_not_into_the_past() {
        let begun = rule(1, None);
        let with = |until: Option<i64>, rate_bps| RuleTerms {
            until: until.map(at),
            rate_bps,
            ..begun.terms
        };
        let code = |terms| change_rule(&begun, terms, at(5)).map_err(|refusal| refusal.code);
        assert!(code(with(Some(5), 500)).is_ok());
        assert!(code(with(Some(9), 500)).is_ok());
        assert_eq!(code(with(Some(4), 500)), Err("commission_rule_begun"));
        assert_eq!(code(with(None, 600)), Err("commission_rule_begun"));
        let over = rule(1, Some(4));
        assert!(change_rule(&over, with(Some(9), 500), at(5)).is_err());
        assert!(withdraw_rule(&begun, at(5)).is_err());
    }

    #[test]
    fn a_rule_that_has_not_begun_can_be_changed_and_taken_back() {
        let ahead = rule(9, None);
        let terms = RuleTerms {
            from: at(6),
            rate_bps: 1,
            ..ahead.terms
        };
        assert_eq!(change_rule(&ahead, terms, at(5)).unwrap().version, 2);
        let past = RuleTerms {
            from: at(4),
            ..terms
        };
        assert!(change_rule(&ahead, past, at(5)).is_err());
        let withdrawn = withdraw_rule(&ahead, at(5)).unwrap();
        assert_eq!(withdrawn.terms.until, Some(at(9)));
        assert!(withdraw_rule(&withdrawn, at(5)).is_err());
    }
}
