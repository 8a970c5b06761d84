//! Booking: what a flight costs, its seats, and what is done with a line.

use advertising::Micros;
use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{Actor, ActorId, AdLineId, Message, Refusal, TenantId};
use store::{Read, Tx, tx};
use wire::advertising::CreativeState;

use crate::context::Context;
use crate::domain::day::{Month, after, count, days};
use crate::domain::line::{LineKind, RESERVATION_MS, Verb, deal_of};
use crate::domain::placement::{Pricing, price_of, rate_missing};
use crate::domain::seat::{self, LOOK_DAYS};
use crate::domain::wish::{Wish, placement_closed};
use crate::domain::{Creative, Line, LineState, Placement, unknown_line, unknown_placement};
use crate::facts;
use crate::store::seats::Seat;
use crate::store::{billing, creatives, known, lines, placements, seats};

/// What a flight costs: each day of it, the price that is paid by, and all of it.
pub(crate) struct Quote {
    /// What a seat costs on each day; nothing where views or clicks are paid for.
    pub days: Vec<(NaiveDate, i64)>,
    /// The price of a thousand views or a click, or of the first day.
    pub price_minor: i64,
    /// What it comes to.
    pub total_minor: i64,
}

/// What a wish costs by the rate cards.
pub(crate) async fn quote(
    db: &impl Read,
    tenant: &TenantId,
    placement: &Placement,
    wish: &Wish,
) -> anyhow::Result<Quote> {
    let flight = (wish.starts_on, wish.ends_on);
    let rates = placements::rates(db, tenant, &placement.id, flight).await?;
    let price = |day| price_of(placement, &rates, wish.pricing, day);
    let first = price(wish.starts_on).ok_or_else(rate_missing)?;
    let is_daily = wish.pricing == Pricing::Day;
    let days: Vec<(NaiveDate, i64)> = days(wish.starts_on, wish.ends_on)
        .map(|day| {
            (
                day,
                if is_daily {
                    price(day).unwrap_or(first)
                } else {
                    0
                },
            )
        })
        .collect();
    let total = days
        .iter()
        .map(|(_, minor)| *minor)
        .fold(0, i64::saturating_add);
    Ok(Quote {
        days,
        price_minor: first,
        total_minor: wish.budget_minor.unwrap_or(total),
    })
}

/// Takes a seat for each day of a line.
///
/// # Errors
/// 409 naming the day that has none left, and the next days that would do.
pub(crate) async fn take_seats(
    context: &Context,
    tx: &Tx,
    (placement, line): (&Placement, &AdLineId),
    prices: &[(NaiveDate, i64)],
) -> anyhow::Result<()> {
    for over in seats::expired(tx, &placement.id, context.now).await? {
        let_go(context, tx, &over).await?;
    }
    let (Some((from, _)), Some((last, _))) = (prices.first(), prices.last()) else {
        return Ok(());
    };
    let flight = (*from, after(*last, 1));
    let looked = (*from, after(flight.1, LOOK_DAYS));
    let taken = seats::taken(tx, tx.tenant(), &placement.id, looked).await?;
    let free = seat::seats(&taken, placement.capacity, flight)?;
    let wanted: Vec<Seat> = free
        .into_iter()
        .zip(prices)
        .map(|((day, seat), (_, price_minor))| Seat {
            day,
            seat,
            price_minor: *price_minor,
        })
        .collect();
    let got = seats::take(tx, (&placement.id, line), &wanted).await?;
    anyhow::ensure!(got, "a seat was taken under the tenant's lock");
    Ok(())
}

