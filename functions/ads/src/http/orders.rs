//! `/api/ads/orders`: what an advertiser orders at once, and the lines of it.

use chrono::NaiveDate;
use kernel::{AdOrderId, MerchantId, Message, PlacementId, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, caller, held, path_id, stored, whose, write};
use crate::booking;
use crate::context::Context;
use crate::domain::line::LineKind;
use crate::domain::placement::Pricing;
use crate::domain::text::Name;
use crate::domain::wish::{Pacing, Wish};
use crate::domain::{Hold, Line, LineState, unknown_merchant, unknown_order, unknown_placement};
use crate::rows::{WrittenCap, WrittenTargeting, written_caps};
use crate::store::lines;
use crate::store::orders::{self as sql, Order};
use crate::store::placements;
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    merchant: MerchantId,
    name: Name,
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let new: NewOrder = web::body(request)?;
    let made = write(context, request, &actor, async |tx| {
        let hold = held(tx, &actor, &new.merchant, unknown_merchant).await?;
        hold.check_change()?;
        let found = crate::store::known::name(tx, tx.tenant(), &new.merchant).await?;
        found.ok_or_else(unknown_merchant)?;
        let order = Order {
            id: context.new_id()?,
            merchant: new.merchant.clone(),
            name: new.name.clone(),
            created_by: actor.id.clone(),
            created_at: context.now,
        };
        sql::insert_order(tx, &order).await?;
        answer(201, &shown(&order, None))
    })
    .await?;
    stored(&made, "/api/ads/orders")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(AdOrderId::parse)?;
    let merchant = whose(context, &actor, &mut query).await?;
    query.finish()?;
    let found = sql::orders(&context.db, &actor.tenant, merchant.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown(&one, None),
    )))
}

/// The order of that id, and what the caller may do with it.
async fn seen(db: &impl Read, actor: &kernel::Actor, id: &str) -> anyhow::Result<(Order, Hold)> {
    let id: AdOrderId = path_id(id, unknown_order)?;
    let order = sql::order(db, &actor.tenant, &id).await?;
    let order = order.ok_or_else(unknown_order)?;
    let hold = held(db, actor, &order.merchant, unknown_order).await?;
    Ok((order, hold))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (order, _) = seen(&context.db, &actor, order).await?;
    let found = lines::lines_of_order(&context.db, &actor.tenant, &order.id).await?;
    let lines: Vec<Value> = found.iter().map(|line| shown_line(context, line)).collect();
    Ok(Reply::ok(&shown(&order, Some(lines))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLine {
    placement: PlacementId,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
    pricing: Pricing,
    budget_minor: Option<i64>,
    goal_views: Option<i64>,
    pacing: Option<Pacing>,
    weight: Option<i64>,
    #[serde(default)]
    caps: Vec<WrittenCap>,
    #[serde(default)]
    targeting: WrittenTargeting,
}

impl NewLine {
    fn wish(self) -> Result<(PlacementId, Wish), Refusal> {
        let caps: Option<Vec<_>> = self.caps.iter().map(WrittenCap::cap).collect();
        let wish = Wish {
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            pricing: self.pricing,
            budget_minor: self.budget_minor,
            goal_views: self.goal_views,
            pacing: self.pacing.unwrap_or(Pacing::Even),
            weight: self.weight.unwrap_or(1),
            caps: caps.ok_or_else(cap_invalid)?,
            targeting: self.targeting.into(),
        };
        Ok((self.placement, wish))
    }
}

pub(super) async fn add_line(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, order).await?;
    let new: NewLine = web::body(request)?;
    let (placement, wish) = new.wish()?;
    let made = write(context, request, &actor, async |tx| {
        let (order, hold) = seen(tx, &actor, order).await?;
        hold.check_change()?;
        let found = placements::placement(tx, tx.tenant(), &placement).await?;
        let placement = found.ok_or_else(unknown_placement)?;
        wish.check(&placement, context.today())?;
        let quote = booking::quote(tx, tx.tenant(), &placement, &wish).await?;
        let line = Line {
            id: context.new_id()?,
            order: order.id,
            merchant: order.merchant,
            class: placement.class(),
            placement: placement.id,
            kind: LineKind::Paid,
            state: LineState::Draft,
            wish: wish.clone(),
            price_minor: quote.price_minor,
            total_minor: quote.total_minor,
            reserved_until: None,
            barter: None,
            make_good_of: None,
            made_good: false,
            paused_from: None,
            booked_at: None,
            stopped_on: None,
            created_by: actor.id.clone(),
            created_at: context.now,
            version: 1,
        };
        lines::insert_line(tx, &line).await?;
        facts::line_changed(context, tx, &line, Some(&actor.id)).await?;
        answer(201, &shown_line(context, &line))
    })
    .await?;
    stored(&made, "/api/ads/lines")
}

fn shown(order: &Order, lines: Option<Vec<Value>>) -> Value {
    let mut shown = json!({
        "id": order.id,
        "merchant": order.merchant,
        "name": order.name.as_str(),
        "created_by": order.created_by,
        "created_at": order.created_at,
    });
    if let (Some(lines), Some(fields)) = (lines, shown.as_object_mut()) {
        fields.insert("lines".to_owned(), lines.into());
    }
    shown
}

/// A line as it is shown, with what can be done with it.
pub(super) fn shown_line(context: &Context, line: &Line) -> Value {
    let state = line.state_on(context.today());
    let allowed: Vec<&str> = state.allows().iter().map(|verb| verb.as_str()).collect();
    json!({
        "id": line.id,
        "order": line.order,
        "merchant": line.merchant,
        "placement": line.placement,
        "kind": line.kind.as_str(),
        "state": state.as_str(),
        "allowed": allowed,
        "starts_on": line.wish.starts_on,
        "ends_on": line.wish.ends_on,
        "pricing": line.wish.pricing.as_str(),
        "price_minor": line.price_minor,
        "total_minor": line.total_minor,
        "currency": "CNY",
        "goal_views": line.wish.goal_views,
        "pacing": line.wish.pacing.as_str(),
        "weight": line.wish.weight,
        "caps": written_caps(&line.wish.caps),
        "targeting": WrittenTargeting::from(&line.wish.targeting),
        "reserved_until": line.reserved_until,
        "barter": line.barter,
        "make_good_of": line.make_good_of,
        "made_good": line.made_good,
        "paused_from": line.paused_from,
        "booked_at": line.booked_at,
        "stopped_on": line.stopped_on,
        "version": line.version,
    })
}

fn cap_invalid() -> Refusal {
    Refusal::invalid(
        "cap_invalid",
        Message::new(
            "A cap has a scope (creative, line, advertiser, placement), a window (hour, day, week, month) and views.",
            "频次上限包含范围（creative、line、advertiser、placement）、周期（hour、day、week、month）和次数。",
        ),
    )
}
