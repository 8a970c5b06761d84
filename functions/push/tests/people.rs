//! Who asks in the tests.

use kernel::ActorKind;
pub use testing::Person;

/// Two operators, for four eyes.
pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[], &[]);
pub const HE: Person = Person(ActorKind::Operator, "he", "demo", &[], &[]);
/// Acts for merchant m1, and Bo for m2.
pub const MEI: Person = Person(ActorKind::Merchant, "mei", "demo", &[], &[]);
pub const BO: Person = Person(ActorKind::Merchant, "bo", "demo", &[], &[]);
/// Live in room r1 (Li owns it, Min is family), and Zhao in r2.
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const MIN: Person = Person(ActorKind::Resident, "min", "demo", &["garden"], &[]);
pub const ZHAO: Person = Person(ActorKind::Resident, "zhao", "demo", &["garden"], &[]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "li", "demo", &["garden"], &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "app-reader",
    "demo",
    &[],
    &["push:read"],
);
/// An application that tells.
pub const APP_WRITER: Person = Person(
    ActorKind::Application,
    "app-writer",
    "demo",
    &[],
    &["push:write"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "zhou", "other", &[], &[]);
