//! Tariffs and rules, with the texts that people wrote.

use chrono::Datelike as _;
use kernel::{ActorId, CommunityId, FeeRuleId, TariffId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::{Rule, TariffTerms};
use crate::rows::{read_rule, text};

statements! {
    TARIFF = "select id, community, name, terms, version, changed_by, changed_at from fees_tariff
        where tenant = $1 and id = $2";

    TARIFFS = "select id, community, name, terms, version, changed_by, changed_at from fees_tariff
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    INSERT_TARIFF = "insert into fees_tariff (tenant, id, community, name, terms, version, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, 1, $6, $7)";

    UPDATE_TARIFF = "update fees_tariff set name = $3, terms = $4, version = version + 1, changed_by = $5,
            changed_at = $6
        where tenant = $1 and id = $2";

    RULE = "select id, community, name, charge, scope, rounding, first_day, until_day, version, changed_by, changed_at,
            period_months, period_from, in_advance
        from fees_rule where tenant = $1 and id = $2";

    RULES = "select id, community, name, charge, scope, rounding, first_day, until_day, version, changed_by, changed_at,
            period_months, period_from, in_advance
        from fees_rule
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    RULES_BETWEEN = "select id, community, name, charge, scope, rounding, first_day, until_day, version, changed_by,
            changed_at, period_months, period_from, in_advance
        from fees_rule
        where tenant = $1 and community = $2 and id >= $5
          and (period_months = 1
            or (in_advance = 1 and (cast($7 as bigint) + 13 - period_from) % period_months = 0)
            or (in_advance = 0 and (cast($7 as bigint) + 14 - period_from) % period_months = 0))
          and first_day < case when in_advance = 0 or period_months = 1 then cast($3 as text)
            when period_months = 3 then cast($8 as text) when period_months = 6 then cast($9 as text)
            else cast($10 as text) end
          and (until_day is null
            or until_day > case when in_advance = 1 or period_months = 1 then cast($4 as text)
              when period_months = 3 then cast($11 as text) when period_months = 6 then cast($12 as text)
              else cast($13 as text) end)
        order by id limit $6";

    INSERT_RULE = "insert into fees_rule (tenant, id, community, name, charge, scope, rounding, first_day, until_day,
            version, changed_by, changed_at, period_months, period_from, in_advance)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13, $14)";

    UPDATE_RULE = "update fees_rule set name = $3, charge = $4, scope = $5, rounding = $6, first_day = $7,
            until_day = $8, version = version + 1, changed_by = $9, changed_at = $10
        where tenant = $1 and id = $2";
}

/// A tariff as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Tariff {
    pub(crate) id: TariffId,
    pub(crate) community: CommunityId,
    pub(crate) name: String,
    pub(crate) terms: serde_json::Value,
    pub(crate) version: i64,
    pub(crate) changed_by: ActorId,
    pub(crate) changed_at: Timestamp,
}

impl Tariff {
    /// What the text says.
    pub(crate) fn terms(&self) -> anyhow::Result<TariffTerms> {
        Ok(serde_json::from_value(self.terms.clone())?)
    }
}

/// A rule as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) rule: Rule,
    pub(crate) charge: serde_json::Value,
    pub(crate) scope: serde_json::Value,
    pub(crate) changed_by: ActorId,
    pub(crate) changed_at: Timestamp,
}

/// The tariff.
pub(crate) async fn tariff(
    db: &impl Read,
    tenant: &TenantId,
    id: &TariffId,
) -> anyhow::Result<Option<Tariff>> {
    let row = db.row(TARIFF, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_tariff).transpose()
}

/// The tariffs of a community, the latest first.
pub(crate) async fn tariffs(
    db: &impl Read,
    (tenant, community): (&TenantId, &CommunityId),
    page: &Page<TariffId>,
) -> anyhow::Result<Vec<Tariff>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(TARIFFS, &parameters).await?;
    rows.iter().map(read_tariff).collect()
}

fn read_tariff(row: &Row) -> anyhow::Result<Tariff> {
    Ok(Tariff {
        id: row.id(0)?,
        community: row.id(1)?,
        name: row.text(2)?.to_owned(),
        terms: serde_json::from_str(row.text(3)?)?,
        version: row.integer(4)?,
        changed_by: row.id(5)?,
        changed_at: row.timestamp(6)?,
    })
}

