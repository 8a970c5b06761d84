//! The statements of a function: both engines take them, and they are about its own tables.

use store::{Db, Value};

/// More parameters than any statement has.
const PARAMETERS_MAX: usize = 120;

/// Every statement, with its name, is one that this engine takes.
///
/// # Panics
/// When one is not.
pub async fn understood<'a>(
    db: &Db,
    statements: impl IntoIterator<Item = &'a (&'static str, &'static str)>,
) {
    for (name, sql) in statements {
        let count = (1..=PARAMETERS_MAX)
            .filter(|number| sql.contains(&format!("${number}")))
            .count();
        let nothing = vec![Value::Null; count];
        let plan = db.rows(&format!("explain {sql}"), &nothing).await;
        assert!(plan.is_ok(), "{name}: {:#}", plan.unwrap_err());
    }
}

/// Every statement is about tables that begin with the function's name, and names its columns.
///
/// # Panics
/// When one does not.
pub fn about_tables_of<'a>(
    function: &str,
    statements: impl IntoIterator<Item = &'a (&'static str, &'static str)>,
) {
    for (name, sql) in statements {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let tables = words
            .windows(2)
            .filter(|pair| ["from", "join", "into", "update"].contains(&pair[0]))
            .map(|pair| pair[1])
            // An `on conflict do update set`, and a table that is a query.
            .filter(|table| *table != "set" && !table.starts_with('('));
        for table in tables {
            let is_own = table
                .strip_prefix(function)
                .is_some_and(|rest| rest.starts_with('_'));
            assert!(is_own, "{name} is about {table}");
        }
        let is_star = |pair: &[&str]| {
            pair[1].starts_with('*') && (pair[0] == "select" || pair[0].ends_with(','))
        };
        let has_star = sql.contains(".*") || words.windows(2).any(is_star);
        assert!(!has_star, "{name} names its columns");
    }
}

/// No statement reads from a query in the place of a table.
///
/// # Panics
/// When one does.
pub fn from_tables_alone<'a>(
    statements: impl IntoIterator<Item = &'a (&'static str, &'static str)>,
) {
    for (name, sql) in statements {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let reads_query =
            |pair: &[&str]| ["from", "join"].contains(&pair[0]) && pair[1].starts_with('(');
        assert!(!words.windows(2).any(reads_query), "{name} reads a query");
    }
}

/// No statement has a star, not even to count rows.
///
/// # Panics
/// When one does.
pub fn without_stars<'a>(statements: impl IntoIterator<Item = &'a (&'static str, &'static str)>) {
    for (name, sql) in statements {
        assert!(!sql.contains('*'), "{name} names its columns");
    }
}
