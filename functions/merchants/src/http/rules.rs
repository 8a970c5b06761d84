//! `/api/commission-rules`: what share of a sale is the platform's, for whom and from when on.

use kernel::{Actor, CategoryId, CommissionRuleId, MerchantId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Read, Tx};
use web::{IfMatch, Query, Reply, Request};
use wire::mall::SaleKind;

use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Rule, RuleTerms, Scope, change_rule, check_reader, check_writer, overlap, unknown_category,
    unknown_merchant, unknown_rule, withdraw_rule,
};
use crate::facts;
use crate::store::rules as sql;
use crate::store::{categories, merchants};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRule {
    merchant: Option<MerchantId>,
    category: Option<CategoryId>,
    kind: Option<SaleKind>,
    #[serde(flatten)]
    terms: SentTerms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentTerms {
    /// The share, in 1/10,000.
    rate_bps: u32,
    #[serde(default)]
    includes_freight: bool,
    from: Timestamp,
    until: Option<Timestamp>,
}

impl SentTerms {
    fn checked(&self) -> anyhow::Result<RuleTerms> {
        let terms = RuleTerms {
            rate_bps: self.rate_bps,
            includes_freight: self.includes_freight,
            from: self.from,
            until: self.until,
        };
        Ok(terms.checked()?)
    }
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let new: NewRule = web::body(request)?;
    let rule = Rule {
        id: context.new_id()?,
        terms: new.terms.checked()?,
        scope: Scope {
            merchant: new.merchant,
            category: new.category,
            kind: new.kind,
        },
        version: 1,
    };
    let made = write(context, request, &actor, async |tx| {
        check_scope(tx, &rule.scope).await?;
        check_alone(tx, &rule).await?;
        sql::insert_rule(tx, &rule, (&actor.id, context.now)).await?;
        facts::rule_changed(context, tx, &rule).await?;
        answer(201, &shown(&rule))
    })
    .await?;
    stored(&made, "/api/commission-rules")
}

/// The merchant and the category are there.
async fn check_scope(tx: &Tx, scope: &Scope) -> anyhow::Result<()> {
    if let Some(merchant) = &scope.merchant
        && merchants::merchant(tx, tx.tenant(), merchant)
            .await?
            .is_none()
    {
        return Err(unknown_merchant().into());
    }
    if let Some(category) = &scope.category
        && categories::category(tx, tx.tenant(), category)
            .await?
            .is_none()
    {
        return Err(unknown_category().into());
    }
    Ok(())
}

/// No other rule of the same scope holds at one of its moments.
async fn check_alone(tx: &Tx, rule: &Rule) -> anyhow::Result<()> {
    match sql::overlapping(tx, rule).await? {
        Some(other) => Err(overlap(&other).into()),
        None => Ok(()),
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_reader(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(CommissionRuleId::parse)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let category = query.take("category", CategoryId::parse)?;
    query.finish()?;
    let of = (merchant.as_ref(), category.as_ref());
    let found = sql::rules(&context.db, &actor.tenant, of, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown(&one),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    rule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = readable(&context.db, &actor, rule).await?;
    Ok(Reply::ok(&shown(&found)).with_etag(found.version))
}

async fn readable(db: &impl Read, actor: &Actor, rule: &str) -> anyhow::Result<Rule> {
    let id: CommissionRuleId = path_id(rule, unknown_rule)?;
    check_reader(actor).map_err(|_| unknown_rule())?;
    let found = sql::rule(db, &actor.tenant, &id).await?;
    Ok(found.ok_or_else(unknown_rule)?)
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    rule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readable(&context.db, &actor, rule).await?;
    check_writer(&actor)?;
    let if_match: IfMatch = web::required_if_match(request)?;
    let terms = web::body::<SentTerms>(request)?.checked()?;
    let changed = write(context, request, &actor, async |tx| {
        let before = readable(tx, &actor, rule).await?;
        if_match.check(before.version)?;
        let after = change_rule(&before, terms, context.now)?;
        check_alone(tx, &after).await?;
        store_next(context, tx, &actor, &after).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&changed)
}

pub(super) async fn withdraw(
    context: &Context,
    request: &Request,
    rule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readable(&context.db, &actor, rule).await?;
    check_writer(&actor)?;
    store::tx(&context.db, &actor.tenant, async |tx| {
        let before = readable(tx, &actor, rule).await?;
        let after = withdraw_rule(&before, context.now)?;
        store_next(context, tx, &actor, &after).await
    })
    .await?;
    Ok(Reply::no_content())
}

async fn store_next(context: &Context, tx: &Tx, actor: &Actor, after: &Rule) -> anyhow::Result<()> {
    sql::update_rule(tx, after, (&actor.id, context.now)).await?;
    facts::rule_changed(context, tx, after).await
}

fn shown(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "version": rule.version,
        "merchant": rule.scope.merchant,
        "category": rule.scope.category,
        "kind": rule.scope.kind,
        "rate_bps": rule.terms.rate_bps,
        "includes_freight": rule.terms.includes_freight,
        "from": rule.terms.from,
        "until": rule.terms.until,
    })
}
