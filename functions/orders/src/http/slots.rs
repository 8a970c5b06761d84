//! `/api/products/{product}/slots`: the times in which a service can be had.

use kernel::{Message, ProductId, Refusal, SlotId, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};
use wire::event::SlotChanged;
use wire::mall::SaleKind;

use super::form::kept;
use super::products::seen;
use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::product::{Slot, unknown_slot};
use crate::domain::stock::Item;
use crate::domain::unknown_product;
use crate::store::{slots as sql, stock};
use crate::{facts, inbox};

/// The most places of a slot.
pub const CAPACITY_MAX: i64 = 1_000;
/// The longest slot, in hours.
pub const SLOT_HOURS_MAX: i64 = 24;
const HOUR_MS: i64 = 60 * 60 * 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSlot {
    starts_at: Timestamp,
    ends_at: Timestamp,
    capacity: i64,
}

#[derive(Serialize)]
struct ShownSlot {
    id: SlotId,
    product: ProductId,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// How many places are left.
    available: i64,
    /// Whether it can be booked at this moment.
    bookable: bool,
    cancel_until: Timestamp,
}

fn show(
    (slot, available): (Slot, i64),
    content: &crate::domain::Content,
    now: Timestamp,
) -> ShownSlot {
    ShownSlot {
        bookable: available > 0 && slot.is_bookable(content, now),
        cancel_until: slot.cancel_until(content),
        id: slot.id,
        product: slot.product,
        starts_at: slot.starts_at,
        ends_at: slot.ends_at,
        available,
    }
}

pub(super) async fn add(
    context: &Context,
    request: &Request,
    product: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    kept(&context.db, &actor, &id).await?;
    let new: NewSlot = web::body(request)?;
    let lasts = new.ends_at.millis_since(new.starts_at);
    let is_fine = lasts > 0
        && lasts <= SLOT_HOURS_MAX * HOUR_MS
        && new.starts_at > context.now
        && (1..=CAPACITY_MAX).contains(&new.capacity);
    if !is_fine {
        return Err(slot_invalid().into());
    }
    let slot = Slot {
        id: context.new_id()?,
        product: id.clone(),
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        gone: false,
    };
    let added = write(context, request, &actor, async |tx| {
        let (product, merchant) = kept(&*tx, &actor, &id).await?;
        if product.kind != SaleKind::Service {
            return Err(services_only().into());
        }
        if sql::overlaps(tx, &id, (slot.starts_at, slot.ends_at)).await? {
            return Err(overlapping().into());
        }
        stock::open(tx, &merchant.id, &Item::Slot(slot.id.clone()), new.capacity).await?;
        sql::insert(tx, &merchant.id, &slot).await?;
        facts::append(context, tx, &fact(&actor, &slot, false)).await?;
        let shown = show((slot.clone(), new.capacity), &product.content, context.now);
        answer(201, &shown)
    })
    .await?;
    stored(&added, &format!("/api/products/{id}/slots"))
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    product: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    let mut query = Query::of(request)?;
    let page = query.page(SlotId::parse)?;
    let from = query.take("from", Timestamp::parse)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let product = seen(context, &actor, &id).await?;
    let from = from.unwrap_or(context.now);
    let found = sql::slots(&context.db, (&actor.tenant, &id), from, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |(slot, _)| slot.id.to_string(),
        |slot| show(slot, &product.content, context.now),
    )))
}

pub(super) async fn end(
    context: &Context,
    request: &Request,
    (product, slot): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    let slot: SlotId = path_id(slot, unknown_slot)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let ended = write(context, request, &actor, async |tx| {
        let (product, _) = kept(&*tx, &actor, &id).await?;
        let held = sql::slot(&*tx, &actor.tenant, &slot).await?;
        let (held, available) = held
            .filter(|(held, _)| held.product == id)
            .ok_or_else(unknown_slot)?;
        if sql::end(tx, &slot).await? {
            facts::append(context, tx, &fact(&actor, &held, true)).await?;
        }
        let ended = Slot { gone: true, ..held };
        answer(
            200,
            &show((ended, available), &product.content, context.now),
        )
    })
    .await?;
    replied(&ended)
}

fn fact(actor: &kernel::Actor, slot: &Slot, gone: bool) -> SlotChanged {
    SlotChanged {
        slot: slot.id.clone(),
        product: slot.product.clone(),
        gone,
        actor: actor.id.clone(),
    }
}

fn slot_invalid() -> Refusal {
    Refusal::invalid(
        "slot_invalid",
        Message::new(
            format!(
                "A slot begins in the future, lasts at most {SLOT_HOURS_MAX} hours, and has 1 to {CAPACITY_MAX} places."
            ),
            format!("时段须在将来开始，最长 {SLOT_HOURS_MAX} 小时，名额为 1 至 {CAPACITY_MAX}。"),
        ),
    )
}

fn services_only() -> Refusal {
    Refusal::invalid(
        "services_only",
        Message::new("Only services have slots.", "仅服务类项目可设置时段。"),
    )
}

fn overlapping() -> Refusal {
    Refusal::conflict(
        "slot_overlaps",
        Message::new(
            "This service has a slot at that time. Give that one more places.",
            "该服务在此时间已有时段，请调整原时段名额。",
        ),
    )
}
