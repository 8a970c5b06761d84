//! `/api/settlements/runs` and `/api/settlements/adjustments`: the making of a month's statements, and corrections.

use std::collections::BTreeMap;

use kernel::{Actor, ActorId, Currency, MerchantId, StatementId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, caller, form, path_id, replied, write, write_once};
use crate::context::Context;
use crate::domain::{Month, Reason, Revenue, readers_only, settlers_only};
use crate::running::{advance, new_run, over, unknown_run};
use crate::store::merchants;
use crate::store::runs::{self as sql, Run, Skipped};
use crate::{inbox, objecting};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRun {
    month: Month,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize)]
struct ShownRun {
    id: StatementId,
    month: String,
    dry_run: bool,
    state: &'static str,
    statements: i64,
    lines: i64,
    amount_minor: i64,
    owed_minor: i64,
    netted_minor: i64,
    currency: Currency,
    skipped: BTreeMap<String, Skipped>,
    created_by: ActorId,
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Made {
    id: StatementId,
}

/// Starts a run, and takes it as far as one request goes.
pub(super) async fn start(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    settlers_only(&actor)?;
    let new: NewRun = web::body(request)?;
    inbox::catch_up_whole(context, &actor.tenant).await?;
    let (terms, _) = merchants::terms(&context.db, &actor.tenant).await?;
    if !new.dry_run {
        over(context, &terms, new.month)?;
    }
    let run = new_run(context, (new.month, new.dry_run), actor.id.clone())?;
    let made = write(context, request, &actor, async |tx| {
        sql::insert_run(tx, &run).await?;
        answer(201, &Made { id: run.id.clone() })
    })
    .await?;
    let made: Made = serde_json::from_str(&made.body)?;
    let run = advance(context, &actor.tenant, &made.id).await?;
    let place = format!("/api/settlements/runs/{}", run.id);
    Ok(Reply::created(&place, &shown(run)))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(StatementId::parse)?;
    query.finish()?;
    let found = sql::runs(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |run| run.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(context: &Context, request: &Request, run: &str) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    Ok(Reply::ok(&shown(readable(&context.db, &actor, run).await?)))
}

/// Takes an unfinished run further.
pub(super) async fn go_on(
    context: &Context,
    request: &Request,
    run: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let run = readable(&context.db, &actor, run).await?;
    settlers_only(&actor)?;
    let run = advance(context, &actor.tenant, &run.id).await?;
    Ok(Reply::ok(&shown(run)))
}

async fn readable(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Run> {
    let id: StatementId = path_id(text, unknown_run)?;
    readers_only(actor).map_err(|_| unknown_run())?;
    let found = sql::run(db, &actor.tenant, &id).await?;
    Ok(found.ok_or_else(unknown_run)?)
}

fn shown(run: Run) -> ShownRun {
    ShownRun {
        id: run.id,
        month: run.month.to_string(),
        dry_run: run.dry_run,
        state: if run.is_done { "done" } else { "running" },
        statements: run.tally.statements,
        lines: run.tally.lines,
        amount_minor: run.tally.amount_minor,
        owed_minor: run.tally.owed_minor,
        netted_minor: run.tally.netted_minor,
        currency: Currency::Cny,
        skipped: run.tally.skipped,
        created_by: run.created_by,
        created_at: run.created_at,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAdjustment {
    merchant: MerchantId,
    revenue: String,
    amount_minor: i64,
    reason: Reason,
}

#[derive(Serialize)]
struct ShownAdjustment {
    line: String,
    merchant: MerchantId,
    revenue: &'static str,
    amount_minor: i64,
    reason: String,
}

/// Adds a correction to the open period.
pub(super) async fn adjust(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    settlers_only(&actor)?;
    let new: NewAdjustment = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let revenue = Revenue::parse(&new.revenue).ok_or_else(unknown_revenue)?;
    let made = write_once(context, request, &actor, async |tx| {
        form::seen(tx, &actor, &new.merchant).await?;
        let what = (new.amount_minor, "", new.reason.as_str());
        let of = (&actor, &new.merchant, revenue);
        let line = objecting::correction(context, tx, of, what).await?;
        answer(
            201,
            &ShownAdjustment {
                line: line.to_string(),
                merchant: new.merchant.clone(),
                revenue: revenue.as_str(),
                amount_minor: new.amount_minor,
                reason: new.reason.as_str().to_owned(),
            },
        )
    })
    .await?;
    replied(&made)
}

fn unknown_revenue() -> kernel::Refusal {
    kernel::Refusal::invalid(
        "revenue_unknown",
        kernel::Message::new(
            "The revenue is commission, hosting, maintenance, platform or advertising.",
            "收入类型为 commission、hosting、maintenance、platform 或 advertising。",
        ),
    )
}
