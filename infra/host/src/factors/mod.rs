//! Spin's host interfaces, one file each. Every file has the same three parts: a type for the whole
//! application, an `Instance` for one running component with just what the manifest allows it, and
//! `add_to_linker`.

pub mod key_value;
pub mod mqtt;
pub mod outbound_http;
pub mod postgres;
pub mod sqlite;
pub mod variables;

use wasmtime::component::Linker;

use crate::instance::State;

/// Adds all of them.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    key_value::add_to_linker(linker)?;
    mqtt::add_to_linker(linker)?;
    postgres::add_to_linker(linker)?;
    sqlite::add_to_linker(linker)?;
    variables::add_to_linker(linker)
}
