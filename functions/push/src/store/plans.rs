//! Plans, and what they have done.

use kernel::{ActorId, PushMessageId, PushPlanId, TenantId, Timestamp, Zone};
use serde_json::Value as Json;
use store::{Read, Row, Tx};
use web::Page;

use super::people::Quiet;
use super::word;
use crate::domain::PlanState;

statements! {
    PUT = "insert into push_plan (tenant, id, name, content, audience, time_zone, rhythm, quiet_from, quiet_until,
            quiet_then, per_minute, hold_out_bps, state, next_at, version, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        on conflict (tenant, id) do update set name = excluded.name, content = excluded.content,
            audience = excluded.audience, time_zone = excluded.time_zone, rhythm = excluded.rhythm,
            quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, quiet_then = excluded.quiet_then,
            per_minute = excluded.per_minute, hold_out_bps = excluded.hold_out_bps, state = excluded.state,
            next_at = excluded.next_at, version = excluded.version";

    PLAN = "select id, name, content, audience, time_zone, rhythm, quiet_from, quiet_until, quiet_then, per_minute,
            hold_out_bps, state, next_at, version, created_by, created_at
        from push_plan where tenant = $1 and id = $2";

    PLANS = "select id, name, content, audience, time_zone, rhythm, quiet_from, quiet_until, quiet_then, per_minute,
            hold_out_bps, state, next_at, version, created_by, created_at
        from push_plan where tenant = $1 and (cast($2 as text) is null or id < $2) order by id desc limit $3";

    DUE = "select tenant, id from push_plan where next_at is not null and next_at <= $1 order by next_at limit $2";

    RUN = "insert into push_plan_run (tenant, plan, scheduled_at, message, ran_at) values ($1, $2, $3, $4, $5)
        on conflict (tenant, plan, scheduled_at) do nothing
        returning plan";

    RUNS = "select scheduled_at, message, ran_at from push_plan_run
        where tenant = $1 and plan = $2 and (cast($3 as bigint) is null or scheduled_at < $3)
        order by scheduled_at desc limit $4";
}

/// A plan.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: PushPlanId,
    pub(crate) name: String,
    /// What is told, as it was written.
    pub(crate) content: Json,
    pub(crate) audience: Json,
    pub(crate) zone: Zone,
    pub(crate) rhythm: Json,
    pub(crate) quiet: Option<Quiet>,
    pub(crate) per_minute: Option<i64>,
    pub(crate) hold_out_bps: u32,
    pub(crate) state: PlanState,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) version: i64,
    pub(crate) created_by: ActorId,
    pub(crate) created_at: Timestamp,
}

fn plan_of(row: &Row) -> anyhow::Result<Plan> {
    Ok(Plan {
        id: row.id(0)?,
        name: row.text(1)?.to_owned(),
        content: serde_json::from_str(row.text(2)?)?,
        audience: serde_json::from_str(row.text(3)?)?,
        zone: Zone::parse(row.text(4)?)?,
        rhythm: serde_json::from_str(row.text(5)?)?,
        quiet: Quiet::read(row, 6)?,
        per_minute: row.optional_integer(9)?,
        hold_out_bps: u32::try_from(row.integer(10)?)?,
        state: word(row.text(11)?, PlanState::parse)?,
        next_at: row.optional_timestamp(12)?,
        version: row.integer(13)?,
        created_by: row.id(14)?,
        created_at: row.timestamp(15)?,
    })
}

/// Puts a plan in the place of the one before.
pub(crate) async fn put(tx: &Tx, plan: &Plan) -> anyhow::Result<()> {
    let quiet = plan.quiet.as_ref();
    let parameters = [
        tx.tenant().into(),
        (&plan.id).into(),
        (&plan.name).into(),
        plan.content.to_string().into(),
        plan.audience.to_string().into(),
        plan.zone.as_str().into(),
        plan.rhythm.to_string().into(),
        quiet.map(|quiet| quiet.from.as_str()).into(),
        quiet.map(|quiet| quiet.until.as_str()).into(),
        quiet.map(|quiet| quiet.then.as_str()).into(),
        plan.per_minute.into(),
        plan.hold_out_bps.into(),
        plan.state.as_str().into(),
        plan.next_at.into(),
        plan.version.into(),
        (&plan.created_by).into(),
        plan.created_at.into(),
    ];
    tx.execute(PUT, &parameters).await
}

/// The plan.
pub(crate) async fn plan(
    db: &impl Read,
    tenant: &TenantId,
    id: &PushPlanId,
) -> anyhow::Result<Option<Plan>> {
    let row = db.row(PLAN, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(plan_of).transpose()
}

/// The plans, the latest first.
pub(crate) async fn plans(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<PushPlanId>,
) -> anyhow::Result<Vec<Plan>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(PLANS, &parameters).await?;
    rows.iter().map(plan_of).collect()
}

/// Plans whose time has come.
pub(crate) async fn due(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, PushPlanId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// A plan runs; whether it had not for that time.
pub(crate) async fn run(
    tx: &Tx,
    (plan, scheduled_at): (&PushPlanId, Timestamp),
    message: Option<&PushMessageId>,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        plan.into(),
        scheduled_at.into(),
        message.into(),
        now.into(),
    ];
    Ok(tx.row(RUN, &parameters).await?.is_some())
}

/// One time of a plan.
#[derive(serde::Serialize)]
pub(crate) struct Ran {
    pub(crate) scheduled_at: Timestamp,
    message: Option<PushMessageId>,
    ran_at: Timestamp,
}

/// The times of a plan, the latest first.
pub(crate) async fn runs(
    db: &impl Read,
    (tenant, plan): (&TenantId, &PushPlanId),
    page: &Page<Timestamp>,
) -> anyhow::Result<Vec<Ran>> {
    let parameters = [
        tenant.into(),
        plan.into(),
        page.after.into(),
        page.rows().into(),
    ];
    let rows = db.rows(RUNS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Ran {
                scheduled_at: row.timestamp(0)?,
                message: row.optional_id(1)?,
                ran_at: row.timestamp(2)?,
            })
        })
        .collect()
}
