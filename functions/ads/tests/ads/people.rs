//! Who there is: tokens say what people are, facts say for whom they act.

use kernel::ActorKind;
pub use testing::Person;

pub const WANG: Person = Person(ActorKind::Operator, "wang", "demo", &["garden"], &[]);
/// Staff who review, who keep placements, and who do neither.
pub const ZHOU: Person = Person(
    ActorKind::Staff,
    "zhou",
    "demo",
    &["garden"],
    &["ads:review"],
);
pub const XU: Person = Person(ActorKind::Staff, "xu", "demo", &["garden"], &["ads:write"]);
pub const CHEN: Person = Person(ActorKind::Staff, "chen", "demo", &["garden"], &[]);
pub const LI: Person = Person(ActorKind::Resident, "li", "demo", &["garden"], &[]);
pub const MA: Person = Person(ActorKind::Resident, "ma", "demo", &["garden"], &[]);
/// Who acts for m1, for m2, and for the cinema.
pub const MEI: Person = Person(ActorKind::Merchant, "mei", "demo", &["garden"], &[]);
pub const BO: Person = Person(ActorKind::Merchant, "bo", "demo", &["garden"], &[]);
pub const KE: Person = Person(ActorKind::Merchant, "ke", "demo", &["garden"], &[]);
pub const AUDITOR: Person = Person(ActorKind::Auditor, "qian", "demo", &["garden"], &[]);
pub const DEVICE: Person = Person(ActorKind::Device, "screen-1", "demo", &["garden"], &[]);
pub const APP: Person = Person(ActorKind::Application, "app", "demo", &["garden"], &[]);
pub const APP_READER: Person = Person(
    ActorKind::Application,
    "reader",
    "demo",
    &["garden"],
    &["ads:read"],
);
/// The operator of another tenant.
pub const STRANGER: Person = Person(ActorKind::Operator, "wang", "other", &["garden"], &[]);
