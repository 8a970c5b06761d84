//! `/api/gateways/{gateway}/commands`: what a gateway was told, and what became of it.

use kernel::{ActorId, DeviceId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Query, Reply, Request};

use super::gateways::known;
use super::{answer, caller, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    self, Action, Command, CommandState, expire, operator_only, unknown_command, unknown_gateway,
};
use crate::store::commands as sql;
use crate::{facts, inbox, send};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCommand {
    action: AskedAction,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum AskedAction {
    Restart,
    Ping,
}

#[derive(Serialize)]
struct ShownCommand {
    id: MessageId,
    gateway: DeviceId,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_version: Option<i64>,
    requested_by: Option<ActorId>,
    requested_at: Timestamp,
    expires_at: Timestamp,
    state: &'static str,
    state_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) async fn command(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operator_only(&actor)?;
    let id: DeviceId = path_id(gateway, unknown_gateway)?;
    let new: NewCommand = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let queued = write(context, request, &actor, async |tx| {
        known(&*tx, &actor, &id).await?;
        let action = match new.action {
            AskedAction::Restart => Action::Restart,
            AskedAction::Ping => Action::Ping,
        };
        let by = Some(actor.id.clone());
        let command = send::queue(context, tx, (&id, action), by).await?;
        answer(202, &shown(command, context.now))
    })
    .await?;
    send::deliver(context, &actor.tenant, &id).await?;
    stored(&queued, &format!("/api/gateways/{id}/commands"))
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(gateway, unknown_gateway)?;
    let mut query = Query::of(request)?;
    let page = query.page(MessageId::parse)?;
    query.finish()?;
    known(&context.db, &actor, &id).await?;
    let found = sql::commands(&context.db, &actor.tenant, &id, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |command| command.id.to_string(),
        |command| shown(command, context.now),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    (gateway, command): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let gateway = path_id(gateway, unknown_command)?;
    let id = path_id(command, unknown_command)?;
    known(&context.db, &actor, &gateway).await?;
    let command = sql::command(&context.db, &actor.tenant, &gateway, &id).await?;
    let command = command.ok_or_else(unknown_command)?;
    Ok(Reply::ok(&shown(command, context.now)))
}

pub(super) async fn cancel(
    context: &Context,
    request: &Request,
    (gateway, command): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operator_only(&actor)?;
    let gateway: DeviceId = path_id(gateway, unknown_command)?;
    let id: MessageId = path_id(command, unknown_command)?;
    let cancelled = tx(&context.db, &actor.tenant, async |tx| {
        known(&*tx, &actor, &gateway).await?;
        let stored = sql::command(&*tx, &actor.tenant, &gateway, &id).await?;
        let stored = stored.ok_or_else(unknown_command)?;
        let observed = expire(&stored, context.now).unwrap_or(stored);
        let Some(after) = domain::cancel(&observed, context.now)? else {
            return Ok(observed);
        };
        sql::update_command(tx, &after).await?;
        facts::settled(context, tx, &after).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown(cancelled, context.now)))
}

/// The command as it stands now: what its deadline has ended has ended, stored or not.
fn shown(command: Command, now: Timestamp) -> ShownCommand {
    let command = expire(&command, now).unwrap_or(command);
    ShownCommand {
        id: command.id,
        gateway: command.gateway,
        action: command.action.as_str(),
        configuration_version: match command.action {
            Action::Configure { version } => Some(version),
            Action::Restart | Action::Ping => None,
        },
        requested_by: command.requested_by,
        requested_at: command.requested_at,
        expires_at: command.expires_at,
        state: command.state.name(),
        state_at: command.state_at,
        reason: match command.state {
            CommandState::Failed { reason } => Some(reason),
            _ => None,
        },
    }
}
