//! Rounds that were held, with all that decided them.

use kernel::{AuctionRoundId, PlacementId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

statements! {
    INSERT = "insert into bidding_round (tenant, id, kind, placement, target_kind, target, inputs, outcome, held_at,
            charged, by_ratio)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)";

    ROUND = "select id, kind, placement, target_kind, target, inputs, outcome, held_at, by_ratio
        from bidding_round where tenant = $1 and id = $2";

    ROUNDS = "select id, kind, placement, target_kind, target, inputs, outcome, held_at, by_ratio
        from bidding_round where tenant = $1 and (cast($2 as text) is null or id < $2) order by id desc limit $3";

    MARK = "update bidding_round set charged = 1 where tenant = $1 and id = $2 and charged = 0";

    SWEEP_IDLE = "delete from bidding_round where (tenant, id) in (
            select tenant, id from bidding_round where charged = 0 and held_at < $1 and kind <> 'sealed'
            order by held_at limit $2)";

    SWEEP_CHARGED = "delete from bidding_round where (tenant, id) in (
            select tenant, id from bidding_round where charged = 1 and held_at < $1 and kind <> 'sealed'
            order by held_at limit $2)";
}

/// A round whose bids are ratios is kept as one of ranks that says so.
const SALE: &str = "sale";
const RANK: &str = "rank";

/// A round.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) id: AuctionRoundId,
    /// `rank`, `sale`, `display` or `sealed`.
    pub(crate) kind: String,
    pub(crate) placement: Option<PlacementId>,
    pub(crate) target_kind: String,
    pub(crate) target: String,
    /// As JSON.
    pub(crate) inputs: String,
    /// As JSON.
    pub(crate) outcome: String,
    pub(crate) held_at: Timestamp,
}

/// Adds a round.
pub(crate) async fn insert(tx: &Tx, round: &Round) -> anyhow::Result<()> {
    let by_ratio = round.kind == SALE;
    let parameters = [
        tx.tenant().into(),
        (&round.id).into(),
        match by_ratio {
            true => RANK.into(),
            false => (&round.kind).into(),
        },
        round.placement.as_ref().into(),
        (&round.target_kind).into(),
        (&round.target).into(),
        (&round.inputs).into(),
        (&round.outcome).into(),
        round.held_at.into(),
        by_ratio.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// The round.
pub(crate) async fn round(
    db: &impl Read,
    tenant: &TenantId,
    id: &AuctionRoundId,
) -> anyhow::Result<Option<Round>> {
    let row = db.row(ROUND, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The rounds, the latest first.
pub(crate) async fn rounds(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<AuctionRoundId>,
) -> anyhow::Result<Vec<Round>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ROUNDS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Something was charged by a round.
pub(crate) async fn mark(tx: &Tx, id: &AuctionRoundId) -> anyhow::Result<()> {
    tx.execute(MARK, &[tx.tenant().into(), id.into()]).await
}

/// Forgets rounds from before the first moment that charged nothing, and from before the second that did, at most `limit`
/// of each; those of sealed bids stay.
pub(crate) async fn sweep(
    db: &store::Db,
    (idle, charged): (Timestamp, Timestamp),
    limit: i64,
) -> anyhow::Result<()> {
    store::bulk(db, async |batch| {
        batch
            .execute(SWEEP_IDLE, &[idle.into(), limit.into()])
            .await?;
        batch
            .execute(SWEEP_CHARGED, &[charged.into(), limit.into()])
            .await
    })
    .await
}

fn read(row: &Row) -> anyhow::Result<Round> {
    Ok(Round {
        id: row.id(0)?,
        kind: match row.boolean(8)? {
            true => SALE.to_owned(),
            false => row.text(1)?.to_owned(),
        },
        placement: row.optional_id(2)?,
        target_kind: row.text(3)?.to_owned(),
        target: row.text(4)?.to_owned(),
        inputs: row.text(5)?.to_owned(),
        outcome: row.text(6)?.to_owned(),
        held_at: row.timestamp(7)?,
    })
}
