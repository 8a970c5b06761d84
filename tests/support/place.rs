//! Where the tree and what was built from it stand.

use std::path::{Path, PathBuf};

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// A program of the workspace.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    existing(xtask::workspace::binary(name))
}

/// The component of a package.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn component(package: &str) -> PathBuf {
    existing(xtask::building::component_file(package))
}

/// Where the hosts of all tests keep components compiled, so that each is compiled once.
#[must_use]
pub fn compiled_components() -> PathBuf {
    xtask::building::compiled_components()
}

fn existing(file: PathBuf) -> PathBuf {
    assert!(
        file.exists(),
        "{} is not built: `cargo xtask test` builds everything first",
        file.display()
    );
    file
}
