//! Rules on folders: what the root holds, what a function folder has, and which crate may depend on which.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{Offender, sql};

/// What the root holds besides dotfiles.
const ROOT_NAMES: [&str; 11] = [
    "spin.toml",
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "rust-toolchain.toml",
    "functions",
    "components",
    "wit",
    "infra",
    "tests",
];
const README_LINES_MAX: usize = 60;
const STAMP_DIGITS: usize = "YYYYMMDDhhmmss".len();
/// The only crates of ours that the bridge may know.
const BRIDGE_MAY_USE: [&str; 4] = ["access", "kernel", "meter-protocols", "wire"];

/// Every offence of the tree.
pub fn offenders(root: &Path) -> Result<Vec<Offender>> {
    let mut found = Vec::new();
    for name in names(root)? {
        if !name.starts_with('.') && name != "target" && !ROOT_NAMES.contains(&name.as_str()) {
            found.push(offence(&name, "the root holds no such thing"));
        }
    }
    let functions = names(&root.join("functions"))?;
    for function in &functions {
        let others: Vec<&String> = functions
            .iter()
            .filter(|other| *other != function)
            .collect();
        function_folder(root, function, &mut found)?;
        for dependency in dependencies(&root.join("functions").join(function))? {
            if others.contains(&&dependency) {
                found.push(offence(
                    &format!("functions/{function}/Cargo.toml"),
                    &format!("a function depends on the function `{dependency}`"),
                ));
            }
        }
    }
    let ours = workspace_crates(root)?;
    for dependency in dependencies(&root.join("infra/bridge"))? {
        if ours.contains(&dependency) && !BRIDGE_MAY_USE.contains(&dependency.as_str()) {
            found.push(offence(
                "infra/bridge/Cargo.toml",
                &format!("the bridge depends on `{dependency}`"),
            ));
        }
    }
    Ok(found)
}

fn offence(path: &str, reason: &str) -> Offender {
    Offender {
        path: PathBuf::from(path),
        line: None,
        reason: reason.to_owned(),
    }
}

fn function_folder(root: &Path, function: &str, found: &mut Vec<Offender>) -> Result<()> {
    let folder = format!("functions/{function}");
    let path = root.join(&folder);
    match fs::read_to_string(path.join("README.md")) {
        Err(_) => found.push(offence(
            &format!("{folder}/README.md"),
            "a function says what it is for",
        )),
        Ok(text) if text.lines().count() > README_LINES_MAX => {
            found.push(offence(
                &format!("{folder}/README.md"),
                &format!("at most {README_LINES_MAX} lines"),
            ));
        }
        Ok(_) => {}
    }
    if path.join("src/http.rs").exists() && !path.join("openapi.yaml").exists() {
        found.push(offence(
            &format!("{folder}/openapi.yaml"),
            "routes without a contract",
        ));
    }
    let migrations = path.join("migrations");
    for name in if migrations.is_dir() {
        names(&migrations)?
    } else {
        Vec::new()
    } {
        let file = format!("{folder}/migrations/{name}");
        let (stamp, rest) = name.split_at_checked(STAMP_DIGITS).unwrap_or(("", ""));
        if !stamp.bytes().all(|byte| byte.is_ascii_digit())
            || !rest.starts_with('_')
            || !rest.ends_with(".sql")
        {
            found.push(offence(&file, "named YYYYMMDDhhmmss_what.sql"));
            continue;
        }
        let text = fs::read_to_string(migrations.join(&name))
            .with_context(|| format!("reading {file}"))?;
        migration(&file, function, &text, found);
    }
    Ok(())
}

fn migration(file: &str, function: &str, text: &str, found: &mut Vec<Offender>) {
    let without_comments: Vec<&str> = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect();
    let lower = without_comments.join("\n").to_lowercase();
    for statement in lower.split(';') {
        let words: Vec<&str> = statement
            .split(|char: char| !(char.is_alphanumeric() || char == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        let created = words.iter().position(|word| *word == "table").map(|at| {
            let named = words
                .iter()
                .skip(at + 1)
                .find(|word| !["if", "not", "exists"].contains(*word));
            (*named.unwrap_or(&"")).to_owned()
        });
        let used = sql::tables(statement);
        for table in created.into_iter().chain(used) {
            if !table.starts_with(&format!("{function}_")) {
                found.push(offence(
                    file,
                    &format!("table `{table}` is not of `{function}_`"),
                ));
            }
        }
        let engine_only = [
            "serial",
            "bigserial",
            "autoincrement",
            "numeric",
            "jsonb",
            "boolean",
            "timestamptz",
            "without",
        ];
        if let Some(word) = words.iter().find(|word| engine_only.contains(*word)) {
            found.push(offence(
                file,
                &format!("`{word}` is not of the dialect of both engines"),
            ));
        }
    }
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn manifest(folder: &Path) -> Result<toml::Table> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    text.parse()
        .with_context(|| format!("reading {}", path.display()))
}

/// What a crate depends on outside of tests, on every target.
fn dependencies(folder: &Path) -> Result<Vec<String>> {
    let manifest = manifest(folder)?;
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = std::iter::once(&manifest).chain(
        targets
            .into_iter()
            .flat_map(|targets| targets.values().filter_map(toml::Value::as_table)),
    );
    let mut found = Vec::new();
    for table in tables {
        for key in ["dependencies", "build-dependencies"] {
            found.extend(
                table
                    .get(key)
                    .and_then(toml::Value::as_table)
                    .into_iter()
                    .flat_map(|table| table.keys().cloned()),
            );
        }
    }
    Ok(found)
}

/// The crates of this workspace: the dependencies that are paths.
fn workspace_crates(root: &Path) -> Result<Vec<String>> {
    let manifest = manifest(root)?;
    let dependencies = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table);
    let ours = dependencies
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.get("path").is_some());
    Ok(ours.map(|(name, _)| name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_makes_tables_of_its_folder_only() {
        let mut found = Vec::new();
        let text = "-- create table other\ncreate table if not exists doors_door (id text);\ncreate table people (id bigserial);\n";
        migration("m.sql", "doors", text, &mut found);
        let reasons: Vec<&str> = found
            .iter()
            .map(|offender| offender.reason.as_str())
            .collect();
        assert_eq!(
            reasons,
            [
                "table `people` is not of `doors_`",
                "`bigserial` is not of the dialect of both engines"
            ]
        );
    }
}
