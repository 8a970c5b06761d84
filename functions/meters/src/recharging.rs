//! Money that was paid ahead, on its way to the meter: fees say what was paid, the meter's gateway carries it there, and
//! fees hear what the meter said. Where no meter takes money over the line, fees wait for somebody's word as before.

use kernel::{DeviceId, RechargeId, Refusal, TenantId};
use store::{Tx, tx};
use wire::event::{MeterRecharged, RechargeCommanded, RechargeFinished};
use wire::meter::{Acknowledgement, Command};

use crate::context::Context;
use crate::domain::caller::unknown_command;
use crate::domain::recharge::{self, Try};
use crate::domain::switching::own_gateway;
use crate::domain::{Recharge, RechargeState};
use crate::store::{batch, recharges as sql};
use crate::{facts, outbox};

/// The most tries that are sent at a time; the next heartbeat goes on.
pub const TRIES_AT_ONCE_MAX: i64 = 50;
/// After how long a recharge looks again whether an earlier one of its meter has ended.
const WAIT_MS: i64 = 30_000;

/// A recharge was paid: it goes to the room's prepaid meter, if there is exactly one that a gateway reaches.
pub(crate) async fn commanded(
    context: &Context,
    tx: &Tx,
    event: &RechargeCommanded,
) -> anyhow::Result<()> {
    let meters = sql::prepaid(tx, &event.room, event.commodity).await?;
    let [meter] = meters.as_slice() else {
        let text = format!(
            "recharge {} is brought to its meter by hand: room {} has {} prepaid meters that a gateway reaches",
            event.recharge,
            event.room,
            meters.len()
        );
        web::log("info", "-", &text);
        return Ok(());
    };
    let ids = (
        event.recharge.clone(),
        meter.clone(),
        event.community.clone(),
    );
    let moments = (context.now, context.now);
    let recharge = recharge::commanded(ids, event.amount_minor, moments);
    sql::insert(tx, &recharge).await
}

/// Fees wait no more: somebody confirmed it by hand, or the money goes back.
pub(crate) async fn finished(
    context: &Context,
    tx: &Tx,
    event: &RechargeFinished,
) -> anyhow::Result<()> {
    let Some(recharge) = sql::recharge(tx, tx.tenant(), &event.recharge).await? else {
        return Ok(());
    };
    match recharge::cancelled(recharge, context.now) {
        Some(cancelled) => sql::update(tx, &cancelled).await,
        None => Ok(()),
    }
}

/// Sends what is due to meters; how many tries.
///
/// # Errors
/// A failure of the database. A broker that is away is tried again.
pub(crate) async fn send_due(context: &Context) -> anyhow::Result<usize> {
    let mut sent = 0;
    for (tenant, id) in sql::due(&context.db, context.now, TRIES_AT_ONCE_MAX).await? {
        let tried = tx(&context.db, &tenant, async |tx| {
            next(context, tx, &id).await
        })
        .await?;
        if let Some((meter, tried)) = tried {
            let command = Command {
                command: tried.command,
                expires_at: tried.expires_at,
                order: tried.order,
            };
            outbox::publish_command(context, &tenant, &meter, command).await;
            sent += 1;
        }
    }
    Ok(sent)
}

/// The next try of a recharge, written down before it is sent.
async fn next(
    context: &Context,
    tx: &Tx,
    id: &RechargeId,
) -> anyhow::Result<Option<(kernel::MeterId, Try)>> {
    let found = sql::recharge(tx, tx.tenant(), id).await?;
    let is_due = |recharge: &Recharge| {
        recharge.state == RechargeState::Waiting && recharge.next_at <= context.now
    };
    let Some(recharge) = found.filter(is_due) else {
        return Ok(None);
    };
    if sql::waits_for_another(tx, &recharge).await? {
        let later = Recharge {
            next_at: context.now.plus_millis(WAIT_MS),
            ..recharge
        };
        sql::update(tx, &later).await?;
        return Ok(None);
    }
    let meter = recharge.meter.clone();
    let (after, tried) = recharge::due(recharge, context.now)?;
    sql::update(tx, &after).await?;
    Ok(tried.map(|tried| (meter, tried)))
}

/// Takes the answer of a gateway to a try.
///
/// # Errors
/// 404 when nothing of that name was sent to the meter; 403 when another gateway speaks.
pub(crate) async fn answered(
    context: &Context,
    tx: &Tx,
    (meter, answer): (&kernel::MeterId, &Acknowledgement),
) -> anyhow::Result<()> {
    let named = recharge::named_by(&answer.command);
    let (id, attempt) = named.ok_or_else(unknown_command)?;
    let found = sql::recharge(tx, tx.tenant(), &id).await?;
    let recharge = found.filter(|recharge| recharge.meter == *meter);
    let recharge = recharge.ok_or_else(unknown_command)?;
    speaks_for(tx, meter, &answer.gateway).await?;
    let after = recharge::answered(&recharge, attempt, &answer.outcome, context.now);
    let Some(after) = after else { return Ok(()) };
    sql::update(tx, &after).await?;
    let Some((gateway, taken)) = recharge::told(after.state, Some(&answer.gateway)) else {
        return Ok(());
    };
    let fact = MeterRecharged {
        recharge: after.id.clone(),
        meter: after.meter.clone(),
        community: after.community.clone(),
        gateway,
        taken,
        detail: after.detail.clone().filter(|_| !taken),
    };
    facts::recharged(context, tx, &fact).await
}

/// Only the gateway of a meter is believed about it.
pub(crate) async fn speaks_for(
    tx: &Tx,
    meter: &kernel::MeterId,
    gateway: &DeviceId,
) -> anyhow::Result<()> {
    let known = batch::known(tx, tx.tenant(), &[meter]).await?;
    let known = known.first().ok_or_else(unknown_command)?;
    own_gateway(&known.meter, gateway).map_err(Refusal::into)
}

/// Sends what is due after something of a tenant was heard; what fails is left to the heartbeat.
pub(crate) async fn send_soon(context: &Context, tenant: &TenantId) {
    if let Err(error) = send_due(context).await {
        let text = format!("recharges of {tenant} wait for the heartbeat: {error:#}");
        web::log("warn", "-", &text);
    }
}
