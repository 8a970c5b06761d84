//! Rows become domain values here, by position; a row that cannot be one is an error and never a default.

use anyhow::Context as _;
use kernel::{ActorKind, CommunityId, DeviceId, Phone};
use store::Row;
use wire::DeviceKind;

use crate::domain::{
    Application, Child, Consent, ConsentPurpose, ConsentText, Credential, Device, Feedback,
    FeedbackAnswer, Name, Permission, Person, Prose, Role, RoleName, Session, TextVersion,
    Username,
};

/// A person from the columns id, username, name, kind, communities, phone, disabled, created_at, version.
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
        phone: row.optional_text(5)?.map(Phone::parse).transpose()?,
        disabled: row.boolean(6)?,
        registered_at: row.timestamp(7)?,
        version: row.integer(8)?,
    })
}

/// A session from the columns id, person, started_at, used_at, expires_at, ended_at.
pub(crate) fn read_session(row: &Row) -> anyhow::Result<Session> {
    Ok(Session {
        id: row.text(0)?.to_owned(),
        person: row.id(1)?,
        started_at: row.timestamp(2)?,
        used_at: row.timestamp(3)?,
        expires_at: row.timestamp(4)?,
        ended_at: row.optional_timestamp(5)?,
    })
}

/// A role from the columns name, permissions, version.
pub(crate) fn read_role(row: &Row) -> anyhow::Result<Role> {
    Ok(Role {
        name: RoleName::parse(row.text(0)?)?,
        permissions: read_permissions(row.text(1)?),
        version: row.integer(2)?,
    })
}

/// An application from the columns id, name, scopes, sessions_per_minute, disabled, version.
pub(crate) fn read_application(row: &Row) -> anyhow::Result<Application> {
    Ok(Application {
        id: row.id(0)?,
        name: Name::parse(row.text(1)?)?,
        scopes: read_permissions(row.text(2)?),
        sessions_per_minute: u32::try_from(row.integer(3)?)?,
        disabled: row.boolean(4)?,
        version: row.integer(5)?,
    })
}

/// Permissions from their names with commas between them. One that is no longer known permits nothing any more.
pub(crate) fn read_permissions(joined: &str) -> Vec<Permission> {
    list(Some(joined))
        .filter_map(|name| Permission::parse(name).ok())
        .collect()
}

/// A text from the columns purpose, version, english, chinese, retention_days, published_at.
pub(crate) fn read_consent_text(row: &Row) -> anyhow::Result<ConsentText> {
    Ok(ConsentText {
        purpose: ConsentPurpose::parse(row.text(0)?)?,
        version: TextVersion::parse(row.text(1)?)?,
        english: Prose::parse(row.text(2)?)?,
        chinese: Prose::parse(row.text(3)?)?,
        retention_days: u32::try_from(row.integer(4)?)?,
        published_at: row.timestamp(5)?,
    })
}

/// A consent from the columns purpose, text_version, given, changed_at.
pub(crate) fn read_consent(row: &Row) -> anyhow::Result<Consent> {
    Ok(Consent {
        purpose: ConsentPurpose::parse(row.text(0)?)?,
        text_version: TextVersion::parse(row.text(1)?)?,
        given: row.boolean(2)?,
        changed_at: row.timestamp(3)?,
    })
}

/// A feedback from the columns id, person, community, text, given_at, answer, answered_by, answered_at.
pub(crate) fn read_feedback(row: &Row) -> anyhow::Result<Feedback> {
    let answer = match row.optional_text(5)? {
        None => None,
        Some(text) => Some(FeedbackAnswer {
            text: Prose::parse(text)?,
            by: row.id(6)?,
            at: row.timestamp(7)?,
        }),
    };
    Ok(Feedback {
        id: row.text(0)?.to_owned(),
        person: row.id(1)?,
        community: row.optional_text(2)?.map(CommunityId::parse).transpose()?,
        text: Prose::parse(row.text(3)?)?,
        given_at: row.timestamp(4)?,
        answer,
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
