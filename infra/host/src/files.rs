//! The files that a component may read, as folders to open for it, read-only.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::manifest::{Component, FileMount};

/// The folder in the data folder where files chosen by patterns are laid out, one folder a component.
pub const FILES_FOLDER: &str = "files";

/// The most files that the patterns of one component may choose.
pub const FILES_MAX: usize = 10_000;

/// A folder of this machine that the guest sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is here.
    pub host: PathBuf,
    /// Where the guest sees it.
    pub guest: String,
}

/// The folders of a component. Folders placed by the manifest are opened where they are; files chosen by
/// patterns are copied, so that the guest sees those and no others.
///
/// # Errors
/// When a folder does not exist, a pattern chooses nothing or too much, or the copies cannot be written.
pub fn mounts(name: &str, component: &Component, folder: &Path, data: &Path) -> Result<Vec<Mount>> {
    let mut mounts = Vec::new();
    let mut chosen = Vec::new();
    for mount in &component.files {
        match mount {
            FileMount::Placement {
                source,
                destination,
            } => {
                ensure!(
                    source.is_dir(),
                    "component.{name}.files: {} is not a folder",
                    source.display()
                );
                mounts.push(Mount {
                    host: source.clone(),
                    guest: destination.clone(),
                });
            }
            FileMount::Pattern(pattern) => {
                let before = chosen.len();
                choose(folder, Path::new(""), &split(pattern), &mut chosen)?;
                ensure!(
                    chosen.len() > before,
                    "component.{name}.files: nothing matches {pattern:?}"
                );
                ensure!(
                    chosen.len() <= FILES_MAX,
                    "component.{name}.files: more than {FILES_MAX} files"
                );
            }
        }
    }
    if !chosen.is_empty() {
        let host = data.join(FILES_FOLDER).join(name);
        lay_out(folder, &chosen, &host)
            .with_context(|| format!("cannot lay out the files of {name}"))?;
        mounts.push(Mount {
            host,
            guest: "/".to_owned(),
        });
    }
    Ok(mounts)
}

fn split(pattern: &str) -> Vec<&str> {
    pattern
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect()
}

/// Adds the files below `root` that match, by their paths relative to it. A pattern that names a folder means
/// everything in it.
fn choose(root: &Path, relative: &Path, pattern: &[&str], chosen: &mut Vec<PathBuf>) -> Result<()> {
    let here = root.join(relative);
    let Some((first, rest)) = pattern.split_first() else {
        if here.is_file() {
            chosen.push(relative.to_owned());
        } else if here.is_dir() {
            choose(root, relative, &["**"], chosen)?;
        }
        return Ok(());
    };
    if !here.is_dir() {
        return Ok(());
    }
    if !first.contains(['*', '?']) {
        return choose(root, &relative.join(first), rest, chosen);
    }
    if *first == "**" && !rest.is_empty() {
        choose(root, relative, rest, chosen)?;
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))? {
        names.push(entry?.file_name());
    }
    names.sort();
    for name in names {
        let path = relative.join(&name);
        if *first == "**" {
            let is_folder = root.join(&path).is_dir();
            match (is_folder, rest.is_empty()) {
                (true, _) => choose(root, &path, pattern, chosen)?,
                (false, true) => chosen.push(path),
                (false, false) => {}
            }
        } else if matches(first.as_bytes(), name.as_encoded_bytes()) {
            choose(root, &path, rest, chosen)?;
        }
        ensure!(chosen.len() <= FILES_MAX, "more than {FILES_MAX} files");
    }
    Ok(())
}

/// Whether a name fits a pattern in which `*` stands for any text and `?` for one character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, name)
                || name
                    .split_first()
                    .is_some_and(|(_, after)| matches(pattern, after))
        }
        (Some((b'?', rest)), Some((_, after))) => matches(rest, after),
        (Some((wanted, rest)), Some((found, after))) if wanted == found => matches(rest, after),
        _ => false,
    }
}

fn lay_out(root: &Path, chosen: &[PathBuf], target: &Path) -> Result<()> {
    if target.exists() {
        fs::remove_dir_all(target)?;
    }
    fs::create_dir_all(target)?;
    for path in chosen {
        let to = target.join(path);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(root.join(path), to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_files_and_nothing_else_is_seen() {
        let root = tempfile::tempdir().unwrap();
        let data = tempfile::tempdir().unwrap();
        for path in [
            "static/a.css",
            "static/img/b.png",
            "static/img/c.txt",
            "secret.txt",
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let check = |patterns: &[&str], expected: &[&str]| {
            let files = patterns
                .iter()
                .map(|pattern| FileMount::Pattern((*pattern).to_owned()))
                .collect();
            let component = Component {
                files,
                ..Component::default()
            };
            let mounts = mounts("web", &component, root.path(), data.path()).unwrap();
            let mut seen = Vec::new();
            choose(&mounts[0].host, Path::new(""), &["**"], &mut seen).unwrap();
            assert_eq!(
                seen,
                expected.iter().map(PathBuf::from).collect::<Vec<_>>(),
                "{patterns:?}"
            );
        };
        check(
            &["static/**/*"],
            &["static/a.css", "static/img/b.png", "static/img/c.txt"],
        );
        check(&["static/*.css"], &["static/a.css"]);
        check(
            &["static/**/*.png", "secret.txt"],
            &["secret.txt", "static/img/b.png"],
        );
        check(
            &["static"],
            &["static/a.css", "static/img/b.png", "static/img/c.txt"],
        );
        let missing = Component {
            files: vec![FileMount::Pattern("none/*".to_owned())],
            ..Component::default()
        };
        assert!(mounts("web", &missing, root.path(), data.path()).is_err());
    }
}
