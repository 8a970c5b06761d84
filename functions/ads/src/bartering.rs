//! Exchanges in the books and on the page: what advertising and goods are worth, both legs as they happen, and what is
//! made even in money.
//!
//! `barter_receivable` is what the merchant owes in goods: it grows as advertising is shown, shrinks as goods come, and
//! what is settled in money moves out of it, because the merchant's statement brings that money in as income.

use advertising::Micros;
use anyhow::Context as _;
use kernel::{
    Actor, AdLineId, AdOrderId, BarterId, Currency, MerchantId, Money, Refusal, TenantId,
};
use ledger::{Account, Posting};
use store::{Tx, tx};
use wire::advertising::ChargeSource;

use crate::booking::take_seats;
use crate::charging::{Owed, charged, owe};
use crate::context::Context;
use crate::domain::barter::{
    Barter, BarterState, BarterVerb, DEALS_DAYS, Goods, SALES_DAYS, Slot, Terms, worth_of_day,
    worth_of_unit,
};
use crate::domain::day::{Month, count, days};
use crate::domain::line::LineKind;
use crate::domain::placement::Pricing;
use crate::domain::text::Name;
use crate::domain::wish::{Pacing, Targeting, Wish, placement_closed};
use crate::domain::{Line, LineState, Placement, unknown_barter, unknown_placement};
use crate::facts;
use crate::sharing::share;
use crate::store::billing::{self, Charge};
use crate::store::orders::{self, Order};
use crate::store::{barters, known, lines, placements, seats};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Says what both sides of an exchange are worth. What the sender says of it is not looked at.
pub(crate) async fn valued(
    context: &Context,
    tx: &Tx,
    merchant: &MerchantId,
    terms: Terms,
) -> anyhow::Result<Terms> {
    let before = |days: u64| {
        context
            .now
            .plus_millis(-DAY_MS * i64::try_from(days).unwrap_or(0))
    };
    let mut slots = Vec::new();
    for slot in terms.slots {
        let placement = open_placement(tx, &slot).await?;
        let class = placement.class();
        let since = before(DEALS_DAYS);
        let deals = lines::deals(tx, tx.tenant(), (&class, since), merchant).await?;
        let day_minor = worth_of_day(&deals)?;
        slots.push(Slot { day_minor, ..slot });
    }
    let mut goods = Vec::new();
    for one in terms.goods {
        let sold = match &one.product {
            None => None,
            Some(product) => known::sold_for(tx, tx.tenant(), product, before(SALES_DAYS)).await?,
        };
        let evidence = one.evidence.as_ref().map(|(minor, _)| *minor);
        let unit_minor = worth_of_unit(one.list_minor, sold, evidence)?;
        goods.push(Goods { unit_minor, ..one });
    }
    let terms = Terms {
        slots,
        goods,
        ..terms
    };
    terms.check(context.today())?;
    Ok(terms)
}

async fn open_placement(tx: &Tx, slot: &Slot) -> anyhow::Result<Placement> {
    let found = placements::placement(tx, tx.tenant(), &slot.placement).await?;
    let placement = found.ok_or_else(unknown_placement)?;
    if !placement.active {
        return Err(placement_closed().into());
    }
    Ok(placement)
}

/// Begins an exchange: its advertising is booked, its shelf opened, its boot charged.
pub(crate) async fn activate(
    context: &Context,
    tx: &Tx,
    barter: Barter,
    actor: &Actor,
) -> anyhow::Result<Barter> {
    let mut after = barter.moved(BarterVerb::Activate, BarterState::Active)?;
    after.terms.check(context.today())?;
    let order: AdOrderId = context.new_id()?;
    let name = format!("置换 {}", after.id);
    let made = Order {
        id: order.clone(),
        merchant: after.merchant.clone(),
        name: Name::parse(&name)?,
        created_by: actor.id.clone(),
        created_at: context.now,
    };
    orders::insert_order(tx, &made).await?;
    for slot in &after.terms.slots {
        let placement = open_placement(tx, slot).await?;
        let line = line_of(context, (&after, slot), &placement, (&order, actor))?;
        lines::insert_line(tx, &line).await?;
        let prices: Vec<_> = days(slot.starts_on, slot.ends_on)
            .map(|day| (day, slot.day_minor))
            .collect();
        take_seats(context, tx, (&placement, &line.id), &prices).await?;
        facts::line_changed(context, tx, &line, Some(&actor.id)).await?;
    }
    barters::insert_goods(tx, &after).await?;
    barters::looked(tx, &after.id, context.today()).await?;
    let boot = after.terms.boot_minor;
    settle(context, tx, &mut after, ("boot", boot)).await?;
    Ok(after)
}

