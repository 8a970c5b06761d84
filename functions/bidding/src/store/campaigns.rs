//! Campaigns and what they aim at.

use anyhow::Context as _;
use kernel::{BidCampaignId, TenantId};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::{Whose, lineups};
use crate::domain::{Campaign, CampaignState, Kind, Target, TargetKind};

statements! {
    INSERT = "insert into bidding_campaign (tenant, id, merchant, name, kind, creative, bid_minor, bid_version,
            bid_micros, budget_micros, daily_micros, reserved_micros, spent_micros, starts_at, ends_at, state, views,
            clicks, version, made_at, ratio_bps)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12, $13, $14, 0, 0, 1, $15, $16)";

    CAMPAIGN = "select id, merchant, name, kind, creative, bid_minor, bid_version, budget_micros, daily_micros,
            reserved_micros, spent_micros, starts_at, ends_at, state, views, clicks, version, made_at, ratio_bps
        from bidding_campaign where tenant = $1 and id = $2";

    CAMPAIGNS = "select id, merchant, name, kind, creative, bid_minor, bid_version, budget_micros, daily_micros,
            reserved_micros, spent_micros, starts_at, ends_at, state, views, clicks, version, made_at, ratio_bps
        from bidding_campaign
        where tenant = $1
          and (cast($2 as text) is null
            or merchant in (select merchant from bidding_member where tenant = $1 and person = $2))
          and (cast($3 as text) is null or merchant = $3) and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    UPDATE = "update bidding_campaign set name = $3, creative = $4, bid_minor = $5, bid_version = $6, bid_micros = $7,
            budget_micros = $8, daily_micros = $9, starts_at = $10, ends_at = $11, state = $12, ratio_bps = $13,
            version = version + 1
        where tenant = $1 and id = $2";

    LAST_BID_VERSION = "select bid_version from bidding_campaign where tenant = $1 order by bid_version desc limit 1";

    DROP_TARGETS = "delete from bidding_target where tenant = $1 and campaign = $2";

    ADD_TARGET = "insert into bidding_target (tenant, kind, value, campaign) values ($1, $2, $3, $4)";

    TARGETS = "select kind, value from bidding_target where tenant = $1 and campaign = $2 order by kind, value";

    RESERVE = "update bidding_campaign set reserved_micros = reserved_micros + $3
        where tenant = $1 and id = $2 and state = 'active' and reserved_micros + spent_micros + $3 <= budget_micros
          and coalesce((select version from bidding_change where tenant = $1), 0) = $4
        returning id";

    SETTLE = "update bidding_campaign set reserved_micros = reserved_micros - $3, spent_micros = spent_micros + $4
        where tenant = $1 and id = $2
        returning cast(case when (spent_micros + bid_micros > budget_micros)
            <> (spent_micros - $4 + bid_micros > budget_micros) then 1 else 0 end as bigint)";

    COUNT = "update bidding_campaign set views = views + $3, clicks = clicks + $4 where tenant = $1 and id = $2";
}

/// Adds a campaign.
pub(crate) async fn insert(tx: &Tx, campaign: &Campaign) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&campaign.id).into(),
        (&campaign.merchant).into(),
        (&campaign.name).into(),
        kept(campaign.kind).into(),
        (&campaign.creative).into(),
        campaign.bid_minor.into(),
        campaign.bid_version.into(),
        campaign.bid_micros().into(),
        campaign.budget_micros.into(),
        campaign.daily_micros.into(),
        campaign.starts_at.into(),
        campaign.ends_at.into(),
        campaign.state.as_str().into(),
        campaign.made_at.into(),
        campaign.ratio_bps.unwrap_or(0).into(),
    ];
    tx.execute(INSERT, &parameters).await?;
    lineups::changed(tx).await
}

