//! `/api/commission-rules/previews`: what the plugged commission would take of sales, by the rules that are stored.

use commission::{Line, Outcome, SaleKind as Kind};
use kernel::{Actor, CategoryId, CommissionRuleId, MerchantId, Message, Refusal, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use web::{Reply, Request};
use wire::mall::SaleKind;

use super::caller;
use crate::charging;
use crate::context::Context;
use crate::domain::{Category, Rule, check_reader, unknown_category};
use crate::store::{categories, rules};

/// The most lines of one preview.
const LINES_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    merchant: MerchantId,
    /// When the sale is paid; now when it is left out.
    at: Option<Timestamp>,
    lines: Vec<AskedLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedLine {
    category: CategoryId,
    paid_minor: i64,
    #[serde(default)]
    subsidy_minor: i64,
    #[serde(default)]
    freight_minor: i64,
}

pub(super) async fn preview(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_reader(&actor)?;
    let asked: Asked = web::body(request)?;
    if asked.lines.is_empty() || asked.lines.len() > LINES_MAX {
        return Err(line_count().into());
    }
    let at = asked.at.unwrap_or(context.now);
    let stored = rules::rules_at(&context.db, &actor.tenant, &asked.merchant, at).await?;
    let mut lines = Vec::with_capacity(asked.lines.len());
    for line in &asked.lines {
        lines.push(told(context, &actor, (&asked.merchant, at), line).await?);
    }
    let rules: Vec<commission::Rule> = stored.iter().map(rule).collect();
    let charged = charging::charge(&rules, &lines)
        .map_err(|problem| anyhow::anyhow!("the stored rules: {}", problem.english))?;
    let shown: Vec<Value> = charged.iter().map(shown).collect();
    Ok(Reply::ok(&json!({"at": at, "lines": shown})))
}

/// A line with the chain of its category, as the plugin is told.
async fn told(
    context: &Context,
    actor: &Actor,
    (merchant, at): (&MerchantId, Timestamp),
    line: &AskedLine,
) -> anyhow::Result<Line> {
    let mut chain = Vec::new();
    let mut next = Some(line.category.clone());
    let mut kind = SaleKind::Goods;
    while let Some(id) = next {
        let found = categories::category(&context.db, &actor.tenant, &id).await?;
        let Category {
            id,
            parent,
            kind: its,
            ..
        } = found.ok_or_else(unknown_category)?;
        chain.push(id.to_string());
        (kind, next) = (its, parent);
    }
    Ok(Line {
        merchant: merchant.to_string(),
        categories: chain,
        kind: told_kind(kind),
        paid: line.paid_minor,
        subsidy: line.subsidy_minor,
        freight: line.freight_minor,
        paid_at: at.millis(),
    })
}

fn told_kind(kind: SaleKind) -> Kind {
    match kind {
        SaleKind::Goods => Kind::Goods,
        SaleKind::Service => Kind::Service,
    }
}

fn rule(rule: &Rule) -> commission::Rule {
    commission::Rule {
        id: rule.id.to_string(),
        version: rule.version,
        merchant: rule.scope.merchant.as_ref().map(MerchantId::to_string),
        category: rule.scope.category.as_ref().map(CategoryId::to_string),
        kind: rule.scope.kind.map(told_kind),
        rate_bps: rule.terms.rate_bps,
        includes_freight: rule.terms.includes_freight,
        begins: rule.terms.from.millis(),
        ends: rule.terms.until.map(Timestamp::millis),
    }
}

fn shown(outcome: &Outcome) -> Value {
    match outcome {
        Err(problem) => json!({"problem": {
            "code": problem.code, "english": problem.english, "chinese": problem.chinese,
        }}),
        Ok(charge) => {
            let chosen = charge.chosen.as_ref();
            let rule = chosen.and_then(|chosen| CommissionRuleId::parse(&chosen.rule).ok());
            json!({
                "rule": rule,
                "rule_version": chosen.map(|chosen| chosen.version),
                "rate_bps": charge.rate_bps,
                "base_minor": charge.base,
                "commission_minor": charge.amount,
            })
        }
    }
}

fn line_count() -> Refusal {
    Refusal::invalid(
        "line_count",
        Message::new(
            format!("Send 1 to {LINES_MAX} lines."),
            format!("请发送 1 至 {LINES_MAX} 行。"),
        ),
    )
}
