//! Paid pushes as they are shown.

use kernel::{ActorId, Currency, MerchantId, PaymentId, PushMessageId, PushOrderId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use web::{Query, Reply, Request};

use super::seen;
use crate::context::Context;
use crate::domain::{buyers_only, sees_all};
use crate::http::caller;
use crate::inbox;
use crate::store::orders::{self as sql, Order};

#[derive(Serialize)]
pub(super) struct Shown {
    id: PushOrderId,
    merchant: MerchantId,
    state: &'static str,
    content: Value,
    audience: Value,
    due_at: Timestamp,
    people: i64,
    digest: Option<String>,
    price_minor: i64,
    amount_minor: i64,
    currency: Currency,
    valid_until: Option<Timestamp>,
    payment: Option<PaymentId>,
    message: Option<PushMessageId>,
    delivered: i64,
    charged_minor: i64,
    refunded_minor: i64,
    created_by: ActorId,
    reviewed_by: Option<ActorId>,
    note: Option<String>,
    created_at: Timestamp,
    version: i64,
}

pub(in crate::http) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(PushOrderId::parse)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    query.finish()?;
    let person = (!sees_all(&actor)).then_some(&actor.id);
    let whose = (merchant.as_ref(), person);
    let found = sql::orders(&context.db, &actor.tenant, whose, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |order| order.id.to_string(),
        shown,
    )))
}

pub(in crate::http) async fn show(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let order = seen(context, &actor, order).await?;
    let version = order.version;
    Ok(Reply::ok(&shown(order)).with_etag(version))
}

pub(super) fn shown(order: Order) -> Shown {
    Shown {
        id: order.id,
        merchant: order.merchant,
        state: order.state.as_str(),
        content: order.content,
        audience: order.audience,
        due_at: order.due_at,
        people: order.people,
        digest: order.digest,
        price_minor: order.price_minor,
        amount_minor: order.amount_minor,
        currency: Currency::Cny,
        valid_until: order.valid_until,
        payment: order.payment,
        message: order.message,
        delivered: order.delivered,
        charged_minor: order.charged_minor,
        refunded_minor: order.refunded_minor,
        created_by: order.created_by,
        reviewed_by: order.reviewed_by,
        note: order.note,
        created_at: order.created_at,
        version: order.version,
    }
}
