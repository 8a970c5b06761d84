//! `/api/stock`: how many there are, what came and went, what runs out and what expires.

use kernel::{Message, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};
use wire::event::StockAdjusted;

use super::form::Text;
use super::{answer, caller, replied, write};
use crate::context::Context;
use crate::domain::stock::{Movement, MovementKind, Stock, adjustment, unknown_item};
use crate::domain::text::Reason;
use crate::domain::{Merchant, goods_keeper, goods_reader};
use crate::store::{known, stock as sql};
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMovement {
    kind: String,
    units: i64,
    reason: Option<Text<Reason>>,
}

#[derive(Serialize)]
pub(super) struct ShownStock {
    item: String,
    kind: String,
    available: i64,
    reserved: i64,
    sold: i64,
}

impl From<Stock> for ShownStock {
    fn from(stock: Stock) -> Self {
        Self {
            item: stock.item,
            kind: stock.kind,
            available: stock.available,
            reserved: stock.reserved,
            sold: stock.taken,
        }
    }
}

#[derive(Serialize)]
struct ShownMovement {
    id: String,
    kind: &'static str,
    available: i64,
    reserved: i64,
    line: Option<kernel::OrderLineId>,
    actor: Option<kernel::ActorId>,
    reason: Option<String>,
    at: Timestamp,
}

/// The merchant of an item.
pub(super) async fn merchant_of(
    db: &impl store::Read,
    actor: &kernel::Actor,
    item: &str,
) -> anyhow::Result<Merchant> {
    let owner = sql::owner(db, &actor.tenant, item).await?;
    let owner = owner.ok_or_else(unknown_item)?;
    let merchant = known::merchant(db, &actor.tenant, &owner).await?;
    Ok(merchant.ok_or_else(unknown_item)?)
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    item: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = merchant_of(&context.db, &actor, item).await?;
    goods_reader(&actor, &merchant, unknown_item)?;
    let stock = sql::stock(&context.db, &actor.tenant, item).await?;
    Ok(Reply::ok(&ShownStock::from(
        stock.ok_or_else(unknown_item)?,
    )))
}

pub(super) async fn movements(
    context: &Context,
    request: &Request,
    item: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| kernel::EventId::parse(text).map(String::from))?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = merchant_of(&context.db, &actor, item).await?;
    goods_reader(&actor, &merchant, unknown_item)?;
    let found = sql::movements(&context.db, &actor.tenant, item, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |movement| movement.id.clone(),
        |movement| ShownMovement {
            id: movement.id,
            kind: movement.kind.as_str(),
            available: movement.available,
            reserved: movement.reserved,
            line: movement.line,
            actor: movement.actor,
            reason: movement.reason,
            at: movement.at,
        },
    )))
}

pub(super) async fn add_movement(
    context: &Context,
    request: &Request,
    item: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = merchant_of(&context.db, &actor, item).await?;
    goods_keeper(&actor, &merchant, unknown_item)?;
    let new: NewMovement = web::body(request)?;
    let kind = MovementKind::parse(&new.kind).ok_or_else(kind_unknown)?;
    let reason = new.reason.map(|reason| reason.0.as_str().to_owned());
    let moved = write(context, request, &actor, async |tx| {
        let held = sql::stock(&*tx, &actor.tenant, item).await?;
        let held = held
            .filter(|held| held.kind != "flash")
            .ok_or_else(unknown_item)?;
        let movement = Movement {
            id: context.new_id::<kernel::EventId>()?.into(),
            kind,
            available: adjustment(&held, kind, new.units)?,
            reserved: 0,
            line: None,
            actor: Some(actor.id.clone()),
            reason: reason.clone(),
            at: context.now,
        };
        let after = sql::adjust(tx, item, &movement).await?;
        let after = after.ok_or_else(crate::domain::stock::less_than_wanted)?;
        let fact = StockAdjusted {
            item: item.to_owned(),
            merchant: merchant.id.clone(),
            kind: kind.as_str().to_owned(),
            change: movement.available,
            available: after.available,
            actor: actor.id.clone(),
            reason: reason.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(201, &ShownStock::from(after))
    })
    .await?;
    replied(&moved)
}

fn kind_unknown() -> Refusal {
    Refusal::invalid(
        "stock_kind_invalid",
        Message::new(
            "Say `received`, `issued` or `counted`.",
            "请填写 received（入库）、issued（出库）或 counted（盘点）。",
        ),
    )
}
