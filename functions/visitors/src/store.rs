//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where cron asks whose something is. Rows are read by position,
//! in the order of the columns named.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

pub mod blacklist;
pub mod people;
pub mod places;
pub mod recurring;
pub mod visits;

use kernel::{Actor, ActorKind};

/// The communities that the caller looks after or audits, as `,a,b,`; nothing when that is all of the tenant's. Of
/// others it is the list of none: they see what their household sees.
fn reach(actor: &Actor) -> Option<String> {
    match actor.kind {
        // An application that comes here has the permission, and works for the whole tenant.
        ActorKind::Operator | ActorKind::Auditor | ActorKind::Application => None,
        ActorKind::Staff => {
            let names = actor.communities.iter();
            let names: String = names.map(|community| format!("{community},")).collect();
            Some(format!(",{names}"))
        }
        _ => Some(",".to_owned()),
    }
}
