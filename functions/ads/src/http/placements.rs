//! `/api/ads/placements`, `/api/ads/rate-cards` and `/api/ads/availability`: where something can be shown, what it
//! costs, and what is free.

use chrono::NaiveDate;
use kernel::{CommunityId, Message, PlacementId, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Read, Tx};
use web::{IfMatch, Page, Query, Reply, Request};
use wire::advertising::{Ownership, ReserveMode};

use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::day::{count, days};
use crate::domain::placement::{Format, PRICE_MAX, Pricing, Rate, ReviewClass, Surface, price_of};
use crate::domain::seat::free_count;
use crate::domain::text::Name;
use crate::domain::{
    Placement, check_advertiser, check_writer, unknown_community, unknown_placement,
};
use crate::store::placements::{self as sql, Wanted};
use crate::store::{known, seats};
use crate::{facts, inbox};

/// The most placements whose seats are counted at once.
const AVAILABILITY_ITEMS_MAX: i64 = 20;
/// The most days whose seats are counted at once.
const AVAILABILITY_DAYS_MAX: i64 = 62;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPlacement {
    id: PlacementId,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Content {
    name: Name,
    surface: Surface,
    format: Format,
    #[serde(default)]
    width: i64,
    #[serde(default)]
    height: i64,
    board: Option<Name>,
    ownership: Ownership,
    community: Option<CommunityId>,
    capacity: i64,
    #[serde(default = "one")]
    minimum_days: i64,
    floor_minor: i64,
    #[serde(default)]
    company_bps: i64,
    #[serde(default)]
    cost_bps: i64,
    #[serde(default = "general")]
    review_class: ReviewClass,
    #[serde(default = "unweighted")]
    reserve_mode: ReserveMode,
    #[serde(default)]
    reserve: i64,
    #[serde(default)]
    slot_weights: Vec<u32>,
    auction: Option<Auction>,
    #[serde(default = "active")]
    active: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Auction {
    Rank,
    Sale,
    Display,
}

fn one() -> i64 {
    1
}

fn active() -> bool {
    true
}

fn general() -> ReviewClass {
    ReviewClass::General
}

fn unweighted() -> ReserveMode {
    ReserveMode::Unweighted
}

impl Content {
    fn placement(self, id: PlacementId, version: i64) -> Result<Placement, Refusal> {
        let auction = self.auction.map(|auction| match auction {
            Auction::Rank => "rank".to_owned(),
            Auction::Sale => "sale".to_owned(),
            Auction::Display => "display".to_owned(),
        });
        let placement = Placement {
            id,
            name: self.name,
            surface: self.surface,
            format: self.format,
            width: self.width,
            height: self.height,
            board: self.board,
            ownership: self.ownership,
            community: self.community,
            capacity: self.capacity,
            minimum_days: self.minimum_days,
            floor_minor: self.floor_minor,
            company_bps: self.company_bps,
            cost_bps: self.cost_bps,
            review_class: self.review_class,
            reserve_mode: self.reserve_mode,
            reserve: self.reserve,
            slot_weights: self.slot_weights,
            auction,
            active: self.active,
            version,
        };
        placement.checked()
    }
}

async fn check_community(tx: &Tx, placement: &Placement) -> anyhow::Result<()> {
    if let Some(community) = &placement.community
        && !known::has_community(tx, tx.tenant(), community).await?
    {
        return Err(unknown_community().into());
    }
    Ok(())
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let new: NewPlacement = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let placement = new.content.placement(new.id, 1)?;
    let made = write(context, request, &actor, async |tx| {
        check_community(tx, &placement).await?;
        if !sql::insert_placement(tx, &placement).await? {
            return Err(taken().into());
        }
        facts::placement_changed(context, tx, &placement).await?;
        answer(201, &shown(&placement))
    })
    .await?;
    stored(&made, "/api/ads/placements")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_advertiser(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(PlacementId::parse)?;
    let wanted = wanted(&mut query)?;
    query.finish()?;
    let found = sql::placements(&context.db, &actor.tenant, &wanted, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown(&one),
    )))
}

fn wanted(query: &mut Query) -> Result<Wanted, web::Problem> {
    Ok(Wanted {
        surface: query.take("surface", |text| Surface::try_from(text.to_owned()))?,
        format: query.take("format", |text| Format::try_from(text.to_owned()))?,
        community: query.take("community", CommunityId::parse)?,
    })
}

async fn known_placement(
    db: &impl Read,
    actor: &kernel::Actor,
    id: &str,
) -> anyhow::Result<Placement> {
    let id = path_id(id, unknown_placement)?;
    let found = sql::placement(db, &actor.tenant, &id).await?;
    Ok(found.ok_or_else(unknown_placement)?)
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    placement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_advertiser(&actor)?;
    let placement = known_placement(&context.db, &actor, placement).await?;
    Ok(Reply::ok(&shown(&placement)).with_etag(placement.version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    placement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let if_match: IfMatch = web::required_if_match(request)?;
    let content: Content = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let changed = write(context, request, &actor, async |tx| {
        let before = known_placement(tx, &actor, placement).await?;
        if_match.check(before.version)?;
        let after = content.clone().placement(before.id, before.version + 1)?;
        check_community(tx, &after).await?;
        sql::update_placement(tx, &after).await?;
        facts::placement_changed(context, tx, &after).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&changed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRate {
    placement: PlacementId,
    pricing: Pricing,
    from: NaiveDate,
    until: NaiveDate,
    price_minor: i64,
}

pub(super) async fn add_rate(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let new: NewRate = web::body(request)?;
    if new.from >= new.until || !(0..=PRICE_MAX).contains(&new.price_minor) {
        return Err(rate_invalid().into());
    }
    let made = write(context, request, &actor, async |tx| {
        known_placement(tx, &actor, new.placement.as_str()).await?;
        let rate = Rate {
            id: context.new_id::<kernel::EventId>()?.into(),
            placement: new.placement.clone(),
            pricing: new.pricing,
            from: new.from,
            until: new.until,
            price_minor: new.price_minor,
        };
        sql::insert_rate(tx, &rate, &actor.id).await?;
        answer(201, &shown_rate(&rate))
    })
    .await?;
    replied(&made)
}

pub(super) async fn rates(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_advertiser(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| PlacementId::parse(text).map(String::from))?;
    let placement = query.take("placement", PlacementId::parse)?;
    query.finish()?;
    let found = sql::rate_page(&context.db, &actor.tenant, placement.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.clone(),
        |one| shown_rate(&one),
    )))
}

pub(super) async fn availability(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_advertiser(&actor)?;
    let mut query = Query::of(request)?;
    let asked = query.page(PlacementId::parse)?;
    let page = Page {
        limit: asked.limit.min(AVAILABILITY_ITEMS_MAX),
        after: asked.after,
    };
    let from = query
        .take("from", str::parse::<NaiveDate>)?
        .unwrap_or_else(|| context.today());
    let until = query.take("until", str::parse::<NaiveDate>)?;
    let until = until.unwrap_or_else(|| crate::domain::day::after(from, 28));
    let wanted = wanted(&mut query)?;
    query.finish()?;
    if !(1..=AVAILABILITY_DAYS_MAX).contains(&count(from, until)) {
        return Err(span_invalid().into());
    }
    let (db, tenant) = (&context.db, &actor.tenant);
    let found = sql::placements(db, tenant, &wanted, &page).await?;
    let listing = page.listing(found, |one| one.id.to_string(), |one| one);
    let mut items = Vec::new();
    for placement in listing
        .items
        .into_iter()
        .filter(|placement| placement.active)
    {
        let taken = seats::taken(db, tenant, &placement.id, (from, until)).await?;
        let rates = sql::rates(db, tenant, &placement.id, (from, until)).await?;
        let days: Vec<Value> = days(from, until)
            .map(|day| {
                let bits = taken.get(&day).copied().unwrap_or(0);
                json!({
                    "day": day,
                    "free": free_count(bits, placement.capacity),
                    "price_minor": price_of(&placement, &rates, Pricing::Day, day),
                })
            })
            .collect();
        items.push(json!({"placement": shown(&placement), "days": days}));
    }
    Ok(Reply::ok(&json!({"items": items, "next": listing.next})))
}

/// A placement as it is shown.
pub(super) fn shown(placement: &Placement) -> Value {
    json!({
        "id": placement.id,
        "name": placement.name.as_str(),
        "surface": placement.surface.as_str(),
        "format": placement.format.as_str(),
        "width": placement.width,
        "height": placement.height,
        "board": placement.board.as_ref().map(Name::as_str),
        "ownership": placement.ownership,
        "community": placement.community,
        "capacity": placement.capacity,
        "minimum_days": placement.minimum_days,
        "floor_minor": placement.floor_minor,
        "currency": "CNY",
        "company_bps": placement.company_bps,
        "cost_bps": placement.cost_bps,
        "review_class": placement.review_class.as_str(),
        "reserve_mode": placement.reserve_mode,
        "reserve": placement.reserve,
        "slot_weights": placement.slot_weights,
        "auction": placement.auction,
        "active": placement.active,
        "version": placement.version,
    })
}

fn shown_rate(rate: &Rate) -> Value {
    json!({
        "id": rate.id,
        "placement": rate.placement,
        "pricing": rate.pricing.as_str(),
        "from": rate.from,
        "until": rate.until,
        "price_minor": rate.price_minor,
        "currency": "CNY",
    })
}

fn taken() -> Refusal {
    Refusal::conflict(
        "placement_taken",
        Message::new(
            "There is a placement of this id. Choose another one.",
            "该广告位编号已被使用，请更换。",
        ),
    )
}

fn rate_invalid() -> Refusal {
    Refusal::invalid(
        "rate_invalid",
        Message::new(
            "A rate card ends after it begins, and its price_minor is 0 to 100000000.",
            "刊例价的结束日期须晚于开始日期，价格为 0 至 100000000 分。",
        ),
    )
}

fn span_invalid() -> Refusal {
    Refusal::invalid(
        "span_invalid",
        Message::new("Ask for 1 to 62 days.", "请查询 1 至 62 天。"),
    )
}