/// The campaign.
pub(crate) async fn campaign(
    db: &impl Read,
    tenant: &TenantId,
    id: &BidCampaignId,
) -> anyhow::Result<Option<Campaign>> {
    let row = db.row(CAMPAIGN, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// Campaigns, the latest first.
pub(crate) async fn campaigns(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose<'_>),
    page: &Page<BidCampaignId>,
) -> anyhow::Result<Vec<Campaign>> {
    let [person, merchant] = whose.parameters();
    let after = page.after.as_ref().into();
    let parameters = [tenant.into(), person, merchant, after, page.rows().into()];
    let rows = db.rows(CAMPAIGNS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Changes what people say about a campaign.
pub(crate) async fn update(tx: &Tx, campaign: &Campaign) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&campaign.id).into(),
        (&campaign.name).into(),
        (&campaign.creative).into(),
        campaign.bid_minor.into(),
        campaign.bid_version.into(),
        campaign.bid_micros().into(),
        campaign.budget_micros.into(),
        campaign.daily_micros.into(),
        campaign.starts_at.into(),
        campaign.ends_at.into(),
        campaign.state.as_str().into(),
        campaign.ratio_bps.unwrap_or(0).into(),
    ];
    tx.execute(UPDATE, &parameters).await?;
    lineups::changed(tx).await
}

/// The version of the latest change of any bid, 0 before the first.
pub(crate) async fn last_bid_version(tx: &Tx) -> anyhow::Result<i64> {
    let row = tx.row(LAST_BID_VERSION, &[tx.tenant().into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// From now on a campaign aims at these.
pub(crate) async fn put_targets(
    tx: &Tx,
    campaign: &BidCampaignId,
    targets: &[Target],
) -> anyhow::Result<()> {
    tx.execute(DROP_TARGETS, &[tx.tenant().into(), campaign.into()])
        .await?;
    let row = |target: &Target| -> Vec<Value> {
        vec![
            tx.tenant().into(),
            target.kind.as_str().into(),
            (&target.value).into(),
            campaign.into(),
        ]
    };
    let rows: Vec<Vec<Value>> = targets.iter().map(row).collect();
    tx.insert_many(ADD_TARGET, &rows).await?;
    lineups::changed(tx).await
}

/// What a campaign aims at.
pub(crate) async fn targets(
    db: &impl Read,
    tenant: &TenantId,
    campaign: &BidCampaignId,
) -> anyhow::Result<Vec<Target>> {
    let rows = db.rows(TARGETS, &[tenant.into(), campaign.into()]).await?;
    let read = |row: &Row| {
        Ok(Target {
            kind: TargetKind::parse(row.text(0)?).context("a target is none")?,
            value: row.text(1)?.to_owned(),
        })
    };
    rows.iter().map(read).collect()
}

/// Reserves that much of the budget, if it bears it and still bids, and if who can bid is as in that version: else what
/// won may be something that may no longer be shown.
pub(crate) async fn reserve(
    tx: &Tx,
    campaign: &BidCampaignId,
    (micros, version): (i64, i64),
) -> anyhow::Result<bool> {
    let tenant = tx.tenant().into();
    let parameters = [tenant, campaign.into(), micros.into(), version.into()];
    Ok(tx.row(RESERVE, &parameters).await?.is_some())
}

/// What was reserved is let go, and that much of it is spent; below zero it is given back. Whose budget bears no bid more by
/// that no longer bids, and whose bears one again does.
pub(crate) async fn settle(
    tx: &Tx,
    campaign: &BidCampaignId,
    (reserved, spent): (i64, i64),
) -> anyhow::Result<()> {
    let tenant = tx.tenant().into();
    let parameters = [tenant, campaign.into(), reserved.into(), spent.into()];
    let row = tx.row(SETTLE, &parameters).await?;
    let changes_who_bids = row.map_or(Ok(false), |row| row.boolean(0))?;
    if changes_who_bids {
        lineups::changed(tx).await?;
    }
    Ok(())
}

/// So many valid views and clicks more.
pub(crate) async fn count(
    tx: &Tx,
    campaign: &BidCampaignId,
    (views, clicks): (i64, i64),
) -> anyhow::Result<()> {
    let tenant = tx.tenant().into();
    let parameters = [tenant, campaign.into(), views.into(), clicks.into()];
    tx.execute(COUNT, &parameters).await
}

/// What is sold, as the database calls it: a rank, however it is billed.
fn kept(kind: Kind) -> &'static str {
    match kind {
        Kind::Sale => Kind::Rank.as_str(),
        kind => kind.as_str(),
    }
}

fn read(row: &Row) -> anyhow::Result<Campaign> {
    let ratio_bps = Some(row.integer(18)?).filter(|ratio| *ratio > 0);
    Ok(Campaign {
        id: row.id(0)?,
        merchant: row.id(1)?,
        name: row.text(2)?.to_owned(),
        kind: match ratio_bps {
            Some(_) => Kind::Sale,
            None => Kind::parse(row.text(3)?).context("a campaign's kind is none")?,
        },
        ratio_bps,
        creative: row.id(4)?,
        bid_minor: row.integer(5)?,
        bid_version: row.integer(6)?,
        budget_micros: row.integer(7)?,
        daily_micros: row.integer(8)?,
        reserved_micros: row.integer(9)?,
        spent_micros: row.integer(10)?,
        starts_at: row.timestamp(11)?,
        ends_at: row.optional_timestamp(12)?,
        state: CampaignState::parse(row.text(13)?).context("a campaign's state is none")?,
        views: row.integer(14)?,
        clicks: row.integer(15)?,
        version: row.integer(16)?,
        made_at: row.timestamp(17)?,
    })
}
