//! Spin's `key_value` interface.

use std::path::Path;

use anyhow::Result;
use wasmtime::component::Linker;

use super::Permissions;
use crate::instance::State;

/// What the whole application shares.
pub struct Factor {}

/// What one instance may use.
pub struct Instance {}

impl Factor {
    /// Opens what the application shares.
    ///
    /// # Errors
    /// When the data folder cannot be used.
    pub fn new(_data: &Path) -> Result<Self> {
        Ok(Self {})
    }

    /// What an instance of a component with these permissions may use.
    #[must_use]
    pub fn instance(&self, _permissions: &Permissions) -> Instance {
        Instance {}
    }
}

/// Adds the interface.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(_linker: &mut Linker<State>) -> wasmtime::Result<()> {
    Ok(())
}
