//! `/api/order-reports`: what is stuck, the orders of a day as a table, and what was sold.

use chrono::{Days, NaiveDate};
use kernel::{MerchantId, Message, Refusal, Timestamp, Zone};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::private;
use crate::context::Context;
use crate::domain::{DAY_MS, Party, party_of, reports_denied, reports_reader, unknown_merchant};
use crate::exporting;
use crate::party;
use crate::store::reports::{self as sql, By, Stuck, Sums};

/// The most of one kind that the monitor shows.
const STUCK_MAX: i64 = 100;
/// The longest span of statistics, in days.
const SPAN_DAYS_MAX: i64 = 366;
const HOUR_MS: i64 = DAY_MS / 24;

#[derive(Serialize)]
struct Monitor {
    at: Timestamp,
    kinds: Vec<ShownStuck>,
}

#[derive(Serialize)]
struct ShownStuck {
    kind: &'static str,
    limit_hours: i64,
    items: Vec<ShownDelayed>,
}

#[derive(Serialize)]
struct ShownDelayed {
    id: String,
    of: Option<String>,
    since: Timestamp,
    age_hours: i64,
}

#[derive(Serialize)]
struct ShownSums {
    key: String,
    orders: i64,
    units: i64,
    paid_minor: i64,
    refunded_minor: i64,
    commission_minor: i64,
}

#[derive(Serialize)]
struct Statistics {
    from: NaiveDate,
    until: NaiveDate,
    items: Vec<ShownSums>,
}

pub(super) async fn stuck(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    reports_reader(&caller.actor)?;
    let mut query = Query::of(request)?;
    let mut kinds = Vec::new();
    for (how, usual) in Stuck::ALL {
        let name = format!("{}_hours", how.as_str());
        let hours = query.take(&name, |text| match text.parse() {
            Ok(hours) if (0..=10_000).contains(&hours) => Ok(hours),
            _ => Err("it is a number of hours from 0 to 10000"),
        })?;
        kinds.push((how, hours.unwrap_or(usual)));
    }
    query.finish()?;
    let mut shown = Vec::new();
    for (how, limit_hours) in kinds {
        let since = context.now.plus_millis(-limit_hours * HOUR_MS);
        let tenant = &caller.actor.tenant;
        let found = sql::stuck(&context.db, tenant, (how, since), STUCK_MAX).await?;
        let items = found.into_iter().map(|delayed| ShownDelayed {
            age_hours: context.now.millis_since(delayed.since) / HOUR_MS,
            id: delayed.id,
            of: delayed.of,
            since: delayed.since,
        });
        shown.push(ShownStuck {
            kind: how.as_str(),
            limit_hours,
            items: items.collect(),
        });
    }
    Ok(Reply::ok(&Monitor {
        at: context.now,
        kinds: shown,
    }))
}

pub(super) async fn export(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    reports_reader(&caller.actor)?;
    let mut query = Query::of(request)?;
    let day = query.take("day", date)?.ok_or_else(day_missing)?;
    query.finish()?;
    let (from, until) = (midnight(day), midnight(next(day)?));
    let table = exporting::orders(&context.db, &caller.actor.tenant, (from, until)).await?;
    let reply = Reply::with_body(
        ::http::StatusCode::OK,
        "text/csv; charset=utf-8",
        table.into(),
    );
    let name = format!("attachment; filename=\"orders-{day}.csv\"");
    Ok(private(reply).with_header(::http::header::CONTENT_DISPOSITION, &name))
}

pub(super) async fn statistics(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let mut query = Query::of(request)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let from = query.take("from", date)?.ok_or_else(day_missing)?;
    let last = query.take("to", date)?.ok_or_else(day_missing)?;
    let by = query.take("by", |text| {
        By::parse(text).ok_or("it is day, category or shop")
    })?;
    query.finish()?;
    let part = party_of(
        &caller.actor,
        &caller.shops,
        (&caller.actor.id, merchant.as_ref()),
    );
    match (part, &merchant) {
        (Some(Party::Operator | Party::Reader | Party::Merchant), _) => {}
        (_, Some(_)) => return Err(unknown_merchant().into()),
        (_, None) => return Err(reports_denied().into()),
    }
    let span = (last - from).num_days();
    if !(0..SPAN_DAYS_MAX).contains(&span) {
        return Err(span_invalid().into());
    }
    let moments = (midnight(from), midnight(next(last)?));
    let by = by.unwrap_or(By::Day);
    let whose = (&caller.actor.tenant, merchant.as_ref());
    let found = sql::sums(&context.db, whose, by, moments).await?;
    let items: anyhow::Result<Vec<ShownSums>> =
        found.into_iter().map(|sums| shown(by, sums)).collect();
    Ok(Reply::ok(&Statistics {
        from,
        until: last,
        items: items?,
    }))
}

fn shown(by: By, sums: Sums) -> anyhow::Result<ShownSums> {
    let key = match by {
        By::Day => exporting::day(sums.key.parse()?)?,
        By::Category | By::Shop => sums.key,
    };
    Ok(ShownSums {
        key,
        orders: sums.orders,
        units: sums.units,
        paid_minor: sums.paid_minor,
        refunded_minor: sums.refunded_minor,
        commission_minor: sums.commission_minor,
    })
}

fn date(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse()
        .map_err(|_| "it is a day, for example 2026-11-02")
}

fn next(day: NaiveDate) -> Result<NaiveDate, Refusal> {
    day.checked_add_days(Days::new(1)).ok_or_else(day_missing)
}

/// When a day of the mall begins.
fn midnight(day: NaiveDate) -> Timestamp {
    Zone::SHANGHAI.moment(day, 0)
}

fn day_missing() -> Refusal {
    Refusal::invalid(
        "day_missing",
        Message::new(
            "Name the day, or the first and the last one, for example day=2026-11-02.",
            "请指定日期，例如 day=2026-11-02。",
        ),
    )
}

fn span_invalid() -> Refusal {
    Refusal::invalid(
        "span_invalid",
        Message::new(
            format!(
                "The last day is not before the first, and at most {SPAN_DAYS_MAX} days are summed."
            ),
            format!("结束日期不能早于开始日期，且最多统计 {SPAN_DAYS_MAX} 天。"),
        ),
    )
}
