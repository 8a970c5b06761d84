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

/// Two operators, for four eyes.
pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[]);
pub const HE: Person = Person(ActorKind::Operator, "he", "demo", &[]);
/// Acts for merchant m1, and Bo for m2.
pub const MEI: Person = Person(ActorKind::Merchant, "mei", "demo", &[]);
pub const BO: Person = Person(ActorKind::Merchant, "bo", "demo", &[]);
/// Live in room r1 (Li owns it, Min is family), and Zhao in r2.
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"]);
pub const MIN: Person = Person(ActorKind::Resident, "min", "demo", &["garden"]);
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &["garden"]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[]);
pub const APP_READER: Person = Person(ActorKind::Application, "app-reader", "demo", &[]);
/// An application that tells.
pub const APP_WRITER: Person = Person(ActorKind::Application, "app-writer", "demo", &[]);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "zhou", "other", &[]);

impl Person {
    pub fn actor(self) -> Actor {
        let Self(kind, id, tenant, communities) = self;
        let scopes: &[&str] = match id {
            "app-reader" => &["push:read"],
            "app-writer" => &["push:write"],
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
