//! `/api/push/plans`: what is told once or again and again.

use kernel::{ActorId, Message, PushPlanId, Refusal, Timestamp};
use messaging::audience::Audience;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Query, Reply, Request};

use super::messages::pace;
use super::people::QuietForm;
use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    PlanState, Rhythm, label, readers_only, sees_all, tellers_only, unknown_plan, zone,
};
use crate::planning;
use crate::store::plans::{self as sql, Plan};
use crate::store::terms;
use crate::telling::{self, Options, Written};

/// The share that is held out unless somebody says otherwise, in 1/10,000.
const HOLD_OUT_BPS: u32 = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    notification: Written,
    #[serde(default)]
    options: Options,
    audience: Value,
    time_zone: Option<String>,
    rhythm: Value,
    quiet: Option<QuietForm>,
    per_minute: Option<i64>,
    hold_out_bps: Option<u32>,
    #[serde(default)]
    state: Option<PlanState>,
}

#[derive(Serialize)]
struct Shown {
    id: PushPlanId,
    name: String,
    content: Value,
    audience: Value,
    time_zone: &'static str,
    rhythm: Value,
    quiet: Option<QuietForm>,
    per_minute: Option<i64>,
    hold_out_bps: u32,
    state: &'static str,
    next_at: Option<Timestamp>,
    version: i64,
    created_by: ActorId,
    created_at: Timestamp,
}

/// A plan as it was written, before it has an id.
async fn plan_of(
    context: &Context,
    actor: &kernel::Actor,
    (form, id): (Form, PushPlanId),
) -> anyhow::Result<Plan> {
    let (terms, _) = terms::terms(&context.db, &actor.tenant).await?;
    let zone = form.time_zone.as_deref().map_or(Ok(terms.zone), zone)?;
    let today = zone.local(context.now).date;
    let rhythm = Rhythm::parse(&form.rhythm, today)?;
    let parts = (form.notification, form.options);
    let content = telling::content(&context.db, &actor.tenant, parts).await?;
    let hold_out_bps = form.hold_out_bps.unwrap_or(HOLD_OUT_BPS);
    if hold_out_bps > 5_000 {
        return Err(hold_out_invalid().into());
    }
    let state = form.state.unwrap_or(PlanState::Active);
    let next_at = match state {
        PlanState::Active => rhythm.next_after(context.now, zone),
        PlanState::Paused | PlanState::Ended => None,
    };
    if state == PlanState::Active && next_at.is_none() {
        return Err(never().into());
    }
    Ok(Plan {
        id,
        name: label("name", &form.name)?,
        content: telling::kept(&content)?,
        audience: Audience::parse(&form.audience)?.to_json(),
        zone,
        rhythm: rhythm.to_json(),
        quiet: form.quiet.as_ref().map(QuietForm::checked).transpose()?,
        per_minute: pace(form.per_minute)?,
        hold_out_bps,
        state,
        next_at,
        version: 1,
        created_by: actor.id.clone(),
        created_at: context.now,
    })
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let form: Form = web::body(request)?;
    let plan = plan_of(context, &actor, (form, context.new_id()?)).await?;
    let made = write(context, request, &actor, async |tx| {
        sql::put(tx, &plan).await?;
        planning::changed(context, tx, &plan, Some(&actor.id)).await?;
        answer(201, &shown(plan.clone()))
    })
    .await?;
    stored(&made, "/api/push/plans")
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    plan: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let id: PushPlanId = path_id(plan, unknown_plan)?;
    let if_match = web::required_if_match(request)?;
    let form: Form = web::body(request)?;
    let known = sql::plan(&context.db, &actor.tenant, &id).await?;
    known.ok_or_else(unknown_plan)?;
    let new = plan_of(context, &actor, (form, id.clone())).await?;
    let made = write(context, request, &actor, async |tx| {
        let known = sql::plan(tx, tx.tenant(), &id).await?;
        let known = known.ok_or_else(unknown_plan)?;
        if_match.check(known.version)?;
        let after = Plan {
            version: known.version + 1,
            created_by: known.created_by,
            created_at: known.created_at,
            ..new.clone()
        };
        sql::put(tx, &after).await?;
        planning::changed(context, tx, &after, Some(&actor.id)).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(PushPlanId::parse)?;
    query.finish()?;
    let found = sql::plans(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |plan| plan.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    plan: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let plan = seen(context, &actor, plan).await?;
    let version = plan.version;
    Ok(Reply::ok(&shown(plan)).with_etag(version))
}

pub(super) async fn runs(
    context: &Context,
    request: &Request,
    plan: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let plan = seen(context, &actor, plan).await?;
    let mut query = Query::of(request)?;
    let page = query.page(Timestamp::parse)?;
    query.finish()?;
    let found = sql::runs(&context.db, (&actor.tenant, &plan.id), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |ran| ran.scheduled_at.to_string(),
        |ran| ran,
    )))
}

async fn seen(context: &Context, actor: &kernel::Actor, plan: &str) -> anyhow::Result<Plan> {
    let id: PushPlanId = path_id(plan, unknown_plan)?;
    let found = sql::plan(&context.db, &actor.tenant, &id).await?;
    let seen = found.filter(|_| sees_all(actor));
    seen.ok_or_else(|| unknown_plan().into())
}

fn shown(plan: Plan) -> Shown {
    Shown {
        id: plan.id,
        name: plan.name,
        content: plan.content,
        audience: plan.audience,
        time_zone: plan.zone.as_str(),
        rhythm: plan.rhythm,
        quiet: plan.quiet.as_ref().map(QuietForm::of),
        per_minute: plan.per_minute,
        hold_out_bps: plan.hold_out_bps,
        state: plan.state.as_str(),
        next_at: plan.next_at,
        version: plan.version,
        created_by: plan.created_by,
        created_at: plan.created_at,
    }
}

fn hold_out_invalid() -> Refusal {
    Refusal::invalid(
        "hold_out_invalid",
        Message::new(
            "At most half of an audience is held out: 0 to 5000 of 10000.",
            "对照组比例最多一半：0 到 5000（万分比）。",
        ),
    )
}

fn never() -> Refusal {
    Refusal::invalid(
        "plan_never_due",
        Message::new(
            "The plan would never be due. Choose a later time.",
            "该计划不会再触发，请选择更晚的时间。",
        ),
    )
}
