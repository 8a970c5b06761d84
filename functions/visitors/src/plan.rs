//! The visits of passes that come again, made a little ahead; and what ends with a pass or a blacklist entry.

use kernel::VisitId;
use store::Tx;

use crate::context::Context;
use crate::domain::Signed;
use crate::domain::{
    Approval, End, Mark, Pass, Place, Reason, Recurring, RecurringState, Visit, VisitKind,
    VisitState, days_to_plan, observe, plan_through, reject, revoke, revoke_recurring,
};
use crate::facts;
use crate::store::{blacklist, places, recurring as sql, visits};

/// Makes the visits of a pass that are owed at the context's moment. A pass whose host lives there no longer, or
/// whose visitor is kept out by now, ends instead.
pub(crate) async fn plan(context: &Context, tx: &Tx, pass: &Recurring) -> anyhow::Result<()> {
    if pass.state != RecurringState::Active {
        return Ok(());
    }
    if let Some(reason) = ended_by_rule(context, tx, pass).await? {
        let end = End {
            by: None,
            at: context.now,
            reason: Reason::parse(reason).ok(),
        };
        return end_recurring(context, tx, pass, end).await;
    }
    let zone = places::zone(tx, tx.tenant(), &pass.community)
        .await?
        .unwrap_or(kernel::Zone::SHANGHAI);
    let through = plan_through(context.now);
    for day in days_to_plan(pass, through) {
        let Ok(window) = pass.weekly.window(day, zone) else {
            continue;
        };
        if window.until() <= context.now {
            continue;
        }
        let approval = Approval {
            signed: pass.signed.clone(),
            pass: Pass {
                id: context.new_id()?,
                window,
                uses_max: pass.uses_max,
                uses: 0,
            },
            arrived_at: None,
        };
        let visit = Visit {
            id: context.new_id()?,
            community: pass.community.clone(),
            place: Place::Room(pass.room.clone()),
            kind: VisitKind::Recurring,
            visitor: pass.visitor.clone(),
            recurring: Some(pass.id.clone()),
            requested_by: Some(pass.host().clone()),
            requested_at: context.now,
            state: VisitState::Approved(approval),
        };
        visits::insert_visit(tx, &visit, Some(day)).await?;
        facts::visit_made(context, tx, &visit, Vec::new()).await?;
    }
    sql::update_planned(tx, &pass.id, through.max(pass.planned_through)).await
}

async fn ended_by_rule(
    context: &Context,
    tx: &Tx,
    pass: &Recurring,
) -> anyhow::Result<Option<&'static str>> {
    if blacklist::is_blacklisted(tx, &pass.community, pass.visitor.as_ref()).await? {
        return Ok(Some("blacklist"));
    }
    let room = (&pass.community, &pass.room.room);
    let lives_there = places::lives_in(tx, tx.tenant(), pass.host(), room, context.now).await?;
    // What staff made with a reason does not depend on where they live.
    let is_staffs = pass.signed.reason.is_some();
    Ok((!lives_there && !is_staffs).then_some("host_moved_out"))
}

/// Ends a pass and its visits; nothing when it has ended already.
pub(crate) async fn end_recurring(
    context: &Context,
    tx: &Tx,
    pass: &Recurring,
    end: End,
) -> anyhow::Result<()> {
    let Some(ended) = revoke_recurring(pass, end.clone()) else {
        return Ok(());
    };
    sql::update_revoked(tx, &ended).await?;
    facts::recurring_changed(context, tx, &ended).await?;
    let open = visits::open_of_recurring(tx, &pass.id).await?;
    end_visits(context, tx, &open, &end).await
}

/// Ends the visits of somebody who is kept out from now on.
pub(crate) async fn keep_out(
    context: &Context,
    tx: &Tx,
    (community, mark): (&kernel::CommunityId, &Mark),
    end: &End,
) -> anyhow::Result<()> {
    let open = visits::open_of_mark(tx, community, mark).await?;
    end_visits(context, tx, &open, end).await
}

async fn end_visits(context: &Context, tx: &Tx, open: &[VisitId], end: &End) -> anyhow::Result<()> {
    for id in open {
        let Some(stored) = visits::visit(tx, tx.tenant(), id).await? else {
            continue;
        };
        let before = observe(stored.clone(), context.now);
        let after = match (&before.state, &end.by) {
            (VisitState::Requested { .. }, Some(by)) => {
                let signed = Signed {
                    by: by.clone(),
                    reason: end.reason.clone(),
                };
                reject(&before, signed, context.now)?
            }
            (VisitState::Approved(_) | VisitState::Arrived(_), _) => revoke(&before, end.clone())?,
            _ => None,
        };
        let after = after.unwrap_or(before);
        visits::update_visit(tx, &after).await?;
        facts::visit_changed(context, tx, &stored, &after).await?;
    }
    Ok(())
}
