//! What of payments of bills went back.

use kernel::{ActorId, BillPaymentId, CommunityId, RefundId, TenantId, Timestamp};
use store::{Read, Row, Tx};

statements! {
    REFUND = "select id, payment, community, payer, channel_minor, credit_minor, state, reason, requested_by,
            requested_at, coupon_minor, points_minor
        from fees_refund where tenant = $1 and id = $2";

    REFUNDS_OF = "select id, payment, community, payer, channel_minor, credit_minor, state, reason, requested_by,
            requested_at, coupon_minor, points_minor
        from fees_refund where tenant = $1 and payment = $2 order by id limit 400";

    INSERT_REFUND = "insert into fees_refund (tenant, id, payment, community, payer, channel_minor, credit_minor, state,
            reason, requested_by, requested_at, ended_at, coupon_minor, points_minor)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

    END_REFUND = "update fees_refund set state = $3, ended_at = $4 where tenant = $1 and id = $2";
}

/// Money that goes back.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) payment: BillPaymentId,
    pub(crate) community: CommunityId,
    pub(crate) payer: ActorId,
    pub(crate) channel_minor: i64,
    pub(crate) credit_minor: i64,
    pub(crate) points_minor: i64,
    pub(crate) coupon_minor: i64,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) requested_by: ActorId,
    pub(crate) requested_at: Timestamp,
}

/// The refund.
pub(crate) async fn refund(tx: &Tx, id: &RefundId) -> anyhow::Result<Option<Refund>> {
    let row = tx.row(REFUND, &[tx.tenant().into(), id.into()]).await?;
    row.as_ref().map(read_refund).transpose()
}

/// The refunds of a payment.
pub(crate) async fn refunds_of(
    db: &impl Read,
    tenant: &TenantId,
    payment: &BillPaymentId,
) -> anyhow::Result<Vec<Refund>> {
    let rows = db
        .rows(REFUNDS_OF, &[tenant.into(), payment.into()])
        .await?;
    rows.iter().map(read_refund).collect()
}

fn read_refund(row: &Row) -> anyhow::Result<Refund> {
    Ok(Refund {
        id: row.id(0)?,
        payment: row.id(1)?,
        community: row.id(2)?,
        payer: row.id(3)?,
        channel_minor: row.integer(4)?,
        credit_minor: row.integer(5)?,
        state: row.text(6)?.to_owned(),
        reason: row.text(7)?.to_owned(),
        requested_by: row.id(8)?,
        requested_at: row.timestamp(9)?,
        coupon_minor: row.integer(10)?,
        points_minor: row.integer(11)?,
    })
}

/// Adds a refund.
pub(crate) async fn insert_refund(
    tx: &Tx,
    refund: &Refund,
    ended_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&refund.id).into(),
        (&refund.payment).into(),
        (&refund.community).into(),
        (&refund.payer).into(),
        refund.channel_minor.into(),
        refund.credit_minor.into(),
        (&refund.state).into(),
        (&refund.reason).into(),
        (&refund.requested_by).into(),
        refund.requested_at.into(),
        ended_at.into(),
        refund.coupon_minor.into(),
        refund.points_minor.into(),
    ];
    tx.execute(INSERT_REFUND, &parameters).await
}

/// Stores how a refund ended.
pub(crate) async fn end_refund(
    tx: &Tx,
    id: &RefundId,
    state: &str,
    at: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), id.into(), state.into(), at.into()];
    tx.execute(END_REFUND, &parameters).await
}
