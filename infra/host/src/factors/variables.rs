//! Spin's `variables` interface: a component reads the variables that its table in the manifest gives it.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::component::{HasSelf, Linker};

use super::Permissions;
use crate::{bindings::variables, instance::State};

/// The variables of one instance.
pub struct Instance {
    values: Arc<BTreeMap<String, String>>,
}

impl Instance {
    /// The variables that these permissions hold.
    #[must_use]
    pub fn new(permissions: &Permissions) -> Self {
        Self {
            values: permissions.variables.clone(),
        }
    }
}

impl variables::Host for Instance {}

impl<T> variables::HostWithStore<T> for HasSelf<Instance> {
    async fn get(
        accessor: &wasmtime::component::Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, variables::Error>> {
        let found = accessor.with(|mut access| access.get().values.get(&name).cloned());
        Ok(found.ok_or_else(|| {
            let valid = name
                .chars()
                .all(|character| matches!(character, 'a'..='z' | '0'..='9' | '_'));
            if valid {
                variables::Error::Undefined(name)
            } else {
                variables::Error::InvalidName(name)
            }
        }))
    }
}

/// Adds the interface.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    variables::add_to_linker::<State, HasSelf<Instance>>(linker, |state| &mut state.variables)
}
