//! Who asks in the tests.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Scope, TenantId};

/// A person, by what their token says.
#[derive(Clone, Copy)]
pub struct Person(
    pub ActorKind,
    pub &'static str,
    pub &'static str,
    pub &'static [&'static str],
);

/// The operator.
pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[]);
/// Acts for merchant m1, and Bo for m2.
pub const MEI: Person = Person(ActorKind::Merchant, "mei", "demo", &[]);
pub const BO: Person = Person(ActorKind::Merchant, "bo", "demo", &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"]);
/// Staff with the permission to look after auctions.
pub const SUN: Person = Person(ActorKind::Staff, "sun", "demo", &["garden"]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "mei", "demo", &["garden"]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[]);
pub const APP_READER: Person = Person(ActorKind::Application, "app-reader", "demo", &[]);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "zhou", "other", &[]);

impl Person {
    pub fn actor(self) -> Actor {
        let Self(kind, id, tenant, communities) = self;
        let scopes: &[&str] = match id {
            "app-reader" => &["bidding:read"],
            "sun" => &["bidding:write"],
            _ => &[],
        };
        Actor {
            tenant: TenantId::parse(tenant).unwrap(),
            kind,
            id: ActorId::parse(id).unwrap(),
            communities: communities
                .iter()
                .map(|id| CommunityId::parse(id).unwrap())
                .collect(),
            scopes: scopes
                .iter()
                .map(|name| Scope((*name).to_owned()))
                .collect(),
        }
    }
}
