//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where cron asks whose something is, and where a channel's own key
//! stands. Rows are read by position, in the order of the columns named.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

pub mod attempts;
pub mod payments;
pub mod reconciliations;
pub mod refunds;
pub mod simulated;
pub mod simulated_transfers;
pub mod transfers;
