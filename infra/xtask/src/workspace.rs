//! Where things are, what the manifest says is to be built, and how a command is run so that its failure
//! says what was tried.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

/// The component target of the standard library and of Spin.
pub const COMPONENT_TARGET: &str = "wasm32-wasip2";
/// The cargo profile of components.
pub const COMPONENT_PROFILE: &str = "component";

/// The root of the workspace: the folder of `spin.toml` above this crate.
#[must_use]
pub fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .unwrap_or(crate_folder)
        .to_owned()
}

/// The folder that cargo builds into.
#[must_use]
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program that cargo built in release.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// A cargo command at the workspace's root, as if it were typed there: build scripts that look at the variables which
/// cargo gave this program (ring's does) would otherwise run again, and everything above them with them.
#[must_use]
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    let inherited = env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| is_of_a_package(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

/// The same command, which lets all others go first; as it is where there is no `nice`.
#[must_use]
pub fn yielding(command: Command) -> Command {
    if !is_installed("nice") {
        return command;
    }
    let mut yielding = Command::new("nice");
    yielding.args(["-n", "10"]).arg(command.get_program());
    yielding.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        yielding.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => yielding.env(name, value),
            None => yielding.env_remove(name),
        };
    }
    yielding
}

fn is_of_a_package(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// Runs a command to its end, its output on ours.
///
/// # Errors
/// When it cannot be started, or ends with another status than success.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("starting `{shown}`"))?;
    ensure!(status.success(), "`{shown}` failed ({status})");
    Ok(())
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// When it cannot be started, or ends with another status than success; then with what it printed as error.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .output()
        .with_context(|| format!("starting `{shown}`"))?;
    if !output.status.success() {
        bail!(
            "`{shown}` failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it.
#[must_use]
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// The packages that the manifest's components are built from, in its order.
///
/// # Errors
/// When `spin.toml` cannot be read, or a build command names no package.
pub fn component_packages() -> Result<Vec<String>> {
    let path = root().join("spin.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let manifest: toml::Table = text
        .parse()
        .with_context(|| format!("reading {}", path.display()))?;
    let components = manifest.get("component").and_then(toml::Value::as_table);
    let mut packages = Vec::new();
    for (name, component) in components.into_iter().flatten() {
        let Some(build) = component
            .get("build")
            .and_then(|build| build.get("command"))
        else {
            continue;
        };
        let words = build.as_str().unwrap_or_default().split_whitespace();
        let package = words
            .skip_while(|word| *word != "--package" && *word != "-p")
            .nth(1);
        packages.push(
            package
                .with_context(|| format!("[component.{name}.build] names no --package"))?
                .to_owned(),
        );
    }
    Ok(packages)
}

/// Whether a program can be started from the PATH.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    find_program(program, &[]).is_some()
}

/// Looks for a program in the PATH, then in further folders.
#[must_use]
pub fn find_program(program: &str, further: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(further.iter().cloned())
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Whether this process is root, and may install packages.
#[must_use]
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Installs Debian packages.
///
/// # Errors
/// When we are not root, there is no apt-get, or it fails.
pub fn install(packages: &[&str]) -> Result<()> {
    ensure!(is_root(), "installing {} needs root", packages.join(" "));
    ensure!(
        is_installed("apt-get"),
        "installing {} needs apt-get",
        packages.join(" ")
    );
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    // The lists of a fresh machine are empty or old; a failure shows in the installation that follows.
    if let Err(error) = output(&mut apt(&["update", "-q"])) {
        eprintln!("xtask: {error:#}");
    }
    let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
    arguments.extend(packages);
    output(&mut apt(&arguments)).map(drop)
}
