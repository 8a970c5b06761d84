//! Commands to gateways.

use kernel::{ActorId, DeviceId, MessageId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use crate::domain::Command;
use crate::rows::{command_values, read_command};

statements! {
    COMMAND = "select id, gateway, action, configuration_version, requested_by, requested_at, expires_at, state,
            state_at, reason
        from devices_command where tenant = $1 and gateway = $2 and id = $3";

    COMMANDS = "select id, gateway, action, configuration_version, requested_by, requested_at, expires_at, state,
            state_at, reason
        from devices_command where tenant = $1 and gateway = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    INSERT_COMMAND = "insert into devices_command (tenant, id, gateway, action, configuration_version, requested_by,
            requested_at, expires_at, state, state_at, reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

    UPDATE_COMMAND = "update devices_command set state = $3, state_at = $4, reason = $5
        where tenant = $1 and id = $2";

    // What waits for a gateway that is there, oldest first.
    QUEUED = "select id, gateway, action, configuration_version, requested_by, requested_at, expires_at, state,
            state_at, reason
        from devices_command where tenant = $1 and gateway = $2 and state = 'queued' and expires_at > $3
        order by id limit 50";

    IS_CONFIGURING = "select 1 from devices_command
        where tenant = $1 and gateway = $2 and configuration_version = $3
          and state in ('queued', 'sent', 'accepted') and expires_at > $4
        limit 1";

    // What the gateway could not do once it cannot do the next minute either: a failed version is not sent again.
    HAS_FAILED = "select 1 from devices_command
        where tenant = $1 and gateway = $2 and configuration_version = $3 and state = 'failed' limit 1";

    QUEUED_FOR_ONLINE = "select distinct c.tenant, c.gateway from devices_command c
        join devices_gateway g on g.tenant = c.tenant and g.id = c.gateway
        where c.state = 'queued' and c.expires_at > $1 and g.online = 1
        order by c.tenant, c.gateway limit $2";

    TENANTS_WITH_OVERDUE = "select distinct tenant from devices_command
        where state in ('queued', 'sent', 'accepted') and expires_at <= $1 order by tenant limit $2";

    OVERDUE = "select id, gateway, action, configuration_version, requested_by, requested_at, expires_at, state,
            state_at, reason
        from devices_command
        where tenant = $1 and state in ('queued', 'sent', 'accepted') and expires_at <= $2
        order by expires_at limit $3";

    RENAME = "update devices_command set requested_by = $3 where tenant = $1 and requested_by = $2";
}

/// The command of that gateway.
pub(crate) async fn command(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
    id: &MessageId,
) -> anyhow::Result<Option<Command>> {
    let parameters = [tenant.into(), gateway.into(), id.into()];
    let row = db.row(COMMAND, &parameters).await?;
    row.map(|row| read_command(&row)).transpose()
}

/// The commands of a gateway, the latest first.
pub(crate) async fn commands(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
    page: &Page<MessageId>,
) -> anyhow::Result<Vec<Command>> {
    let parameters = [
        tenant.into(),
        gateway.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(COMMANDS, &parameters).await?;
    rows.iter().map(read_command).collect()
}

/// Adds a command.
pub(crate) async fn insert_command(tx: &Tx, command: &Command) -> anyhow::Result<()> {
    tx.execute(INSERT_COMMAND, &command_values(tx.tenant(), command))
        .await
}

/// Stores what became of a command.
pub(crate) async fn update_command(tx: &Tx, command: &Command) -> anyhow::Result<()> {
    let [tenant, id, _, _, _, _, _, _, state, state_at, reason] =
        command_values(tx.tenant(), command);
    tx.execute(UPDATE_COMMAND, &[tenant, id, state, state_at, reason])
        .await
}

/// What waits for the gateway, oldest first.
pub(crate) async fn queued(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
    now: Timestamp,
) -> anyhow::Result<Vec<Command>> {
    let parameters = [tenant.into(), gateway.into(), now.into()];
    let rows = db.rows(QUEUED, &parameters).await?;
    rows.iter().map(read_command).collect()
}

/// Whether a command is under way, or was refused by the gateway, that brings it this version.
pub(crate) async fn is_configured_with(
    tx: &Tx,
    gateway: &DeviceId,
    version: i64,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let under_way = [
        tx.tenant().into(),
        gateway.into(),
        version.into(),
        now.into(),
    ];
    let failed = [tx.tenant().into(), gateway.into(), version.into()];
    Ok(tx.row(IS_CONFIGURING, &under_way).await?.is_some()
        || tx.row(HAS_FAILED, &failed).await?.is_some())
}

/// The gateways that are there and have commands waiting, at most `limit`.
pub(crate) async fn queued_for_online(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, DeviceId)>> {
    let rows = db
        .rows(QUEUED_FOR_ONLINE, &[now.into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// The tenants with commands past their deadline, at most `limit`.
pub(crate) async fn tenants_with_overdue(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let rows = db
        .rows(TENANTS_WITH_OVERDUE, &[now.into(), limit.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The commands of the tenant past their deadline, oldest first, at most `limit`.
pub(crate) async fn overdue(tx: &Tx, now: Timestamp, limit: i64) -> anyhow::Result<Vec<Command>> {
    let parameters = [tx.tenant().into(), now.into(), limit.into()];
    let rows = tx.rows(OVERDUE, &parameters).await?;
    rows.iter().map(read_command).collect()
}

/// Puts another id wherever this person asked.
pub(crate) async fn rename(tx: &Tx, person: &ActorId, new: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), new.into()];
    tx.execute(RENAME, &parameters).await
}
