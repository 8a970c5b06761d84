//! Who can bid for a place, with a creative that may be shown and a budget that is not spent; and how good they are.

use anyhow::Context as _;
use kernel::{BidCampaignId, CreativeId, MerchantId, TenantId, Timestamp};
use store::{Batch, Read, Row, Value};

use crate::domain::{Counted, HOUR_MS, Kind, Quality, TargetKind, hour_of};

statements! {
    CANDIDATES = "select c.id, c.merchant, c.creative,
            cast(case when c.ratio_bps > 0 then c.ratio_bps else c.bid_minor end as bigint), c.bid_version, c.bid_micros, c.daily_micros,
            c.starts_at, c.ends_at, c.views, c.clicks, k.format, k.width, k.height,
            cast(case when k.image is null then 0 else 1 end as bigint), k.advertiser_domain, k.title, k.body, k.landing,
            q.quality_bps, cast(case when k.video is null then 0 else k.video_ms end as bigint)
        from bidding_target t
        cross join bidding_campaign c
        join bidding_creative k on k.tenant = c.tenant and k.id = c.creative
        join bidding_merchant m on m.tenant = c.tenant and m.id = c.merchant
        left join bidding_quality q on q.tenant = t.tenant and q.kind = t.kind and q.value = t.value and q.hour = $4
            and q.campaign = c.id
        where t.tenant = $1 and t.kind = $2 and t.value = $3 and c.tenant = t.tenant and c.id = t.campaign
          and case when c.ratio_bps > 0 then 'sale' else c.kind end = $5 and c.state = 'active'
          and c.starts_at < $6 and (c.ends_at is null or c.ends_at > $7)
          and k.approved = 1 and k.merchant = c.merchant and m.open = 1 and m.may_trade = 1
          and c.spent_micros + c.bid_micros <= c.budget_micros
        order by case when c.ratio_bps > 0 then c.ratio_bps else c.bid_minor end desc, c.bid_version limit $8";

    CONTENT = "select m.name, k.title, k.body, k.image, k.landing, k.video
        from bidding_creative k
        join bidding_merchant m on m.tenant = k.tenant and m.id = k.merchant
        where k.tenant = $1 and k.id = $2";

    INSERT_QUALITY = "insert into bidding_quality (tenant, campaign, kind, value, hour, views, clicks, click_bps,
            relevance_bps, landing_bps, quality_bps)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant, kind, value, hour, campaign) do nothing";

    QUALITIES_OF = "select kind, value, hour, views, clicks, click_bps, relevance_bps, landing_bps, quality_bps
        from bidding_quality where tenant = $1 and campaign = $2 and hour >= $3 order by hour desc, kind, value limit $4";

    SWEEP_QUALITIES = "delete from bidding_quality where hour < $1";
}

/// Somebody who can bid, as far as it decides who is shown.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) campaign: BidCampaignId,
    pub(crate) merchant: MerchantId,
    pub(crate) creative: CreativeId,
    /// What is bid, in the unit of the auction: fen, or 1/10,000 of the sale.
    pub(crate) amount: i64,
    pub(crate) bid_version: i64,
    pub(crate) bid_micros: i64,
    pub(crate) daily_micros: i64,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) format: String,
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) has_image: bool,
    /// How long its video lasts, in milliseconds; 0 without one.
    pub(crate) video_ms: i64,
    pub(crate) advertiser_domain: String,
    pub(crate) quality_bps: u32,
}

impl Candidate {
    /// Whether it bids at that moment.
    pub(crate) fn bids_at(&self, now: Timestamp) -> bool {
        self.starts_at <= now && self.ends_at.is_none_or(|ends_at| ends_at > now)
    }
}

/// What of a place is asked for.
pub(crate) struct Place<'a> {
    pub(crate) kind: TargetKind,
    pub(crate) value: &'a str,
    pub(crate) sold: Kind,
}

