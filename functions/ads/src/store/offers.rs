//! What may be shown, and what is offered: the path that every page goes.
//!
//! Offers are appended without the tenant's lock: a budget is reserved by one statement that carries its own guard, so
//! that what it decides holds whoever comes between.

use std::collections::BTreeMap;

use advertising::{Budget, Micros};
use chrono::NaiveDate;
use kernel::{AdLineId, CommunityId, CreativeId, OfferId, PlacementId, TenantId, Timestamp};
use store::{Batch, Read, Row, Value};

use super::{day, on, word};
use crate::domain::Subject;
use crate::domain::placement::{Pricing, ReviewClass};
use crate::domain::serving::{Candidate, Purse};
use crate::domain::wish::Pacing;
use crate::rows::{caps_of, targeting_of};

/// The most placements of one decision.
pub const PLACEMENTS_MAX: usize = 5;

statements! {
    CANDIDATES = "select l.placement, l.id, c.id, l.merchant, l.weight, l.caps, l.targeting, l.pacing, l.ends_on, c.subject,
            p.review_class, p.community, l.pricing, b.limit_micros, b.bid_micros, b.reserved_micros, b.spent_micros, b.day,
            b.day_micros
        from ads_line l cross join ads_placement p cross join ads_line_creative lc cross join ads_creative c
        left join ads_budget b on b.tenant = l.tenant and b.line = l.id
        where l.tenant = $1 and l.placement in ($2, $3, $4, $5, $6) and l.live = 1 and l.state in ('booked', 'in_flight')
            and l.starts_on <= $7 and l.ends_on > $7
            and p.tenant = l.tenant and p.id = l.placement and p.active = 1
            and lc.tenant = l.tenant and lc.line = l.id
            and c.tenant = lc.tenant and c.id = lc.creative
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
    batch: &Batch,
    tenant: &TenantId,
    creatives: &[&CreativeId],
) -> anyhow::Result<BTreeMap<CreativeId, Shown>> {
    let [a, b, c, d, e] = five(creatives.iter().map(|id| id.as_str()));
    let rows = batch.rows(SHOWN, &[tenant.into(), a, b, c, d, e]).await?;
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
