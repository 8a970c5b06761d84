//! Placements that are sold by auction, as they were heard of.

use anyhow::Context as _;
use kernel::{CommunityId, PlacementId, TenantId};
use store::{Read, Row, Tx};
use wire::advertising::{Ownership, ReserveMode};
use wire::event::PlacementChanged;

use crate::domain::Kind;

statements! {
    PUT = "insert into bidding_placement (tenant, id, name, format, width, height, board, ownership, community,
            reserve_mode, reserve, slot_weights, auction, active, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (tenant, id) do update set name = excluded.name, format = excluded.format, width = excluded.width,
            height = excluded.height, board = excluded.board, ownership = excluded.ownership,
            community = excluded.community, reserve_mode = excluded.reserve_mode, reserve = excluded.reserve,
            slot_weights = excluded.slot_weights, auction = excluded.auction, active = excluded.active,
            version = excluded.version
        where excluded.version > bidding_placement.version";

    PLACEMENT = "select id, format, width, height, board, ownership, community, reserve_mode, reserve, slot_weights,
            auction, active
        from bidding_placement where tenant = $1 and id = $2";

    OF_BOARD = "select id, format, width, height, board, ownership, community, reserve_mode, reserve, slot_weights,
            auction, active
        from bidding_placement
        where tenant = $1 and board = $2 and board is not null and auction in ('rank', 'sale') and active = 1 order by id limit 1";
}

/// A placement.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) id: PlacementId,
    pub(crate) format: String,
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) board: Option<String>,
    pub(crate) ownership: Ownership,
    pub(crate) community: Option<CommunityId>,
    pub(crate) reserve_mode: ReserveMode,
    pub(crate) reserve: i64,
    pub(crate) slot_weights: Vec<u32>,
    pub(crate) auction: Option<String>,
    pub(crate) active: bool,
}

impl Placement {
    /// Whether it is sold by auctions of that sort now.
    pub(crate) fn sells(&self, kind: &str) -> bool {
        self.active && self.auction.as_deref() == Some(kind)
    }

    /// Whether its ranks are sold now, by the click or by a ratio of the sale.
    pub(crate) fn sells_ranks(&self) -> bool {
        self.sells(Kind::Rank.as_str()) || self.sells(Kind::Sale.as_str())
    }
}

/// Keeps what was said of a placement; older news changes nothing.
pub(crate) async fn put(tx: &Tx, event: &PlacementChanged) -> anyhow::Result<()> {
    let weights: Vec<String> = event.slot_weights.iter().map(u32::to_string).collect();
    let parameters = [
        tx.tenant().into(),
        (&event.placement).into(),
        (&event.name).into(),
        (&event.format).into(),
        event.width.into(),
        event.height.into(),
        event.board.as_ref().into(),
        event.ownership.as_str().into(),
        event.community.as_ref().into(),
        event.reserve_mode.as_str().into(),
        event.reserve.into(),
        weights.join(",").into(),
        event.auction.as_ref().into(),
        event.active.into(),
        event.version.into(),
    ];
    tx.execute(PUT, &parameters).await
}

/// The placement.
pub(crate) async fn placement(
    db: &impl Read,
    tenant: &TenantId,
    id: &PlacementId,
) -> anyhow::Result<Option<Placement>> {
    let row = db.row(PLACEMENT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The placement of a board, or of a category, whose ranks are sold.
pub(crate) async fn of_board(
    db: &impl Read,
    tenant: &TenantId,
    board: &str,
) -> anyhow::Result<Option<Placement>> {
    let row = db.row(OF_BOARD, &[tenant.into(), board.into()]).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> anyhow::Result<Placement> {
    let weights = row.text(9)?.split(',').filter(|text| !text.is_empty());
    let weights: Result<Vec<u32>, _> = weights.map(str::parse).collect();
    Ok(Placement {
        id: row.id(0)?,
        format: row.text(1)?.to_owned(),
        width: row.integer(2)?,
        height: row.integer(3)?,
        board: row.optional_text(4)?.map(str::to_owned),
        ownership: Ownership::parse(row.text(5)?).context("an ownership is none")?,
        community: row.optional_id(6)?,
        reserve_mode: ReserveMode::parse(row.text(7)?).context("a reserve mode is none")?,
        reserve: row.integer(8)?,
        slot_weights: weights.context("a slot weight is none")?,
        auction: row.optional_text(10)?.map(str::to_owned),
        active: row.boolean(11)?,
    })
}
