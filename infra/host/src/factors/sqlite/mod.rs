//! Spin's `sqlite` interface.

use wasmtime::component::Linker;

use crate::instance::State;

/// What one instance may use.
#[derive(Default)]
pub struct Instance {}

/// Adds the interface.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(_linker: &mut Linker<State>) -> wasmtime::Result<()> {
    Ok(())
}
