//! Rows become domain values here, and domain values rows, by position. A row that cannot be a value is an error
//! and never a default.

use anyhow::Context as _;
use kernel::TenantId;
use store::{Row, Value};
use wire::DeviceKind;

use crate::domain::{
    Action, Cause, Command, CommandState, Configuration, Description, Device, Gateway, Name,
    Presence, Profile, Vitals,
};

/// A device from the columns id, kind, community, name, model, location, gateway, reachable, version.
pub(crate) fn read_device(row: &Row) -> anyhow::Result<Device> {
    let kind = row.text(1)?;
    let gateway = row.optional_id(6)?;
    let description = match (row.optional_id(2)?, row.optional_text(3)?) {
        (Some(community), Some(name)) => Some(Description {
            community,
            name: Name::parse(name)?,
            model: row.optional_text(4)?.map(Name::parse).transpose()?,
            location: row.optional_text(5)?.map(Name::parse).transpose()?,
            gateway: gateway.clone(),
        }),
        _ => None,
    };
    Ok(Device {
        id: row.id(0)?,
        kind: DeviceKind::parse(kind).with_context(|| format!("a device's kind is {kind:?}"))?,
        description,
        gateway,
        reachable: row.optional_integer(7)?.map(|truth| truth == 1),
        version: row.integer(8)?,
    })
}

/// A gateway from the nine columns of its device, and profile, online, since, cause, last_seen, software,
/// started_at, configuration, configuration_version, applied_version.
pub(crate) fn read_gateway(row: &Row) -> anyhow::Result<Gateway> {
    let profile = row.text(9)?;
    Ok(Gateway {
        device: read_device(row)?,
        profile: Profile::parse(profile)
            .with_context(|| format!("a gateway's profile is {profile:?}"))?,
        presence: read_presence(row)?,
        vitals: Vitals {
            software: row.optional_text(14)?.map(str::to_owned),
            started_at: row.optional_timestamp(15)?,
        },
        configuration: Configuration {
            text: row.text(16)?.to_owned(),
            version: row.integer(17)?,
            applied: row.optional_integer(18)?,
        },
    })
}

fn read_presence(row: &Row) -> anyhow::Result<Presence> {
    let last_seen = row.optional_timestamp(13)?;
    Ok(match row.optional_integer(10)? {
        None => Presence::Unknown,
        Some(1) => Presence::Online {
            since: row.timestamp(11)?,
            last_seen: row.timestamp(13)?,
        },
        Some(_) => {
            let cause = row.text(12)?;
            Presence::Offline {
                since: row.timestamp(11)?,
                cause: Cause::parse(cause)
                    .with_context(|| format!("a gateway is offline by {cause:?}"))?,
                last_seen,
            }
        }
    })
}

/// A command from the columns id, gateway, action, configuration_version, requested_by, requested_at, expires_at,
/// state, state_at, reason.
pub(crate) fn read_command(row: &Row) -> anyhow::Result<Command> {
    let action = match row.text(2)? {
        "configure" => Action::Configure {
            version: row.integer(3)?,
        },
        "restart" => Action::Restart,
        "ping" => Action::Ping,
        other => anyhow::bail!("a command's action is {other:?}"),
    };
    let state = match row.text(7)? {
        "queued" => CommandState::Queued,
        "sent" => CommandState::Sent,
        "accepted" => CommandState::Accepted,
        "done" => CommandState::Done,
        "failed" => CommandState::Failed {
            reason: row.text(9)?.to_owned(),
        },
        "timeout" => CommandState::Timeout,
        "expired" => CommandState::Expired,
        "cancelled" => CommandState::Cancelled,
        other => anyhow::bail!("a command's state is {other:?}"),
    };
    Ok(Command {
        id: row.id(0)?,
        gateway: row.id(1)?,
        action,
        requested_by: row.optional_id(4)?,
        requested_at: row.timestamp(5)?,
        expires_at: row.timestamp(6)?,
        state,
        state_at: row.timestamp(8)?,
    })
}

/// The columns tenant, id, kind, community, name, model, location, gateway, reachable, version.
pub(crate) fn device_values(tenant: &TenantId, device: &Device) -> [Value; 10] {
    let said = device.description.as_ref();
    let text = |name: Option<&Name>| Value::from(name.map(Name::as_str));
    [
        tenant.into(),
        (&device.id).into(),
        device.kind.as_str().into(),
        said.map(|said| &said.community).into(),
        text(said.map(|said| &said.name)),
        text(said.and_then(|said| said.model.as_ref())),
        text(said.and_then(|said| said.location.as_ref())),
        device.gateway.as_ref().into(),
        device.reachable.into(),
        device.version.into(),
    ]
}

/// The columns tenant, id, profile, online, since, cause, last_seen, silent_at, software, started_at,
/// configuration, configuration_version, applied_version.
pub(crate) fn gateway_values(tenant: &TenantId, gateway: &Gateway) -> [Value; 13] {
    let (since, cause) = match &gateway.presence {
        Presence::Unknown => (None, None),
        Presence::Online { since, .. } => (Some(*since), Some(Cause::Session)),
        Presence::Offline { since, cause, .. } => (Some(*since), Some(*cause)),
    };
    [
        tenant.into(),
        (&gateway.device.id).into(),
        gateway.profile.as_str().into(),
        gateway.presence.is_online().into(),
        since.into(),
        cause.map(Cause::as_str).into(),
        gateway.presence.last_seen().into(),
        gateway.presence.silent_at(gateway.profile).into(),
        gateway.vitals.software.as_deref().into(),
        gateway.vitals.started_at.into(),
        gateway.configuration.text.as_str().into(),
        gateway.configuration.version.into(),
        gateway.configuration.applied.into(),
    ]
}

/// The columns tenant, id, gateway, action, configuration_version, requested_by, requested_at, expires_at, state,
/// state_at, reason.
pub(crate) fn command_values(tenant: &TenantId, command: &Command) -> [Value; 11] {
    let version = match command.action {
        Action::Configure { version } => Some(version),
        Action::Restart | Action::Ping => None,
    };
    let reason = match &command.state {
        CommandState::Failed { reason } => Some(reason.as_str()),
        _ => None,
    };
    [
        tenant.into(),
        (&command.id).into(),
        (&command.gateway).into(),
        command.action.as_str().into(),
        version.into(),
        command.requested_by.as_ref().into(),
        command.requested_at.into(),
        command.expires_at.into(),
        command.state.name().into(),
        command.state_at.into(),
        reason.into(),
    ]
}
