//! The README's commands exist, and its links lead somewhere.

use std::{collections::BTreeSet, fs};

use linli_tests::place;

fn readme() -> String {
    fs::read_to_string(place::root().join("README.md")).unwrap()
}

#[test]
fn every_xtask_command_of_the_readme_exists() {
    let text = readme();
    let command = xtask::cli::command();
    let known: BTreeSet<&str> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(clap::Command::get_name)
        .collect();
    let mut named = BTreeSet::new();
    for (start, _) in text.match_indices("cargo xtask ") {
        let rest = &text[start + "cargo xtask ".len()..];
        let name: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        if !name.is_empty() {
            named.insert(name);
        }
    }
    let unknown: Vec<&String> = named
        .iter()
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "no such command: {unknown:?}");
    let untold: Vec<&&str> = known
        .iter()
        .filter(|name| !named.contains(**name))
        .collect();
    assert!(untold.is_empty(), "the README does not tell of: {untold:?}");
}

#[test]
fn every_path_of_the_readme_exists() {
    let text = readme();
    let links = text
        .match_indices("](")
        .filter_map(|(start, _)| text[start + 2..].split_once(')').map(|(link, _)| link));
    for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
        assert!(
            place::root().join(link).exists(),
            "README.md links to {link}, which is not there"
        );
    }
}
