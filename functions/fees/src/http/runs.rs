//! `/api/bill-runs`: the making of a month's bills, and publishing them.

use std::collections::BTreeMap;

use kernel::{Actor, ActorId, BillRunId, CommunityId, Currency, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::{answer, caller, community_of, path_id, write, write_once};
use crate::context::Context;
use crate::domain::{Month, check_manager, check_reader, community_unknown};
use crate::inbox;
use crate::running::{advance, turn, unknown_run};
use crate::store::runs::{self as sql, Run, RunState, Skipped};
use crate::store::{bills, known};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRun {
    community: CommunityId,
    period: Month,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize)]
struct ShownRun {
    id: BillRunId,
    community: CommunityId,
    period: String,
    dry_run: bool,
    state: &'static str,
    bills: i64,
    amount_minor: i64,
    currency: Currency,
    skipped: BTreeMap<String, Skipped>,
    created_by: ActorId,
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Made {
    id: BillRunId,
}

pub(super) async fn start(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewRun = web::body(request)?;
    check_manager(&actor, &new.community)?;
    inbox::catch_up_whole(context, &actor.tenant).await?;
    let run = Run {
        id: context.new_id()?,
        community: new.community,
        period: new.period,
        dry_run: new.dry_run,
        state: RunState::Running,
        after_rule: None,
        after_room: None,
        bills: 0,
        amount_minor: 0,
        skipped: BTreeMap::new(),
        created_by: actor.id.clone(),
        created_at: context.now,
    };
    let made = write(context, request, &actor, async |tx| {
        let community = known::community(tx, tx.tenant(), &run.community).await?;
        community.ok_or_else(community_unknown)?;
        sql::insert_run(tx, &run).await?;
        answer(201, &Made { id: run.id.clone() })
    })
    .await?;
    let made: Made = serde_json::from_str(&made.body)?;
    let run = advance(context, &actor.tenant, &made.id).await?;
    let place = format!("/api/bill-runs/{}", run.id);
    Ok(Reply::created(&place, &shown(run)))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(BillRunId::parse)?;
    let community = community_of(&actor, &mut query)?;
    query.finish()?;
    let found = sql::runs(&context.db, (&actor.tenant, &community), &page).await?;
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
    let run = manageable(&context.db, &actor, run).await?;
    let run = advance(context, &actor.tenant, &run.id).await?;
    Ok(Reply::ok(&shown(run)))
}

/// Publishes the bills of a finished run: they are owed from now on.
pub(super) async fn publish(
    context: &Context,
    request: &Request,
    run: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let turned = write_once(context, request, &actor, async |tx| {
        let run = manageable(tx, &actor, run).await?;
        let id = run.id.clone();
        // Again changes nothing.
        if !matches!(run.state, RunState::Publishing | RunState::Published) {
            sql::update_run(tx, &turn(&run, RunState::Publishing)?, context.now).await?;
        }
        answer(200, &Made { id })
    })
    .await?;
    let made: Made = serde_json::from_str(&turned.body)?;
    let run = advance(context, &actor.tenant, &made.id).await?;
    Ok(Reply::ok(&shown(run)))
}

/// Gives up a run that was not published: its drafts are deleted.
pub(super) async fn discard(
    context: &Context,
    request: &Request,
    run: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let discarded = write(context, request, &actor, async |tx| {
        let run = manageable(tx, &actor, run).await?;
        if run.state == RunState::Discarded {
            return answer(200, &shown(run));
        }
        let after = turn(&run, RunState::Discarded)?;
        drop_drafts(context, tx, &after).await?;
        answer(200, &shown(after))
    })
    .await?;
    super::replied(&discarded)
}

async fn drop_drafts(context: &Context, tx: &Tx, run: &Run) -> anyhow::Result<()> {
    bills::discard(tx, &run.id).await?;
    sql::update_run(tx, run, context.now).await
}

async fn readable(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Run> {
    let id: BillRunId = path_id(text, unknown_run)?;
    let found = sql::run(db, &actor.tenant, &id).await?;
    let found = found.filter(|run| check_reader(actor, &run.community).is_ok());
    Ok(found.ok_or_else(unknown_run)?)
}

async fn manageable(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Run> {
    let run = readable(db, actor, text).await?;
    check_manager(actor, &run.community)?;
    Ok(run)
}

fn shown(run: Run) -> ShownRun {
    ShownRun {
        id: run.id,
        community: run.community,
        period: run.period.to_string(),
        dry_run: run.dry_run,
        state: run.state.as_str(),
        bills: run.bills,
        amount_minor: run.amount_minor,
        currency: Currency::Cny,
        skipped: run.skipped,
        created_by: run.created_by,
        created_at: run.created_at,
    }
}
