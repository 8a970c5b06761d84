//! What functions measure of themselves, built natively in release on SQLite: tests that fill large tables print what
//! they took as `measured: WHAT: VALUE`, and are run here for that.

use anyhow::{Context, Result, ensure};

use super::Table;
use crate::workspace;

const MEASURED: &str = "measured: ";
/// What stands in the names of these tests: their module.
const MODULES: [&str; 2] = ["many::", "many_tests::"];

/// Runs them and takes down what they print.
///
/// # Errors
/// When one of them fails.
pub fn measure(table: &mut Table) -> Result<()> {
    let mut command = workspace::cargo(&["test", "--release", "--workspace", "--tests", "--"]);
    // What would take minutes in a debug build is left out of the tests, and not here.
    command.args(MODULES);
    command.args(["--nocapture", "--include-ignored"]);
    command.env_remove(crate::postgres::URL_VARIABLE);
    let output = command.output().context("starting cargo test")?;
    let (said, told) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{told}\n{said}");
    let lines = said.lines().chain(told.lines());
    for line in lines.filter_map(|line| line.trim().strip_prefix(MEASURED)) {
        let (what, value) = line.split_once(": ").unwrap_or((line, ""));
        table.row(what, value, "natively, on SQLite");
    }
    Ok(())
}
