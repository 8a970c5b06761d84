//! What is told of offers: marked once, counted, charged, let go, forgotten.
//!
//! Nothing here holds the tenant's lock: each statement that matters carries its own guard, so that what it decides
//! holds whoever comes between.

use std::collections::BTreeMap;

use advertising::{Cap, CapScope, Invalid, Micros, Offer, Promise, Window};
use chrono::NaiveDate;
use kernel::{AdLineId, MerchantId, PlacementId, TenantId, Timestamp};
use store::{Batch, Read, Value};

use super::{caps, on, word};
use crate::domain::placement::Pricing;
use crate::rows::caps_of;

statements! {
    OFFERED = "select l.placement, l.merchant, l.pricing, l.caps, l.live, coalesce(c.state, ''), o.bid_micros, o.viewed_at,
            o.clicked_at, coalesce(a.spans, 0), coalesce(p.spans, 0), coalesce(s.spans, 0)
        from ads_line l
        left join ads_creative c on c.tenant = l.tenant and c.id = $3
        left join ads_offer o on o.tenant = l.tenant and o.id = $4
        left join ads_counted a on a.tenant = l.tenant and a.subject = 'advertiser:' || l.merchant
        left join ads_counted p on p.tenant = l.tenant and p.subject = 'placement:' || l.placement
        left join ads_counted s on s.tenant = l.tenant and s.subject = 'creative:' || cast($3 as text)
        where l.tenant = $1 and l.id = $2";

    COUNT_VIEW = "insert into ads_frequency (tenant, viewer, subject, bucket, views, expires_at)
        values ($1, $2, $3, $4, 1, $5)
        on conflict (tenant, viewer, subject, bucket) do update set views = ads_frequency.views + 1
        where ads_frequency.views < $6
        returning views";

    MARK_VIEWED = "update ads_offer set viewed_at = $3, open = case when pricing = 'cpm' then 0 else open end
        where tenant = $1 and id = $2 and viewed_at is null and at > $4 and (pricing <> 'cpm' or open = 1)
        returning id";

    INSERT_VIEWED = "insert into ads_offer (tenant, id, placement, line, creative, merchant, viewer, pricing, bid_micros,
            internal, at, viewed_at, open)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, 0)
        on conflict (tenant, id) do nothing
        returning id";

    MARK_CLICKED = "update ads_offer set clicked_at = $3, open = case when pricing = 'cpc' then 0 else open end
        where tenant = $1 and id = $2 and viewed_at is not null and clicked_at is null and at > $4
            and (pricing <> 'cpc' or open = 1)
        returning id";

    CAPTURE = "update ads_budget set reserved_micros = reserved_micros - $3, spent_micros = spent_micros + $3
        where tenant = $1 and line = $2 and reserved_micros >= $3
        returning line";

    TALLY = "insert into ads_tally (tenant, line, creative, day, placement, merchant, views, clicks, micros)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant, line, day, creative) do update set views = ads_tally.views + excluded.views,
            clicks = ads_tally.clicks + excluded.clicks, micros = ads_tally.micros + excluded.micros";

    REACH = "insert into ads_reach (tenant, line, day, viewer, placement, merchant) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, line, day, viewer) do nothing";

    COUNT_INVALID = "insert into ads_invalid (tenant, line, day, kind, reason, placement, merchant, amount)
        values ($1, $2, $3, $4, $5, $6, $7, 1)
        on conflict (tenant, line, day, kind, reason) do update set amount = ads_invalid.amount + 1";

    EXPIRE = "update ads_offer set open = 0
        where open = 1 and (tenant, id) in
            (select o.tenant, o.id from ads_offer o where o.open = 1 and o.at <= $1 order by o.at limit $2)
        returning tenant, line, bid_micros";

    RELEASE = "update ads_budget set reserved_micros = reserved_micros - $3,
            day_micros = case when day = $4 and day_micros >= $3 then day_micros - $3 else day_micros end
        where tenant = $1 and line = $2 and reserved_micros >= $3
        returning line";

    FORGET_OFFERS = "delete from ads_offer where open = 0 and (tenant, id) in
            (select o.tenant, o.id from ads_offer o where o.at < $1 order by o.at limit $2)
        returning id";

    FORGET_VIEWS = "delete from ads_frequency where (tenant, viewer, subject, bucket) in
            (select f.tenant, f.viewer, f.subject, f.bucket from ads_frequency f where f.expires_at < $1
             order by f.expires_at limit $2)
        returning views";
}

