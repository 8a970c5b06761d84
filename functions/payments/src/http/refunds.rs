//! `/api/refunds`: money on its way back. It is asked for by the capability that sold, never here.

use kernel::{Actor, Money, PaymentId, RefundId, Timestamp};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{Refund, RefundState, auditors_only, can_see, unknown_refund};
use crate::inbox;
use crate::store::{payments, refunds as sql};

#[derive(Serialize)]
struct ShownRefund {
    id: RefundId,
    payment: PaymentId,
    channel: &'static str,
    number: String,
    amount: Money,
    reason: String,
    automatic: bool,
    created_at: Timestamp,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_refund: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded_at: Option<Timestamp>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(RefundId::parse)?;
    let payment = query.take("payment", PaymentId::parse)?;
    let state = query.take("state", |text| match text {
        "requested" | "sent" | "succeeded" | "failed" => Ok(text.to_owned()),
        _ => Err("it is requested, sent, succeeded or failed"),
    })?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    match &payment {
        Some(payment) => visible(context, &actor, payment).await?,
        None => auditors_only(&actor)?,
    }
    let filter = (payment.as_ref(), state.as_deref());
    let found = sql::refunds(&context.db, &actor.tenant, filter, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |refund| refund.id.to_string(),
        show_refund,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    refund: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: RefundId = path_id(refund, unknown_refund)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let refund = sql::refund(&context.db, &actor.tenant, &id)
        .await?
        .ok_or_else(unknown_refund)?;
    visible(context, &actor, &refund.payment).await?;
    Ok(Reply::ok(&show_refund(refund)))
}

/// Whoever may know of the payment may know of its refunds.
async fn visible(context: &Context, actor: &Actor, payment: &PaymentId) -> anyhow::Result<()> {
    let payment = payments::payment(&context.db, &actor.tenant, payment).await?;
    match payment {
        Some(payment) if can_see(actor, &payment) => Ok(()),
        _ => Err(unknown_refund().into()),
    }
}

fn show_refund(refund: Refund) -> ShownRefund {
    let state = refund.state.name();
    let (failure, channel_refund, refunded_at) = match refund.state {
        RefundState::Requested | RefundState::Sent => (None, None, None),
        RefundState::Succeeded { channel_refund, at } => (None, Some(channel_refund), Some(at)),
        RefundState::Failed(failure) => (Some(failure), None, None),
    };
    ShownRefund {
        id: refund.id,
        payment: refund.payment,
        channel: refund.channel.as_str(),
        number: refund.number,
        amount: refund.amount,
        reason: refund.reason,
        automatic: refund.automatic,
        created_at: refund.created_at,
        state,
        failure,
        channel_refund,
        refunded_at,
    }
}
