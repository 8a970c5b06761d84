//! Placements and their rate cards.

use chrono::NaiveDate;
use kernel::{ActorId, PlacementId, TenantId};
use store::{Read, Row, Tx, Value};
use web::Page;
use wire::advertising::{Ownership, ReserveMode};

use super::{day, on, optional, text, word};
use crate::domain::Placement;
use crate::domain::placement::{Format, Pricing, Rate, ReviewClass, Surface};

statements! {
    INSERT_PLACEMENT = "insert into ads_placement (tenant, id, name, surface, format, width, height, board, ownership,
            community, capacity, minimum_days, floor_minor, company_bps, cost_bps, review_class, reserve_mode, reserve,
            slot_weights, auction, active, version, by_ratio)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
        on conflict (tenant, id) do nothing
        returning id";

    UPDATE_PLACEMENT = "update ads_placement set name = $3, surface = $4, format = $5, width = $6, height = $7,
            board = $8, ownership = $9, community = $10, capacity = $11, minimum_days = $12, floor_minor = $13,
            company_bps = $14, cost_bps = $15, review_class = $16, reserve_mode = $17, reserve = $18,
            slot_weights = $19, auction = $20, active = $21, version = $22, by_ratio = $23,
            shown_version = shown_version + 1
        where tenant = $1 and id = $2";

    PLACEMENT = "select id, name, surface, format, width, height, board, ownership, community, capacity, minimum_days,
            floor_minor, company_bps, cost_bps, review_class, reserve_mode, reserve, slot_weights, auction, active,
            version, by_ratio
        from ads_placement where tenant = $1 and id = $2";

    PLACEMENTS = "select id, name, surface, format, width, height, board, ownership, community, capacity, minimum_days,
            floor_minor, company_bps, cost_bps, review_class, reserve_mode, reserve, slot_weights, auction, active,
            version, by_ratio
        from ads_placement
        where tenant = $1 and id > $2
            and (cast($3 as text) is null or surface = $3) and (cast($4 as text) is null or format = $4)
            and (cast($5 as text) is null or community = $5 or community is null)
        order by id limit $6";

    IS_PLATFORM = "select tenant from ads_placement where tenant = $1 limit 1";

    INSERT_RATE = "insert into ads_rate (tenant, id, placement, pricing, from_day, until_day, price_minor, created_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    RATES = "select id, placement, pricing, from_day, until_day, price_minor
        from ads_rate where tenant = $1 and placement = $2 and from_day < $4 and until_day > $3
        order by from_day desc, id desc limit 400";

    RATE_PAGE = "select id, placement, pricing, from_day, until_day, price_minor
        from ads_rate where tenant = $1 and id > $2 and (cast($3 as text) is null or placement = $3)
        order by id limit $4";
}

/// Ranks that are sold for a ratio of the sale are kept as ranks that say so.
const SALE: &str = "sale";
const RANK: &str = "rank";

fn parameters(tenant: &TenantId, placement: &Placement) -> anyhow::Result<Vec<Value>> {
    let by_ratio = placement.auction.as_deref() == Some(SALE);
    Ok(vec![
        tenant.into(),
        (&placement.id).into(),
        placement.name.as_str().into(),
        placement.surface.as_str().into(),
        placement.format.as_str().into(),
        placement.width.into(),
        placement.height.into(),
        placement.board.as_ref().map(|board| board.as_str()).into(),
        placement.ownership.as_str().into(),
        placement.community.as_ref().into(),
        placement.capacity.into(),
        placement.minimum_days.into(),
        placement.floor_minor.into(),
        placement.company_bps.into(),
        placement.cost_bps.into(),
        placement.review_class.as_str().into(),
        placement.reserve_mode.as_str().into(),
        placement.reserve.into(),
        serde_json::to_string(&placement.slot_weights)?.into(),
        match by_ratio {
            true => Some(RANK).into(),
            false => placement.auction.as_deref().into(),
        },
        placement.active.into(),
        placement.version.into(),
        by_ratio.into(),
    ])
}

