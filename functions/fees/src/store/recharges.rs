//! Recharges of prepaid meters.

use kernel::{
    Actor, ActorId, Commodity, CommunityId, PaymentId, RechargeId, RefundId, RoomId, TenantId,
    Timestamp,
};
use store::{Read, Row, Tx};
use web::Page;

use super::reach;

statements! {
    RECHARGE = "select id, payment, community, room, payer, commodity, amount_minor, state, refund, requested_at,
            commanded_at, ended_at, note
        from fees_recharge where tenant = $1 and id = $2";

    RECHARGE_OF = "select id, payment, community, room, payer, commodity, amount_minor, state, refund, requested_at,
            commanded_at, ended_at, note
        from fees_recharge where tenant = $1 and payment = $2";

    RECHARGES = "select id, payment, community, room, payer, commodity, amount_minor, state, refund, requested_at,
            commanded_at, ended_at, note
        from fees_recharge
        where tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2 or payer = $3)
          and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    INSERT_RECHARGE = "insert into fees_recharge (tenant, id, payment, community, room, payer, commodity, amount_minor,
            state, requested_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 'requested', $9)";

    UPDATE_RECHARGE = "update fees_recharge set state = $3, refund = $4, commanded_at = $5, ended_at = $6, note = $7
        where tenant = $1 and id = $2";

    UNCONFIRMED = "select tenant, id from fees_recharge where state = 'commanded' and commanded_at <= $1
        order by commanded_at limit $2";
}

/// How a recharge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RechargeState {
    Requested,
    Commanded,
    Confirmed,
    Refunding,
    Refunded,
    Closed,
}

impl RechargeState {
    const ALL: [Self; 6] = [
        Self::Requested,
        Self::Commanded,
        Self::Confirmed,
        Self::Refunding,
        Self::Refunded,
        Self::Closed,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Commanded => "commanded",
            Self::Confirmed => "confirmed",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
            Self::Closed => "closed",
        }
    }
}

/// Money for a prepaid meter.
#[derive(Debug, Clone)]
pub(crate) struct Recharge {
    pub(crate) id: RechargeId,
    pub(crate) payment: PaymentId,
    pub(crate) community: CommunityId,
    pub(crate) room: RoomId,
    pub(crate) payer: ActorId,
    pub(crate) commodity: Commodity,
    pub(crate) amount_minor: i64,
    pub(crate) state: RechargeState,
    pub(crate) refund: Option<RefundId>,
    pub(crate) requested_at: Timestamp,
    pub(crate) commanded_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) note: Option<String>,
}

/// The recharge.
pub(crate) async fn recharge(
    db: &impl Read,
    tenant: &TenantId,
    id: &RechargeId,
) -> anyhow::Result<Option<Recharge>> {
    let row = db.row(RECHARGE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The recharge that payments knows by that payment.
pub(crate) async fn recharge_of(tx: &Tx, id: &PaymentId) -> anyhow::Result<Option<Recharge>> {
    let row = tx
        .row(RECHARGE_OF, &[tx.tenant().into(), id.into()])
        .await?;
    row.as_ref().map(read).transpose()
}

/// The recharges that the caller may see, the latest first.
pub(crate) async fn recharges(
    db: &impl Read,
    actor: &Actor,
    page: &Page<RechargeId>,
) -> anyhow::Result<Vec<Recharge>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor)?.into(),
        (&actor.id).into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RECHARGES, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a recharge.
pub(crate) async fn insert_recharge(tx: &Tx, recharge: &Recharge) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&recharge.id).into(),
        (&recharge.payment).into(),
        (&recharge.community).into(),
        (&recharge.room).into(),
        (&recharge.payer).into(),
        recharge.commodity.as_str().into(),
        recharge.amount_minor.into(),
        recharge.requested_at.into(),
    ];
    tx.execute(INSERT_RECHARGE, &parameters).await
}

/// Stores how a recharge stands.
pub(crate) async fn update_recharge(tx: &Tx, recharge: &Recharge) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&recharge.id).into(),
        recharge.state.as_str().into(),
        recharge.refund.as_ref().into(),
        recharge.commanded_at.into(),
        recharge.ended_at.into(),
        recharge.note.clone().into(),
    ];
    tx.execute(UPDATE_RECHARGE, &parameters).await
}

/// The recharges that were commanded by then and that no meter has confirmed.
pub(crate) async fn unconfirmed(
    db: &impl Read,
    commanded_by: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, RechargeId)>> {
    let rows = db
        .rows(UNCONFIRMED, &[commanded_by.into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

fn read(row: &Row) -> anyhow::Result<Recharge> {
    let (commodity, state) = (row.text(5)?, row.text(7)?);
    let known = RechargeState::ALL
        .into_iter()
        .find(|known| known.as_str() == state);
    Ok(Recharge {
        id: row.id(0)?,
        payment: row.id(1)?,
        community: row.id(2)?,
        room: row.id(3)?,
        payer: row.id(4)?,
        commodity: Commodity::parse(commodity)
            .ok_or_else(|| anyhow::anyhow!("a recharge is of {commodity:?}"))?,
        amount_minor: row.integer(6)?,
        state: known.ok_or_else(|| anyhow::anyhow!("a recharge is {state:?}"))?,
        refund: row.optional_id(8)?,
        requested_at: row.timestamp(9)?,
        commanded_at: row.optional_timestamp(10)?,
        ended_at: row.optional_timestamp(11)?,
        note: row.optional_text(12)?.map(str::to_owned),
    })
}
