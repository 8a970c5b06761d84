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

pub mod applications;
pub mod categories;
pub mod contracts;
pub mod members;
pub mod merchants;
pub mod people;
pub mod qualifications;
pub mod requests;
pub mod rules;

use anyhow::Context as _;

/// A word that a column holds; another one is an error and never a default.
fn word<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> anyhow::Result<T> {
    parse(text).with_context(|| format!("a column holds {text:?}"))
}
