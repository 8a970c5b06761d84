//! `/api/bill-payments`: several bills paid together, receipts, and what goes back.

use kernel::{
    Actor, ActorId, BillId, BillPaymentId, CommunityId, CouponId, Currency, PaymentId, RefundId,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, caller, path_id, printed, replied, stored, write_once};
use crate::context::Context;
use crate::domain::{Reason, check_manager, check_reader, sees};
use crate::paying::{self, Asked, unknown_payment};
use crate::store::payments::{self as sql, Line, Payment, PaymentState};
use crate::store::refunds::{self, Refund};
use crate::store::{bills, known};
use crate::{inbox, printing, refunding};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRefund {
    bills: Vec<BillId>,
    reason: Reason,
}

#[derive(Serialize)]
struct ShownPayment {
    id: BillPaymentId,
    /// Where a channel is chosen and the money is paid; absent when credit bore all of it.
    payment: Option<PaymentId>,
    payer: ActorId,
    community: CommunityId,
    quoted: Vec<ShownOwed>,
    /// What they cost, and what of it is paid now.
    total_minor: i64,
    asked_minor: i64,
    coupon: Option<CouponId>,
    coupon_minor: i64,
    points: i64,
    points_minor: i64,
    credit_minor: i64,
    method: &'static str,
    /// By the method.
    channel_minor: i64,
    over_minor: i64,
    currency: Currency,
    state: &'static str,
    channel: Option<String>,
    taken_by: Option<ActorId>,
    earned_points: i64,
    requested_at: Timestamp,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<ShownLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunds: Option<Vec<ShownRefund>>,
}

#[derive(Serialize)]
struct ShownOwed {
    bill: BillId,
    principal_minor: i64,
    late_minor: i64,
}

#[derive(Serialize)]
struct ShownLine {
    bill: BillId,
    principal_minor: i64,
    late_minor: i64,
    refund: Option<RefundId>,
}

#[derive(Serialize)]
struct ShownRefund {
    id: RefundId,
    channel_minor: i64,
    credit_minor: i64,
    points_minor: i64,
    coupon_minor: i64,
    state: String,
    reason: String,
    requested_by: ActorId,
    requested_at: Timestamp,
}

pub(super) async fn request(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: Asked = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write_once(context, request, &actor, async |tx| {
        let payment = paying::request(context, tx, &actor, &new).await?;
        answer(201, &shown(payment))
    })
    .await?;
    stored(&made, "/api/bill-payments")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    sees(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(BillPaymentId::parse)?;
    query.finish()?;
    let found = sql::payments(&context.db, &actor, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |payment| payment.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    payment: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let payment = seen(&context.db, &actor, payment).await?;
    let lines = sql::lines(&context.db, &actor.tenant, &payment.id).await?;
    let refunds = refunds::refunds_of(&context.db, &actor.tenant, &payment.id).await?;
    Ok(Reply::ok(&ShownPayment {
        lines: Some(lines.into_iter().map(shown_line).collect()),
        refunds: Some(refunds.into_iter().map(shown_refund).collect()),
        ..shown(payment)
    }))
}

pub(super) async fn receipt(
    context: &Context,
    request: &Request,
    payment: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let payment = seen(&context.db, &actor, payment).await?;
    // Only what was paid has a receipt.
    if payment.state != PaymentState::Succeeded {
        return Err(unknown_payment().into());
    }
    let mut lines = Vec::new();
    for line in sql::lines(&context.db, &actor.tenant, &payment.id).await? {
        let bill = bills::bill(&context.db, &actor.tenant, &line.bill).await?;
        lines.push((line, bill));
    }
    let community = known::community(&context.db, &actor.tenant, &payment.community).await?;
    let zone = community
        .as_ref()
        .map_or(kernel::Zone::SHANGHAI, |known| known.zone);
    let day = zone.local(payment.ended_at.unwrap_or(payment.requested_at));
    let name = community.map_or_else(|| payment.community.to_string(), |known| known.name);
    Ok(printed(printing::receipt(
        (&name, &day.date.to_string()),
        &payment,
        &lines,
    )))
}

pub(super) async fn refund(
    context: &Context,
    request: &Request,
    payment: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let visible = seen(&context.db, &actor, payment).await?;
    check_manager(&actor, &visible.community)?;
    let new: NewRefund = web::body(request)?;
    let made = write_once(context, request, &actor, async |tx| {
        let stored = seen(tx, &actor, payment).await?;
        let what = (&stored, new.bills.as_slice());
        let refund = refunding::refund(context, tx, (&actor, &new.reason), what).await?;
        answer(201, &shown_refund(refund))
    })
    .await?;
    replied(&made)
}

/// The payment, when it is the caller's own, or of a community that they bill or audit.
async fn seen(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Payment> {
    let id: BillPaymentId = path_id(text, unknown_payment)?;
    let found = sql::payment(db, &actor.tenant, &id).await?;
    let may = |payment: &Payment| {
        let own = crate::domain::is_people(actor.kind) && payment.payer == actor.id;
        own || check_reader(actor, &payment.community).is_ok()
    };
    Ok(found.filter(may).ok_or_else(unknown_payment)?)
}

fn shown(payment: Payment) -> ShownPayment {
    ShownPayment {
        id: payment.id,
        payment: payment.payment,
        payer: payment.payer,
        community: payment.community,
        quoted: payment
            .quoted
            .into_iter()
            .map(|owed| ShownOwed {
                bill: owed.bill,
                principal_minor: owed.principal_fen,
                late_minor: owed.late_fen,
            })
            .collect(),
        total_minor: payment.total_minor,
        asked_minor: payment.asked_minor,
        coupon: payment.coupon,
        coupon_minor: payment.coupon_minor,
        points: payment.points,
        points_minor: payment.points * payment.point_minor,
        credit_minor: payment.credit_minor,
        method: payment.method.as_str(),
        taken_by: payment.taken_by,
        earned_points: payment.earned_points,
        channel_minor: payment.channel_minor,
        over_minor: payment.over_minor,
        currency: Currency::Cny,
        state: payment.state.as_str(),
        channel: payment.channel,
        requested_at: payment.requested_at,
        expires_at: payment.expires_at,
        ended_at: payment.ended_at,
        lines: None,
        refunds: None,
    }
}

fn shown_line(line: Line) -> ShownLine {
    ShownLine {
        bill: line.bill,
        principal_minor: line.principal_minor,
        late_minor: line.late_minor,
        refund: line.refund,
    }
}

fn shown_refund(refund: Refund) -> ShownRefund {
    ShownRefund {
        id: refund.id,
        channel_minor: refund.channel_minor,
        credit_minor: refund.credit_minor,
        points_minor: refund.points_minor,
        coupon_minor: refund.coupon_minor,
        state: refund.state,
        reason: refund.reason,
        requested_by: refund.requested_by,
        requested_at: refund.requested_at,
    }
}
