//! Payments of bills, what they were put against, and what went back.

use kernel::{
    Actor, ActorId, BillId, BillPaymentId, CommunityId, CouponId, HoldId, PaymentId, RefundId,
    TenantId, Timestamp,
};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::reach;
use crate::domain::{Owed, Paid};
use crate::rows::{quote_text, read_quote};

/// The most bills of one payment.
pub(crate) const BILLS_MAX: usize = 200;

statements! {
    PAYMENT = "select id, payment, payer, community, quoted, total_minor, credit_minor, credit_hold, channel_minor,
            over_minor, state, channel, requested_at, expires_at, ended_at, method, asked_minor, coupon, coupon_minor,
            points, point_minor, earned_points, taken_by
        from fees_payment where tenant = $1 and id = $2";

    PAYMENT_OF = "select id, payment, payer, community, quoted, total_minor, credit_minor, credit_hold, channel_minor,
            over_minor, state, channel, requested_at, expires_at, ended_at, method, asked_minor, coupon, coupon_minor,
            points, point_minor, earned_points, taken_by
        from fees_payment where tenant = $1 and payment = $2";

    PAYMENTS = "select id, payment, payer, community, quoted, total_minor, credit_minor, credit_hold, channel_minor,
            over_minor, state, channel, requested_at, expires_at, ended_at, method, asked_minor, coupon, coupon_minor,
            points, point_minor, earned_points, taken_by
        from fees_payment
        where tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2 or payer = $3)
          and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    INSERT_PAYMENT = "insert into fees_payment (tenant, id, payment, payer, community, quoted, total_minor, credit_minor,
            credit_hold, channel_minor, over_minor, state, channel, requested_at, expires_at, ended_at, method,
            asked_minor, coupon, coupon_minor, points, point_minor, taken_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23)";

    END_PAYMENT = "update fees_payment set state = $3, credit_minor = $4, channel_minor = $5, over_minor = $6,
            channel = $7, ended_at = $8, coupon_minor = $9, points = $10, earned_points = $11
        where tenant = $1 and id = $2";

    FORGET_EARNED = "update fees_payment set earned_points = 0 where tenant = $1 and id = $2";

    MOVE_HOLD = "update fees_payment set credit_hold = $3 where tenant = $1 and id = $2";

    HELD_BY = "select id, payment, payer, community, quoted, total_minor, credit_minor, credit_hold, channel_minor,
            over_minor, state, channel, requested_at, expires_at, ended_at, method, asked_minor, coupon, coupon_minor,
            points, point_minor, earned_points, taken_by
        from fees_payment where tenant = $1 and payer = $2 and state = 'requested' and credit_hold is not null
        order by id limit 200";

    INSERT_LINE = "insert into fees_payment_line (tenant, payment, bill, principal_minor, late_minor)
        values ($1, $2, $3, $4, $5)";

    LINES = "select bill, principal_minor, late_minor, refund from fees_payment_line
        where tenant = $1 and payment = $2 order by bill limit 400";

    REFUND_LINE = "update fees_payment_line set refund = $4 where tenant = $1 and payment = $2 and bill = $3";
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaymentState {
    Requested,
    Succeeded,
    Closed,
}

impl PaymentState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Succeeded => "succeeded",
            Self::Closed => "closed",
        }
    }
}

/// By what the rest of a payment is paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    /// Over a channel.
    #[default]
    Channel,
    /// In cash at the counter.
    Cash,
    /// To the bank, as the counter has seen.
    BankTransfer,
}

impl Method {
    const ALL: [Self; 3] = [Self::Channel, Self::Cash, Self::BankTransfer];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Cash => "cash",
            Self::BankTransfer => "bank_transfer",
        }
    }
}

/// Several bills paid together.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) id: BillPaymentId,
    /// What payments knows it by; absent when nothing went over a channel.
    pub(crate) payment: Option<PaymentId>,
    pub(crate) payer: ActorId,
    pub(crate) community: CommunityId,
    pub(crate) quoted: Vec<Owed>,
    /// What they cost.
    pub(crate) total_minor: i64,
    /// What of it is paid now.
    pub(crate) asked_minor: i64,
    pub(crate) coupon: Option<CouponId>,
    pub(crate) coupon_minor: i64,
    /// Whole points, each worth `point_minor`.
    pub(crate) points: i64,
    pub(crate) point_minor: i64,
    pub(crate) credit_minor: i64,
    pub(crate) credit_hold: Option<HoldId>,
    pub(crate) method: Method,
    /// By the method.
    pub(crate) channel_minor: i64,
    pub(crate) over_minor: i64,
    pub(crate) state: PaymentState,
    pub(crate) channel: Option<String>,
    pub(crate) requested_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    /// What was earned by paying in time.
    pub(crate) earned_points: i64,
    /// Who took the money at the counter.
    pub(crate) taken_by: Option<ActorId>,
}

/// What of a payment went against one bill.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) bill: BillId,
    pub(crate) principal_minor: i64,
    pub(crate) late_minor: i64,
    pub(crate) refund: Option<RefundId>,
}

