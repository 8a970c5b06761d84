//! What may be shown, and what is offered: the path that every page goes.
//!
//! Only offers that promise something are stored here, without the tenant's lock: a budget is reserved by one statement
//! that carries its own guard, so that what it decides holds whoever comes between. All others are stored when they are
//! viewed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use advertising::{Micros, Promise};
use chrono::NaiveDate;
use kernel::{AdLineId, CommunityId, CreativeId, PlacementId, TenantId, Timestamp};
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
    NOW = "select p.id, p.shown_version, '', 0, 0 from ads_placement p
        where p.tenant = $1 and p.id in ($2, $3, $4, $5, $6)
        union all
        select l.placement, 0, b.line, b.limit_micros - b.spent_micros - b.reserved_micros,
            case when b.day = $7 then b.day_micros else 0 end
        from ads_line l cross join ads_budget b
        where l.tenant = $1 and l.placement in ($2, $3, $4, $5, $6) and l.live = 1 and l.pricing <> 'day'
            and b.tenant = l.tenant and b.line = l.id
            and (b.paced = 1 or b.spent_micros + b.reserved_micros + b.bid_micros > b.limit_micros)";

    CANDIDATES = "select l.id, c.id, l.merchant, l.weight, l.caps, l.targeting, l.pacing, l.ends_on, l.pricing,
            b.bid_micros, c.subject, p.review_class, p.community
        from ads_line l cross join ads_placement p cross join ads_line_creative lc cross join ads_creative c
        left join ads_budget b on b.tenant = l.tenant and b.line = l.id
        where l.tenant = $1 and l.placement = $2 and l.live = 1 and l.state in ('booked', 'in_flight')
            and l.starts_on <= $3 and l.ends_on > $3
            and p.tenant = l.tenant and p.id = l.placement and p.active = 1
            and lc.tenant = l.tenant and lc.line = l.id
            and c.tenant = lc.tenant and c.id = lc.creative
            and c.state = 'approved' and (c.qualified_until is null or c.qualified_until > $3)
        order by l.id, c.id limit 1000";

    SHOWN = "select c.id, c.format, c.width, c.height, c.landing, c.title, c.body, c.image, coalesce(m.name, ''), c.video
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
            internal, at, open)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
}

/// What a placement shows at most, to whomever, for as long as its version stands.
#[derive(Debug, Default)]
pub struct Standing {
    /// Where it is; none for everywhere.
    pub community: Option<CommunityId>,
    /// The creatives of its lines in flight.
    pub candidates: Vec<Candidate>,
}

/// What may be otherwise at every decision.
#[derive(Debug, Default)]
pub struct Now {
    /// The version of what each placement shows; a placement that is not here does not exist.
    pub versions: BTreeMap<PlacementId, i64>,
    /// What lines may still spend that are paced, or bear no offer more.
    pub purses: BTreeMap<AdLineId, Purse>,
}

fn five<'a>(ids: impl Iterator<Item = &'a str>) -> [Value; PLACEMENTS_MAX] {
    let mut ids = ids.fuse();
    // What is not asked for is text that no id is.
    std::array::from_fn(|_| ids.next().unwrap_or("").into())
}

/// Which versions these placements have, and what their lines may still spend.
pub async fn now(
    db: &impl Read,
    tenant: &TenantId,
    placements: &[PlacementId],
    today: NaiveDate,
) -> anyhow::Result<Now> {
    let [a, b, c, d, e] = five(placements.iter().map(PlacementId::as_str));
    let rows = db
        .rows(NOW, &[tenant.into(), a, b, c, d, e, on(today)])
        .await?;
    let mut now = Now::default();
    for row in &rows {
        if row.text(2)?.is_empty() {
            now.versions.insert(row.id(0)?, row.integer(1)?);
            continue;
        }
        let purse = Purse {
            left: Micros::new(row.integer(3)?),
            used_today: Micros::new(row.integer(4)?),
        };
        now.purses.insert(row.id(2)?, purse);
    }
    Ok(now)
}