fn line_of(
    context: &Context,
    (barter, slot): (&Barter, &Slot),
    placement: &Placement,
    (order, actor): (&AdOrderId, &Actor),
) -> anyhow::Result<Line> {
    let flown = count(slot.starts_on, slot.ends_on);
    Ok(Line {
        id: context.new_id::<AdLineId>()?,
        order: order.clone(),
        merchant: barter.merchant.clone(),
        placement: slot.placement.clone(),
        class: placement.class(),
        kind: LineKind::Barter,
        state: LineState::Booked,
        wish: Wish {
            starts_on: slot.starts_on,
            ends_on: slot.ends_on,
            pricing: Pricing::Day,
            budget_minor: None,
            goal_views: None,
            pacing: Pacing::Even,
            weight: 1,
            caps: Vec::new(),
            targeting: Targeting::default(),
        },
        price_minor: slot.day_minor,
        total_minor: slot.day_minor.saturating_mul(flown),
        reserved_until: None,
        barter: Some(barter.id.clone()),
        make_good_of: None,
        made_good: false,
        paused_from: None,
        booked_at: Some(context.now),
        stopped_on: None,
        created_by: actor.id.clone(),
        created_at: context.now,
        version: 1,
    })
}

/// Takes in goods: onto the shelf, and off what is owed.
pub(crate) async fn receive(
    context: &Context,
    tx: &Tx,
    barter: Barter,
    (item, units, key): (i64, i64, &str),
) -> anyhow::Result<Barter> {
    barter.state.check(BarterVerb::Receive)?;
    let unit = barters::receive(tx, (&barter.id, item), units).await?;
    let unit = unit.ok_or_else(more_than_agreed)?;
    let worth = unit.saturating_mul(units);
    let mut after = recognized(context, tx, barter).await?;
    after.legs.received_minor = after.legs.received_minor.saturating_add(worth);
    if worth > 0 {
        let reference = format!("{}/{key}", after.id);
        let posting = Posting::new("barter.received", &reference, context.now)
            .debit(Account::barter_stock(), fen(worth))
            .credit(Account::barter_receivable(), fen(worth));
        ledger::post(tx, &posting).await?;
    }
    balance(context, tx, after).await
}

fn more_than_agreed() -> Refusal {
    Refusal::conflict(
        "barter_more_than_agreed",
        kernel::Message::new(
            "There are no such goods, or more came than was agreed. Look at the goods of the exchange.",
            "没有该货品，或到货数量超过约定，请查看置换合同的货品清单。",
        ),
    )
}

/// Holds an exchange back, or lets it run again, by how far its legs are apart.
async fn balance(context: &Context, tx: &Tx, barter: Barter) -> anyhow::Result<Barter> {
    let before = barter.state;
    let barter = barter.balanced();
    match (before, barter.state) {
        (BarterState::Active, BarterState::Suspended) => {
            lines::hold_back(tx, &barter.id, context.today()).await?;
        }
        (BarterState::Suspended, BarterState::Active) => {
            seats::skip(tx, &barter.id, context.today()).await?;
            lines::let_go_on(tx, &barter.id).await?;
        }
        _ => {}
    }
    Ok(barter)
}

/// Puts into the books what was shown up to yesterday: income, of which others may have a part.
async fn recognized(context: &Context, tx: &Tx, mut barter: Barter) -> anyhow::Result<Barter> {
    let today = context.today();
    for (line, flown) in seats::flown_of_barter(tx, tx.tenant(), &barter.id, today).await? {
        let before = billing::charged(tx, tx.tenant(), &line).await?;
        let shown = flown.saturating_sub(before);
        if shown <= 0 {
            continue;
        }
        let charge = Charge {
            charge: format!("barter/{line}/{today}"),
            merchant: barter.merchant.clone(),
            line: line.to_string(),
            month: Month::of(today).to_string(),
            accrued_micros: Micros::of_minor(flown)
                .context("what was shown does not fit")?
                .get(),
            amount_minor: shown,
            at: context.now,
        };
        if !billing::insert_charge(tx, &charge).await? {
            continue;
        }
        let posting = Posting::new("barter.shown", &charge.charge, context.now)
            .debit(Account::barter_receivable(), fen(shown))
            .credit(Account::ad_income(), fen(shown));
        ledger::post(tx, &posting).await?;
        let placement = crate::booking::line(tx, tx.tenant(), &line)
            .await?
            .placement;
        let of = (ChargeSource::Barter, Some(&placement));
        share(context, tx, &charged(tx, &charge, of).await?).await?;
        barter.legs.delivered_minor = barter.legs.delivered_minor.saturating_add(shown);
    }
    Ok(barter)
}

