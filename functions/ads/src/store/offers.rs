//! What may be shown, and what is told of it: the path that every view of a page goes.
//!
//! Offers are appended and marked without the tenant's lock: each statement that matters carries its own guard, so that
//! what it decides holds whoever comes between.

use std::collections::BTreeMap;

use advertising::{Budget, Invalid, Micros, Offer};
use chrono::NaiveDate;
use kernel::{
    AdLineId, CommunityId, CreativeId, MerchantId, OfferId, PlacementId, TenantId, Timestamp,
};
use store::{Batch, Read, Row, Value};

use super::{day, on, word};
use crate::domain::Subject;
use crate::domain::line::Pacing;
use crate::domain::placement::{Pricing, ReviewClass};
use crate::domain::serving::{Candidate, Purse};
use crate::rows::{caps_of, targeting_of};

/// The most placements of one decision.
pub const PLACEMENTS_MAX: usize = 5;

statements! {
    CANDIDATES = "select l.placement, l.id, c.id, l.merchant, l.weight, l.caps, l.targeting, l.pacing, l.ends_on, c.subject,
            p.review_class, p.community, l.pricing, b.limit_micros, b.bid_micros, b.reserved_micros, b.spent_micros, b.day,
            b.day_micros
        from ads_placement p
        join ads_line l on l.tenant = p.tenant and l.placement = p.id
        join ads_line_creative lc on lc.tenant = l.tenant and lc.line = l.id
        join ads_creative c on c.tenant = lc.tenant and c.id = lc.creative
        left join ads_budget b on b.tenant = l.tenant and b.line = l.id
        where p.tenant = $1 and p.id in ($2, $3, $4, $5, $6) and p.active = 1
            and l.live = 1 and l.state in ('booked', 'in_flight') and l.starts_on <= $7 and l.ends_on > $7
            and c.state = 'approved' and (c.qualified_until is null or c.qualified_until > $7)
        order by l.placement, l.id, c.id limit 1000";

    SHOWN = "select c.id, c.format, c.width, c.height, c.landing, c.title, c.body, c.image, coalesce(m.name, '')
        from ads_creative c left join ads_merchant m on m.tenant = c.tenant and m.merchant = c.merchant
        where c.tenant = $1 and c.id in ($2, $3, $4, $5, $6)";

    SEEN = "select subject, bucket, views from ads_frequency
        where tenant = $1 and viewer = $2 and expires_at > $3
        order by subject, bucket limit 1000";

    RESERVE = "update ads_budget set reserved_micros = reserved_micros + bid_micros,
            day_micros = case when day = $2 then day_micros else 0 end + bid_micros, day = $2
        where tenant = $1 and line in ($3, $4, $5, $6, $7)
            and spent_micros + reserved_micros + bid_micros <= limit_micros
        returning line";

    INSERT_OFFER = "insert into ads_offer (tenant, id, placement, line, creative, merchant, viewer, pricing, bid_micros,
            internal, at, viewed_at, clicked_at, open)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, null, null, $12)";

    OFFER = "select o.placement, o.line, o.creative, o.merchant, o.viewer, o.pricing, o.bid_micros, o.internal, o.at,
            o.viewed_at, o.clicked_at, coalesce(l.caps, '[]'), coalesce(l.live, 0), coalesce(c.state, '')
        from ads_offer o
        left join ads_line l on l.tenant = o.tenant and l.id = o.line
        left join ads_creative c on c.tenant = o.tenant and c.id = o.creative
        where o.tenant = $1 and o.id = $2";

    COUNT_VIEW = "insert into ads_frequency (tenant, viewer, subject, bucket, views, expires_at)
        values ($1, $2, $3, $4, 1, $5)
        on conflict (tenant, viewer, subject, bucket) do update set views = ads_frequency.views + 1
        where ads_frequency.views < $6
        returning views";

    MARK_VIEWED = "update ads_offer set viewed_at = $3, open = case when pricing = 'cpm' then 0 else open end
        where tenant = $1 and id = $2 and viewed_at is null and at > $4 and (pricing <> 'cpm' or open = 1)
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

