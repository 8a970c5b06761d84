//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where cron asks whose something is. Rows are read by position, in
//! the order of the columns named.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

pub mod accruals;
pub mod campaigns;
pub mod candidates;
pub mod counts;
pub mod known;
pub mod lineups;
pub mod offers;
pub mod people;
pub mod placements;
pub mod rounds;
pub mod sales;
pub mod sealed;
pub mod sealed_bids;

use kernel::{Actor, MerchantId};
use store::Value;

use crate::domain::{Sight, advertisers};

/// Whose things a list holds: those of one merchant, if one is named, and only of those that the caller acts for,
/// unless the caller sees all of them.
pub(crate) struct Whose<'a> {
    person: Option<&'a kernel::ActorId>,
    merchant: Option<MerchantId>,
}

impl<'a> Whose<'a> {
    /// What the caller may see, of that merchant or of all.
    ///
    /// # Errors
    /// 403 for those who have nothing to do with advertising.
    pub(crate) fn of(
        actor: &'a Actor,
        merchant: Option<MerchantId>,
    ) -> Result<Self, kernel::Refusal> {
        let person = match advertisers(actor)? {
            Sight::All => None,
            Sight::Own => Some(&actor.id),
        };
        Ok(Self { person, merchant })
    }

    /// The parameters `person` and `merchant`.
    fn parameters(&self) -> [Value; 2] {
        [self.person.into(), self.merchant.as_ref().into()]
    }
}
