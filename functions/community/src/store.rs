//! Every SQL statement of the capability: a function a statement, named after the question it answers. One file a
//! noun; the tenant is the first parameter everywhere, and rows are read by position.

mod bindings;
mod imports;
mod parking;
mod people;
mod places;
mod rooms;

pub(crate) use bindings::*;
pub(crate) use imports::*;
pub(crate) use parking::*;
pub(crate) use people::*;
pub(crate) use places::*;
pub(crate) use rooms::*;

use kernel::{Actor, ActorKind};

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// The statements of this file with their names.
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}
use statements;

/// Every statement with its name, so that a test can prepare all of them on both engines.
#[must_use]
pub fn statements_of_all() -> Vec<(&'static str, &'static str)> {
    let files = [
        bindings::STATEMENTS,
        imports::STATEMENTS,
        parking::STATEMENTS,
        people::STATEMENTS,
        places::STATEMENTS,
        rooms::STATEMENTS,
    ];
    files.concat()
}

/// The communities that the caller reaches, as `,a,b,`: a list that both engines can search exactly; nothing when
/// that is all of the tenant's.
pub(crate) fn reach(actor: &Actor) -> Option<String> {
    if matches!(actor.kind, ActorKind::Operator | ActorKind::Auditor) {
        return None;
    }
    let names: String = actor
        .communities
        .iter()
        .map(|community| format!("{community},"))
        .collect();
    Some(format!(",{names}"))
}
