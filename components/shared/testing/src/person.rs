//! Somebody who asks, by what their token says.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Scope, TenantId};

/// What somebody is, who, in which tenant, with which communities and scopes.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a>(
    pub ActorKind,
    pub &'a str,
    pub &'a str,
    pub &'a [&'a str],
    pub &'a [&'a str],
);

impl Person<'_> {
    /// The actor that the token names.
    ///
    /// # Panics
    /// When a name is none.
    #[must_use]
    pub fn actor(self) -> Actor {
        let Self(kind, id, tenant, communities, scopes) = self;
        let communities = communities.iter().map(|id| CommunityId::parse(id).unwrap());
        let scopes = scopes.iter().map(|name| Scope((*name).to_owned()));
        Actor {
            tenant: TenantId::parse(tenant).unwrap(),
            kind,
            id: ActorId::parse(id).unwrap(),
            communities: communities.collect(),
            scopes: scopes.collect(),
        }
    }
}
