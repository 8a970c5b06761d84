//! What gateways are told: commands that wait are sent once their gateway is there, and the configuration that a
//! gateway should run with is owed to it until it runs with it.

use kernel::{ActorId, DeviceId, TenantId};
use store::{Tx, tx};

use crate::context::Context;
use crate::domain::{Action, Command, Gateway, sent};
use crate::facts;
use crate::outbox::publish_command;
use crate::store::{commands, register};

/// Adds a command; it is sent after the commit, by [`deliver`].
pub(crate) async fn queue(
    context: &Context,
    tx: &Tx,
    (gateway, action): (&DeviceId, Action),
    requested_by: Option<ActorId>,
) -> anyhow::Result<Command> {
    let whom = (gateway.clone(), action);
    let command = Command::new(context.new_id()?, whom, requested_by, context.now);
    commands::insert_command(tx, &command).await?;
    facts::requested(context, tx, &command).await?;
    Ok(command)
}

/// Adds the command that brings a gateway the configuration it should run with, unless it runs with it, is being
/// told, or has refused it.
pub(crate) async fn owe_configuration(
    context: &Context,
    tx: &Tx,
    gateway: &Gateway,
) -> anyhow::Result<bool> {
    let version = gateway.configuration.version;
    let id = &gateway.device.id;
    let runs_with = gateway.configuration.applied.unwrap_or(0);
    if runs_with >= version || commands::is_configured_with(tx, id, version, context.now).await? {
        return Ok(false);
    }
    queue(context, tx, (id, Action::Configure { version }), None).await?;
    Ok(true)
}

/// Sends what waits for a gateway that is there. What the broker does not take keeps waiting, and is sent again by
/// the next heartbeat under the same id. A configuration that is no longer the present one is left to expire.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn deliver(
    context: &Context,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<i64> {
    let gateway = register::gateway(&context.db, tenant, id).await?;
    let Some(gateway) = gateway.filter(|gateway| gateway.presence.is_online() == Some(true)) else {
        return Ok(0);
    };
    let mut delivered = 0;
    for command in commands::queued(&context.db, tenant, id, context.now).await? {
        let present = &gateway.configuration;
        if matches!(command.action, Action::Configure { version } if version != present.version) {
            // The newer version has a command of its own.
            continue;
        }
        let published = publish_command(
            &context.outbox,
            tenant,
            &command,
            &present.text,
            context.now,
        )
        .await;
        if let Err(error) = published {
            let line = format!("the command {} was not sent: {error:#}", command.id);
            web::log("warn", "-", &line);
            return Ok(delivered);
        }
        mark_sent(context, tenant, &command).await?;
        delivered += 1;
    }
    Ok(delivered)
}

/// The answer may have been faster than this.
async fn mark_sent(context: &Context, tenant: &TenantId, command: &Command) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        let stored = commands::command(tx, tenant, &command.gateway, &command.id).await?;
        if let Some(after) = stored.and_then(|stored| sent(&stored, context.now)) {
            commands::update_command(tx, &after).await?;
        }
        Ok(())
    })
    .await
}