/// Charges the merchant, or gives back, and moves as much out of what it owes in goods.
async fn settle(
    context: &Context,
    tx: &Tx,
    barter: &mut Barter,
    (what, minor): (&str, i64),
) -> anyhow::Result<()> {
    if minor == 0 {
        return Ok(());
    }
    let key = format!("barter/{}/{what}", barter.id);
    let amount = fen(minor.saturating_abs());
    let posting = Posting::new("barter.settled", &key, context.now);
    let (income, owed) = (Account::ad_income(), Account::barter_receivable());
    let posting = if minor > 0 {
        posting.debit(income, amount).credit(owed, amount)
    } else {
        posting.debit(owed, amount).credit(income, amount)
    };
    ledger::post(tx, &posting).await?;
    barter.legs.settled_minor = barter.legs.settled_minor.saturating_add(minor);
    let asked = Owed {
        key,
        merchant: &barter.merchant,
        source: ChargeSource::Barter,
        reference: barter.id.as_str(),
        placement: None,
        month: Month::of(context.today()),
        accrued: Micros::ZERO,
        amount_minor: minor,
    };
    owe(context, tx, asked).await?;
    Ok(())
}

/// Ends an exchange: what was shown is in the books, what is open is made even in money, what was to come is free.
pub(crate) async fn end(
    context: &Context,
    tx: &Tx,
    barter: Barter,
    (verb, state): (BarterVerb, BarterState),
) -> anyhow::Result<Barter> {
    barter.state.check(verb)?;
    let barter = recognized(context, tx, barter).await?;
    let mut after = barter.moved(verb, state)?;
    let open = after.legs.imbalance();
    settle(context, tx, &mut after, ("true-up", open)).await?;
    for line in lines::lines_of_barter(tx, tx.tenant(), &after.id).await? {
        let is_running = matches!(
            line.state_on(context.today()),
            LineState::Booked | LineState::InFlight
        );
        if !is_running {
            continue;
        }
        seats::release(tx, &line.id, context.today()).await?;
        let stopped = Line {
            state: LineState::Stopped,
            stopped_on: Some(context.today()),
            version: line.version + 1,
            ..line
        };
        lines::update_line(tx, &stopped).await?;
        facts::line_changed(context, tx, &stopped, None).await?;
    }
    Ok(after)
}

/// Looks at an exchange, once a day: what was shown is put into the books, and by that it is held back, goes on, or is
/// over. Whether there was something to look at.
pub(crate) async fn look(
    context: &Context,
    tenant: &TenantId,
    id: &BarterId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let found = barters::barter(tx, tx.tenant(), id).await?;
        let before = found.ok_or_else(unknown_barter)?;
        if !matches!(before.state, BarterState::Active | BarterState::Suspended) {
            return Ok(false);
        }
        let shown = recognized(context, tx, before.clone()).await?;
        let mut barter = balance(context, tx, shown).await?;
        let over = barter.terms.slots.iter().map(|slot| slot.ends_on).max();
        if over.is_some_and(|over| over <= context.today()) {
            seats::skip(tx, &barter.id, context.today()).await?;
            let is_even = barter.legs.imbalance() == 0;
            let state = if is_even {
                BarterState::Closed
            } else {
                BarterState::Settling
            };
            barter = Barter {
                state,
                version: barter.version + 1,
                ..barter
            };
        }
        barters::looked(tx, id, context.today()).await?;
        store(context, tx, (&before, &barter), None).await?;
        Ok(true)
    })
    .await
}

/// Stores what became of an exchange, and tells of it when its state is another.
pub(crate) async fn store(
    context: &Context,
    tx: &Tx,
    (before, after): (&Barter, &Barter),
    actor: Option<&Actor>,
) -> anyhow::Result<()> {
    if before == after {
        return Ok(());
    }
    barters::update_barter(tx, after).await?;
    if before.state != after.state || before.version != after.version {
        facts::barter_changed(context, tx, after, actor.map(|actor| &actor.id)).await?;
    }
    Ok(())
}

fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}
