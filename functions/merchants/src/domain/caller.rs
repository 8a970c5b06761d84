//! Who is asking: who acts for a merchant, who acts for the platform, who only reads.

use kernel::{Actor, ActorKind, Message, Refusal};

const READ: &str = "merchants:read";
const WRITE: &str = "merchants:write";
const AUDIT: &str = "merchants:audit";

/// As what a person acts for a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Opens and closes, names members, hands in licences; and what a clerk does.
    Owner,
    /// Keeps the shop's profile.
    Clerk,
}

impl Role {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Clerk => "clerk",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Clerk]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// What a caller is to a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Acts for the platform.
    Platform,
    /// Reads all of it and changes nothing.
    Reader,
    /// Acts for the merchant.
    Member(Role),
    /// Reads what buyers read.
    Public,
}

/// What the caller is to a merchant for which they act in that role, if in any; none for whom there are no merchants.
#[must_use]
pub fn relation(actor: &Actor, role: Option<Role>) -> Option<Relation> {
    if may_write(actor) {
        return Some(Relation::Platform);
    }
    if let (ActorKind::Merchant, Some(role)) = (actor.kind, role) {
        return Some(Relation::Member(role));
    }
    if may_read(actor) {
        return Some(Relation::Reader);
    }
    is_people(actor.kind).then_some(Relation::Public)
}

/// Whether the caller reads applications, contracts and rules.
#[must_use]
pub fn may_read(actor: &Actor) -> bool {
    actor.kind == ActorKind::Auditor
        || (actor.kind != ActorKind::Device
            && [READ, WRITE, AUDIT].iter().any(|name| actor.may(name)))
}

/// Whether the caller keeps categories, rules and contracts, and edits shops on merchants' behalf.
#[must_use]
pub fn may_write(actor: &Actor) -> bool {
    changes(actor.kind) && actor.may(WRITE)
}

/// Whether the caller decides on applications and licences.
#[must_use]
pub fn may_audit(actor: &Actor) -> bool {
    changes(actor.kind) && actor.may(AUDIT)
}

fn changes(kind: ActorKind) -> bool {
    !matches!(kind, ActorKind::Auditor | ActorKind::Device)
}

fn is_people(kind: ActorKind) -> bool {
    !matches!(
        kind,
        ActorKind::Auditor | ActorKind::Device | ActorKind::Application
    )
}

/// Lets those pass who may apply: people.
///
/// # Errors
/// 403 for auditors, devices and connected applications.
pub fn check_people(actor: &Actor) -> Result<(), Refusal> {
    if is_people(actor.kind) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "people_only",
        Message::new(
            "Only people apply. Sign in with your own account.",
            "仅限个人账号申请，请使用本人账号登录。",
        ),
    ))
}

/// Lets those pass who keep categories, rules and contracts.
///
/// # Errors
/// 403 for everybody else.
pub fn check_writer(actor: &Actor) -> Result<(), Refusal> {
    if may_write(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "operators_only",
        Message::new(
            "Only the platform's operators do this. Ask them for the permission merchants:write.",
            "仅平台运营可以操作，请申请 merchants:write 权限。",
        ),
    ))
}

/// Lets those pass who decide on applications and licences.
///
/// # Errors
/// 403 for everybody else.
pub fn check_auditor(actor: &Actor) -> Result<(), Refusal> {
    if may_audit(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "audit_only",
        Message::new(
            "Only those decide who hold the permission merchants:audit.",
            "仅拥有 merchants:audit 权限的人员可以审核。",
        ),
    ))
}

/// Lets those pass who read rules and contracts of all merchants.
///
/// # Errors
/// 403 for everybody else.
pub fn check_reader(actor: &Actor) -> Result<(), Refusal> {
    if may_read(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "readers_only",
        Message::new(
            "Only the platform's operators and auditors read this.",
            "仅平台运营和审计可以查看。",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{ActorId, Scope, TenantId};

    fn actor(kind: ActorKind, scopes: &[&str]) -> Actor {
        Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind,
            id: ActorId::parse("li").unwrap(),
            communities: vec![],
            scopes: scopes
                .iter()
                .map(|name| Scope((*name).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn operators_act_for_the_platform_members_for_their_merchant_and_people_read() {
        let of = |kind, scopes: &[&str], role| relation(&actor(kind, scopes), role);
        assert_eq!(of(ActorKind::Operator, &[], None), Some(Relation::Platform));
        assert_eq!(
            of(ActorKind::Staff, &[WRITE], None),
            Some(Relation::Platform)
        );
        assert_eq!(
            of(ActorKind::Auditor, &[WRITE], None),
            Some(Relation::Reader)
        );
        assert_eq!(
            of(ActorKind::Merchant, &[], Some(Role::Clerk)),
            Some(Relation::Member(Role::Clerk))
        );
        assert_eq!(
            of(ActorKind::Resident, &[], Some(Role::Owner)),
            Some(Relation::Public)
        );
        assert_eq!(of(ActorKind::Application, &[], None), None);
        assert_eq!(of(ActorKind::Device, &[READ], None), None);
    }

    #[test]
    fn to_write_is_not_to_audit() {
        let writer = actor(ActorKind::Staff, &[WRITE]);
        assert!(check_writer(&writer).is_ok() && check_auditor(&writer).is_err());
        let auditor = actor(ActorKind::Staff, &[AUDIT]);
        assert!(check_writer(&auditor).is_err() && check_auditor(&auditor).is_ok());
        assert!(check_reader(&auditor).is_ok());
    }
}
