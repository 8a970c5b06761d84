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

pub mod barters;
pub mod billing;
pub mod caps;
pub mod columns;
pub mod creatives;
pub mod known;
pub mod lines;
pub mod offers;
pub mod orders;
pub mod people;
pub mod placements;
pub mod reports;
pub mod rewards;
pub mod seats;
pub mod told;

use anyhow::Context as _;
use chrono::NaiveDate;
use store::{Row, Value};

/// A word that a column holds; another one is an error and never a default.
fn word<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> anyhow::Result<T> {
    parse(text).with_context(|| format!("a column holds {text:?}"))
}

/// The day that a column holds.
fn day(row: &Row, position: usize) -> anyhow::Result<NaiveDate> {
    Ok(row.text(position)?.parse()?)
}

/// The day that a column holds, or none.
fn optional_day(row: &Row, position: usize) -> anyhow::Result<Option<NaiveDate>> {
    Ok(row.optional_text(position)?.map(str::parse).transpose()?)
}

/// A day as a parameter.
fn on(day: NaiveDate) -> Value {
    day.to_string().into()
}

/// The text of a column as a type of the domain.
fn text<T>(row: &Row, position: usize) -> anyhow::Result<T>
where
    T: TryFrom<String>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    Ok(T::try_from(row.text(position)?.to_owned())?)
}

/// The text of a column as a type of the domain, or none.
fn optional<T>(row: &Row, position: usize) -> anyhow::Result<Option<T>>
where
    T: TryFrom<String>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    let found = row.optional_text(position)?;
    Ok(found.map(|text| T::try_from(text.to_owned())).transpose()?)
}
