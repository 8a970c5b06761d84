//! Devices: what they are, whom they speak for, and how long their credentials hold.

use kernel::{Actor, ActorKind, DeviceId, Message, Refusal, TenantId, Timestamp};
use wire::DeviceKind;

use super::Name;

/// The most devices one gateway speaks for.
pub const CHILDREN_MAX: usize = 256;

/// How long the old credential holds beside the new one when nobody says, in seconds: a day.
pub const OVERLAP_SECONDS_DEFAULT: u32 = 24 * 60 * 60;

/// The longest overlap, in seconds: a week.
pub const OVERLAP_SECONDS_MAX: u32 = 7 * OVERLAP_SECONDS_DEFAULT;

/// A device with credentials of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The id: its MQTT topics carry it.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// What people call it.
    pub name: Name,
    /// The devices it speaks for, sorted; only a gateway has any.
    pub children: Vec<Child>,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Device {
    /// The MQTT client id that is this device's alone. Two tenants could write the same text in different ways; the
    /// second is refused at registration.
    #[must_use]
    pub fn client_id(&self, tenant: &TenantId) -> String {
        format!("{tenant}-{}", self.id)
    }
}

/// A device that a gateway speaks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Child {
    /// What it is.
    pub kind: DeviceKind,
    /// Its id.
    pub id: DeviceId,
}

/// What is said about a new device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The id.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// What people call it; without one it is the id.
    pub name: Option<Name>,
    /// The devices it speaks for.
    pub children: Vec<Child>,
}

/// A credential, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Which one.
    pub id: String,
    /// What its secret is compared with.
    pub hash: String,
    /// Since when.
    pub created_at: Timestamp,
    /// From when on it is nothing; absent for the newest.
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// A new device, by an operator.
///
/// # Errors
/// The caller may not; children without a gateway, too many of them, or a gateway among them.
pub fn register_device(actor: &Actor, registration: Registration) -> Result<Device, Refusal> {
    operators_only(actor)?;
    let Registration {
        id,
        kind,
        name,
        mut children,
    } = registration;
    children.sort();
    children.dedup();
    if children.len() > CHILDREN_MAX {
        return Err(too_many_children());
    }
    for child in &children {
        check_child(kind, child)?;
    }
    let name = match name {
        Some(name) => name,
        None => Name::parse(id.as_str()).map_err(|_| unknown_device())?,
    };
    Ok(Device {
        id,
        kind,
        name,
        children,
        version: 1,
    })
}

/// The gateway with one more child; the same gateway when it has it already.
///
/// # Errors
/// The caller may not; the device is no gateway, the child is one, or there are too many.
pub fn assign_child(actor: &Actor, gateway: &Device, child: Child) -> Result<Device, Refusal> {
    operators_only(actor)?;
    check_child(gateway.kind, &child)?;
    if gateway.children.contains(&child) {
        return Ok(gateway.clone());
    }
    if gateway.children.len() >= CHILDREN_MAX {
        return Err(too_many_children());
    }
    let mut children = gateway.children.clone();
    children.push(child);
    children.sort();
    Ok(Device {
        children,
        version: gateway.version + 1,
        ..gateway.clone()
    })
}

/// The credentials that change when a new one is made: the present one holds for the overlap, those already on
/// their way out end now, so that never more than two hold.
///
/// # Errors
/// The caller may not; the overlap is longer than [`OVERLAP_SECONDS_MAX`].
pub fn rotate(
    actor: &Actor,
    credentials: &[Credential],
    overlap_seconds: u32,
    now: Timestamp,
) -> Result<Vec<Credential>, Refusal> {
    operators_only(actor)?;
    if overlap_seconds > OVERLAP_SECONDS_MAX {
        return Err(Refusal::invalid(
            "overlap_too_long",
            Message::new(
                format!("The old credential holds for at most {OVERLAP_SECONDS_MAX} seconds more."),
                format!("旧凭证最多再保留 {OVERLAP_SECONDS_MAX} 秒。"),
            ),
        ));
    }
    let overlap_ends = now.plus_millis(i64::from(overlap_seconds) * 1_000);
    let ending = credentials
        .iter()
        .filter(|credential| credential.holds(now))
        .map(|credential| {
            let expires_at = if credential.expires_at.is_none() {
                overlap_ends
            } else {
                now
            };
            Credential {
                expires_at: Some(expires_at),
                ..credential.clone()
            }
        });
    Ok(ending.collect())
}

/// The device, for whoever may see devices at all.
///
/// # Errors
/// There is none of that id.
pub fn known_device(device: Option<Device>) -> Result<Device, Refusal> {
    device.ok_or_else(unknown_device)
}

/// There is no device of that id.
#[must_use]
pub fn unknown_device() -> Refusal {
    Refusal::not_found(
        "device_unknown",
        Message::new(
            "There is no such device here. Check the id.",
            "没有这个设备，请检查编号。",
        ),
    )
}