/// A reservation that is over: its seats are free again, and it is a draft.
pub(crate) async fn let_go(context: &Context, tx: &Tx, id: &AdLineId) -> anyhow::Result<bool> {
    let Some(line) = lines::line(tx, tx.tenant(), id).await? else {
        return Ok(false);
    };
    let is_over = line
        .reserved_until
        .is_some_and(|until| until <= context.now);
    if line.state != LineState::Reserved || !is_over {
        return Ok(false);
    }
    seats::release(tx, id, line.wish.starts_on).await?;
    let draft = Line {
        state: LineState::Draft,
        reserved_until: None,
        version: line.version + 1,
        ..line
    };
    lines::update_line(tx, &draft).await?;
    facts::line_changed(context, tx, &draft, None).await?;
    Ok(true)
}

/// The placement of a line.
pub(crate) async fn placement_of(tx: &Tx, line: &Line) -> anyhow::Result<Placement> {
    let found = placements::placement(tx, tx.tenant(), &line.placement).await?;
    Ok(found.ok_or_else(unknown_placement)?)
}

/// Does something with a line: the state it has on that day decides whether it can be done.
pub(crate) async fn act(
    context: &Context,
    tx: &Tx,
    (line, verb): (Line, Verb),
    actor: &Actor,
) -> anyhow::Result<Line> {
    let state = line.state_on(context.today()).after(verb)?;
    let is_bought = matches!(verb, Verb::Reserve | Verb::Book);
    if is_bought && !known::may_trade(tx, tx.tenant(), &line.merchant).await? {
        return Err(may_not_trade().into());
    }
    let line = Line {
        version: line.version + 1,
        ..line
    };
    let line = match verb {
        Verb::Reserve => reserve(context, tx, line).await?,
        Verb::Book => book(context, tx, line).await?,
        Verb::Cancel | Verb::Decline => {
            seats::release(tx, &line.id, line.wish.starts_on).await?;
            lines::set_deal(tx, &line.id, (None, None)).await?;
            line
        }
        Verb::Stop => {
            // Today is shown and paid for; what comes after is free for others.
            let tomorrow = after(context.today(), 1);
            seats::release(tx, &line.id, tomorrow).await?;
            Line {
                stopped_on: Some(tomorrow),
                ..line
            }
        }
    };
    let is_held = state == LineState::Reserved;
    let line = Line {
        state,
        reserved_until: is_held.then(|| context.now.plus_millis(RESERVATION_MS)),
        ..line
    };
    lines::update_line(tx, &line).await?;
    facts::line_changed(context, tx, &line, Some(&actor.id)).await?;
    Ok(line)
}

/// Takes the seats of a draft, at today's prices.
async fn reserve(context: &Context, tx: &Tx, line: Line) -> anyhow::Result<Line> {
    let placement = placement_of(tx, &line).await?;
    line.wish.check(&placement, context.today())?;
    let quote = quote(tx, tx.tenant(), &placement, &line.wish).await?;
    take_seats(context, tx, (&placement, &line.id), &quote.days).await?;
    Ok(Line {
        price_minor: quote.price_minor,
        total_minor: quote.total_minor,
        ..line
    })
}

/// Makes the seats of a line its own: with something approved to show, its budget open, its months to be charged.
async fn book(context: &Context, tx: &Tx, line: Line) -> anyhow::Result<Line> {
    let placement = placement_of(tx, &line).await?;
    if !placement.active {
        return Err(placement_closed().into());
    }
    if !has_approved(tx, &line, &placement).await? {
        return Err(nothing_approved().into());
    }
    let is_over = line
        .reserved_until
        .is_some_and(|until| until <= context.now);
    if is_over {
        seats::release(tx, &line.id, line.wish.starts_on).await?;
    }
    let line = if line.state == LineState::Draft || is_over {
        reserve(context, tx, line).await?
    } else {
        line
    };
    open_budget(tx, &line).await?;
    let flown = count(line.wish.starts_on, line.wish.ends_on);
    let is_deal = line.kind == LineKind::Paid && line.wish.pricing == Pricing::Day;
    let deal = is_deal.then(|| deal_of(line.total_minor, flown));
    let month = Month::of(line.wish.starts_on).to_string();
    lines::set_deal(tx, &line.id, (deal, Some(month))).await?;
    Ok(Line {
        booked_at: Some(context.now),
        ..line
    })
}

