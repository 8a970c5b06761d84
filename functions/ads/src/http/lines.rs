//! `/api/ads/lines`: what is booked, in OpenDirect's states, and what is made good.

use chrono::NaiveDate;
use kernel::{Actor, AdLineId, CreativeId, Message, PlacementId, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::orders::shown_line;
use super::{answer, caller, held, path_id, replied, whose, write, write_once};
use crate::context::Context;
use crate::domain::line::{LINE_CREATIVES_MAX, LineKind, Verb, pro_rata};
use crate::domain::placement::Pricing;
use crate::domain::wish::{Targeting, Wish};
use crate::domain::{
    Hold, Line, LineState, check_writer, unknown_creative, unknown_line, unknown_placement,
};
use crate::store::{creatives, lines as sql, placements};
use crate::{booking, charging, facts, inbox};

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(AdLineId::parse)?;
    let merchant = whose(context, &actor, &mut query).await?;
    query.finish()?;
    let found = sql::lines(&context.db, &actor.tenant, merchant.as_ref(), &page).await?;
    let listing = page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown_line(context, &one),
    );
    Ok(Reply::ok(&listing))
}

/// The line of that id, and what the caller may do with it.
async fn seen(db: &impl Read, actor: &Actor, id: &str) -> anyhow::Result<(Line, Hold)> {
    let id: AdLineId = path_id(id, unknown_line)?;
    let line = booking::line(db, &actor.tenant, &id).await?;
    let hold = held(db, actor, &line.merchant, unknown_line).await?;
    Ok((line, hold))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (line, _) = seen(&context.db, &actor, line).await?;
    let creatives = sql::creatives(&context.db, &actor.tenant, &line.id).await?;
    let delivered = sql::delivered(&context.db, &actor.tenant, &line.id).await?;
    let mut shown = shown_line(context, &line);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("creatives".to_owned(), json!(creatives));
        fields.insert("delivered_views".to_owned(), delivered.into());
    }
    Ok(Reply::ok(&shown).with_etag(line.version))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shows {
    creatives: Vec<CreativeId>,
}

pub(super) async fn set_creatives(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, line).await?;
    let shows: Shows = web::body(request)?;
    let changed = write(context, request, &actor, async |tx| {
        let (line, hold) = seen(tx, &actor, line).await?;
        hold.check_change()?;
        check_creatives(tx, &line, &shows.creatives).await?;
        sql::set_creatives(tx, &line, &shows.creatives).await?;
        let after = Line {
            version: line.version + 1,
            ..line
        };
        sql::update_line(tx, &after).await?;
        answer(
            200,
            &json!({"id": after.id, "creatives": shows.creatives, "version": after.version}),
        )
    })
    .await?;
    replied(&changed)
}

/// Creatives of the same advertiser that fit the placement; whether they are approved shows when the line is booked,
/// and at every decision.
async fn check_creatives(tx: &Tx, line: &Line, wanted: &[CreativeId]) -> anyhow::Result<()> {
    if wanted.is_empty() || wanted.len() > LINE_CREATIVES_MAX {
        return Err(creatives_invalid().into());
    }
    let placement = booking::placement_of(tx, line).await?;
    for id in wanted {
        let creative = creatives::creative(tx, tx.tenant(), id).await?;
        let own = creative.filter(|creative| creative.merchant == line.merchant);
        let creative = own.ok_or_else(unknown_creative)?;
        let is_twice = wanted.iter().filter(|other| *other == id).count() > 1;
        if is_twice || !booking::fits(&creative, &placement) {
            return Err(creatives_invalid().into());
        }
    }
    Ok(())
}

pub(super) async fn reserve(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    act(context, request, (line, Verb::Reserve)).await
}

pub(super) async fn book(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    act(context, request, (line, Verb::Book)).await
}

pub(super) async fn cancel(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    act(context, request, (line, Verb::Cancel)).await
}

pub(super) async fn stop(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    act(context, request, (line, Verb::Stop)).await
}

pub(super) async fn decline(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    act(context, request, (line, Verb::Decline)).await
}