/// An offer that was made, with what has become of it and of what it offers.
#[derive(Debug, Clone)]
pub struct Made {
    /// What its token says.
    pub promise: Promise,
    /// Where.
    pub placement: PlacementId,
    /// Whose.
    pub merchant: MerchantId,
    /// What is paid for.
    pub pricing: Pricing,
    /// What it promises.
    pub bid: Micros,
    /// What has become of it.
    pub offer: Offer,
    /// How often one viewer sees the line.
    pub caps: Vec<Cap>,
    /// What else of it is counted, because other lines limit it.
    pub counted: Vec<(CapScope, Window)>,
    /// Whether the line is stopped, or the creative no longer approved.
    pub is_withdrawn: bool,
}

/// What has become of an offer: one that promises nothing is stored when it is viewed, one that does is from the start.
pub async fn offered(
    db: &impl Read,
    tenant: &TenantId,
    promise: &Promise,
) -> anyhow::Result<Option<Made>> {
    let asked = [
        tenant.into(),
        (&promise.line).into(),
        (&promise.creative).into(),
        (&promise.offer).into(),
    ];
    let Some(row) = db.row(OFFERED, &asked).await? else {
        return Ok(None);
    };
    let pricing = word(row.text(2)?, Pricing::parse)?;
    let bid = row.optional_integer(6)?;
    if pricing != Pricing::Day && bid.is_none() {
        return Ok(None);
    }
    let mut counted = Vec::new();
    let scopes = [
        CapScope::Advertiser,
        CapScope::Placement,
        CapScope::Creative,
    ];
    for (position, scope) in (9..).zip(scopes) {
        counted.extend(caps::windows(row.integer(position)?).map(|window| (scope, window)));
    }
    Ok(Some(Made {
        promise: promise.clone(),
        placement: row.id(0)?,
        merchant: row.id(1)?,
        pricing,
        bid: Micros::new(bid.unwrap_or(0)),
        offer: Offer {
            is_internal: promise.is_internal,
            at: promise.at,
            viewed_at: row.optional_timestamp(7)?,
            clicked_at: row.optional_timestamp(8)?,
        },
        caps: caps_of(row.text(3)?)?,
        counted,
        is_withdrawn: !row.boolean(4)? || row.text(5)? != "approved",
    }))
}

/// Counts one view more under that name and window; false when there were `limit` already.
pub async fn count_view(
    batch: &Batch,
    (tenant, viewer): (&TenantId, &str),
    (subject, bucket): (&str, &str),
    (limit, expires_at): (i64, Timestamp),
) -> anyhow::Result<bool> {
    let row = [
        tenant.into(),
        viewer.into(),
        subject.into(),
        bucket.into(),
        expires_at.into(),
        limit.into(),
    ];
    Ok(!batch.rows(COUNT_VIEW, &row).await?.is_empty())
}

/// What is told of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was seen.
    View,
    /// It was clicked.
    Click,
}

impl Told {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Click => "click",
        }
    }
}

/// Marks an offer as seen or clicked; false when it was, or holds no longer.
pub async fn mark(
    batch: &Batch,
    tenant: &TenantId,
    made: &Made,
    (told, now): (Told, Timestamp),
) -> anyhow::Result<bool> {
    let statement = match told {
        Told::View if made.pricing == Pricing::Day => {
            return insert_viewed(batch, tenant, made, now).await;
        }
        Told::View => MARK_VIEWED,
        Told::Click => MARK_CLICKED,
    };
    let made_after = now.plus_millis(-advertising::OFFER_MS);
    let id = &made.promise.offer;
    let row = [tenant.into(), id.into(), now.into(), made_after.into()];
    Ok(!batch.rows(statement, &row).await?.is_empty())
}

