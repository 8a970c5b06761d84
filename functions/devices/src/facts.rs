//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{Actor, DeviceId};
use store::{Tx, events};
use wire::event::{
    DeviceDescribed, Event, GatewayAvailabilityChanged, GatewayCommandRequested,
    GatewayCommandSettled, GatewayConfigured,
};

use crate::context::Context;
use crate::domain::{Cause, Command, CommandState, Device, Presence};

/// A device was entered into the register, or its entry was changed.
pub(crate) async fn described(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    device: &Device,
) -> anyhow::Result<()> {
    let Some(said) = &device.description else {
        return Ok(());
    };
    let fact = DeviceDescribed {
        device: device.id.clone(),
        community: said.community.clone(),
        version: device.version,
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// A gateway came, went or fell silent; nothing for one that was only heard again.
pub(crate) async fn presence_changed(
    context: &Context,
    tx: &Tx,
    gateway: &DeviceId,
    (before, after): (&Presence, &Presence),
) -> anyhow::Result<()> {
    let (online, since, cause) = match after {
        _ if before.is_online() == after.is_online() => return Ok(()),
        Presence::Unknown => return Ok(()),
        Presence::Online { since, .. } => (true, *since, Cause::Session),
        Presence::Offline { since, cause, .. } => (false, *since, *cause),
    };
    let fact = GatewayAvailabilityChanged {
        gateway: gateway.clone(),
        online,
        since,
        cause: cause.as_str().to_owned(),
    };
    append(context, tx, &fact).await
}

/// A gateway has another configuration to run with.
pub(crate) async fn configured(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (gateway, version): (&DeviceId, i64),
) -> anyhow::Result<()> {
    let fact = GatewayConfigured {
        gateway: gateway.clone(),
        version,
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// A command is new.
pub(crate) async fn requested(context: &Context, tx: &Tx, new: &Command) -> anyhow::Result<()> {
    let fact = GatewayCommandRequested {
        command: new.id.clone(),
        gateway: new.gateway.clone(),
        action: new.action.as_str().to_owned(),
        expires_at: new.expires_at,
        actor: new.requested_by.clone(),
    };
    append(context, tx, &fact).await
}

/// A command is in another state than before; only its end is a fact.
pub(crate) async fn settled(context: &Context, tx: &Tx, after: &Command) -> anyhow::Result<()> {
    if !after.state.is_settled() {
        return Ok(());
    }
    let reason = match &after.state {
        CommandState::Failed { reason } => Some(reason.clone()),
        _ => None,
    };
    let fact = GatewayCommandSettled {
        command: after.id.clone(),
        gateway: after.gateway.clone(),
        state: after.state.name().to_owned(),
        reason,
    };
    append(context, tx, &fact).await
}

async fn append<Fact: Event>(context: &Context, tx: &Tx, fact: &Fact) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}
