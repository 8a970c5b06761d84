//! What lines accrued, what was charged of it, and how each charge was split.

use advertising::Micros;
use kernel::{AdLineId, CommunityId, MerchantId, PlacementId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;
use wire::advertising::Ownership;
use wire::event::AdvertisingCharged;

use super::{on, word};
use crate::domain::day::Month;

statements! {
    DUE = "select tenant, id from ads_line
        where charge_month is not null and charge_month < $1 order by charge_month, tenant, id limit $2";

    CHARGE_MONTH = "select charge_month from ads_line where tenant = $1 and id = $2";

    SET_CHARGE_MONTH = "update ads_line set charge_month = $3 where tenant = $1 and id = $2";

    METERED = "select cast(coalesce(sum(micros), 0) as bigint) from ads_tally
        where tenant = $1 and line = $2 and day < $3";

    CHARGED = "select cast(coalesce(sum(amount_minor), 0) as bigint) from ads_charge
        where tenant = $1 and line = $2 and charge not like 'make-good/%'";

    INSERT_CHARGE = "insert into ads_charge (tenant, charge, merchant, line, month, accrued_micros, amount_minor, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, charge) do nothing
        returning charge";

    CHARGES = "select charge, merchant, line, month, accrued_micros, amount_minor, at
        from ads_charge where tenant = $1 and merchant = $2 and charge > $3 order by charge limit $4";

    ALL_CHARGES = "select charge, merchant, line, month, accrued_micros, amount_minor, at
        from ads_charge where tenant = $1 and charge > $2 order by charge limit $3";

    INSERT_SHARE = "insert into ads_share (tenant, charge, merchant, source, reference, placement, ownership, community,
            month, amount_minor, platform_minor, company_minor, owners_minor, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (tenant, charge) do nothing
        returning charge";

    REVENUE = "select month, source, ownership, coalesce(community, ''), count(*), cast(sum(amount_minor) as bigint),
            cast(sum(platform_minor) as bigint), cast(sum(company_minor) as bigint), cast(sum(owners_minor) as bigint)
        from ads_share where tenant = $1 and month >= $2 and month <= $3
        group by month, source, ownership, coalesce(community, '')
        order by month, source, ownership, coalesce(community, '') limit 1000";

    PLACE = "select company_bps, cost_bps, ownership, community from ads_placement where tenant = $1 and id = $2";
}

/// Lines of which a month before that one is not charged yet, at most so many.
pub async fn due(
    db: &impl Read,
    month: Month,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, AdLineId)>> {
    let rows = db
        .rows(DUE, &[month.to_string().into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// The first month of a line that is not charged yet.
pub async fn charge_month(tx: &Tx, line: &AdLineId) -> anyhow::Result<Option<Month>> {
    let row = tx
        .row(CHARGE_MONTH, &[tx.tenant().into(), line.into()])
        .await?;
    let text = row.map(|row| Ok::<_, anyhow::Error>(row.optional_text(0)?.map(str::to_owned)));
    match text.transpose()?.flatten() {
        None => Ok(None),
        Some(text) => word(&text, Month::parse).map(Some),
    }
}

/// From which month on a line is to be charged; none when nothing is to come.
pub async fn set_charge_month(
    tx: &Tx,
    line: &AdLineId,
    month: Option<Month>,
) -> anyhow::Result<()> {
    let month: Value = month.map(|month| month.to_string()).into();
    tx.execute(SET_CHARGE_MONTH, &[tx.tenant().into(), line.into(), month])
        .await
}

/// What views and clicks of a line cost before that day.
pub async fn metered(
    db: &impl Read,
    tenant: &TenantId,
    line: &AdLineId,
    before: chrono::NaiveDate,
) -> anyhow::Result<Micros> {
    let row = db
        .row(METERED, &[tenant.into(), line.into(), on(before)])
        .await?;
    Ok(Micros::new(row.map_or(Ok(0), |row| row.integer(0))?))
}

/// What was charged of a line, in fen, whatever was given back of it.
pub async fn charged(db: &impl Read, tenant: &TenantId, line: &AdLineId) -> anyhow::Result<i64> {
    let row = db.row(CHARGED, &[tenant.into(), line.into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// A charge of a line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Charge {
    /// The business key.
    pub charge: String,
    /// Who owes.
    pub merchant: MerchantId,
    /// The line, or the exchange.
    pub line: String,
    /// Of which month.
    pub month: String,
    /// All that had accrued by then, in millionths of a yuan.
    pub accrued_micros: i64,
    /// How much, in fen.
    pub amount_minor: i64,
    /// When.
    pub at: Timestamp,
}

/// Stores a charge; false when it was made before.
pub async fn insert_charge(tx: &Tx, charge: &Charge) -> anyhow::Result<bool> {
    let row = [
        tx.tenant().into(),
        (&charge.charge).into(),
        (&charge.merchant).into(),
        (&charge.line).into(),
        (&charge.month).into(),
        charge.accrued_micros.into(),
        charge.amount_minor.into(),
        charge.at.into(),
    ];
    Ok(tx.row(INSERT_CHARGE, &row).await?.is_some())
}

/// A page of charges, of one merchant or of all.
pub async fn charges(
    db: &impl Read,
    tenant: &TenantId,
    merchant: Option<&MerchantId>,
    page: &Page<String>,
) -> anyhow::Result<Vec<Charge>> {
    let after = page.after.as_deref().unwrap_or("").into();
    let rows = match merchant {
        Some(merchant) => {
            db.rows(
                CHARGES,
                &[tenant.into(), merchant.into(), after, page.rows().into()],
            )
            .await?
        }
        None => {
            db.rows(ALL_CHARGES, &[tenant.into(), after, page.rows().into()])
                .await?
        }
    };
    let charge = |row: &store::Row| {
        Ok(Charge {
            charge: row.text(0)?.to_owned(),
            merchant: row.id(1)?,
            line: row.text(2)?.to_owned(),
            month: row.text(3)?.to_owned(),
            accrued_micros: row.integer(4)?,
            amount_minor: row.integer(5)?,
            at: row.timestamp(6)?,
        })
    };
    rows.iter().map(charge).collect()
}

/// Whose a placement is, and what of its income is whose, in 1/10,000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The property company's part.
    pub company_bps: i64,
    /// The cost of what is the owners'.
    pub cost_bps: i64,
    /// Whose it is.
    pub ownership: Ownership,
    /// Where it is.
    pub community: Option<CommunityId>,
}

/// Whose the placement of that id is.
pub async fn place(
    db: &impl Read,
    tenant: &TenantId,
    placement: &PlacementId,
) -> anyhow::Result<Option<Place>> {
    let row = db.row(PLACE, &[tenant.into(), placement.into()]).await?;
    let place = |row: store::Row| {
        Ok(Place {
            company_bps: row.integer(0)?,
            cost_bps: row.integer(1)?,
            ownership: word(row.text(2)?, Ownership::parse)?,
            community: row.optional_id(3)?,
        })
    };
    row.map(place).transpose()
}

/// Whose part of a charge is how much, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The platform's.
    pub platform_minor: i64,
    /// The property company's.
    pub company_minor: i64,
    /// The owners'.
    pub owners_minor: i64,
}

/// Stores how a charge was split; false when it was split before.
pub async fn insert_share(
    tx: &Tx,
    charged: &AdvertisingCharged,
    parts: Parts,
) -> anyhow::Result<bool> {
    let row: [Value; 14] = [
        tx.tenant().into(),
        (&charged.charge).into(),
        (&charged.merchant).into(),
        charged.source.as_str().into(),
        (&charged.reference).into(),
        charged.placement.as_ref().into(),
        charged.ownership.as_str().into(),
        charged.community.as_ref().into(),
        (&charged.month).into(),
        charged.amount_minor.into(),
        parts.platform_minor.into(),
        parts.company_minor.into(),
        parts.owners_minor.into(),
        charged.at.into(),
    ];
    Ok(tx.row(INSERT_SHARE, &row).await?.is_some())
}

/// What came in of a month, by source, ownership and community.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Revenue {
    month: String,
    source: String,
    ownership: String,
    community: Option<String>,
    charges: i64,
    amount_minor: i64,
    platform_minor: i64,
    company_minor: i64,
    owners_minor: i64,
}

/// What came in from one month to another, both included.
pub async fn revenue(
    db: &impl Read,
    tenant: &TenantId,
    (from, to): (Month, Month),
) -> anyhow::Result<Vec<Revenue>> {
    let rows = db
        .rows(
            REVENUE,
            &[
                tenant.into(),
                from.to_string().into(),
                to.to_string().into(),
            ],
        )
        .await?;
    let revenue = |row: &store::Row| {
        Ok(Revenue {
            month: row.text(0)?.to_owned(),
            source: row.text(1)?.to_owned(),
            ownership: row.text(2)?.to_owned(),
            community: Some(row.text(3)?.to_owned()).filter(|community| !community.is_empty()),
            charges: row.integer(4)?,
            amount_minor: row.integer(5)?,
            platform_minor: row.integer(6)?,
            company_minor: row.integer(7)?,
            owners_minor: row.integer(8)?,
        })
    };
    rows.iter().map(revenue).collect()
}