/// Stores an offer that promised nothing, now that it was viewed: its id is used up.
async fn insert_viewed(
    batch: &Batch,
    tenant: &TenantId,
    made: &Made,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let promise = &made.promise;
    let row: [Value; 11] = [
        tenant.into(),
        (&promise.offer).into(),
        (&made.placement).into(),
        (&promise.line).into(),
        (&promise.creative).into(),
        (&made.merchant).into(),
        promise.viewer.as_str().into(),
        made.pricing.as_str().into(),
        promise.is_internal.into(),
        promise.at.into(),
        now.into(),
    ];
    Ok(!batch.rows(INSERT_VIEWED, &row).await?.is_empty())
}

/// Takes what an offer promised out of the reserve and spends it.
pub async fn capture(
    batch: &Batch,
    (tenant, line): (&TenantId, &AdLineId),
    price: Micros,
) -> anyhow::Result<()> {
    let taken = batch
        .rows(CAPTURE, &[tenant.into(), line.into(), price.get().into()])
        .await?;
    anyhow::ensure!(!taken.is_empty(), "a bid of {line} was not reserved");
    Ok(())
}

/// Counts what was told of an offer, with what it cost.
pub async fn tally(
    batch: &Batch,
    tenant: &TenantId,
    made: &Made,
    (told, price, today): (Told, Micros, NaiveDate),
) -> anyhow::Result<()> {
    let is_view = told == Told::View;
    let row: [Value; 9] = [
        tenant.into(),
        (&made.promise.line).into(),
        (&made.promise.creative).into(),
        on(today),
        (&made.placement).into(),
        (&made.merchant).into(),
        is_view.into(),
        (!is_view).into(),
        price.get().into(),
    ];
    batch.execute(TALLY, &row).await?;
    if !is_view {
        return Ok(());
    }
    let reach = [
        tenant.into(),
        (&made.promise.line).into(),
        on(today),
        made.promise.viewer.as_str().into(),
        (&made.placement).into(),
        (&made.merchant).into(),
    ];
    batch.execute(REACH, &reach).await
}

/// Counts what does not count, with its reason; of no line when the offer is unknown.
pub async fn count_invalid(
    batch: &Batch,
    tenant: &TenantId,
    made: Option<&Made>,
    (told, reason, today): (Told, Invalid, NaiveDate),
) -> anyhow::Result<()> {
    let row = [
        tenant.into(),
        made.map_or("", |made| made.promise.line.as_str()).into(),
        on(today),
        told.as_str().into(),
        reason.as_str().into(),
        made.map_or("", |made| made.placement.as_str()).into(),
        made.map_or("", |made| made.merchant.as_str()).into(),
    ];
    batch.execute(COUNT_INVALID, &row).await
}

/// Lets the bids of offers go that were made until then, at most so many; how many offers.
pub async fn expire(
    batch: &Batch,
    until: Timestamp,
    today: NaiveDate,
    limit: i64,
) -> anyhow::Result<usize> {
    let rows = batch.rows(EXPIRE, &[until.into(), limit.into()]).await?;
    let mut sums: BTreeMap<(TenantId, AdLineId), i64> = BTreeMap::new();
    for row in &rows {
        let sum = sums.entry((row.id(0)?, row.id(1)?)).or_default();
        *sum = sum.saturating_add(row.integer(2)?);
    }
    // In one order everywhere, so that nobody waits for each other.
    for ((tenant, line), micros) in sums {
        let freed = batch
            .rows(
                RELEASE,
                &[(&tenant).into(), (&line).into(), micros.into(), on(today)],
            )
            .await?;
        anyhow::ensure!(!freed.is_empty(), "bids of {line} were not reserved");
    }
    Ok(rows.len())
}

/// Forgets offers made before then and counters that are over, at most so many of each; how many.
pub async fn forget(
    batch: &Batch,
    (offers_before, now): (Timestamp, Timestamp),
    limit: i64,
) -> anyhow::Result<usize> {
    let offers = batch
        .rows(FORGET_OFFERS, &[offers_before.into(), limit.into()])
        .await?;
    let views = batch
        .rows(FORGET_VIEWS, &[now.into(), limit.into()])
        .await?;
    Ok(offers.len() + views.len())
}
