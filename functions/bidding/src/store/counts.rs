//! What a campaign used and counted on a day, and what was not counted.

use kernel::{BidCampaignId, TenantId};
use store::{Read, Tx};

statements! {
    USE_DAY = "insert into bidding_day (tenant, campaign, day, reserved_micros, spent_micros, views, clicks, bid_micros,
            daily_micros)
        values ($1, $2, $3, $4, 0, 0, 0, $5, $6)
        on conflict (tenant, campaign, day) do update
        set reserved_micros = bidding_day.reserved_micros + excluded.reserved_micros
        where bidding_day.reserved_micros + bidding_day.spent_micros + excluded.reserved_micros <= bidding_day.daily_micros
        returning day";

    LIMIT_DAY = "update bidding_day set bid_micros = $4, daily_micros = $5
        where tenant = $1 and campaign = $2 and day = $3";

    SETTLE_DAY = "update bidding_day set reserved_micros = reserved_micros - $4, spent_micros = spent_micros + $5
        where tenant = $1 and campaign = $2 and day = $3";

    COUNT_DAY = "update bidding_day set views = views + $4, clicks = clicks + $5
        where tenant = $1 and campaign = $2 and day = $3";

    DAYS = "select day, reserved_micros, spent_micros, views, clicks from bidding_day
        where tenant = $1 and campaign = $2 and day >= $3 and day < $4 order by day";

    COUNT_INVALID = "insert into bidding_invalid (tenant, campaign, day, event, reason, count)
        values ($1, $2, $3, $4, $5, 1)
        on conflict (tenant, campaign, day, event, reason) do update set count = bidding_invalid.count + 1";

    INVALID = "select day, event, reason, count from bidding_invalid
        where tenant = $1 and campaign = $2 and day >= $3 and day < $4 order by day, event, reason";
}

/// A day of a campaign.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    pub(crate) day: String,
    pub(crate) reserved_micros: i64,
    pub(crate) spent_micros: i64,
    pub(crate) views: i64,
    pub(crate) clicks: i64,
}

/// What was not counted on a day.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Discarded {
    pub(crate) day: String,
    pub(crate) event: String,
    pub(crate) reason: String,
    pub(crate) count: i64,
}

/// Reserves that much of a day's budget, if it bears it: of a campaign with that bid and that budget a day.
pub(crate) async fn use_day(
    tx: &Tx,
    (campaign, day): (&BidCampaignId, &str),
    (micros, bid_micros, daily_micros): (i64, i64, i64),
) -> anyhow::Result<bool> {
    if micros > daily_micros {
        return Ok(false);
    }
    let parameters = [
        tx.tenant().into(),
        campaign.into(),
        day.into(),
        micros.into(),
        bid_micros.into(),
        daily_micros.into(),
    ];
    Ok(tx.row(USE_DAY, &parameters).await?.is_some())
}

/// From now on that day has to bear that bid within that budget.
pub(crate) async fn limit_day(
    tx: &Tx,
    (campaign, day): (&BidCampaignId, &str),
    (bid_micros, daily_micros): (i64, i64),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        campaign.into(),
        day.into(),
        bid_micros.into(),
        daily_micros.into(),
    ];
    tx.execute(LIMIT_DAY, &parameters).await
}

/// What was reserved of a day is let go, and that much of it is spent.
pub(crate) async fn settle_day(
    tx: &Tx,
    (campaign, day): (&BidCampaignId, &str),
    (reserved, spent): (i64, i64),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        campaign.into(),
        day.into(),
        reserved.into(),
        spent.into(),
    ];
    tx.execute(SETTLE_DAY, &parameters).await
}

/// So many valid views and clicks more of what was offered on that day.
pub(crate) async fn count_day(
    tx: &Tx,
    (campaign, day): (&BidCampaignId, &str),
    (views, clicks): (i64, i64),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        campaign.into(),
        day.into(),
        views.into(),
        clicks.into(),
    ];
    tx.execute(COUNT_DAY, &parameters).await
}

/// The days of a campaign from one to before another.
pub(crate) async fn days(
    db: &impl Read,
    (tenant, campaign): (&TenantId, &BidCampaignId),
    (from, until): (&str, &str),
) -> anyhow::Result<Vec<Day>> {
    let parameters = [tenant.into(), campaign.into(), from.into(), until.into()];
    let rows = db.rows(DAYS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Day {
                day: row.text(0)?.to_owned(),
                reserved_micros: row.integer(1)?,
                spent_micros: row.integer(2)?,
                views: row.integer(3)?,
                clicks: row.integer(4)?,
            })
        })
        .collect()
}

/// One more that is not counted; without a campaign where none is known.
pub(crate) async fn count_invalid(
    tx: &Tx,
    (campaign, day): (Option<&BidCampaignId>, &str),
    (event, reason): (&str, &str),
) -> anyhow::Result<()> {
    let campaign = campaign.map_or("", BidCampaignId::as_str);
    let parameters = [
        tx.tenant().into(),
        campaign.into(),
        day.into(),
        event.into(),
        reason.into(),
    ];
    tx.execute(COUNT_INVALID, &parameters).await
}

/// What was not counted of a campaign from one day to before another.
pub(crate) async fn invalid(
    db: &impl Read,
    (tenant, campaign): (&TenantId, &BidCampaignId),
    (from, until): (&str, &str),
) -> anyhow::Result<Vec<Discarded>> {
    let parameters = [tenant.into(), campaign.into(), from.into(), until.into()];
    let rows = db.rows(INVALID, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Discarded {
                day: row.text(0)?.to_owned(),
                event: row.text(1)?.to_owned(),
                reason: row.text(2)?.to_owned(),
                count: row.integer(3)?,
            })
        })
        .collect()
}
