//! What was seen and clicked, what of it counts, and how many people it reached.

use chrono::NaiveDate;
use kernel::{AdLineId, MerchantId, PlacementId, TenantId};
use store::{Read, Value};

use super::on;

statements! {
    COUNTS = "select case $2 when 'day' then day when 'line' then line else placement end,
            cast(sum(views) as bigint), cast(sum(clicks) as bigint), cast(sum(micros) as bigint)
        from ads_tally
        where tenant = $1 and day >= $3 and day < $4 and (cast($5 as text) is null or merchant = $5)
            and (cast($6 as text) is null or line = $6) and (cast($7 as text) is null or placement = $7)
        group by 1 order by 1 limit 1000";

    INVALID = "select case $2 when 'day' then day when 'line' then line else placement end, kind, reason,
            cast(sum(amount) as bigint)
        from ads_invalid
        where tenant = $1 and day >= $3 and day < $4 and (cast($5 as text) is null or merchant = $5)
            and (cast($6 as text) is null or line = $6) and (cast($7 as text) is null or placement = $7)
        group by 1, 2, 3 order by 1, 2, 3 limit 1000";

    REACHED = "select case $2 when 'day' then day when 'line' then line else placement end, count(distinct viewer)
        from ads_reach
        where tenant = $1 and day >= $3 and day < $4 and (cast($5 as text) is null or merchant = $5)
            and (cast($6 as text) is null or line = $6) and (cast($7 as text) is null or placement = $7)
        group by 1 order by 1 limit 1000";

    REACHED_IN_ALL = "select count(distinct viewer) from ads_reach
        where tenant = $1 and day >= $2 and day < $3 and (cast($4 as text) is null or merchant = $4)
            and (cast($5 as text) is null or line = $5) and (cast($6 as text) is null or placement = $6)";
}

/// What a report is of.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `day`, `line` or `placement`.
    pub by: String,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
    /// Only of this merchant.
    pub merchant: Option<MerchantId>,
    /// Only of this line.
    pub line: Option<AdLineId>,
    /// Only of this placement.
    pub placement: Option<PlacementId>,
}

/// What counts, of one day, line or placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Which.
    pub key: String,
    /// How often it was seen.
    pub views: i64,
    /// How often it was clicked.
    pub clicks: i64,
    /// What views and clicks cost, in millionths of a yuan.
    pub micros: i64,
}

/// What does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCount {
    /// Of which day, line or placement.
    pub key: String,
    /// `view` or `click`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// How often.
    pub amount: i64,
}

fn parameters(tenant: &TenantId, asked: &Asked) -> [Value; 7] {
    [
        tenant.into(),
        (&asked.by).into(),
        on(asked.from),
        on(asked.until),
        asked.merchant.as_ref().into(),
        asked.line.as_ref().into(),
        asked.placement.as_ref().into(),
    ]
}

/// What counts.
pub async fn counts(
    db: &impl Read,
    tenant: &TenantId,
    asked: &Asked,
) -> anyhow::Result<Vec<Count>> {
    let rows = db.rows(COUNTS, &parameters(tenant, asked)).await?;
    let count = |row: &store::Row| {
        Ok(Count {
            key: row.text(0)?.to_owned(),
            views: row.integer(1)?,
            clicks: row.integer(2)?,
            micros: row.integer(3)?,
        })
    };
    rows.iter().map(count).collect()
}

/// What does not count.
pub async fn invalid(
    db: &impl Read,
    tenant: &TenantId,
    asked: &Asked,
) -> anyhow::Result<Vec<InvalidCount>> {
    let rows = db.rows(INVALID, &parameters(tenant, asked)).await?;
    let count = |row: &store::Row| {
        Ok(InvalidCount {
            key: row.text(0)?.to_owned(),
            kind: row.text(1)?.to_owned(),
            reason: row.text(2)?.to_owned(),
            amount: row.integer(3)?,
        })
    };
    rows.iter().map(count).collect()
}

/// How many people were reached, by day, line or placement.
pub async fn reached(
    db: &impl Read,
    tenant: &TenantId,
    asked: &Asked,
) -> anyhow::Result<Vec<(String, i64)>> {
    let rows = db.rows(REACHED, &parameters(tenant, asked)).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.integer(1)?)))
        .collect()
}

/// How many people were reached at all: nobody is counted twice.
pub async fn reached_in_all(
    db: &impl Read,
    tenant: &TenantId,
    asked: &Asked,
) -> anyhow::Result<i64> {
    let [tenant, _, from, until, merchant, line, placement] = parameters(tenant, asked);
    let row = db
        .row(
            REACHED_IN_ALL,
            &[tenant, from, until, merchant, line, placement],
        )
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
}
