//! `/api/orders/{order}/...`: each step of an order is a sub-resource.

use kernel::{Actor, Message, Refusal};
use serde::Deserialize;
use store::Tx;
use web::{Reply, Request};

use super::orders::{brief, step};
use super::private;
use crate::context::Context;
use crate::domain::{Order, Party, Step, Words};
use crate::flow::{self, Price, Shown};
use crate::{party, selling};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    goods_minor: i64,
    freight_minor: i64,
    reason: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shipment {
    /// Absent when the merchant's own people bring it.
    #[serde(default)]
    carrier: Option<Words>,
    #[serde(default)]
    tracking: Option<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

pub(super) async fn price(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: NewPrice = web::body(request)?;
    web::required_if_match(request)?;
    let price = Price {
        goods_minor: new.goods_minor,
        freight_minor: new.freight_minor,
    };
    let reason = new.reason.as_str();
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::reprice(context, tx, (actor, reason), (order, price)).await
    };
    step(context, request, (&caller, id, Party::Merchant), work).await
}

pub(super) async fn accept(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::accept(context, tx, actor, order).await
    };
    step(context, request, (&caller, id, Party::Merchant), work).await
}

pub(super) async fn reject(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let why: Why = web::body(request)?;
    let reason = why.reason.as_str();
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::cancel(context, tx, (Some(actor), reason), (order, Step::Reject)).await
    };
    step(context, request, (&caller, id, Party::Merchant), work).await
}

pub(super) async fn cancel(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let why: Why = web::body(request)?;
    let reason = why.reason.as_str();
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::cancel(context, tx, (Some(actor), reason), (order, Step::Cancel)).await
    };
    step(context, request, (&caller, id, Party::Buyer), work).await
}

pub(super) async fn ship(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let shipment: Shipment = web::body(request)?;
    let carrier = match (&shipment.carrier, &shipment.tracking) {
        (Some(carrier), Some(tracking)) => {
            Some((carrier.as_str().to_owned(), tracking.as_str().to_owned()))
        }
        (None, None) => None,
        _ => return Err(carrier_half().into()),
    };
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::ship(context, tx, actor, (order, carrier.clone())).await
    };
    step(context, request, (&caller, id, Party::Merchant), work).await
}

pub(super) async fn prepare(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::prepare(context, tx, actor, order).await
    };
    step(context, request, (&caller, id, Party::Merchant), work).await
}

pub(super) async fn deliver(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::deliver(context, tx, actor, order).await
    };
    step(context, request, (&caller, id, Party::Merchant), work).await
}

/// A wrong code is counted, so it is no refusal inside of the transaction.
pub(super) async fn verify(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let shown: Code = web::body(request)?;
    let (order, outcome) = store::tx(&context.db, &caller.actor.tenant, async |tx| {
        let mut order = caller.sold(tx, id).await?;
        let by = (&caller.actor, shown.code.as_str());
        let outcome = flow::verify(context, tx, by, &mut order).await?;
        Ok((order, outcome))
    })
    .await?;
    match outcome {
        Shown::Right => Ok(private(Reply::ok(&brief(&order, Party::Merchant)))),
        Shown::Wrong => Err(code_wrong().into()),
    }
}

pub(super) async fn renew_code(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        flow::renew_code(context, tx, actor, order).await
    };
    step(context, request, (&caller, id, Party::Buyer), work).await
}

pub(super) async fn complete(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let work = async |tx: &Tx, actor: &Actor, order: &mut Order| {
        selling::confirm(context, tx, Some(&actor.id), order).await
    };
    step(context, request, (&caller, id, Party::Buyer), work).await
}

fn carrier_half() -> Refusal {
    Refusal::invalid(
        "carrier_half",
        Message::new(
            "Send both the carrier and the tracking number, or neither for your own delivery.",
            "请同时填写快递公司和运单号；商家自送则都不填。",
        ),
    )
}

fn code_wrong() -> Refusal {
    Refusal::conflict(
        "code_wrong",
        Message::new(
            "This is not the code of the order. Ask the buyer to show it again.",
            "验证码不正确，请买家重新出示。",
        ),
    )
}
