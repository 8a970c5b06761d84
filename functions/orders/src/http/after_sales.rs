//! `/api/after-sales`: refunds, returns and exchanges, and each step of them.

use kernel::{ActorId, AfterSaleId, MerchantId, OrderId, RefundId, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};

use super::{answer, path_id, replied, stored, write_once};
use crate::contesting::{self, Asked, Move};
use crate::context::Context;
use crate::domain::{
    AfterSale, AfterSaleKind, AfterStep, Party, WantedLine, Words, buyer_only, party_of,
    unknown_after_sale,
};
use crate::party::{self, Caller};
use crate::rows_flow::{WrittenLine, written};
use crate::store::after_sales as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAfterSale {
    kind: AfterSaleKind,
    lines: Vec<WantedLine>,
    reason: Words,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(default)]
    words: Option<Words>,
    #[serde(default)]
    carrier: Option<Words>,
    #[serde(default)]
    tracking: Option<Words>,
}

#[derive(Serialize)]
struct Shown {
    id: AfterSaleId,
    order: OrderId,
    buyer: ActorId,
    merchant: MerchantId,
    kind: &'static str,
    state: &'static str,
    lines: Vec<WrittenLine>,
    amount_minor: i64,
    reason: String,
    answer: Option<String>,
    return_carrier: Option<String>,
    return_tracking: Option<String>,
    reship_carrier: Option<String>,
    reship_tracking: Option<String>,
    refund: Option<RefundId>,
    requested_at: Timestamp,
    changed_at: Timestamp,
    version: i64,
}

pub(super) async fn ask(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: NewAfterSale = web::body(request)?;
    let made = write_once(context, request, &caller.actor, async |tx| {
        let mut order = caller.bought(tx, id).await?;
        let asked = Asked {
            kind: new.kind,
            wanted: new.lines.clone(),
            reason: new.reason.as_str().to_owned(),
        };
        let made = contesting::ask(context, tx, &caller.actor, (&mut order, asked)).await?;
        answer(201, &shown(made))
    })
    .await?;
    stored(&made, "/api/after-sales")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let mut query = Query::of(request)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let page = query.page(AfterSaleId::parse)?;
    query.finish()?;
    let whose = caller.whose(merchant)?;
    let found = sql::after_sales(&context.db, (&caller.actor.tenant, &whose), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |after_sale| after_sale.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let id: AfterSaleId = path_id(id, unknown_after_sale)?;
    let found = sql::after_sale(&context.db, &caller.actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_after_sale)?;
    part(&caller, &found)?;
    let version = found.version;
    Ok(Reply::ok(&shown(found)).with_etag(version))
}

fn part(caller: &Caller, after_sale: &AfterSale) -> Result<Party, kernel::Refusal> {
    let of = (&after_sale.buyer, Some(&after_sale.merchant));
    party_of(&caller.actor, &caller.shops, of).ok_or_else(unknown_after_sale)
}

/// Takes a step of an after-sale.
pub(super) async fn go(
    context: &Context,
    request: &Request,
    (id, step): (&str, AfterStep),
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let id: AfterSaleId = path_id(id, unknown_after_sale)?;
    let said: Said = if request.body().is_empty() {
        Said::default()
    } else {
        web::body(request)?
    };
    let text = |words: &Option<Words>| words.as_ref().map(|words| words.as_str().to_owned());
    let done = write_once(context, request, &caller.actor, async |tx| {
        let mut both = contesting::load(tx, &id).await?;
        let party = part(&caller, &both.after_sale)?;
        match step {
            AfterStep::Withdraw | AfterStep::Return => buyer_only(party)?,
            _ => caller.sells(tx, party, &both.after_sale.merchant).await?,
        }
        let step = Move {
            step,
            words: text(&said.words),
            carrier: text(&said.carrier).zip(text(&said.tracking)),
        };
        contesting::go(context, tx, &caller.actor, (&mut both, step)).await?;
        answer(200, &shown(both.after_sale))
    })
    .await?;
    replied(&done)
}

fn shown(after_sale: AfterSale) -> Shown {
    let (return_carrier, return_tracking) = after_sale.returned.unzip();
    let (reship_carrier, reship_tracking) = after_sale.reshipped.unzip();
    Shown {
        id: after_sale.id,
        order: after_sale.order,
        buyer: after_sale.buyer,
        merchant: after_sale.merchant,
        kind: after_sale.kind.as_str(),
        state: after_sale.state.as_str(),
        lines: written(&after_sale.wanted),
        amount_minor: after_sale.amount_minor,
        reason: after_sale.reason,
        answer: after_sale.answer,
        return_carrier,
        return_tracking,
        reship_carrier,
        reship_tracking,
        refund: after_sale.refund,
        requested_at: after_sale.requested_at,
        changed_at: after_sale.changed_at,
        version: after_sale.version,
    }
}