/// A candidate, and what its offers are paid by.
#[derive(Debug, Clone)]
pub struct Found {
    /// The candidate.
    pub candidate: Candidate,
    /// What is paid for.
    pub pricing: Pricing,
    /// Where its placement is; none for everywhere.
    pub community: Option<CommunityId>,
}

fn five<'a>(ids: impl Iterator<Item = &'a str>) -> [Value; PLACEMENTS_MAX] {
    let mut ids = ids.fuse();
    // What is not asked for is text that no id is.
    std::array::from_fn(|_| ids.next().unwrap_or("").into())
}

/// What may be shown in these placements on that day, to whomever.
pub async fn candidates(
    db: &impl Read,
    tenant: &TenantId,
    placements: &[PlacementId],
    today: NaiveDate,
) -> anyhow::Result<Vec<Found>> {
    let [a, b, c, d, e] = five(placements.iter().map(PlacementId::as_str));
    let rows = db
        .rows(CANDIDATES, &[tenant.into(), a, b, c, d, e, on(today)])
        .await?;
    rows.iter().map(|row| found_of(row, today)).collect()
}

fn found_of(row: &Row, today: NaiveDate) -> anyhow::Result<Found> {
    let purse = match row.optional_integer(13)? {
        None => None,
        Some(limit) => {
            let micros = |position| Ok::<_, anyhow::Error>(Micros::new(row.integer(position)?));
            let budget = Budget::stored(Micros::new(limit), micros(15)?, micros(16)?);
            let is_todays = row.text(17)? == today.to_string();
            Some(Purse {
                budget: budget
                    .ok_or_else(|| anyhow::anyhow!("a budget holds more than there is"))?,
                bid: micros(14)?,
                used_today: if is_todays { micros(18)? } else { Micros::ZERO },
            })
        }
    };
    Ok(Found {
        candidate: Candidate {
            placement: row.id(0)?,
            line: row.id(1)?,
            creative: row.id(2)?,
            merchant: row.id(3)?,
            weight: row.integer(4)?,
            caps: caps_of(row.text(5)?)?,
            targeting: targeting_of(row.text(6)?)?,
            pacing: word(row.text(7)?, Pacing::parse)?,
            ends_on: day(row, 8)?,
            purse,
            subject: word(row.text(9)?, Subject::parse)?,
            review_class: word(row.text(10)?, ReviewClass::parse)?,
        },
        pricing: word(row.text(12)?, Pricing::parse)?,
        community: row.optional_id(11)?,
    })
}

/// What people see of a creative.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Shown {
    id: CreativeId,
    format: String,
    width: i64,
    height: i64,
    landing: String,
    title: String,
    body: String,
    image: Option<String>,
    /// Who advertises.
    sponsor: String,
}

/// What people see of these creatives.
pub async fn shown(
    db: &impl Read,
    tenant: &TenantId,
    creatives: &[&CreativeId],
) -> anyhow::Result<BTreeMap<CreativeId, Shown>> {
    let [a, b, c, d, e] = five(creatives.iter().map(|id| id.as_str()));
    let rows = db.rows(SHOWN, &[tenant.into(), a, b, c, d, e]).await?;
    let shown = rows.iter().map(|row| {
        let id: CreativeId = row.id(0)?;
        let shown = Shown {
            id: id.clone(),
            format: row.text(1)?.to_owned(),
            width: row.integer(2)?,
            height: row.integer(3)?,
            landing: row.text(4)?.to_owned(),
            title: row.text(5)?.to_owned(),
            body: row.text(6)?.to_owned(),
            image: row.optional_text(7)?.map(str::to_owned),
            sponsor: row.text(8)?.to_owned(),
        };
        Ok((id, shown))
    });
    shown.collect()
}

/// How often a viewer saw what, by its name and window.
pub async fn seen(
    db: &impl Read,
    tenant: &TenantId,
    viewer: &str,
    now: Timestamp,
) -> anyhow::Result<BTreeMap<(String, String), i64>> {
    let rows = db
        .rows(SEEN, &[tenant.into(), viewer.into(), now.into()])
        .await?;
    let seen = rows.iter().map(|row| {
        Ok((
            (row.text(0)?.to_owned(), row.text(1)?.to_owned()),
            row.integer(2)?,
        ))
    });
    seen.collect()
}

