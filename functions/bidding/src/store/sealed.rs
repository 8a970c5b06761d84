//! Ranks that are put up for sealed bids.

use anyhow::Context as _;
use kernel::{AuctionRoundId, SealedRoundId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::{SealedRound, SealedState, Target, TargetKind};

statements! {
    INSERT = "insert into bidding_sealed_round (tenant, id, name, placement, target_kind, target, slots, reserve_minor,
            deposit_minor, starts_at, ends_at, closes_at, first_closes_at, extension_ms, state, auction_round, charged,
            version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'open', null, 0, 1)";

    ROUND = "select id, name, placement, target_kind, target, slots, reserve_minor, deposit_minor, starts_at, ends_at,
            closes_at, first_closes_at, extension_ms, state, version
        from bidding_sealed_round where tenant = $1 and id = $2";

    ROUNDS = "select id, name, placement, target_kind, target, slots, reserve_minor, deposit_minor, starts_at, ends_at,
            closes_at, first_closes_at, extension_ms, state, version
        from bidding_sealed_round where tenant = $1 and (cast($2 as text) is null or id < $2)
        order by id desc limit $3";

    MOVE_END = "update bidding_sealed_round set closes_at = $3, version = version + 1 where tenant = $1 and id = $2";

    END = "update bidding_sealed_round set state = $3, auction_round = $4, version = version + 1
        where tenant = $1 and id = $2 and state = 'open' returning id";

    DUE = "select tenant, id from bidding_sealed_round where state = 'open' and closes_at <= $1
        order by closes_at limit $2";

    BEGUN = "select tenant, id from bidding_sealed_round
        where state = 'cleared' and charged = 0 and starts_at <= $1 order by starts_at limit $2";

    CHARGE = "update bidding_sealed_round set charged = 1
        where tenant = $1 and id = $2 and state = 'cleared' and charged = 0 returning id";

    OVERLAPPING = "select id from bidding_sealed_round
        where tenant = $1 and target_kind = $2 and target = $3 and ends_at > $4 and starts_at < $5
          and state <> 'called_off' limit 1";

    AUCTION_ROUND = "select auction_round from bidding_sealed_round where tenant = $1 and id = $2";
}

/// Adds a round.
pub(crate) async fn insert(tx: &Tx, round: &SealedRound) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&round.id).into(),
        (&round.name).into(),
        round.placement.as_ref().into(),
        round.target.kind.as_str().into(),
        (&round.target.value).into(),
        round.slots.into(),
        round.reserve_minor.into(),
        round.deposit_minor.into(),
        round.starts_at.into(),
        round.ends_at.into(),
        round.closes_at.into(),
        round.first_closes_at.into(),
        round.extension_ms.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// The round.
pub(crate) async fn round(
    db: &impl Read,
    tenant: &TenantId,
    id: &SealedRoundId,
) -> anyhow::Result<Option<SealedRound>> {
    let row = db.row(ROUND, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The rounds, the latest first.
pub(crate) async fn rounds(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<SealedRoundId>,
) -> anyhow::Result<Vec<SealedRound>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ROUNDS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// It closes then.
pub(crate) async fn move_end(
    tx: &Tx,
    id: &SealedRoundId,
    closes_at: Timestamp,
) -> anyhow::Result<()> {
    tx.execute(MOVE_END, &[tx.tenant().into(), id.into(), closes_at.into()])
        .await
}

/// Ends a round that is open; whether it was.
pub(crate) async fn end(
    tx: &Tx,
    id: &SealedRoundId,
    (state, held_as): (SealedState, Option<&AuctionRoundId>),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        state.as_str().into(),
        held_as.into(),
    ];
    Ok(tx.row(END, &parameters).await?.is_some())
}

/// Rounds that are to be held, at most `limit`.
pub(crate) async fn due(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, SealedRoundId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter().map(named).collect()
}

/// Rounds whose time has begun and that are not charged, at most `limit`.
pub(crate) async fn begun(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, SealedRoundId)>> {
    let rows = db.rows(BEGUN, &[now.into(), limit.into()]).await?;
    rows.iter().map(named).collect()
}

/// It is charged; whether it was not before.
pub(crate) async fn charge(tx: &Tx, id: &SealedRoundId) -> anyhow::Result<bool> {
    Ok(tx
        .row(CHARGE, &[tx.tenant().into(), id.into()])
        .await?
        .is_some())
}

/// Whether the same rank is let, or to be let, at some of that time.
pub(crate) async fn overlaps(tx: &Tx, round: &SealedRound) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        round.target.kind.as_str().into(),
        (&round.target.value).into(),
        round.starts_at.into(),
        round.ends_at.into(),
    ];
    Ok(tx.row(OVERLAPPING, &parameters).await?.is_some())
}

/// Under which id a round was held.
pub(crate) async fn auction_round(
    db: &impl Read,
    tenant: &TenantId,
    id: &SealedRoundId,
) -> anyhow::Result<Option<AuctionRoundId>> {
    let row = db.row(AUCTION_ROUND, &[tenant.into(), id.into()]).await?;
    row.map_or(Ok(None), |row| row.optional_id(0))
}

fn named(row: &Row) -> anyhow::Result<(TenantId, SealedRoundId)> {
    Ok((row.id(0)?, row.id(1)?))
}

fn read(row: &Row) -> anyhow::Result<SealedRound> {
    Ok(SealedRound {
        id: row.id(0)?,
        name: row.text(1)?.to_owned(),
        placement: row.optional_id(2)?,
        target: Target {
            kind: TargetKind::parse(row.text(3)?).context("a target is none")?,
            value: row.text(4)?.to_owned(),
        },
        slots: row.integer(5)?,
        reserve_minor: row.integer(6)?,
        deposit_minor: row.integer(7)?,
        starts_at: row.timestamp(8)?,
        ends_at: row.timestamp(9)?,
        closes_at: row.timestamp(10)?,
        first_closes_at: row.timestamp(11)?,
        extension_ms: row.integer(12)?,
        state: SealedState::parse(row.text(13)?).context("a sealed round's state is none")?,
        version: row.integer(14)?,
    })
}
