//! Plans: what is told once or again and again. A time of a plan is run once, whoever runs it and however often.

use kernel::{PushPlanId, TenantId, Timestamp, Zone};
use store::{Tx, tx};
use wire::event::PushPlanChanged;

use crate::context::Context;
use crate::domain::{LATE_MS_MAX, PlanState, Rhythm, Source};
use crate::facts;
use crate::store::messages::Whom;
use crate::store::plans::{self, Plan};
use crate::telling::{self, New};

/// Runs a plan whose time has come; whether it did.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn run(
    context: &Context,
    tenant: &TenantId,
    id: &PushPlanId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let Some(mut plan) = plans::plan(tx, tenant, id).await? else {
            return Ok(false);
        };
        let Some(at) = plan.next_at.filter(|at| *at <= context.now) else {
            return Ok(false);
        };
        let is_late = context.now.millis_since(at) > LATE_MS_MAX;
        let message = if is_late {
            None
        } else {
            let new = message_of(tx, &plan, at).await?;
            telling::tell(context, tx, new).await?
        };
        let message = message.map(|message| message.id);
        let ran = plans::run(tx, (id, at), message.as_ref(), context.now).await?;
        // What was missed while nobody was there is not made up for: the next time counts.
        let after = if is_late { context.now } else { at };
        plan.next_at = next_at(&plan.rhythm, plan.zone, after)?;
        if plan.next_at.is_none() {
            plan.state = PlanState::Ended;
            plan.version += 1;
            changed(context, tx, &plan, None).await?;
        }
        plans::put(tx, &plan).await?;
        Ok(ran)
    })
    .await
}

async fn message_of<'a>(tx: &Tx, plan: &'a Plan, at: Timestamp) -> anyhow::Result<New<'a>> {
    Ok(New {
        content: telling::unkept(tx, tx.tenant(), &plan.content).await?,
        source: Source::Plan,
        reference: format!("{}/{}", plan.id, at.millis()),
        whom: Whom::Audience(plan.audience.clone()),
        due_at: at,
        per_minute: plan.per_minute,
        hold_out_bps: plan.hold_out_bps,
        quiet: plan.quiet.clone().map(|quiet| (quiet, plan.zone)),
        actor: &plan.created_by,
    })
}

/// The first time of a rhythm after a moment.
///
/// # Errors
/// When what is kept is no rhythm.
pub(crate) fn next_at(
    rhythm: &serde_json::Value,
    zone: Zone,
    after: Timestamp,
) -> anyhow::Result<Option<Timestamp>> {
    let rhythm = Rhythm::parse(rhythm, zone.local(after).date)?;
    Ok(rhythm.next_after(after, zone))
}

/// Tells that a plan is otherwise than before.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn changed(
    context: &Context,
    tx: &Tx,
    plan: &Plan,
    actor: Option<&kernel::ActorId>,
) -> anyhow::Result<()> {
    let fact = PushPlanChanged {
        plan: plan.id.clone(),
        state: plan.state.as_str().to_owned(),
        version: plan.version,
        actor: actor.cloned(),
    };
    facts::append(context, tx, &fact).await
}
