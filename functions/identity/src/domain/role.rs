//! Roles: names for sets of permissions, made by a tenant, and who may give them.

use kernel::{Actor, ActorKind, Message, Refusal};

use super::TextError;

/// The most roles of one person: their permissions travel in every token.
pub const ROLES_MAX: usize = 20;

/// Every permission there is, as `noun:verb`; beyond what a kind of caller may anyway.
pub const PERMISSIONS: [&str; 24] = [
    "applications:read",
    "audit:read",
    "bindings:write",
    "communities:read",
    "communities:write",
    "devices:read",
    "devices:write",
    "doors:open",
    "doors:read",
    "doors:write",
    "feedback:answer",
    "feedback:read",
    "fees:read",
    "fees:write",
    "meters:read",
    "meters:write",
    "people:read",
    "people:write",
    "push:send",
    "tickets:read",
    "tickets:write",
    "vehicles:read",
    "visits:read",
    "visits:write",
];

/// One of [`PERMISSIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission(&'static str);

impl Permission {
    /// Parses the name of a permission.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        PERMISSIONS
            .into_iter()
            .find(|name| *name == text)
            .map(Self)
            .ok_or(TextError(
                "a permission is one of the names listed in the contract, for example doors:write",
            ))
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl TryFrom<String> for Permission {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

/// The name of a role: 1 to 64 letters, digits, `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleName(String);

impl RoleName {
    /// Parses a role's name.
    ///
    /// # Errors
    /// When it is not 1 to 64 letters, digits, `-` or `_`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match kernel::ActorId::parse(text) {
            Ok(id) => Ok(Self(id.into())),
            Err(_) => Err(TextError(
                "a role's name has 1 to 64 letters, digits, '-' or '_'",
            )),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoleName {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

/// A role of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// What it is called.
    pub name: RoleName,
    /// What it permits, sorted.
    pub permissions: Vec<Permission>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// The role with these permissions from now on, or a new one.
///
/// # Errors
/// Only operators make roles, and nobody puts a permission into one that they lack.
pub fn define_role(
    actor: &Actor,
    name: RoleName,
    present: Option<&Role>,
    permissions: Vec<Permission>,
) -> Result<Role, Refusal> {
    operators_only(actor)?;
    Ok(Role {
        name,
        permissions: given(actor, permissions)?,
        version: present.map_or(1, |role| role.version + 1),
    })
}

/// Lets operators change roles.
///
/// # Errors
/// For every other kind of caller.
pub fn operators_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Operator => Ok(()),
        _ => Err(Refusal::forbidden(
            "roles_forbidden",
            Message::new(
                "Only operators manage roles and applications; auditors may read them.",
                "只有运营人员可以管理角色和接入应用，审计人员可以查看。",
            ),
        )),
    }
}

/// Lets operators and auditors see roles and applications.
///
/// # Errors
/// For every other kind of caller.
pub fn role_overseers_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Auditor => Ok(()),
        _ => operators_only(actor),
    }
}

/// These permissions, sorted, where the caller holds every one of them.
///
/// # Errors
/// Naming the first that the caller lacks: nobody gives what they do not have.
pub fn given(actor: &Actor, mut permissions: Vec<Permission>) -> Result<Vec<Permission>, Refusal> {
    permissions.sort();
    permissions.dedup();
    match permissions
        .iter()
        .find(|permission| !actor.may(permission.as_str()))
    {
        None => Ok(permissions),
        Some(lacking) => Err(Refusal::forbidden(
            "permission_lacking",
            Message::new(
                format!(
                    "You cannot give {}, because you do not have it.",
                    lacking.as_str()
                ),
                format!("您没有 {} 权限，不能授予他人。", lacking.as_str()),
            ),
        )),
    }
}

/// Lets a person have these roles from now on.
///
/// # Errors
/// The caller may not, or lacks a permission of theirs; there are too many.
pub fn assign_roles(actor: &Actor, roles: &[Role]) -> Result<(), Refusal> {
    operators_only(actor)?;
    if roles.len() > ROLES_MAX {
        return Err(Refusal::invalid(
            "roles_too_many",
            Message::new(
                format!("A person has at most {ROLES_MAX} roles."),
                format!("一个人最多拥有 {ROLES_MAX} 个角色。"),
            ),
        ));
    }
    for role in roles {
        given(actor, role.permissions.clone())?;
    }
    Ok(())
}

/// There is no role of that name.
#[must_use]
pub fn unknown_role() -> Refusal {
    Refusal::not_found(
        "role_unknown",
        Message::new(
            "There is no such role here. Check the name.",
            "没有这个角色，请检查名称。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::actor;
    use kernel::Scope;

    fn permissions(names: &[&str]) -> Vec<Permission> {
        names
            .iter()
            .map(|name| Permission::parse(name).unwrap())
            .collect()
    }

    fn role(of: &[&str]) -> Role {
        Role {
            name: RoleName::parse("butler").unwrap(),
            permissions: permissions(of),
            version: 1,
        }
    }

    #[test]
    fn permissions_are_sorted_nouns_with_verbs() {
        assert!(PERMISSIONS.is_sorted());
        assert!(PERMISSIONS.iter().all(|name| name.split(':').count() == 2));
        assert!(Permission::parse("doors:destroy").is_err());
    }

    #[test]
    fn only_operators_make_roles() {
        for kind in ActorKind::ALL {
            let made = define_role(
                &actor(kind, "x", &["garden"]),
                RoleName::parse("butler").unwrap(),
                None,
                permissions(&["doors:write", "doors:read", "doors:read"]),
            );
            match kind {
                ActorKind::Operator => assert_eq!(
                    made.unwrap().permissions,
                    permissions(&["doors:read", "doors:write"])
                ),
                _ => assert_eq!(made.unwrap_err().code, "roles_forbidden"),
            }
        }
    }

    #[test]
    fn nobody_gives_a_permission_they_lack() {
        let mut staff = actor(ActorKind::Staff, "butler", &["garden"]);
        staff.scopes.push(Scope("doors:read".to_owned()));
        assert!(given(&staff, permissions(&["doors:read"])).is_ok());
        let refused = given(&staff, permissions(&["doors:read", "doors:write"]));
        assert_eq!(refused.unwrap_err().code, "permission_lacking");
    }

    #[test]
    fn only_operators_give_roles_and_not_too_many() {
        for kind in ActorKind::ALL {
            let given = assign_roles(&actor(kind, "x", &["garden"]), &[role(&["doors:read"])]);
            assert_eq!(given.is_ok(), kind == ActorKind::Operator);
        }
        let many: Vec<Role> = (0..=ROLES_MAX).map(|_| role(&[])).collect();
        let refused = assign_roles(&actor(ActorKind::Operator, "op", &[]), &many);
        assert_eq!(refused.unwrap_err().code, "roles_too_many");
    }
}
