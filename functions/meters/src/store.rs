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

pub mod alarms;
pub mod batch;
pub mod meters;
pub mod people;
pub mod periods;
pub mod places;
pub mod readings;
pub mod recharges;
pub mod retention;
pub mod routes;
pub mod switchings;
pub mod usage;

use kernel::{Actor, ActorKind};

/// Every statement of the capability with its name.
#[must_use]
pub fn all_statements() -> Vec<(&'static str, &'static str)> {
    [
        alarms::STATEMENTS,
        batch::STATEMENTS,
        meters::STATEMENTS,
        people::STATEMENTS,
        periods::STATEMENTS,
        places::STATEMENTS,
        readings::STATEMENTS,
        recharges::STATEMENTS,
        retention::STATEMENTS,
        routes::STATEMENTS,
        switchings::STATEMENTS,
        usage::STATEMENTS,
    ]
    .concat()
}

/// The communities whose meters the caller oversees, as `,a,b,`: a list that both engines can search exactly;
/// nothing when that is all of the tenant's. Of others it is the list of none: they see what their household sees.
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
