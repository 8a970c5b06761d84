//! Who is asking. Made from a verified token at the edge; every permission is decided on it in a domain.

use crate::{ActorId, CommunityId, TenantId};

/// What kind of party acts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Lives in a community: owner, tenant or family (业主、租户、家属).
    Resident,
    /// Works for the property company: butler, technician, warehouse, cashier (物业员工).
    Staff,
    /// Sells in the community mall (商家).
    Merchant,
    /// Runs the tenant's platform (平台运营).
    Operator,
    /// Reads everything of the tenant, changes nothing (审计).
    Auditor,
    /// A device with credentials of its own (设备).
    Device,
    /// A connected application with an API key (接入应用).
    Application,
}

impl ActorKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Resident,
        Self::Staff,
        Self::Merchant,
        Self::Operator,
        Self::Auditor,
        Self::Device,
        Self::Application,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Staff => "staff",
            Self::Merchant => "merchant",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Device => "device",
            Self::Application => "application",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A named permission beyond the kind, for example `doors:write`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Scope(pub String);

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Actor {
    /// The tenant whose data the caller may see.
    pub tenant: TenantId,
    /// What the caller is.
    pub kind: ActorKind,
    /// Who the caller is, inside the tenant.
    pub id: ActorId,
    /// The communities the caller belongs to; operators and auditors reach all of the tenant's.
    pub communities: Vec<CommunityId>,
    /// Permissions beyond the kind.
    pub scopes: Vec<Scope>,
}

impl Actor {
    /// Whether the caller reaches this community: operators and auditors reach every one of their tenant.
    #[must_use]
    pub fn reaches(&self, community: &CommunityId) -> bool {
        matches!(self.kind, ActorKind::Operator | ActorKind::Auditor)
            || self.communities.contains(community)
    }

    /// Whether the caller holds the permission of that name, for example `doors:write`: by a role or an application's
    /// scopes; operators hold every one.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.kind == ActorKind::Operator || self.scopes.iter().any(|scope| scope.0 == permission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for kind in ActorKind::ALL {
            assert_eq!(ActorKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(ActorKind::parse("root"), None);
    }

    #[test]
    fn a_permission_is_held_by_its_scope_and_by_operators() {
        let actor = |kind, scopes: &[&str]| Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind,
            id: ActorId::parse("li").unwrap(),
            communities: vec![],
            scopes: scopes
                .iter()
                .map(|name| Scope((*name).to_owned()))
                .collect(),
        };
        assert!(actor(ActorKind::Staff, &["doors:write"]).may("doors:write"));
        assert!(!actor(ActorKind::Staff, &["doors:write"]).may("doors:read"));
        assert!(!actor(ActorKind::Application, &[]).may("doors:read"));
        assert!(actor(ActorKind::Operator, &[]).may("doors:read"));
    }

    #[test]
    fn a_resident_reaches_only_the_own_communities() {
        let garden = CommunityId::parse("garden").unwrap();
        let harbour = CommunityId::parse("harbour").unwrap();
        let actor = |kind| Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind,
            id: ActorId::parse("li").unwrap(),
            communities: vec![garden.clone()],
            scopes: vec![],
        };
        assert!(actor(ActorKind::Resident).reaches(&garden));
        assert!(!actor(ActorKind::Resident).reaches(&harbour));
        assert!(actor(ActorKind::Operator).reaches(&harbour));
    }
}
