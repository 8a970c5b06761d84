//! `cargo xtask build`: the components of the manifest, and the two programs that run and feed them.

use std::{path::PathBuf, process::Command, thread};

use anyhow::{Context, Result, anyhow};

use crate::workspace::{self, COMPONENT_PROFILE, COMPONENT_TARGET};

/// The component that misbehaves on request; only tests and the benchmark run it.
pub const PROBE: &str = "probe";

/// The components that only tests run.
pub const FIXTURES: [&str; 2] = [PROBE, "reach"];

/// Builds everything that `cargo xtask up` starts. Quick when nothing changed.
///
/// # Errors
/// When the component target cannot be installed, or something does not compile.
pub fn everything() -> Result<()> {
    with_components(&[])
}

/// Builds the programs, and in what they leave of the processors the components of the manifest and further ones: the
/// host is one long unit at the end, beside which most cores would idle.
///
/// # Errors
/// When the component target cannot be installed, or something does not compile.
pub fn with_components(further: &[&str]) -> Result<()> {
    install_target()?;
    thread::scope(|scope| {
        let components = scope.spawn(|| components(further));
        let programs = programs();
        let components = components.join();
        programs?;
        components.map_err(|_| anyhow!("building the components panicked"))?
    })
}

fn components(further: &[&str]) -> Result<()> {
    let packages = workspace::component_packages()?;
    let packages: Vec<&str> = packages
        .iter()
        .map(String::as_str)
        .chain(further.iter().copied())
        .collect();
    let command = component_command("build", &packages);
    workspace::run(&mut workspace::yielding(command)).context("building the components")
}

/// Builds `linli` and `linli-bridge`.
///
/// # Errors
/// When they do not compile.
pub fn programs() -> Result<()> {
    // Of the whole workspace, not of two packages: features are resolved for what is selected, and another selection
    // than the tests' would compile wasmtime a second time.
    let arguments = [
        "build",
        "--release",
        "--workspace",
        "--bin",
        "linli",
        "--bin",
        "linli-bridge",
    ];
    workspace::run(&mut workspace::cargo(&arguments)).context("building linli and linli-bridge")
}

/// The folder of compiled components that the hosts of the tests share.
#[must_use]
pub fn compiled_components() -> PathBuf {
    workspace::target().join("compiled-components")
}

/// Compiles the components of the manifest into that folder, before many hosts at once would.
///
/// # Errors
/// When one of them does not compile.
pub fn compile_components() -> Result<()> {
    let folder = compiled_components();
    let mut command = Command::new(workspace::binary("linli"));
    command.current_dir(workspace::root()).arg("compile");
    command
        .arg("--data")
        .arg(&folder)
        .arg("--cache")
        .arg(&folder);
    workspace::run(&mut command).context("compiling the components")
}

/// A cargo command over packages as components.
#[must_use]
pub fn component_command(verb: &str, packages: &[&str]) -> Command {
    let mut command = workspace::cargo(&[
        verb,
        "--profile",
        COMPONENT_PROFILE,
        "--target",
        COMPONENT_TARGET,
    ]);
    for package in packages {
        command.args(["--package", package]);
    }
    command
}

/// Where a package's component is built.
#[must_use]
pub fn component_file(package: &str) -> PathBuf {
    let file = format!("{}.wasm", package.replace('-', "_"));
    workspace::target()
        .join(COMPONENT_TARGET)
        .join(COMPONENT_PROFILE)
        .join(file)
}

/// Installs the component target where rustup has not done so yet. Without rustup the toolchain is the
/// distribution's, and the build itself says what is missing.
fn install_target() -> Result<()> {
    let mut print = Command::new("rustc");
    let libraries = workspace::output(
        print
            .args(["--print", "target-libdir", "--target", COMPONENT_TARGET])
            .current_dir(workspace::root()),
    );
    if libraries.is_ok_and(|folder| PathBuf::from(folder.trim()).is_dir())
        || !workspace::is_installed("rustup")
    {
        return Ok(());
    }
    println!("xtask: adding the target {COMPONENT_TARGET}");
    let mut add = Command::new("rustup");
    workspace::run(
        add.args(["target", "add", COMPONENT_TARGET])
            .current_dir(workspace::root()),
    )
    .context("adding the component target; `rustup target add wasm32-wasip2` by hand shows more")
}
