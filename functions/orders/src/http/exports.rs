//! `/api/order-reports/exports`: the orders of each day as they stood when it was over, kept byte for byte.

use chrono::NaiveDate;
use kernel::{Message, Refusal, Timestamp};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::private;
use crate::context::Context;
use crate::domain::reports_reader;
use crate::party;
use crate::store::exports::{self as sql, Export};

#[derive(Serialize)]
struct ShownExport {
    day: String,
    rows: i64,
    bytes: i64,
    digest: String,
    made_at: Timestamp,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    reports_reader(&caller.actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(str::parse::<NaiveDate>)?;
    query.finish()?;
    let found = sql::exports(&context.db, &caller.actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |export| export.day.clone(),
        shown,
    )))
}

pub(super) async fn show(context: &Context, request: &Request, day: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    reports_reader(&caller.actor)?;
    let day: NaiveDate = day.parse().map_err(|_| unknown_export())?;
    let tenant = &caller.actor.tenant;
    let found = sql::export(&context.db, tenant, day).await?;
    let found = found.ok_or_else(unknown_export)?;
    let table = sql::content(&context.db, tenant, day).await?;
    let reply = Reply::with_body(
        ::http::StatusCode::OK,
        "text/csv; charset=utf-8",
        table.into(),
    );
    let name = format!("attachment; filename=\"orders-{day}.csv\"");
    let digest = format!("\"{}\"", found.digest);
    Ok(private(reply)
        .with_header(::http::header::CONTENT_DISPOSITION, &name)
        .with_header(::http::header::ETAG, &digest))
}

fn shown(export: Export) -> ShownExport {
    ShownExport {
        day: export.day,
        rows: export.rows,
        bytes: export.bytes,
        digest: export.digest,
        made_at: export.made_at,
    }
}

fn unknown_export() -> Refusal {
    Refusal::not_found(
        "export_unknown",
        Message::new(
            "There is no export of this day: nothing was ordered, or the day is not over.",
            "该日没有导出：当天无订单或尚未结束。",
        ),
    )
}
