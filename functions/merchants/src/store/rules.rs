//! Commission rules.

use kernel::{CategoryId, CommissionRuleId, MerchantId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};
use web::Page;
use wire::mall::SaleKind;

use super::word;
use crate::domain::{Rule, RuleTerms, Scope};

statements! {
    RULE = "select id, version, merchant, category, kind, rate_bps, includes_freight, valid_from, valid_until
        from merchants_rule where tenant = $1 and id = $2";

    RULES = "select id, version, merchant, category, kind, rate_bps, includes_freight, valid_from, valid_until
        from merchants_rule
        where tenant = $1 and (cast($2 as text) is null or merchant = $2)
          and (cast($3 as text) is null or category = $3) and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    RULES_AT = "select id, version, merchant, category, kind, rate_bps, includes_freight, valid_from, valid_until
        from merchants_rule
        where tenant = $1 and coalesce(merchant, '') in ('', $2)
          and valid_from <= $3 and (valid_until is null or valid_until > $3)
        order by id limit $4";

    OVERLAPPING = "select id, version, merchant, category, kind, rate_bps, includes_freight, valid_from, valid_until
        from merchants_rule
        where tenant = $1 and coalesce(merchant, '') = $2 and coalesce(category, '') = $3 and coalesce(kind, '') = $4
          and (cast($6 as bigint) is null or valid_from < $6)
          and (valid_until is null or (valid_until > $5 and valid_until > valid_from)) and id <> $7
        order by valid_from limit 1";

    INSERT_RULE = "insert into merchants_rule (tenant, id, version, merchant, category, kind, rate_bps, includes_freight,
            valid_from, valid_until, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    UPDATE_RULE = "update merchants_rule set version = $3, rate_bps = $4, includes_freight = $5, valid_from = $6,
            valid_until = $7, changed_by = $8, changed_at = $9
        where tenant = $1 and id = $2 and version + 1 = $3
        returning id";
}

/// The rule.
pub(crate) async fn rule(
    db: &impl Read,
    tenant: &TenantId,
    id: &CommissionRuleId,
) -> anyhow::Result<Option<Rule>> {
    let row = db.row(RULE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_rule).transpose()
}

/// The rules of a merchant, of a category, or all, the latest first.
pub(crate) async fn rules(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, category): (Option<&MerchantId>, Option<&CategoryId>),
    page: &Page<CommissionRuleId>,
) -> anyhow::Result<Vec<Rule>> {
    let parameters = [
        tenant.into(),
        merchant.into(),
        category.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RULES, &parameters).await?;
    rows.iter().map(read_rule).collect()
}

/// The rules that hold for a merchant at a moment, its own and those for all.
pub(crate) async fn rules_at(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
    at: Timestamp,
) -> anyhow::Result<Vec<Rule>> {
    let limit = i64::try_from(commission::RULES_MAX)?;
    let parameters = [tenant.into(), merchant.into(), at.into(), limit.into()];
    let rows = db.rows(RULES_AT, &parameters).await?;
    rows.iter().map(read_rule).collect()
}

/// Another rule of the same scope that holds at one of its moments.
pub(crate) async fn overlapping(tx: &Tx, rule: &Rule) -> anyhow::Result<Option<Rule>> {
    let Scope {
        merchant,
        category,
        kind,
    } = &rule.scope;
    let parameters = [
        tx.tenant().into(),
        merchant.as_ref().map_or("", MerchantId::as_str).into(),
        category.as_ref().map_or("", CategoryId::as_str).into(),
        kind.map_or("", SaleKind::as_str).into(),
        rule.terms.from.into(),
        rule.terms.until.into(),
        (&rule.id).into(),
    ];
    let row = tx.row(OVERLAPPING, &parameters).await?;
    row.as_ref().map(read_rule).transpose()
}

fn read_rule(row: &Row) -> anyhow::Result<Rule> {
    Ok(Rule {
        id: row.id(0)?,
        version: row.integer(1)?,
        scope: Scope {
            merchant: row.optional_id(2)?,
            category: row.optional_id(3)?,
            kind: row
                .optional_text(4)?
                .map(|text| word(text, SaleKind::parse))
                .transpose()?,
        },
        terms: RuleTerms {
            rate_bps: u32::try_from(row.integer(5)?)?,
            includes_freight: row.boolean(6)?,
            from: row.timestamp(7)?,
            until: row.optional_timestamp(8)?,
        },
    })
}

/// Adds a rule.
pub(crate) async fn insert_rule(
    tx: &Tx,
    rule: &Rule,
    (actor, now): (&kernel::ActorId, Timestamp),
) -> anyhow::Result<()> {
    let parameters: [Value; 12] = [
        tx.tenant().into(),
        (&rule.id).into(),
        rule.version.into(),
        rule.scope.merchant.as_ref().into(),
        rule.scope.category.as_ref().into(),
        rule.scope.kind.map(SaleKind::as_str).into(),
        rule.terms.rate_bps.into(),
        rule.terms.includes_freight.into(),
        rule.terms.from.into(),
        rule.terms.until.into(),
        actor.into(),
        now.into(),
    ];
    tx.execute(INSERT_RULE, &parameters).await
}

/// Stores a rule's next version.
pub(crate) async fn update_rule(
    tx: &Tx,
    rule: &Rule,
    (actor, now): (&kernel::ActorId, Timestamp),
) -> anyhow::Result<()> {
    let parameters: [Value; 9] = [
        tx.tenant().into(),
        (&rule.id).into(),
        rule.version.into(),
        rule.terms.rate_bps.into(),
        rule.terms.includes_freight.into(),
        rule.terms.from.into(),
        rule.terms.until.into(),
        actor.into(),
        now.into(),
    ];
    let stored = tx.row(UPDATE_RULE, &parameters).await?;
    anyhow::ensure!(stored.is_some(), "a rule's version has moved");
    Ok(())
}
