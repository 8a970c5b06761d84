//! Rules on SQL: only in `store.rs`, lower-case, columns listed, and only on tables of the folder's name.

use std::path::Path;

use super::{Offender, source::Source};

/// What a statement starts with.
const VERBS: [&str; 11] = [
    "select ",
    "insert into ",
    "update ",
    "delete from ",
    "create table ",
    "create index ",
    "alter table ",
    "drop table ",
    "begin",
    "with ",
    "pragma ",
];
/// After which words a table is named.
const TABLE_WORDS: [&str; 4] = ["from", "into", "update", "join"];

/// Adds the file's offences. The host's own files are its own matter: it is no capability and shares no table.
pub fn check(path: &Path, source: &Source, found: &mut Vec<Offender>) {
    if !(path.starts_with("functions") || path.starts_with("components"))
        || !path.to_string_lossy().contains("/src/")
    {
        return;
    }
    let folder = path
        .components()
        .nth(1)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .unwrap_or_default();
    let is_library = ["components/shared/store", "components/shared/ledger"]
        .iter()
        .any(|library| path.starts_with(library));
    let is_store = path.starts_with("functions")
        && (path.ends_with("src/store.rs") || path.to_string_lossy().contains("/src/store/"));
    for literal in source
        .literals
        .iter()
        .filter(|literal| is_statement(&literal.text))
    {
        let mut add = |reason: String| {
            found.push(Offender {
                path: path.to_owned(),
                line: Some(literal.line),
                reason,
            })
        };
        if !is_store && !is_library {
            add("SQL outside of store.rs".to_owned());
            continue;
        }
        if literal
            .text
            .split_whitespace()
            .next()
            .is_some_and(|verb| verb.chars().any(char::is_uppercase))
        {
            add("SQL is lower-case".to_owned());
        }
        if literal.text.to_lowercase().contains("select *") {
            add("columns are listed, never *".to_owned());
        }
        if is_store {
            let foreign = tables(&literal.text)
                .into_iter()
                .find(|table| !table.starts_with(&format!("{folder}_")));
            if let Some(table) = foreign {
                add(format!("table `{table}` is not of `{folder}_`"));
            }
        }
    }
}

/// Whether a text is SQL.
pub(super) fn is_statement(text: &str) -> bool {
    let words = text
        .split_whitespace()
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join(" ");
    let starts = |verb: &&str| words.starts_with(*verb);
    // A sentence may start with such a word, too; a statement also has a second keyword.
    let second = [
        " from ",
        " into ",
        " set ",
        " values",
        " table ",
        " index ",
        " on ",
        " where ",
        "begin immediate",
        " as (",
    ];
    VERBS.iter().any(starts)
        && second.iter().any(|word| words.contains(word))
        && !words.ends_with('.')
}

/// The tables that a statement names, without its own common table expressions and functions.
pub(super) fn tables(statement: &str) -> Vec<String> {
    let spaced = statement.replace(['(', ')', ',', ';'], " | ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let is_expression = |words: &&[&str]| matches!(words, [_, "as", "|"]);
    let expressions: Vec<&str> = words
        .windows(3)
        .filter(is_expression)
        .filter_map(|words| words.first().copied())
        .collect();
    let mut found = Vec::new();
    for pair in words.windows(3) {
        let [before, word, table] = pair else {
            continue;
        };
        // `do update set` and `for update` name no table; `is distinct from` compares.
        let names = TABLE_WORDS.contains(word)
            && !(*word == "update" && matches!(*before, "do" | "for" | "key"))
            && *before != "distinct";
        let is_name = table
            .chars()
            .all(|char| char.is_alphanumeric() || char == '_');
        if names && is_name && !expressions.contains(table) && *table != "select" {
            found.push((*table).to_owned());
        }
    }
    if let [word, table, ..] = words.as_slice()
        && TABLE_WORDS.contains(word)
    {
        found.push((*table).to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check(Path::new(path), &Source::new(text), &mut found);
        found.into_iter().map(|offender| offender.reason).collect()
    }

    #[test]
    fn sql_stands_in_store_on_tables_of_the_folder() {
        let statement = "f(\"select id from doors_grant where id = $1\")";
        assert!(offences("functions/doors/src/store.rs", statement).is_empty());
        assert_eq!(
            offences("functions/doors/src/http.rs", statement),
            ["SQL outside of store.rs"]
        );
        assert_eq!(
            offences("functions/meters/src/store.rs", statement),
            ["table `doors_grant` is not of `meters_`"]
        );
        assert_eq!(
            offences("functions/doors/src/store.rs", "\"SELECT a from doors_a\""),
            ["SQL is lower-case"]
        );
        assert!(offences("infra/host/src/quarantine.rs", statement).is_empty());
        assert!(
            offences(
                "functions/doors/src/http.rs",
                "\"Select another door from the list.\""
            )
            .is_empty()
        );
    }

    #[test]
    fn tables_are_found_in_every_form() {
        let upsert = "insert into doors_a (id) values ($1) on conflict (id) do update set n = $2";
        assert_eq!(tables(upsert), ["doors_a"]);
        assert_eq!(
            tables("update doors_a set n = $1 where id in (select id from doors_b)"),
            ["doors_b", "doors_a"]
        );
        assert_eq!(
            tables(
                "with late as ( select id from doors_c ) select id from late join doors_d on true"
            ),
            ["doors_c", "doors_d"]
        );
        assert_eq!(tables("select id from doors_a for update"), ["doors_a"]);
    }
}
