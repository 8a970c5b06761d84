//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where cron asks whose something is. Rows are read by position, in
//! the order of the columns named. The books are not here: they belong to the ledger.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

pub mod bills;
pub mod cash;
pub mod coupons;
pub mod known;
pub mod owed;
pub mod payments;
pub mod people;
pub mod points;
pub mod recharges;
pub mod refunds;
pub mod rules;
pub mod runs;
pub mod usages;

use kernel::{Actor, Refusal};

use crate::domain::{Sight, sees};

/// The communities whose bills the caller sees, as `,a,b,`; nothing when that is all of the tenant's. Of residents it is
/// the list of none: they see the bills of their rooms.
fn reach(actor: &Actor) -> Result<Option<String>, Refusal> {
    Ok(match sees(actor)? {
        Sight::All => None,
        Sight::Own => Some(",".to_owned()),
        Sight::Communities => {
            let names = actor.communities.iter();
            let names: String = names.map(|community| format!("{community},")).collect();
            Some(format!(",{names}"))
        }
    })
}