async fn open_budget(tx: &Tx, line: &Line) -> anyhow::Result<()> {
    let price = match line.wish.pricing {
        Pricing::Day => return Ok(()),
        Pricing::Cpm => Micros::of_thousand(line.price_minor),
        Pricing::Cpc => Micros::of_minor(line.price_minor),
    };
    let limit = Micros::of_minor(line.total_minor).context("a budget does not fit")?;
    let bid = price.context("a price does not fit")?;
    lines::insert_budget(tx, &line.id, (limit, bid), line.wish.pacing).await
}

/// Whether a creative can stand there: its format and size, and what it is about.
pub(crate) fn fits(creative: &Creative, placement: &Placement) -> bool {
    let content = &creative.content;
    let is_size = |wanted, size| wanted == 0 || wanted == size;
    content.format == placement.format
        && is_size(placement.width, content.width)
        && is_size(placement.height, content.height)
        && placement.takes(content.subject)
}

async fn has_approved(tx: &Tx, line: &Line, placement: &Placement) -> anyhow::Result<bool> {
    for id in lines::creatives(tx, tx.tenant(), &line.id).await? {
        let creative = creatives::creative(tx, tx.tenant(), &id).await?;
        let is_fine = |creative: Creative| {
            creative.state == CreativeState::Approved && fits(&creative, placement)
        };
        if creative.is_some_and(is_fine) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn may_not_trade() -> Refusal {
    Refusal::conflict(
        "merchant_may_not_trade",
        Message::new(
            "The merchant may not book at present: its deposit is due, or its shop is frozen. Pay what is owed first.",
            "该商家保证金未缴或店铺已冻结，暂不能预订广告，请先结清欠款。",
        ),
    )
}

fn nothing_approved() -> Refusal {
    Refusal::conflict(
        "creative_not_approved",
        Message::new(
            "The line has no approved creative. Give it one with PUT /api/ads/lines/{line}/creatives, and have it reviewed.",
            "该排期没有已审核通过的创意，请先关联创意并通过审核。",
        ),
    )
}

/// What time does to a line: a reservation that is over, a first day, a last one; whether it did.
pub(crate) async fn age(
    context: &Context,
    tenant: &TenantId,
    id: &AdLineId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let Some(line) = lines::line(tx, tx.tenant(), id).await? else {
            return Ok(false);
        };
        if line.state == LineState::Reserved {
            return let_go(context, tx, id).await;
        }
        let state = line.state_on(context.today());
        if state == line.state {
            return Ok(false);
        }
        let aged = Line {
            state,
            version: line.version + 1,
            ..line
        };
        lines::update_line(tx, &aged).await?;
        facts::line_changed(context, tx, &aged, None::<&ActorId>).await?;
        Ok(true)
    })
    .await
}

/// The line of that id, in its tenant.
pub(crate) async fn line(db: &impl Read, tenant: &TenantId, id: &AdLineId) -> anyhow::Result<Line> {
    Ok(lines::line(db, tenant, id)
        .await?
        .ok_or_else(unknown_line)?)
}

/// What a line fell short of, in views: none when nothing was promised, or all of it was shown.
pub(crate) async fn shortfall(tx: &Tx, line: &Line) -> anyhow::Result<Option<(i64, i64)>> {
    let Some(goal) = line.wish.goal_views else {
        return Ok(None);
    };
    let delivered = lines::delivered(tx, tx.tenant(), &line.id).await?;
    Ok((delivered < goal).then_some((delivered, goal)))
}

/// What was charged of a line so far, and what will still be.
pub(crate) async fn paid_for(context: &Context, tx: &Tx, line: &Line) -> anyhow::Result<i64> {
    let charged = billing::charged(tx, tx.tenant(), &line.id).await?;
    let accrued = crate::charging::accrued(tx, line, after(context.today(), 1)).await?;
    Ok(charged.max(accrued.rounded()))
}
