//! `/api/ads/reports`, `/api/ads/charges` and `/api/ads/revenue`: what was seen, what it cost, and whose income it is.

use std::collections::BTreeMap;

use advertising::Micros;
use chrono::NaiveDate;
use kernel::{AdLineId, Message, PlacementId, Refusal};
use serde_json::{Value, json};
use web::{Query, Reply, Request};

use super::{caller, whose};
use crate::context::Context;
use crate::domain::check_reader;
use crate::domain::day::{Month, after, count};
use crate::inbox;
use crate::store::billing;
use crate::store::reports::{self as sql, Asked};

/// The most days of a report.
const REPORT_DAYS_MAX: i64 = 92;
/// The days of a report when the caller does not say.
const REPORT_DAYS: u64 = 30;

pub(super) async fn report(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let asked = asked(context, &mut query)?;
    let merchant = whose(context, &actor, &mut query).await?;
    query.finish()?;
    let asked = Asked { merchant, ..asked };
    if !(1..=REPORT_DAYS_MAX).contains(&count(asked.from, asked.until)) {
        return Err(report_invalid().into());
    }
    let (db, tenant) = (&context.db, &actor.tenant);
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut total = Row::default();
    for count in sql::counts(db, tenant, &asked).await? {
        total.add(count.views, count.clicks, count.micros);
        rows.entry(count.key)
            .or_default()
            .add(count.views, count.clicks, count.micros);
    }
    for one in sql::invalid(db, tenant, &asked).await? {
        total.add_invalid(&one.kind, &one.reason, one.amount);
        rows.entry(one.key)
            .or_default()
            .add_invalid(&one.kind, &one.reason, one.amount);
    }
    for (key, reach) in sql::reached(db, tenant, &asked).await? {
        rows.entry(key).or_default().reach = reach;
    }
    total.reach = sql::reached_in_all(db, tenant, &asked).await?;
    let items: Vec<Value> = rows.iter().map(|(key, row)| row.shown(Some(key))).collect();
    Ok(Reply::ok(&json!({
        "by": asked.by,
        "from": asked.from,
        "until": asked.until,
        "currency": "CNY",
        "items": items,
        "total": total.shown(None),
    })))
}

fn asked(context: &Context, query: &mut Query) -> anyhow::Result<Asked> {
    let by = query.take("by", |text| match text {
        "day" | "line" | "placement" => Ok(text.to_owned()),
        _ => Err("it is day, line or placement"),
    })?;
    let until = query.take("until", str::parse::<NaiveDate>)?;
    let until = until.unwrap_or_else(|| after(context.today(), 1));
    let from = query.take("from", str::parse::<NaiveDate>)?;
    let default = until.checked_sub_days(chrono::Days::new(REPORT_DAYS));
    Ok(Asked {
        by: by.unwrap_or_else(|| "day".to_owned()),
        from: from.or(default).unwrap_or(until),
        until,
        merchant: None,
        line: query.take("line", AdLineId::parse)?,
        placement: query.take("placement", PlacementId::parse)?,
    })
}

/// What is reported of one day, line or placement.
#[derive(Default)]
struct Row {
    views: i64,
    clicks: i64,
    micros: i64,
    reach: i64,
    invalid_views: BTreeMap<String, i64>,
    invalid_clicks: BTreeMap<String, i64>,
}

impl Row {
    fn add(&mut self, views: i64, clicks: i64, micros: i64) {
        self.views = self.views.saturating_add(views);
        self.clicks = self.clicks.saturating_add(clicks);
        self.micros = self.micros.saturating_add(micros);
    }

    fn add_invalid(&mut self, kind: &str, reason: &str, amount: i64) {
        let counts = if kind == "view" {
            &mut self.invalid_views
        } else {
            &mut self.invalid_clicks
        };
        let count = counts.entry(reason.to_owned()).or_default();
        *count = count.saturating_add(amount);
    }

    fn shown(&self, key: Option<&String>) -> Value {
        json!({
            "key": key,
            "views": self.views,
            "clicks": self.clicks,
            "reach": self.reach,
            "invalid_views": self.invalid_views,
            "invalid_clicks": self.invalid_clicks,
            "cost_micros": self.micros,
            "cost_minor": Micros::new(self.micros).rounded(),
        })
    }
}

pub(super) async fn charges(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| Ok::<_, std::convert::Infallible>(text.to_owned()))?;
    let merchant = whose(context, &actor, &mut query).await?;
    query.finish()?;
    let found = billing::charges(&context.db, &actor.tenant, merchant.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.charge.clone(),
        |one| one,
    )))
}

pub(super) async fn revenue(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_reader(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let month = |text: &str| Month::parse(text).ok_or("it is a month, 2026-10");
    let this = Month::of(context.today());
    let from = query.take("from", month)?.unwrap_or(this);
    let to = query.take("to", month)?.unwrap_or(this);
    query.finish()?;
    let months = billing::revenue(&context.db, &actor.tenant, (from, to)).await?;
    Ok(Reply::ok(&json!({
        "from": from.to_string(),
        "to": to.to_string(),
        "currency": "CNY",
        "items": months,
    })))
}

fn report_invalid() -> Refusal {
    Refusal::invalid(
        "report_invalid",
        Message::new("A report is of 1 to 92 days.", "报表区间为 1 至 92 天。"),
    )
}
