//! What becomes of requests to cut or restore a supply: the gateway's answer, or time.

use kernel::{MeterId, SwitchingId, TenantId};
use store::{Tx, tx};
use wire::meter::Acknowledgement;

use crate::context::Context;
use crate::domain::switching::{ANSWER_MS, answered, observe};
use crate::domain::{Switching, SwitchingState};
use crate::store::switchings as sql;
use crate::{facts, recharging};

/// The most requests that one tick settles; the next tick goes on.
pub const TICK_SWITCHINGS_MAX: i64 = 100;

/// Takes an answer; whether it is one to a request.
///
/// # Errors
/// 403 when another gateway speaks.
pub(crate) async fn take_answer(
    context: &Context,
    tx: &Tx,
    (meter, answer): (&MeterId, &Acknowledgement),
) -> anyhow::Result<bool> {
    let id = SwitchingId::parse(answer.command.as_str())?;
    let found = sql::switching(tx, tx.tenant(), &id).await?;
    let Some(before) = found.filter(|switching| switching.meter == *meter) else {
        return Ok(false);
    };
    recharging::speaks_for(tx, meter, &answer.gateway).await?;
    if let Some(after) = answered(&before, &answer.outcome, context.now) {
        sql::settle(tx, &after).await?;
        tell(context, tx, (&before, &after)).await?;
    }
    Ok(true)
}

/// Stores the time-outs that readers already see; how many.
pub(crate) async fn settle_overdue(context: &Context) -> anyhow::Result<usize> {
    let expired_by = context.now.plus_millis(-ANSWER_MS);
    let mut settled = 0;
    for (tenant, id) in sql::overdue(&context.db, expired_by, TICK_SWITCHINGS_MAX).await? {
        settled += settle_one(context, &tenant, &id).await?;
    }
    Ok(settled)
}

async fn settle_one(
    context: &Context,
    tenant: &TenantId,
    id: &SwitchingId,
) -> anyhow::Result<usize> {
    tx(&context.db, tenant, async |tx| {
        let Some(before) = sql::switching(tx, tenant, id).await? else {
            return Ok(0);
        };
        let was_open = before.state == SwitchingState::Requested;
        Ok(usize::from(
            was_open && settle_if_overdue(context, tx, before).await?,
        ))
    })
    .await
}

/// Stores that a request has timed out, if it has.
pub(crate) async fn settle_if_overdue(
    context: &Context,
    tx: &Tx,
    before: Switching,
) -> anyhow::Result<bool> {
    let after = observe(before.clone(), context.now);
    if after.state == before.state {
        return Ok(false);
    }
    sql::settle(tx, &after).await?;
    tell(context, tx, (&before, &after)).await?;
    Ok(true)
}

/// The first end of a request is told; what came late stands beside it.
async fn tell(
    context: &Context,
    tx: &Tx,
    (before, after): (&Switching, &Switching),
) -> anyhow::Result<()> {
    if before.state != SwitchingState::Requested {
        return Ok(());
    }
    facts::switching_settled(context, tx, after).await
}