/// Adds a tariff.
pub(crate) async fn insert_tariff(tx: &Tx, tariff: &Tariff) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&tariff.id).into(),
        (&tariff.community).into(),
        (&tariff.name).into(),
        tariff.terms.to_string().into(),
        (&tariff.changed_by).into(),
        tariff.changed_at.into(),
    ];
    tx.execute(INSERT_TARIFF, &parameters).await
}

/// Stores a tariff's next version.
pub(crate) async fn update_tariff(tx: &Tx, tariff: &Tariff) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&tariff.id).into(),
        (&tariff.name).into(),
        tariff.terms.to_string().into(),
        (&tariff.changed_by).into(),
        tariff.changed_at.into(),
    ];
    tx.execute(UPDATE_TARIFF, &parameters).await
}

/// The rule.
pub(crate) async fn rule(
    db: &impl Read,
    tenant: &TenantId,
    id: &FeeRuleId,
) -> anyhow::Result<Option<Written>> {
    let row = db.row(RULE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_written).transpose()
}

/// The rules of a community, the latest first.
pub(crate) async fn rules(
    db: &impl Read,
    (tenant, community): (&TenantId, &CommunityId),
    page: &Page<FeeRuleId>,
) -> anyhow::Result<Vec<Written>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RULES, &parameters).await?;
    rows.iter().map(read_written).collect()
}

/// The first rule from that one on that the run of the month bills and that holds on a day of what it bills, and the one
/// after it.
pub(crate) async fn rules_from(
    tx: &Tx,
    community: &CommunityId,
    month: crate::domain::Month,
    from: Option<&FeeRuleId>,
) -> anyhow::Result<Vec<Rule>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        month.until().to_string().into(),
        month.first().to_string().into(),
        from.map_or("", FeeRuleId::as_str).into(),
        2.into(),
        i64::from(month.first().month0()).into(),
        month.plus(3).first().to_string().into(),
        month.plus(6).first().to_string().into(),
        month.plus(12).first().to_string().into(),
        month.minus(2).first().to_string().into(),
        month.minus(5).first().to_string().into(),
        month.minus(11).first().to_string().into(),
    ];
    let rows = tx.rows(RULES_BETWEEN, &parameters).await?;
    rows.iter().map(read_rule).collect()
}

fn read_written(row: &Row) -> anyhow::Result<Written> {
    Ok(Written {
        rule: read_rule(row)?,
        charge: serde_json::from_str(row.text(3)?)?,
        scope: serde_json::from_str(row.text(4)?)?,
        changed_by: row.id(9)?,
        changed_at: row.timestamp(10)?,
    })
}

/// Adds a rule.
pub(crate) async fn insert_rule(tx: &Tx, written: &Written) -> anyhow::Result<()> {
    let rule = &written.rule;
    let parameters = [
        tx.tenant().into(),
        (&rule.id).into(),
        (&rule.community).into(),
        (&rule.name).into(),
        written.charge.to_string().into(),
        written.scope.to_string().into(),
        serde_json::to_string(&rule.rounding)?.into(),
        rule.first_day.to_string().into(),
        text(rule.until_day).into(),
        (&written.changed_by).into(),
        written.changed_at.into(),
        i64::from(rule.billing.every.months()).into(),
        i64::from(rule.billing.from_month).into(),
        rule.billing.in_advance.into(),
    ];
    tx.execute(INSERT_RULE, &parameters).await
}

/// Stores a rule's next version.
pub(crate) async fn update_rule(tx: &Tx, written: &Written) -> anyhow::Result<()> {
    let rule = &written.rule;
    let parameters = [
        tx.tenant().into(),
        (&rule.id).into(),
        (&rule.name).into(),
        written.charge.to_string().into(),
        written.scope.to_string().into(),
        serde_json::to_string(&rule.rounding)?.into(),
        rule.first_day.to_string().into(),
        text(rule.until_day).into(),
        (&written.changed_by).into(),
        written.changed_at.into(),
    ];
    tx.execute(UPDATE_RULE, &parameters).await
}
