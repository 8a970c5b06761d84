//! Who there is: tokens say what people are, facts say for whom they act.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Scope, TenantId};

/// A person, by what their token says.
#[derive(Clone, Copy)]
pub struct Person(
    pub ActorKind,
    pub &'static str,
    pub &'static str,
    pub &'static [&'static str],
);

pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[]);
/// Staff who review, who keep placements, and who do neither.
pub const ZHOU: Person = Person(ActorKind::Staff, "zhou", "demo", &["ads:review"]);
pub const XU: Person = Person(ActorKind::Staff, "xu", "demo", &["ads:write"]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &[]);
pub const MA: Person = Person(ActorKind::Resident, "ma", "demo", &[]);
/// Who acts for m1, for m2, and for the cinema.
pub const MEI: Person = Person(ActorKind::Merchant, "mei", "demo", &[]);
pub const BO: Person = Person(ActorKind::Merchant, "bo", "demo", &[]);
pub const KE: Person = Person(ActorKind::Merchant, "ke", "demo", &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "screen-1", "demo", &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[]);
pub const APP_READER: Person = Person(ActorKind::Application, "reader", "demo", &["ads:read"]);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &[]);

impl Person {
    pub fn actor(self) -> Actor {
        let Self(kind, id, tenant, scopes) = self;
        Actor {
            tenant: TenantId::parse(tenant).unwrap(),
            kind,
            id: ActorId::parse(id).unwrap(),
            communities: vec![CommunityId::parse("garden").unwrap()],
            scopes: scopes
                .iter()
                .map(|name| Scope((*name).to_owned()))
                .collect(),
        }
    }
}
