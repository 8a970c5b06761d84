//! `cargo xtask tidy`: the rules of the tree that neither the compiler nor clippy knows. Every offender is
//! named with its path and line.

mod rules;
mod source;
mod sql;
mod tree;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use source::Source;

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offender {
    /// The file or folder, from the workspace's root.
    pub path: PathBuf,
    /// The line, counted from 1; none where the whole file offends.
    pub line: Option<usize>,
    /// Which rule, and how.
    pub reason: String,
}

impl fmt::Display for Offender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}: {}", self.path.display(), self.reason),
            None => write!(formatter, "{}: {}", self.path.display(), self.reason),
        }
    }
}

/// Finds every offender in the tree.
///
/// # Errors
/// When the tree cannot be read.
pub fn offenders(root: &Path) -> Result<Vec<Offender>> {
    let mut found = tree::offenders(root)?;
    for path in rust_files(root)? {
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("reading {}", path.display()))?;
        let source = Source::new(&text);
        rules::check(&path, &text, &source, &mut found);
        sql::check(&path, &source, &mut found);
    }
    found.sort();
    Ok(found)
}

/// Fails with the offenders, if there are any.
///
/// # Errors
/// When something offends, or the tree cannot be read.
pub fn check(root: &Path) -> Result<String> {
    let found = offenders(root)?;
    if found.is_empty() {
        return Ok(format!(
            "{} files of Rust in order",
            rust_files(root)?.len()
        ));
    }
    let lines: Vec<String> = found.iter().map(Offender::to_string).collect();
    bail!("{} offenders\n{}", found.len(), lines.join("\n"))
}

/// The SQL statements of a file outside of its tests, with their lines counted from 1.
#[must_use]
pub fn statements(text: &str) -> Vec<(usize, String)> {
    let literals = Source::new(text).literals.into_iter();
    literals
        .filter(|literal| sql::is_statement(&literal.text))
        .map(|literal| (literal.line, literal.text))
        .collect()
}

/// Every Rust file of ours, from the workspace's root.
///
/// # Errors
/// When a folder cannot be read.
pub fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["functions", "components", "infra", "tests"] {
        collect(root, Path::new(folder), &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" {
                collect(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