/// What may be shown in a placement on that day, to whomever.
pub async fn standing(
    db: &impl Read,
    tenant: &TenantId,
    placement: &PlacementId,
    today: NaiveDate,
) -> anyhow::Result<Standing> {
    let asked = [tenant.into(), placement.into(), on(today)];
    let rows = db.rows(CANDIDATES, &asked).await?;
    let community = rows.first().map(|row| row.optional_id(12)).transpose()?;
    Ok(Standing {
        community: community.flatten(),
        candidates: rows.iter().map(candidate_of).collect::<Result<_, _>>()?,
    })
}

fn candidate_of(row: &Row) -> anyhow::Result<Candidate> {
    Ok(Candidate {
        line: row.id(0)?,
        creative: row.id(1)?,
        merchant: row.id(2)?,
        weight: row.integer(3)?,
        caps: caps_of(row.text(4)?)?,
        targeting: targeting_of(row.text(5)?)?,
        pacing: word(row.text(6)?, Pacing::parse)?,
        ends_on: day(row, 7)?,
        pricing: word(row.text(8)?, Pricing::parse)?,
        bid: row.optional_integer(9)?.map(Micros::new),
        subject: word(row.text(10)?, Subject::parse)?,
        review_class: word(row.text(11)?, ReviewClass::parse)?,
    })
}

/// What people see of a creative.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Shown {
    /// The creative.
    pub id: CreativeId,
    format: String,
    width: i64,
    height: i64,
    landing: String,
    title: String,
    body: String,
    image: Option<String>,
    /// MP4, of a video.
    video: Option<String>,
    /// Who advertises.
    sponsor: String,
}

impl Shown {
    /// How many bytes it takes to remember, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = [
            &self.format,
            &self.landing,
            &self.title,
            &self.body,
            &self.sponsor,
        ];
        let links = [&self.image, &self.video].into_iter().flatten();
        let links = links.map(String::len).sum::<usize>();
        size_of::<Self>() + links + texts.into_iter().map(String::len).sum::<usize>()
    }
}

/// What people see of these creatives.
pub async fn shown(
    db: &impl Read,
    tenant: &TenantId,
    creatives: &[&CreativeId],
) -> anyhow::Result<BTreeMap<CreativeId, Arc<Shown>>> {
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
            video: row.optional_text(9)?.map(str::to_owned),
        };
        Ok((id, Arc::new(shown)))
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
) -> anyhow::Result<BTreeSet<AdLineId>> {
    let [a, b, c, d, e] = five(lines.iter().map(|line| line.as_str()));
    let rows = batch
        .rows(RESERVE, &[tenant.into(), on(today), a, b, c, d, e])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// An offer as it is made, and stored where it promises something.
#[derive(Debug, Clone)]
pub struct NewOffer<'a> {
    /// What its token says.
    pub promise: Promise,
    /// Where.
    pub placement: &'a PlacementId,
    /// What is offered.
    pub candidate: &'a Candidate,
}

/// Stores offers whose bids are promised.
pub async fn insert_offers(
    batch: &Batch,
    tenant: &TenantId,
    offers: &[&NewOffer<'_>],
) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = offers.iter().map(|offer| row_of(tenant, offer)).collect();
    batch.insert_many(INSERT_OFFER, &rows).await
}

fn row_of(tenant: &TenantId, offer: &NewOffer<'_>) -> Vec<Value> {
    let (promise, candidate) = (&offer.promise, offer.candidate);
    let bid = candidate.bid.map_or(0, Micros::get);
    vec![
        tenant.into(),
        (&promise.offer).into(),
        offer.placement.into(),
        (&candidate.line).into(),
        (&candidate.creative).into(),
        (&candidate.merchant).into(),
        promise.viewer.as_str().into(),
        candidate.pricing.as_str().into(),
        bid.into(),
        promise.is_internal.into(),
        promise.at.into(),
        true.into(),
    ]
}
