//! Tokens for anybody, signed with the secret of a running host: what `identity` would issue.

use chrono::{DateTime, Utc};
use kernel::{Actor, ActorId, ActorKind, CommunityId, TenantId, Timestamp};

use crate::system::System;

const LIFETIME_SECONDS: u32 = 3600;

/// A token of that kind of actor, in one community of a tenant.
///
/// # Panics
/// When one of the names is no id.
#[must_use]
pub fn token(system: &System, tenant: &str, kind: ActorKind, id: &str, community: &str) -> String {
    token_at(system, (tenant, community), (kind, id), Utc::now())
}

/// The same at another moment, for a host whose clock was set ahead.
///
/// # Panics
/// When one of the names is no id.
#[must_use]
pub fn token_at(
    system: &System,
    (tenant, community): (&str, &str),
    (kind, id): (ActorKind, &str),
    now: DateTime<Utc>,
) -> String {
    let actor = Actor {
        tenant: TenantId::parse(tenant).unwrap_or_else(|error| panic!("{tenant}: {error}")),
        kind,
        id: ActorId::parse(id).unwrap_or_else(|error| panic!("{id}: {error}")),
        communities: vec![
            CommunityId::parse(community).unwrap_or_else(|error| panic!("{community}: {error}")),
        ],
        scopes: Vec::new(),
    };
    let secret = web::Secret::new("token_secret", system.secret("token_secret"))
        .unwrap_or_else(|error| panic!("{error:#}"));
    let now =
        Timestamp::from_millis(now.timestamp_millis()).unwrap_or_else(|error| panic!("{error}"));
    web::token::issue(&secret, &actor, now, LIFETIME_SECONDS)
        .unwrap_or_else(|error| panic!("{error:#}"))
}