/// Lets operators and auditors see devices.
///
/// # Errors
/// For every other kind of caller.
pub fn device_overseers_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Auditor => Ok(()),
        _ => Err(devices_forbidden()),
    }
}

fn operators_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Operator => Ok(()),
        _ => Err(devices_forbidden()),
    }
}

fn devices_forbidden() -> Refusal {
    Refusal::forbidden(
        "devices_forbidden",
        Message::new(
            "Only operators add and change devices; auditors may read them.",
            "只有运营人员可以添加和修改设备，审计人员可以查看。",
        ),
    )
}

fn check_child(parent: DeviceKind, child: &Child) -> Result<(), Refusal> {
    if parent != DeviceKind::Gateway {
        return Err(Refusal::invalid(
            "not_a_gateway",
            Message::new(
                "Only a gateway speaks for other devices.",
                "只有网关可以代表其他设备。",
            ),
        ));
    }
    if child.kind == DeviceKind::Gateway {
        return Err(Refusal::invalid(
            "gateway_as_child",
            Message::new(
                "A gateway has credentials of its own: it is nobody's child.",
                "网关有自己的凭证，不能作为子设备。",
            ),
        ));
    }
    Ok(())
}

fn too_many_children() -> Refusal {
    Refusal::invalid(
        "children_too_many",
        Message::new(
            format!("A gateway speaks for at most {CHILDREN_MAX} devices."),
            format!("一个网关最多代表 {CHILDREN_MAX} 个设备。"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{actor, at};

    fn child(kind: DeviceKind, id: &str) -> Child {
        Child {
            kind,
            id: DeviceId::parse(id).unwrap(),
        }
    }

    fn registration(kind: DeviceKind, children: Vec<Child>) -> Registration {
        Registration {
            id: DeviceId::parse("g1").unwrap(),
            kind,
            name: None,
            children,
        }
    }

    fn credential(id: &str, expires_at: Option<i64>) -> Credential {
        Credential {
            id: id.to_owned(),
            hash: String::new(),
            created_at: at(0),
            expires_at: expires_at.map(at),
        }
    }

    #[test]
    fn only_operators_touch_devices_and_only_auditors_read_them_too() {
        for kind in ActorKind::ALL {
            let caller = actor(kind, "x", &["garden"]);
            let gateway = register_device(
                &actor(ActorKind::Operator, "op", &[]),
                registration(DeviceKind::Gateway, vec![]),
            )
            .unwrap();
            let allowed = kind == ActorKind::Operator;
            assert_eq!(
                register_device(&caller, registration(DeviceKind::Gateway, vec![])).is_ok(),
                allowed
            );
            assert_eq!(
                assign_child(&caller, &gateway, child(DeviceKind::Door, "d1")).is_ok(),
                allowed
            );
            assert_eq!(rotate(&caller, &[], 0, at(0)).is_ok(), allowed);
            assert_eq!(
                device_overseers_only(&caller).is_ok(),
                allowed || kind == ActorKind::Auditor
            );
        }
    }

    #[test]
    fn only_gateways_have_children_and_no_gateway_is_one() {
        let operator = actor(ActorKind::Operator, "op", &[]);
        let door = || child(DeviceKind::Door, "d1");
        let twice = register_device(
            &operator,
            registration(DeviceKind::Gateway, vec![door(), door()]),
        )
        .unwrap();
        assert_eq!(twice.children, [door()]);
        assert_eq!(assign_child(&operator, &twice, door()).unwrap(), twice);
        let refused = register_device(&operator, registration(DeviceKind::Meter, vec![door()]));
        assert_eq!(refused.unwrap_err().code, "not_a_gateway");
        let refused = assign_child(&operator, &twice, child(DeviceKind::Gateway, "g2"));
        assert_eq!(refused.unwrap_err().code, "gateway_as_child");
        let many = (0..=CHILDREN_MAX)
            .map(|number| child(DeviceKind::Door, &format!("d{number}")))
            .collect();
        let refused = register_device(&operator, registration(DeviceKind::Gateway, many));
        assert_eq!(refused.unwrap_err().code, "children_too_many");
    }

    #[test]
    fn after_a_rotation_at_most_the_last_credential_holds_beside_the_new_one() {
        let operator = actor(ActorKind::Operator, "op", &[]);
        let before = [
            credential("gone", Some(1)),
            credential("going", Some(90_000)),
            credential("present", None),
        ];
        let changed = rotate(&operator, &before, 60, at(10_000)).unwrap();
        assert_eq!(
            changed,
            [
                credential("going", Some(10_000)),
                credential("present", Some(70_000))
            ]
        );
        assert!(changed[1].holds(at(69_999)) && !changed[1].holds(at(70_000)));
        let refused = rotate(&operator, &before, OVERLAP_SECONDS_MAX + 1, at(0));
        assert_eq!(refused.unwrap_err().code, "overlap_too_long");
    }
}
