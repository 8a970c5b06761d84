//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where cron asks whose something is, and where a topic's key tells
//! it. Rows are read by position, in the order of the columns named. The books are not here: they belong to the ledger.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

pub mod consents;
pub mod deliveries;
pub mod devices;
pub mod inbox;
pub mod keeping;
pub mod merchants;
pub mod messages;
pub mod moves;
pub mod named;
pub mod notes;
pub mod orders;
pub mod origins;
pub mod people;
pub mod plans;
pub mod quotas;
pub mod ranges;
pub mod reports;
pub mod templates;
pub mod terms;
pub mod troubles;

use anyhow::Context as _;

/// A word that a column holds; another one is an error and never a default.
fn word<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> anyhow::Result<T> {
    parse(text).with_context(|| format!("a column holds {text:?}"))
}

/// A list that a column holds as JSON.
fn list<T: serde::de::DeserializeOwned>(text: &str) -> anyhow::Result<Vec<T>> {
    serde_json::from_str(text).with_context(|| format!("a column holds {text:?}"))
}
