//! What campaigns come to by placement and month, until it is invoiced.

use anyhow::Context as _;
use kernel::{BidCampaignId, MerchantId, PlacementId, TenantId, Timestamp};
use store::{Read, Row, Tx};

statements! {
    ACCRUE = "insert into bidding_accrual (tenant, campaign, placement, month, merchant, micros, events, charged_minor,
            charged_at)
        values ($1, $2, $3, $4, $5, $6, $7, null, null)
        on conflict (tenant, campaign, placement, month) do update
        set micros = bidding_accrual.micros + excluded.micros, events = bidding_accrual.events + excluded.events";

    OPEN = "select tenant, campaign, placement, month from bidding_accrual
        where charged_at is null and month < $1 order by month, tenant, campaign, placement limit $2";

    ACCRUAL = "select merchant, micros, charged_minor from bidding_accrual
        where tenant = $1 and campaign = $2 and placement = $3 and month = $4";

    BEFORE = "select cast(coalesce(sum(micros), 0) as bigint), cast(coalesce(sum(charged_minor), 0) as bigint),
            count(*) - count(charged_at)
        from bidding_accrual where tenant = $1 and campaign = $2 and placement = $3 and month < $4";

    CHARGE = "update bidding_accrual set charged_minor = $5, charged_at = $6
        where tenant = $1 and campaign = $2 and placement = $3 and month = $4 and charged_at is null
        returning campaign";

    OF_CAMPAIGN = "select placement, month, micros, events, charged_minor from bidding_accrual
        where tenant = $1 and campaign = $2 order by month, placement";
}

/// What a campaign accrues to: itself, a placement, a month.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) campaign: BidCampaignId,
    pub(crate) placement: Option<PlacementId>,
    pub(crate) month: String,
}

impl Key {
    /// What stands for the placement in the database.
    fn place(&self) -> &str {
        self.placement.as_ref().map_or("", PlacementId::as_str)
    }
}

/// What accrued.
#[derive(Debug, Clone)]
pub(crate) struct Accrual {
    pub(crate) merchant: MerchantId,
    pub(crate) micros: i64,
    pub(crate) charged_minor: Option<i64>,
}

/// That much more, by one event; what is given back is none.
pub(crate) async fn accrue(
    tx: &Tx,
    key: &Key,
    (merchant, micros): (&MerchantId, i64),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&key.campaign).into(),
        key.place().into(),
        (&key.month).into(),
        merchant.into(),
        micros.into(),
        i64::from(micros > 0).into(),
    ];
    tx.execute(ACCRUE, &parameters).await
}

/// What is to be invoiced of months before that one, at most `limit`, the oldest first.
pub(crate) async fn open(
    db: &impl Read,
    (before, limit): (&str, i64),
) -> anyhow::Result<Vec<(TenantId, Key)>> {
    let rows = db.rows(OPEN, &[before.into(), limit.into()]).await?;
    let read = |row: &Row| {
        let key = Key {
            campaign: row.id(1)?,
            placement: place(row, 2)?,
            month: row.text(3)?.to_owned(),
        };
        Ok((row.id(0)?, key))
    };
    rows.iter().map(read).collect()
}

/// What accrued under a key.
pub(crate) async fn accrual(
    db: &impl Read,
    tenant: &TenantId,
    key: &Key,
) -> anyhow::Result<Option<Accrual>> {
    let (campaign, month) = ((&key.campaign).into(), (&key.month).into());
    let parameters = [tenant.into(), campaign, key.place().into(), month];
    let row = db.row(ACCRUAL, &parameters).await?;
    row.as_ref().map(read).transpose()
}

/// What accrued in the months before, in micros, what of it was invoiced, in fen, and how many of them were not.
pub(crate) async fn before(
    db: &impl Read,
    tenant: &TenantId,
    key: &Key,
) -> anyhow::Result<(i64, i64, i64)> {
    let (campaign, month) = ((&key.campaign).into(), (&key.month).into());
    let parameters = [tenant.into(), campaign, key.place().into(), month];
    let row = db.row(BEFORE, &parameters).await?;
    let row = row.context("a sum answers nothing")?;
    Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?))
}

/// It is invoiced; whether it was not before.
pub(crate) async fn charge(
    tx: &Tx,
    key: &Key,
    (minor, now): (i64, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&key.campaign).into(),
        key.place().into(),
        (&key.month).into(),
        minor.into(),
        now.into(),
    ];
    Ok(tx.row(CHARGE, &parameters).await?.is_some())
}

/// All that a campaign accrued.
pub(crate) async fn of_campaign(
    db: &impl Read,
    tenant: &TenantId,
    campaign: &BidCampaignId,
) -> anyhow::Result<Vec<(Option<PlacementId>, String, i64, i64, Option<i64>)>> {
    let rows = db
        .rows(OF_CAMPAIGN, &[tenant.into(), campaign.into()])
        .await?;
    rows.iter()
        .map(|row| {
            let month = row.text(1)?.to_owned();
            let (micros, events) = (row.integer(2)?, row.integer(3)?);
            Ok((
                place(row, 0)?,
                month,
                micros,
                events,
                row.optional_integer(4)?,
            ))
        })
        .collect()
}

fn place(row: &Row, position: usize) -> anyhow::Result<Option<PlacementId>> {
    match row.text(position)? {
        "" => Ok(None),
        text => Ok(Some(PlacementId::parse(text)?)),
    }
}

fn read(row: &Row) -> anyhow::Result<Accrual> {
    Ok(Accrual {
        merchant: row.id(0)?,
        micros: row.integer(1)?,
        charged_minor: row.optional_integer(2)?,
    })
}
