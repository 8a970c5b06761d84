//! Rows become domain values here, by position; a row that cannot be one is an error and never a default.

use anyhow::Context as _;
use kernel::{ActorKind, CommunityId, DeviceId};
use store::Row;
use wire::DeviceKind;

use crate::domain::{Child, Credential, Device, Name, Person, Username};

/// A person from the columns id, username, name, kind, communities, disabled, version.
pub(crate) fn read_person(row: &Row) -> anyhow::Result<Person> {
    let kind = row.text(3)?;
    let mut communities = Vec::new();
    for id in list(row.optional_text(4)?) {
        communities.push(CommunityId::parse(id)?);
    }
    communities.sort();
    Ok(Person {
        id: row.id(0)?,
        username: Username::parse(row.text(1)?)?,
        name: Name::parse(row.text(2)?)?,
        kind: ActorKind::parse(kind).with_context(|| format!("a person's kind is {kind:?}"))?,
        communities,
        disabled: row.boolean(5)?,
        version: row.integer(6)?,
    })
}

/// A device from the columns id, kind, name, children, version.
pub(crate) fn read_device(row: &Row) -> anyhow::Result<Device> {
    let mut children = Vec::new();
    for child in list(row.optional_text(3)?) {
        let (kind, id) = child
            .split_once('/')
            .with_context(|| format!("a child is {child:?}"))?;
        children.push(Child {
            kind: device_kind(kind)?,
            id: DeviceId::parse(id)?,
        });
    }
    children.sort();
    Ok(Device {
        id: row.id(0)?,
        kind: device_kind(row.text(1)?)?,
        name: Name::parse(row.text(2)?)?,
        children,
        version: row.integer(4)?,
    })
}

/// A credential from the columns id, hash, created_at, expires_at.
pub(crate) fn read_credential(row: &Row) -> anyhow::Result<Credential> {
    Ok(Credential {
        id: row.text(0)?.to_owned(),
        hash: row.text(1)?.to_owned(),
        created_at: row.timestamp(2)?,
        expires_at: row.optional_timestamp(3)?,
    })
}

fn device_kind(text: &str) -> anyhow::Result<DeviceKind> {
    DeviceKind::parse(text).with_context(|| format!("a device's kind is {text:?}"))
}

fn list(joined: Option<&str>) -> impl Iterator<Item = &str> {
    joined
        .unwrap_or("")
        .split(',')
        .filter(|item| !item.is_empty())
}
