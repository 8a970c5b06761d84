//! `/api/push/statistics`: the funnel from sent to converted by purpose, reach, and what people took back.

use kernel::{Message, Refusal, Timestamp};
use serde_json::json;
use web::{Query, Reply, Request};

use super::caller;
use crate::context::Context;
use crate::domain::readers_only;
use crate::store::reports as sql;

/// The longest time that is summed up, in milliseconds: a year and a day.
const SPAN_MS_MAX: i64 = 366 * 86_400_000;
/// What is summed up when nobody says, in milliseconds: 30 days.
const SPAN_MS: i64 = 30 * 86_400_000;
/// Below this share of people who see what they are told, in 1/100, the channel does not work.
const REACH_PERCENT_MIN: i64 = 40;

pub(super) async fn statistics(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let from = query.take("from", Timestamp::parse)?;
    let until = query.take("until", Timestamp::parse)?;
    query.finish()?;
    let until = until.unwrap_or_else(|| context.now.plus_millis(1));
    let from = from.unwrap_or_else(|| until.plus_millis(-SPAN_MS));
    if !(1..=SPAN_MS_MAX).contains(&until.millis_since(from)) {
        return Err(Refusal::invalid(
            "period_invalid",
            Message::new(
                "Choose a time of at most 366 days that ends after it begins.",
                "请选择不超过 366 天且结束晚于开始的时间段。",
            ),
        )
        .into());
    }
    let span = (from, until);
    let purposes = sql::sums(&context.db, &actor.tenant, span).await?;
    let stopped = sql::stopped(&context.db, &actor.tenant, span).await?;
    Ok(Reply::ok(&json!({
        "from": from, "until": until, "purposes": purposes, "unsubscribed": stopped,
        "reach_percent_min": REACH_PERCENT_MIN,
    })))
}
