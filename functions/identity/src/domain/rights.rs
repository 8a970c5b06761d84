//! The rights of a person over what is held about them: reading all of it, and being forgotten.

use kernel::{Actor, ActorKind, Message, Refusal};

use super::person::is_oneself;
use super::{Name, Person, Username};

/// Lets everything that is held about the person be read, by themselves and by operators.
///
/// # Errors
/// For everybody else.
pub fn may_export(actor: &Actor, person: &Person) -> Result<(), Refusal> {
    if is_oneself(actor, person) || actor.kind == ActorKind::Operator {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "person_data_forbidden",
        Message::new(
            "Only the person and operators export or erase personal data.",
            "只有本人和运营人员可以导出或删除个人数据。",
        ),
    ))
}

/// What is left of a person who asked to be forgotten: the id, because facts name it, and nothing that tells who it was.
///
/// # Errors
/// The caller may not; an operator would leave the tenant without oneself.
pub fn erase_person(
    actor: &Actor,
    person: &Person,
    rest: (Username, Name),
) -> Result<Person, Refusal> {
    may_export(actor, person)?;
    if actor.kind == ActorKind::Operator && is_oneself(actor, person) {
        return Err(Refusal::conflict(
            "cannot_erase_oneself",
            Message::new(
                "Operators are erased by another operator, so that one stays.",
                "运营人员只能由其他运营人员删除，以保证始终有人管理。",
            ),
        ));
    }
    Ok(Person {
        username: rest.0,
        name: rest.1,
        communities: Vec::new(),
        phone: None,
        disabled: true,
        version: person.version + 1,
        ..person.clone()
    })
}
