//! `/api/visits/{visit}/pass`: the signed text that a visitor shows at the gate.

use kernel::{Message, Refusal, TenantId, Timestamp, VisitId};
use serde::Serialize;
use web::{Reply, Request};
use wire::pass::{Holder, PassClaims, Target};

use super::visits::known;
use super::{caller, path_id, private};
use crate::context::Context;
use crate::domain::{Place, Relation, Visit, VisitState, unknown_visit};

#[derive(Serialize)]
struct ShownPass {
    visit: VisitId,
    text: String,
    from: Timestamp,
    until: Timestamp,
    uses_max: u16,
    uses: u16,
    /// With it the visitor reads the pass without an account.
    token: String,
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    visit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(visit, unknown_visit)?;
    let (_, visit, relation) = known(context, &context.db, &actor, &id).await?;
    if relation == Relation::Reader {
        return Err(hosts_see_passes().into());
    }
    let shown = ShownPass {
        visit: visit.id.clone(),
        text: pass_text(context, &actor.tenant, &visit)?.ok_or_else(no_pass)?,
        token: context.token_key.token(&actor.tenant, &visit.id)?,
        ..window_of(&visit).ok_or_else(no_pass)?
    };
    Ok(private(Reply::ok(&shown)))
}

/// The signed text of a visit that is expected; nothing for any other.
pub(super) fn pass_text(
    context: &Context,
    tenant: &TenantId,
    visit: &Visit,
) -> anyhow::Result<Option<String>> {
    let (VisitState::Approved(approval) | VisitState::Arrived(approval), Place::Room(room)) =
        (&visit.state, &visit.place)
    else {
        return Ok(None);
    };
    let claims = PassClaims {
        pass: approval.pass.id.clone(),
        tenant: tenant.clone(),
        community: visit.community.clone(),
        holder: Holder::Visitor,
        person: None,
        targets: vec![Target::Unit(room.building.clone(), room.unit.clone())],
        not_before: approval.pass.window.from(),
        expires_at: approval.pass.window.until(),
        uses_max: approval.pass.uses_max.count(),
        step: 0,
    };
    Ok(Some(wire::pass::sign(&claims, &context.pass_seed)?))
}

fn window_of(visit: &Visit) -> Option<ShownPass> {
    let pass = &visit.state.approval()?.pass;
    Some(ShownPass {
        visit: visit.id.clone(),
        text: String::new(),
        from: pass.window.from(),
        until: pass.window.until(),
        uses_max: pass.uses_max.count(),
        uses: pass.uses,
        token: String::new(),
    })
}

fn no_pass() -> Refusal {
    Refusal::conflict(
        "visit_without_pass",
        Message::new(
            "Only a visit that is approved and not over has a pass.",
            "只有已批准且未结束的来访才有通行证。",
        ),
    )
}

fn hosts_see_passes() -> Refusal {
    Refusal::forbidden(
        "hosts_only",
        Message::new(
            "Only the household and the property office see the pass.",
            "只有住户或物业可以查看通行证。",
        ),
    )
}