/// Promises the bids of these lines, of each whose budget bears it; which did.
pub async fn reserve(
    batch: &Batch,
    tenant: &TenantId,
    lines: &[&AdLineId],
    today: NaiveDate,
) -> anyhow::Result<Vec<AdLineId>> {
    let [a, b, c, d, e] = five(lines.iter().map(|line| line.as_str()));
    let rows = batch
        .rows(RESERVE, &[tenant.into(), on(today), a, b, c, d, e])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// An offer as it is made.
#[derive(Debug, Clone)]
pub struct NewOffer<'a> {
    /// Its id.
    pub id: OfferId,
    /// What is offered.
    pub found: &'a Found,
    /// To whom, by the name that is counted.
    pub viewer: &'a str,
    /// Whether to the advertiser's or the platform's own people.
    pub is_internal: bool,
}

/// Stores an offer.
pub async fn insert_offer(
    batch: &Batch,
    tenant: &TenantId,
    offer: &NewOffer<'_>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let candidate = &offer.found.candidate;
    let bid = candidate.purse.map_or(Micros::ZERO, |purse| purse.bid);
    let row: [Value; 12] = [
        tenant.into(),
        (&offer.id).into(),
        (&candidate.placement).into(),
        (&candidate.line).into(),
        (&candidate.creative).into(),
        (&candidate.merchant).into(),
        offer.viewer.into(),
        offer.found.pricing.as_str().into(),
        bid.get().into(),
        offer.is_internal.into(),
        now.into(),
        candidate.purse.is_some().into(),
    ];
    batch.execute(INSERT_OFFER, &row).await
}

/// An offer that was made, with what has become of what it offers.
#[derive(Debug, Clone)]
pub struct Made {
    /// Where.
    pub placement: PlacementId,
    /// The line.
    pub line: AdLineId,
    /// The creative.
    pub creative: CreativeId,
    /// Whose.
    pub merchant: MerchantId,
    /// To whom.
    pub viewer: String,
    /// What is paid for.
    pub pricing: Pricing,
    /// What it promises.
    pub bid: Micros,
    /// What has become of it.
    pub offer: Offer,
    /// How often one viewer sees the line.
    pub caps: Vec<advertising::Cap>,
    /// Whether the line is stopped, or the creative no longer approved.
    pub is_withdrawn: bool,
}

/// The offer of that id.
pub async fn offer(batch: &Batch, tenant: &TenantId, id: &OfferId) -> anyhow::Result<Option<Made>> {
    let rows = batch.rows(OFFER, &[tenant.into(), id.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Made {
        placement: row.id(0)?,
        line: row.id(1)?,
        creative: row.id(2)?,
        merchant: row.id(3)?,
        viewer: row.text(4)?.to_owned(),
        pricing: word(row.text(5)?, Pricing::parse)?,
        bid: Micros::new(row.integer(6)?),
        offer: Offer {
            is_internal: row.boolean(7)?,
            at: row.timestamp(8)?,
            viewed_at: row.optional_timestamp(9)?,
            clicked_at: row.optional_timestamp(10)?,
        },
        caps: caps_of(row.text(11)?)?,
        is_withdrawn: !row.boolean(12)? || row.text(13)? != "approved",
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
    (tenant, id): (&TenantId, &OfferId),
    told: Told,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let statement = match told {
        Told::View => MARK_VIEWED,
        Told::Click => MARK_CLICKED,
    };
    let made_after = now.plus_millis(-advertising::OFFER_MS);
    let row = [tenant.into(), id.into(), now.into(), made_after.into()];
    Ok(!batch.rows(statement, &row).await?.is_empty())
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
        (&made.line).into(),
        (&made.creative).into(),
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
        (&made.line).into(),
        on(today),
        (&made.viewer).into(),
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
        made.map_or("", |made| made.line.as_str()).into(),
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
