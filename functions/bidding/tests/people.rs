//! Who asks in the tests.

use kernel::ActorKind;
pub use testing::Person;

/// The operator.
pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &[], &[]);
/// Acts for merchant m1, and Bo for m2.
pub const MEI: Person = Person(ActorKind::Merchant, "mei", "demo", &[], &[]);
pub const BO: Person = Person(ActorKind::Merchant, "bo", "demo", &[], &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
/// Staff with the permission to look after auctions.
pub const SUN: Person = Person(
    ActorKind::Staff,
    "sun",
    "demo",
    &["garden"],
    &["bidding:write"],
);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &[], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "mei", "demo", &["garden"], &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &[], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "app-reader",
    "demo",
    &[],
    &["bidding:read"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "zhou", "other", &[], &[]);