async fn act(
    context: &Context,
    request: &Request,
    (line, verb): (&str, Verb),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, line).await?;
    let done = write_once(context, request, &actor, async |tx| {
        let (line, hold) = seen(tx, &actor, line).await?;
        hold.check_change()?;
        if verb == Verb::Decline {
            check_writer(&actor)?;
        }
        if line.barter.is_some() {
            return Err(of_exchange().into());
        }
        let after = booking::act(context, tx, (line, verb), &actor).await?;
        answer(200, &shown_line(context, &after))
    })
    .await?;
    replied(&done)
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum MakeGood {
    Extension,
    Bonus,
    Credit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMakeGood {
    kind: MakeGood,
    placement: Option<PlacementId>,
    starts_on: Option<NaiveDate>,
    ends_on: Option<NaiveDate>,
}

pub(super) async fn make_good(
    context: &Context,
    request: &Request,
    line: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, line).await?;
    let new: NewMakeGood = web::body(request)?;
    let made = write_once(context, request, &actor, async |tx| {
        let (line, _) = seen(tx, &actor, line).await?;
        check_writer(&actor)?;
        let short = short_of(context, tx, &line).await?;
        if new.kind == MakeGood::Credit {
            let paid = booking::paid_for(context, tx, &line).await?;
            let back = pro_rata(paid, short);
            charging::credit(context, tx, &line, back).await?;
            return answer(201, &json!({"line": line.id, "kind": "credit", "short_views": short.1 - short.0, "credit_minor": back, "currency": "CNY", "make_good": Value::Null}));
        }
        let free = free_line(context, tx, (&line, short), &new, &actor).await?;
        let after = Line { made_good: true, version: line.version + 1, ..line };
        sql::update_line(tx, &after).await?;
        let kind = if new.kind == MakeGood::Bonus { "bonus" } else { "extension" };
        answer(201, &json!({"line": after.id, "kind": kind, "short_views": short.1 - short.0, "credit_minor": 0, "currency": "CNY", "make_good": free.id}))
    })
    .await?;
    replied(&made)
}

/// What a line that is over fell short of: what was shown, and what was promised.
async fn short_of(context: &Context, tx: &Tx, line: &Line) -> anyhow::Result<(i64, i64)> {
    let is_over = matches!(
        line.state_on(context.today()),
        LineState::Finished | LineState::Stopped
    );
    if !is_over || line.made_good || line.kind != LineKind::Paid {
        return Err(nothing_short().into());
    }
    let short = booking::shortfall(tx, line).await?;
    Ok(short.ok_or_else(nothing_short)?)
}

/// A line that costs nothing and shows what is missing: where the other one stood, or in another placement.
async fn free_line(
    context: &Context,
    tx: &Tx,
    (line, short): (&Line, (i64, i64)),
    new: &NewMakeGood,
    actor: &Actor,
) -> anyhow::Result<Line> {
    let (Some(starts_on), Some(ends_on)) = (new.starts_on, new.ends_on) else {
        return Err(days_missing().into());
    };
    let elsewhere = new
        .placement
        .as_ref()
        .filter(|_| new.kind == MakeGood::Bonus);
    let place = elsewhere.unwrap_or(&line.placement);
    let placement = placements::placement(tx, tx.tenant(), place).await?;
    let placement = placement.ok_or_else(unknown_placement)?;
    let wish = Wish {
        starts_on,
        ends_on,
        pricing: Pricing::Day,
        budget_minor: None,
        goal_views: Some(short.1 - short.0),
        targeting: Targeting::default(),
        ..line.wish.clone()
    };
    wish.check(&placement, context.today())?;
    let free = Line {
        id: context.new_id()?,
        class: placement.class(),
        placement: placement.id.clone(),
        kind: LineKind::MakeGood,
        state: LineState::Booked,
        wish,
        price_minor: 0,
        total_minor: 0,
        reserved_until: None,
        make_good_of: Some(line.id.clone()),
        stopped_on: None,
        booked_at: Some(context.now),
        created_by: actor.id.clone(),
        created_at: context.now,
        version: 1,
        ..line.clone()
    };
    sql::insert_line(tx, &free).await?;
    let days: Vec<_> = crate::domain::day::days(starts_on, ends_on)
        .map(|day| (day, 0))
        .collect();
    booking::take_seats(context, tx, (&placement, &free.id), &days).await?;
    let shows = sql::creatives(tx, tx.tenant(), &line.id).await?;
    sql::set_creatives(tx, &free, &shows).await?;
    facts::line_changed(context, tx, &free, Some(&actor.id)).await?;
    Ok(free)
}

fn creatives_invalid() -> Refusal {
    Refusal::invalid(
        "creatives_invalid",
        Message::new(
            "Name 1 to 3 different creatives of the placement's format and size that it may show.",
            "请选择 1 至 3 个不同的创意，格式、尺寸与类目须符合该广告位要求。",
        ),
    )
}

fn of_exchange() -> Refusal {
    Refusal::conflict(
        "line_of_exchange",
        Message::new(
            "The line belongs to an exchange: end the exchange instead.",
            "该排期属于置换合同，请通过置换合同处理。",
        ),
    )
}

fn nothing_short() -> Refusal {
    Refusal::conflict(
        "nothing_short",
        Message::new(
            "Only a paid line that is over, promised views, showed fewer and was not made good yet is made good.",
            "仅对已结束、承诺展示量未达成且尚未补偿的付费排期进行补偿。",
        ),
    )
}

fn days_missing() -> Refusal {
    Refusal::invalid(
        "make_good_days_missing",
        Message::new(
            "Say from when (starts_on) until when (ends_on) the free line runs.",
            "请填写补偿投放的开始日期（starts_on）和结束日期（ends_on）。",
        ),
    )
}
