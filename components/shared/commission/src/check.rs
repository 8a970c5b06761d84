//! Whether rules are rules.

use crate::problem::{problem, too_many};
use crate::{Problem, RATE_BPS_MAX, RULES_MAX, Rule};

/// A rule that ends when it begins was withdrawn: it never holds, and contradicts nothing.
pub(crate) fn rules(rules: &[Rule]) -> Result<(), Problem> {
    if rules.len() > RULES_MAX {
        return Err(too_many("rules", "条规则", RULES_MAX));
    }
    rules.iter().try_for_each(rule)?;
    let withdrawn = |rule: &&Rule| rule.ends == Some(rule.begins);
    let mut sorted: Vec<&Rule> = rules.iter().filter(|rule| !withdrawn(rule)).collect();
    sorted.sort_by(|left, right| {
        (scope(left), left.begins, &left.id).cmp(&(scope(right), right.begins, &right.id))
    });
    for pair in sorted.windows(2) {
        let [earlier, later] = pair else { continue };
        let is_over = earlier.ends.is_some_and(|ends| ends <= later.begins);
        if scope(earlier) == scope(later) && !is_over {
            return Err(problem(
                "rules_overlap",
                format!(
                    "The rules {} and {} are for the same and hold at one moment. End the earlier one first.",
                    earlier.id, later.id
                ),
                format!(
                    "规则 {} 与 {} 适用范围相同且时间重叠，请先终止较早的一条。",
                    earlier.id, later.id
                ),
            ));
        }
    }
    Ok(())
}

fn rule(rule: &Rule) -> Result<(), Problem> {
    if rule.rate_bps > RATE_BPS_MAX {
        return Err(problem(
            "bad_rate",
            format!("The rate of rule {} is above 100 %.", rule.id),
            format!("规则 {} 的费率超过 100%。", rule.id),
        ));
    }
    if rule.ends.is_some_and(|ends| ends < rule.begins) {
        return Err(problem(
            "bad_time",
            format!("Rule {} ends before it begins.", rule.id),
            format!("规则 {} 的结束时间早于开始时间。", rule.id),
        ));
    }
    Ok(())
}

/// For what a rule is: two of one scope never hold at one moment.
fn scope(rule: &Rule) -> (Option<&str>, Option<&str>, Option<bool>) {
    let kind = rule.kind.map(|kind| kind == crate::SaleKind::Goods);
    (rule.merchant.as_deref(), rule.category.as_deref(), kind)
}
