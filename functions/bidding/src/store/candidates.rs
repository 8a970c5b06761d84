//! Who can bid for a place now, with a creative that may be shown and a budget that bears it; and how good they are.

use anyhow::Context as _;
use kernel::{BidCampaignId, CreativeId, MerchantId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};

use crate::domain::{Counted, Kind, Quality, TargetKind};

statements! {
    CANDIDATES = "select c.id, c.merchant, c.creative, c.bid_minor, c.bid_version, c.bid_micros, c.views, c.clicks,
            m.name, k.format, k.width, k.height, k.landing, k.title, k.body, k.image, k.advertiser_domain, t.value, c.daily_micros
        from bidding_target t
        join bidding_campaign c on c.tenant = t.tenant and c.id = t.campaign
        join bidding_creative k on k.tenant = c.tenant and k.id = c.creative
        join bidding_merchant m on m.tenant = c.tenant and m.id = c.merchant
        left join bidding_day d on d.tenant = c.tenant and d.campaign = c.id and d.day = $4
        where t.tenant = $1 and t.kind = $2 and t.value = $3 and c.kind = $5 and c.state = 'active'
          and c.starts_at <= $6 and (c.ends_at is null or c.ends_at > $6)
          and k.approved = 1 and k.merchant = c.merchant and m.open = 1 and m.may_trade = 1
          and c.reserved_micros + c.spent_micros + c.bid_micros <= c.budget_micros
          and coalesce(d.reserved_micros + d.spent_micros, 0) + c.bid_micros <= c.daily_micros
        order by c.bid_minor desc, c.bid_version limit $7";

    QUALITIES = "select campaign, quality_bps from bidding_quality
        where tenant = $1 and kind = $2 and value = $3 and hour = $4";

    INSERT_QUALITY = "insert into bidding_quality (tenant, campaign, kind, value, hour, views, clicks, click_bps,
            relevance_bps, landing_bps, quality_bps)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant, kind, value, hour, campaign) do nothing";

    QUALITIES_OF = "select kind, value, hour, views, clicks, click_bps, relevance_bps, landing_bps, quality_bps
        from bidding_quality where tenant = $1 and campaign = $2 and hour >= $3 order by hour desc, kind, value limit $4";

    SWEEP_QUALITIES = "delete from bidding_quality where hour < $1";
}

/// Somebody who can bid.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) campaign: BidCampaignId,
    pub(crate) merchant: MerchantId,
    pub(crate) creative: CreativeId,
    pub(crate) bid_minor: i64,
    pub(crate) bid_version: i64,
    pub(crate) bid_micros: i64,
    pub(crate) counted: Counted,
    pub(crate) advertiser: String,
    pub(crate) format: String,
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) landing: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) image: Option<String>,
    pub(crate) advertiser_domain: String,
    /// What of the place it aims at.
    pub(crate) value: String,
    pub(crate) daily_micros: i64,
}

/// What of a place is asked for.
pub(crate) struct Place<'a> {
    pub(crate) kind: TargetKind,
    pub(crate) value: &'a str,
    pub(crate) sold: Kind,
}

/// Who can bid for a place, the highest first, at most `limit`.
pub(crate) async fn candidates(
    db: &impl Read,
    (tenant, place): (&TenantId, &Place<'_>),
    (day, now): (&str, Timestamp),
    limit: i64,
) -> anyhow::Result<Vec<Candidate>> {
    let parameters = [
        tenant.into(),
        place.kind.as_str().into(),
        place.value.into(),
        day.into(),
        place.sold.as_str().into(),
        now.into(),
        limit.into(),
    ];
    let rows = db.rows(CANDIDATES, &parameters).await?;
    rows.iter().map(read).collect()
}

/// The qualities for a place that are frozen in an hour.
pub(crate) async fn qualities(
    db: &impl Read,
    tenant: &TenantId,
    (kind, value, hour): (TargetKind, &str, i64),
) -> anyhow::Result<Vec<(BidCampaignId, u32)>> {
    let parameters = [
        tenant.into(),
        kind.as_str().into(),
        value.into(),
        hour.into(),
    ];
    let rows = db.rows(QUALITIES, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, u32::try_from(row.integer(1)?)?)))
        .collect()
}

/// Freezes qualities for an hour.
pub(crate) async fn freeze(
    tx: &Tx,
    (kind, hour): (TargetKind, i64),
    qualities: &[(&Candidate, Quality)],
) -> anyhow::Result<()> {
    let row = |(of, quality): &(&Candidate, Quality)| -> Vec<Value> {
        vec![
            tx.tenant().into(),
            (&of.campaign).into(),
            kind.as_str().into(),
            (&of.value).into(),
            hour.into(),
            quality.counted.views.into(),
            quality.counted.clicks.into(),
            quality.click_bps.into(),
            quality.relevance_bps.into(),
            quality.landing_bps.into(),
            quality.quality_bps.into(),
        ]
    };
    let rows: Vec<Vec<Value>> = qualities.iter().map(row).collect();
    tx.insert_many(INSERT_QUALITY, &rows).await
}

/// A frozen quality with its parts: for what, in which hour.
pub(crate) struct Frozen {
    pub(crate) kind: TargetKind,
    pub(crate) value: String,
    pub(crate) hour: i64,
    pub(crate) quality: Quality,
}

/// The qualities of a campaign from an hour on, the latest first.
pub(crate) async fn qualities_of(
    db: &impl Read,
    tenant: &TenantId,
    (campaign, from_hour, limit): (&BidCampaignId, i64, i64),
) -> anyhow::Result<Vec<Frozen>> {
    let parameters = [
        tenant.into(),
        campaign.into(),
        from_hour.into(),
        limit.into(),
    ];
    let rows = db.rows(QUALITIES_OF, &parameters).await?;
    let read = |row: &Row| {
        Ok(Frozen {
            kind: TargetKind::parse(row.text(0)?).context("a target is none")?,
            value: row.text(1)?.to_owned(),
            hour: row.integer(2)?,
            quality: Quality {
                counted: Counted {
                    views: row.integer(3)?,
                    clicks: row.integer(4)?,
                },
                click_bps: row.integer(5)?,
                relevance_bps: row.integer(6)?,
                landing_bps: row.integer(7)?,
                quality_bps: u32::try_from(row.integer(8)?)?,
            },
        })
    };
    rows.iter().map(read).collect()
}

/// Forgets qualities from before an hour; rounds keep what they were decided by.
pub(crate) async fn sweep_qualities(db: &store::Db, before: i64) -> anyhow::Result<()> {
    store::bulk(db, async |batch| {
        batch.execute(SWEEP_QUALITIES, &[before.into()]).await
    })
    .await
}

fn read(row: &Row) -> anyhow::Result<Candidate> {
    Ok(Candidate {
        campaign: row.id(0)?,
        merchant: row.id(1)?,
        creative: row.id(2)?,
        bid_minor: row.integer(3)?,
        bid_version: row.integer(4)?,
        bid_micros: row.integer(5)?,
        counted: Counted {
            views: row.integer(6)?,
            clicks: row.integer(7)?,
        },
        advertiser: row.text(8)?.to_owned(),
        format: row.text(9)?.to_owned(),
        width: row.integer(10)?,
        height: row.integer(11)?,
        landing: row.text(12)?.to_owned(),
        title: row.text(13)?.to_owned(),
        body: row.text(14)?.to_owned(),
        image: row.optional_text(15)?.map(str::to_owned),
        advertiser_domain: row.text(16)?.to_owned(),
        value: row.text(17)?.to_owned(),
        daily_micros: row.integer(18)?,
    })
}