fn placement_of(row: &Row) -> anyhow::Result<Placement> {
    Ok(Placement {
        id: row.id(0)?,
        name: text(row, 1)?,
        surface: word(row.text(2)?, Surface::parse)?,
        format: word(row.text(3)?, Format::parse)?,
        width: row.integer(4)?,
        height: row.integer(5)?,
        board: optional(row, 6)?,
        ownership: word(row.text(7)?, Ownership::parse)?,
        community: row.optional_id(8)?,
        capacity: row.integer(9)?,
        minimum_days: row.integer(10)?,
        floor_minor: row.integer(11)?,
        company_bps: row.integer(12)?,
        cost_bps: row.integer(13)?,
        review_class: word(row.text(14)?, ReviewClass::parse)?,
        reserve_mode: word(row.text(15)?, ReserveMode::parse)?,
        reserve: row.integer(16)?,
        slot_weights: serde_json::from_str(row.text(17)?)?,
        auction: match row.boolean(21)? {
            true => Some(SALE.to_owned()),
            false => row.optional_text(18)?.map(str::to_owned),
        },
        active: row.boolean(19)?,
        version: row.integer(20)?,
    })
}

/// Stores a placement; false when its id is taken.
pub async fn insert_placement(tx: &Tx, placement: &Placement) -> anyhow::Result<bool> {
    let row = tx
        .row(INSERT_PLACEMENT, &parameters(tx.tenant(), placement)?)
        .await?;
    Ok(row.is_some())
}

/// Stores a placement's next version.
pub async fn update_placement(tx: &Tx, placement: &Placement) -> anyhow::Result<()> {
    tx.execute(UPDATE_PLACEMENT, &parameters(tx.tenant(), placement)?)
        .await
}

/// The placement of that id.
pub async fn placement(
    db: &impl Read,
    tenant: &TenantId,
    id: &PlacementId,
) -> anyhow::Result<Option<Placement>> {
    let row = db.row(PLACEMENT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(placement_of).transpose()
}

/// What placements are looked for by.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Where they are.
    pub surface: Option<Surface>,
    /// What is shown.
    pub format: Option<Format>,
    /// In which community; those of all communities are in it, too.
    pub community: Option<kernel::CommunityId>,
}

/// A page of placements.
pub async fn placements(
    db: &impl Read,
    tenant: &TenantId,
    wanted: &Wanted,
    page: &Page<PlacementId>,
) -> anyhow::Result<Vec<Placement>> {
    let after = page.after.as_ref().map_or("", PlacementId::as_str);
    let asked = [
        tenant.into(),
        after.into(),
        wanted.surface.map(Surface::as_str).into(),
        wanted.format.map(Format::as_str).into(),
        wanted.community.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(PLACEMENTS, &asked).await?;
    rows.iter().map(placement_of).collect()
}

/// Whether anything is sold for this tenant.
pub async fn is_platform(batch: &store::Batch, tenant: &TenantId) -> anyhow::Result<bool> {
    Ok(!batch.rows(IS_PLATFORM, &[tenant.into()]).await?.is_empty())
}

/// Stores a rate card.
pub async fn insert_rate(tx: &Tx, rate: &Rate, by: &ActorId) -> anyhow::Result<()> {
    let row = [
        tx.tenant().into(),
        (&rate.id).into(),
        (&rate.placement).into(),
        rate.pricing.as_str().into(),
        on(rate.from),
        on(rate.until),
        rate.price_minor.into(),
        by.into(),
    ];
    tx.execute(INSERT_RATE, &row).await
}

/// What a placement costs on the days from one to another.
pub async fn rates(
    db: &impl Read,
    tenant: &TenantId,
    placement: &PlacementId,
    (from, until): (NaiveDate, NaiveDate),
) -> anyhow::Result<Vec<Rate>> {
    let rows = db
        .rows(
            RATES,
            &[tenant.into(), placement.into(), on(from), on(until)],
        )
        .await?;
    rows.iter().map(rate_of).collect()
}

/// A page of rate cards.
pub async fn rate_page(
    db: &impl Read,
    tenant: &TenantId,
    placement: Option<&PlacementId>,
    page: &Page<String>,
) -> anyhow::Result<Vec<Rate>> {
    let after = page.after.as_deref().unwrap_or("");
    let rows = db
        .rows(
            RATE_PAGE,
            &[
                tenant.into(),
                after.into(),
                placement.into(),
                page.rows().into(),
            ],
        )
        .await?;
    rows.iter().map(rate_of).collect()
}

fn rate_of(row: &Row) -> anyhow::Result<Rate> {
    Ok(Rate {
        id: row.text(0)?.to_owned(),
        placement: row.id(1)?,
        pricing: word(row.text(2)?, Pricing::parse)?,
        from: day(row, 3)?,
        until: day(row, 4)?,
        price_minor: row.integer(5)?,
    })
}