/// The payment.
pub(crate) async fn payment(
    db: &impl Read,
    tenant: &TenantId,
    id: &BillPaymentId,
) -> anyhow::Result<Option<Payment>> {
    let row = db.row(PAYMENT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The payment that payments knows by that id.
pub(crate) async fn payment_of(tx: &Tx, id: &PaymentId) -> anyhow::Result<Option<Payment>> {
    let row = tx.row(PAYMENT_OF, &[tx.tenant().into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The payments that the caller may see, the latest first.
pub(crate) async fn payments(
    db: &impl Read,
    actor: &Actor,
    page: &Page<BillPaymentId>,
) -> anyhow::Result<Vec<Payment>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor)?.into(),
        (&actor.id).into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(PAYMENTS, &parameters).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> anyhow::Result<Payment> {
    let method = row.text(15)?;
    let known = Method::ALL
        .into_iter()
        .find(|known| known.as_str() == method);
    Ok(Payment {
        method: known.ok_or_else(|| anyhow::anyhow!("a payment is by {method:?}"))?,
        asked_minor: row.integer(16)?,
        coupon: row.optional_id(17)?,
        coupon_minor: row.integer(18)?,
        points: row.integer(19)?,
        point_minor: row.integer(20)?,
        earned_points: row.integer(21)?,
        taken_by: row.optional_id(22)?,
        id: row.id(0)?,
        payment: row.optional_id(1)?,
        payer: row.id(2)?,
        community: row.id(3)?,
        quoted: read_quote(row.text(4)?)?,
        total_minor: row.integer(5)?,
        credit_minor: row.integer(6)?,
        credit_hold: row.optional_id(7)?,
        channel_minor: row.integer(8)?,
        over_minor: row.integer(9)?,
        state: match row.text(10)? {
            "requested" => PaymentState::Requested,
            "succeeded" => PaymentState::Succeeded,
            "closed" => PaymentState::Closed,
            other => anyhow::bail!("a payment of bills is {other:?}"),
        },
        channel: row.optional_text(11)?.map(str::to_owned),
        requested_at: row.timestamp(12)?,
        expires_at: row.timestamp(13)?,
        ended_at: row.optional_timestamp(14)?,
    })
}

/// Adds a payment.
pub(crate) async fn insert_payment(tx: &Tx, payment: &Payment) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&payment.id).into(),
        payment.payment.as_ref().into(),
        (&payment.payer).into(),
        (&payment.community).into(),
        quote_text(&payment.quoted)?.into(),
        payment.total_minor.into(),
        payment.credit_minor.into(),
        payment.credit_hold.as_ref().into(),
        payment.channel_minor.into(),
        payment.over_minor.into(),
        payment.state.as_str().into(),
        payment.channel.clone().into(),
        payment.requested_at.into(),
        payment.expires_at.into(),
        payment.ended_at.into(),
        payment.method.as_str().into(),
        payment.asked_minor.into(),
        payment.coupon.as_ref().into(),
        payment.coupon_minor.into(),
        payment.points.into(),
        payment.point_minor.into(),
        payment.taken_by.as_ref().into(),
    ];
    tx.execute(INSERT_PAYMENT, &parameters).await
}

/// Stores how a payment ended.
pub(crate) async fn end_payment(tx: &Tx, payment: &Payment) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&payment.id).into(),
        payment.state.as_str().into(),
        payment.credit_minor.into(),
        payment.channel_minor.into(),
        payment.over_minor.into(),
        payment.channel.clone().into(),
        payment.ended_at.into(),
        payment.coupon_minor.into(),
        payment.points.into(),
        payment.earned_points.into(),
    ];
    tx.execute(END_PAYMENT, &parameters).await
}

/// Stores that what a payment had earned is gone.
pub(crate) async fn forget_earned(tx: &Tx, id: &BillPaymentId) -> anyhow::Result<()> {
    tx.execute(FORGET_EARNED, &[tx.tenant().into(), id.into()])
        .await
}

/// The payments under way that hold credit of a person's.
pub(crate) async fn held_by(tx: &Tx, person: &ActorId) -> anyhow::Result<Vec<Payment>> {
    let rows = tx
        .rows(HELD_BY, &[tx.tenant().into(), person.into()])
        .await?;
    rows.iter().map(read).collect()
}

/// Stores another hold of a payment's credit.
pub(crate) async fn move_hold(tx: &Tx, id: &BillPaymentId, hold: &HoldId) -> anyhow::Result<()> {
    tx.execute(MOVE_HOLD, &[tx.tenant().into(), id.into(), hold.into()])
        .await
}

/// Adds what a payment was put against.
pub(crate) async fn insert_lines(
    tx: &Tx,
    payment: &BillPaymentId,
    paid: &[Paid],
) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = paid
        .iter()
        .map(|paid| {
            vec![
                tx.tenant().into(),
                payment.into(),
                (&paid.bill.id).into(),
                paid.principal_fen.into(),
                paid.late_fen.into(),
            ]
        })
        .collect();
    tx.insert_many(INSERT_LINE, &rows).await
}

/// What a payment was put against.
pub(crate) async fn lines(
    db: &impl Read,
    tenant: &TenantId,
    payment: &BillPaymentId,
) -> anyhow::Result<Vec<Line>> {
    let rows = db.rows(LINES, &[tenant.into(), payment.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Line {
                bill: row.id(0)?,
                principal_minor: row.integer(1)?,
                late_minor: row.integer(2)?,
                refund: row.optional_id(3)?,
            })
        })
        .collect()
}

/// Stores that a line was given back.
pub(crate) async fn refund_line(
    tx: &Tx,
    (payment, bill): (&BillPaymentId, &BillId),
    refund: &RefundId,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        payment.into(),
        bill.into(),
        refund.into(),
    ];
    tx.execute(REFUND_LINE, &parameters).await
}
