//! Gateways and terminals: what they are, who may know and change them, and what a gateway should run with.

use kernel::{Actor, ActorKind, CommunityId, DeviceId, Message, Refusal};
use wire::DeviceKind;

use super::{Name, Presence, Profile, Vitals};

/// The longest configuration, in bytes of JSON: it has to fit into one message with room to spare.
pub const CONFIGURATION_BYTES_MAX: usize = 32 * 1024;

/// The permission of connected applications to read the register.
const READ: &str = "devices:read";

/// What somebody says about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Where it stands.
    pub community: CommunityId,
    /// What people call it.
    pub name: Name,
    /// Who made it, and which one it is.
    pub model: Option<Name>,
    /// Where in the community.
    pub location: Option<Name>,
    /// The gateway that speaks for it; of a gateway, the one it hangs on.
    pub gateway: Option<DeviceId>,
}

/// A device of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id: its MQTT topics carry it.
    pub id: DeviceId,
    /// What sort of device.
    pub kind: DeviceKind,
    /// What somebody said about it; identity may know a device of which nobody has said anything yet.
    pub description: Option<Description>,
    /// The gateway that speaks for it.
    pub gateway: Option<DeviceId>,
    /// Whether its gateway reaches it, as far as that was told.
    pub reachable: Option<bool>,
    /// Counts the changes of the description, from 1.
    pub version: i64,
}

/// What a gateway should run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// A JSON object as text.
    pub text: String,
    /// Its version; 0 for the gateway's own default.
    pub version: i64,
    /// The version that the gateway said it runs with.
    pub applied: Option<i64>,
}

/// A gateway: a device with a life of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// What it is.
    pub device: Device,
    /// After how much silence it counts as gone.
    pub profile: Profile,
    /// Whether it is there.
    pub presence: Presence,
    /// How it is.
    pub vitals: Vitals,
    /// What it should run with.
    pub configuration: Configuration,
}

/// Whether the caller may know the device: operators, auditors and applications with the permission know all, staff
/// those of their communities, a gateway itself.
#[must_use]
pub fn knows(actor: &Actor, device: &Device) -> bool {
    let community = device.description.as_ref().map(|said| &said.community);
    match actor.kind {
        ActorKind::Operator | ActorKind::Auditor => true,
        ActorKind::Staff => community.is_some_and(|community| actor.reaches(community)),
        ActorKind::Device => actor.id.as_str() == device.id.as_str(),
        ActorKind::Application => actor.may(READ),
        ActorKind::Resident | ActorKind::Merchant => false,
    }
}

/// Lets only operators change the register and tell gateways what to do.
///
/// # Errors
/// 403 for others.
pub fn operator_only(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Operator {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "operator_only",
        Message::new(
            "Only operators change devices and tell them what to do.",
            "只有平台运营可以管理设备。",
        ),
    ))
}

/// Lets only those read the register who run or audit communities.
///
/// # Errors
/// 403 for others.
pub fn overseers_only(actor: &Actor) -> Result<(), Refusal> {
    let oversees = match actor.kind {
        ActorKind::Operator | ActorKind::Staff | ActorKind::Auditor => true,
        ActorKind::Application => actor.may(READ),
        ActorKind::Resident | ActorKind::Merchant | ActorKind::Device => false,
    };
    if oversees {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "overseers_only",
        Message::new(
            "Only operators, the community's staff and auditors see devices.",
            "只有平台运营、物业员工和审计人员可以查看设备。",
        ),
    ))
}

/// Takes a description; nothing when it says what is known already.
///
/// # Errors
/// 403 for others than operators; 422 when it would be its own gateway.
pub fn describe(
    actor: &Actor,
    known: &Device,
    said: Description,
) -> Result<Option<Device>, Refusal> {
    operator_only(actor)?;
    if said.gateway.as_ref() == Some(&known.id) {
        return Err(own_gateway());
    }
    let gateway = said.gateway.clone().or_else(|| known.gateway.clone());
    let said = Description {
        gateway: gateway.clone(),
        ..said
    };
    if known.description.as_ref() == Some(&said) {
        return Ok(None);
    }
    Ok(Some(Device {
        description: Some(said),
        gateway,
        version: known.version + 1,
        ..known.clone()
    }))
}

/// Takes a configuration; nothing when it is the present one.
///
/// # Errors
/// 403 for others than operators; 422 when it is too long.
pub fn configure(
    actor: &Actor,
    present: &Configuration,
    text: String,
) -> Result<Option<Configuration>, Refusal> {
    operator_only(actor)?;
    if text.len() > CONFIGURATION_BYTES_MAX {
        return Err(too_long());
    }
    if present.version > 0 && present.text == text {
        return Ok(None);
    }
    Ok(Some(Configuration {
        text,
        version: present.version + 1,
        applied: present.applied,
    }))
}

/// No such gateway, or none that the caller may know.
#[must_use]
pub fn unknown_gateway() -> Refusal {
    Refusal::not_found(
        "gateway_unknown",
        Message::new(
            "There is no such gateway that you can see.",
            "未找到您可查看的网关。",
        ),
    )
}

/// No such terminal, or none that the caller may know.
#[must_use]
pub fn unknown_terminal() -> Refusal {
    Refusal::not_found(
        "terminal_unknown",
        Message::new(
            "There is no such terminal that you can see.",
            "未找到您可查看的终端。",
        ),
    )
}

fn own_gateway() -> Refusal {
    Refusal::invalid(
        "own_gateway",
        Message::new(
            "A device is not its own gateway: leave out `gateway`, or name another.",
            "设备不能以自身为网关。",
        ),
    )
}

fn too_long() -> Refusal {
    Refusal::invalid(
        "configuration_too_long",
        Message::new(
            format!("A configuration has at most {CONFIGURATION_BYTES_MAX} bytes of JSON."),
            format!("配置最多 {CONFIGURATION_BYTES_MAX} 字节。"),
        ),
    )
}