/// Who can bid for a place in an hour, with the qualities that have to be frozen for it yet.
#[derive(Default)]
pub(crate) struct Candidates {
    /// The highest first.
    pub(crate) all: Vec<Candidate>,
    pub(crate) new: Vec<(BidCampaignId, Quality)>,
}

/// Who can bid for a place in the hour around now, the highest first, at most `limit`; not those whose budget is spent,
/// but those whose is promised.
pub(crate) async fn candidates(
    db: &impl Read,
    (tenant, place): (&TenantId, &Place<'_>),
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Candidates> {
    let hour = hour_of(now.millis());
    let parameters = [
        tenant.into(),
        place.kind.as_str().into(),
        place.value.into(),
        hour.into(),
        place.sold.as_str().into(),
        ((hour + 1) * HOUR_MS).into(),
        now.into(),
        limit.into(),
    ];
    let mut found = Candidates::default();
    for row in db.rows(CANDIDATES, &parameters).await? {
        let quality_bps = match row.optional_integer(19)? {
            Some(frozen) => u32::try_from(frozen)?,
            None => {
                let quality = quality(&row, place)?;
                found.new.push((row.id(0)?, quality));
                quality.quality_bps
            }
        };
        found.all.push(read(&row, quality_bps)?);
    }
    Ok(found)
}

/// How good somebody is who is new in the hour.
fn quality(row: &Row, place: &Place<'_>) -> anyhow::Result<Quality> {
    let counted = Counted {
        views: row.integer(9)?,
        clicks: row.integer(10)?,
    };
    // What a display is called says nothing of what it should speak of.
    let speaks_of = match place.sold {
        Kind::Rank | Kind::Sale => place.value.to_lowercase(),
        Kind::Display => String::new(),
    };
    let (texts, landing) = ((row.text(16)?, row.text(17)?), row.text(18)?);
    Ok(Quality::reckon(counted, texts, (&speaks_of, landing)))
}

/// What people see of a creative, and whose it is.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) advertiser: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) image: Option<String>,
    /// MP4.
    pub(crate) video: Option<String>,
    pub(crate) landing: String,
}

/// What people see of a creative.
pub(crate) async fn content(
    db: &impl Read,
    tenant: &TenantId,
    creative: &CreativeId,
) -> anyhow::Result<Option<Content>> {
    let row = db.row(CONTENT, &[tenant.into(), creative.into()]).await?;
    row.map(|row| {
        Ok(Content {
            advertiser: row.text(0)?.to_owned(),
            title: row.text(1)?.to_owned(),
            body: row.text(2)?.to_owned(),
            image: row.optional_text(3)?.map(str::to_owned),
            video: row.optional_text(5)?.map(str::to_owned),
            landing: row.text(4)?.to_owned(),
        })
    })
    .transpose()
}

/// Freezes qualities for a place and an hour; who is first is right.
pub(crate) async fn freeze(
    batch: &Batch,
    (tenant, place): (&TenantId, &Place<'_>),
    (hour, qualities): (i64, &[(BidCampaignId, Quality)]),
) -> anyhow::Result<()> {
    let row = |(campaign, quality): &(BidCampaignId, Quality)| -> Vec<Value> {
        vec![
            tenant.into(),
            campaign.into(),
            place.kind.as_str().into(),
            place.value.into(),
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
    batch.insert_many(INSERT_QUALITY, &rows).await
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

fn read(row: &Row, quality_bps: u32) -> anyhow::Result<Candidate> {
    Ok(Candidate {
        campaign: row.id(0)?,
        merchant: row.id(1)?,
        creative: row.id(2)?,
        amount: row.integer(3)?,
        bid_version: row.integer(4)?,
        bid_micros: row.integer(5)?,
        daily_micros: row.integer(6)?,
        starts_at: row.timestamp(7)?,
        ends_at: row.optional_timestamp(8)?,
        format: row.text(11)?.to_owned(),
        width: row.integer(12)?,
        height: row.integer(13)?,
        has_image: row.boolean(14)?,
        video_ms: row.integer(20)?,
        advertiser_domain: row.text(15)?.to_owned(),
        quality_bps,
    })
}
