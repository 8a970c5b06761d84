//! What consumers hear is what the doorbell rings for, and whoever hears is woken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use linli_tests::place;

/// Where the doorbells of all tenants ring.
const FILTER: &str = "linli/+/event";

/// Every Rust file below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// What rings though push alone hears it: somebody is in danger, stands at the gate, says no, or wrote it just now.
const TOLD_AT_ONCE: [&str; 7] = [
    "consent.changed",
    "doors.released",
    "meter.alarm_raised",
    "meter.switching_settled",
    "push.message_created",
    "visit.arrived",
    "visit.requested",
];

/// How soon somebody hears of a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Heard {
    Never,
    WithTheHeartbeat,
    AtOnce,
}

/// The facts of `wire`: kind and how soon somebody hears it, by the name of the type.
fn facts() -> BTreeMap<String, (String, Heard)> {
    let mut found = BTreeMap::new();
    for path in rust_files(&place::root().join("components/shared/wire/src/event")) {
        for line in fs::read_to_string(&path).unwrap().lines() {
            // `    Name = "kind" {`, `    Name = "kind", awaited {` or `    Name = "kind", unhurried {`
            let Some((name, rest)) = line.trim().split_once(" = \"") else {
                continue;
            };
            let Some((kind, marker)) = rest.split_once('"') else {
                continue;
            };
            let heard = match marker.trim_end_matches('{').trim() {
                "" if marker.ends_with('{') => Heard::Never,
                ", unhurried" => Heard::WithTheHeartbeat,
                ", awaited" => Heard::AtOnce,
                _ => continue,
            };
            found.insert(name.to_owned(), (kind.to_owned(), heard));
        }
    }
    assert!(
        found.len() > 50,
        "the facts are written otherwise: {found:?}"
    );
    found
}

/// What the consumers of each function hear, by the name of the function.
fn heard(facts: &BTreeMap<String, (String, Heard)>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir(place::root().join("functions")).unwrap() {
        let folder = entry.unwrap().path();
        let function = folder.file_name().unwrap().to_string_lossy().into_owned();
        for path in rust_files(&folder.join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            for (start, _) in text.match_indices("kinds: &[") {
                let list = text[start..].split_once(']').unwrap().0;
                let mut before_each: Vec<&str> = list.split("::KIND").collect();
                before_each.pop();
                for name in before_each.into_iter().filter_map(|before| {
                    let is_name = |char: char| char.is_alphanumeric() || char == '_';
                    before
                        .rsplit(|char| !is_name(char))
                        .next()
                        .filter(|name| !name.is_empty())
                }) {
                    let (kind, _) = facts
                        .get(name)
                        .unwrap_or_else(|| panic!("{}: no fact is called {name}", path.display()));
                    found
                        .entry(function.clone())
                        .or_default()
                        .insert(kind.clone());
                }
            }
        }
    }
    assert!(!found.is_empty(), "consumers name their kinds otherwise");
    found
}

#[test]
fn what_is_marked_as_heard_is_what_somebody_hears() {
    let facts = facts();
    let heard: BTreeSet<String> = heard(&facts).into_values().flatten().collect();
    let marked: BTreeSet<String> = facts
        .values()
        .filter(|(_, heard)| *heard != Heard::Never)
        .map(|(kind, _)| kind.clone())
        .collect();
    let forgotten: Vec<&String> = heard.difference(&marked).collect();
    let idle: Vec<&String> = marked.difference(&heard).collect();
    assert!(
        forgotten.is_empty(),
        "heard, and marked neither `awaited` nor `unhurried` in wire: {forgotten:?}"
    );
    assert!(
        idle.is_empty(),
        "marked as heard, and nobody hears it: {idle:?}"
    );
}

#[test]
fn what_push_alone_hears_rings_only_when_somebody_waits_for_it() {
    let facts = facts();
    let mut heard = heard(&facts);
    let by_push = heard.remove("push").unwrap();
    let by_others: BTreeSet<String> = heard.into_values().flatten().collect();
    let ringing: BTreeSet<&str> = facts
        .values()
        .filter(|(kind, heard)| {
            *heard == Heard::AtOnce && by_push.contains(kind) && !by_others.contains(kind)
        })
        .map(|(kind, _)| kind.as_str())
        .collect();
    assert_eq!(ringing, BTreeSet::from(TOLD_AT_ONCE));
}

#[test]
fn whoever_hears_is_woken() {
    let text = fs::read_to_string(place::root().join("spin.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let triggers = manifest["trigger"]["mqtt"].as_array().unwrap();
    let woken: BTreeSet<&str> = triggers
        .iter()
        .filter(|trigger| trigger["topic"].as_str() == Some(FILTER))
        .filter_map(|trigger| trigger["component"].as_str())
        .collect();
    let facts = facts();
    let heard = heard(&facts);
    let hearing: BTreeSet<&str> = heard.keys().map(String::as_str).collect();
    assert_eq!(
        woken, hearing,
        "components with a trigger on {FILTER}, functions that hear"
    );
}
