//! What proves that what is remembered of a place still holds, whom no budget bears now, and the bids that rounds have
//! in common.

use std::collections::BTreeSet;

use kernel::{BidCampaignId, TenantId, Timestamp};
use store::{Batch, Read, Tx};

statements! {
    CHANGED = "insert into bidding_change (tenant, version) values ($1, 1)
        on conflict (tenant) do update set version = bidding_change.version + 1";

    VERSION = "select version from bidding_change where tenant = $1";

    // Whom no budget bears, as far as one answer holds them: of others the guard of their budget says it.
    NOW = "with bidding_spent as (select id from bidding_campaign
            where tenant = $1 and state = 'active' and budget_micros < reserved_micros + spent_micros + bid_micros
              and budget_micros >= spent_micros + bid_micros limit 400),
        bidding_spent_today as (select campaign from bidding_day
            where tenant = $1 and day = $2 and daily_micros < reserved_micros + spent_micros + bid_micros limit 400)
        select version, null from bidding_change where tenant = $1
        union all select 0, id from bidding_spent
        union all select 0, campaign from bidding_spent_today";

    INSERT = "insert into bidding_lineup (tenant, id, bids, learnt_at) values ($1, $2, $3, $4)
        on conflict (tenant, id) do update set learnt_at = excluded.learnt_at";

    BIDS = "select bids from bidding_lineup where tenant = $1 and id = $2";

    SWEEP = "delete from bidding_lineup where (tenant, id) in (
            select tenant, id from bidding_lineup where learnt_at < $1 order by learnt_at limit $2)";
}

/// How it stands now.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    /// Grows with each change to who can bid.
    pub(crate) version: i64,
    /// Whose budget, of the day or in all, bears no bid more.
    pub(crate) full: BTreeSet<BidCampaignId>,
}

/// Who can bid has changed: what was remembered no longer holds once this transaction is committed.
pub(crate) async fn changed(tx: &Tx) -> anyhow::Result<()> {
    tx.execute(CHANGED, &[tx.tenant().into()]).await
}

/// The version of the latest change to who can bid, 0 before the first.
pub(crate) async fn version(tx: &Tx) -> anyhow::Result<i64> {
    let row = tx.row(VERSION, &[tx.tenant().into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// How it stands now, on that day.
pub(crate) async fn now(db: &impl Read, (tenant, day): (&TenantId, &str)) -> anyhow::Result<Now> {
    let mut now = Now {
        version: 0,
        full: BTreeSet::new(),
    };
    for row in db.rows(NOW, &[tenant.into(), day.into()]).await? {
        match row.optional_id(1)? {
            Some(campaign) => {
                now.full.insert(campaign);
            }
            None => now.version = row.integer(0)?,
        }
    }
    Ok(now)
}

/// Keeps the bids of a place, as JSON, under their digest.
pub(crate) async fn insert(
    batch: &Batch,
    tenant: &TenantId,
    (id, bids, now): (&str, &str, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [tenant.into(), id.into(), bids.into(), now.into()];
    batch.execute(INSERT, &parameters).await
}

/// The bids of that digest, as JSON.
pub(crate) async fn bids(
    db: &impl Read,
    tenant: &TenantId,
    id: &str,
) -> anyhow::Result<Option<String>> {
    let row = db.row(BIDS, &[tenant.into(), id.into()]).await?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Forgets bids that no round since that moment was held on, at most `limit`.
pub(crate) async fn sweep(db: &store::Db, (before, limit): (Timestamp, i64)) -> anyhow::Result<()> {
    store::bulk(db, async |batch| {
        batch.execute(SWEEP, &[before.into(), limit.into()]).await
    })
    .await
}
