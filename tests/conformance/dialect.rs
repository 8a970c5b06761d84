//! Every statement of every `store.rs` is understood by both engines.

use std::{fs, path::PathBuf};

use linli_tests::{place, postgres};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection,
};
use xtask::tidy;

/// The folders of migrations: the shared store's, the ledger's and every function's.
fn folders() -> Vec<(String, PathBuf)> {
    let shared = ["store", "ledger"].map(|name| {
        let folder = place::root().join("components/shared").join(name);
        (name.to_owned(), folder.join("migrations"))
    });
    let mut folders = shared.to_vec();
    for entry in fs::read_dir(place::root().join("functions")).unwrap() {
        let entry = entry.unwrap();
        let folder = entry.path().join("migrations");
        if folder.is_dir() {
            folders.push((entry.file_name().to_string_lossy().into_owned(), folder));
        }
    }
    folders
}

/// Migrates a database as `linli migrate` does.
async fn migrate(url: &str) {
    let folders = folders();
    let named: Vec<(&str, PathBuf)> = folders
        .iter()
        .map(|(name, path)| (name.as_str(), path.clone()))
        .collect();
    let applied = store::migrate(url, &named)
        .await
        .unwrap_or_else(|error| panic!("{error:#}"));
    assert!(applied.len() >= folders.len(), "{applied:?}");
    let again = store::migrate(url, &named)
        .await
        .unwrap_or_else(|error| panic!("{error:#}"));
    assert!(
        again.is_empty(),
        "a second time something was applied: {again:?}"
    );
}

/// The statements of every store, with where they stand.
fn statements() -> Vec<(String, String)> {
    let files = tidy::rust_files(&place::root()).unwrap();
    let stores = [
        "functions",
        "components/shared/store/src",
        "components/shared/ledger/src",
    ];
    // What a test says to its own database is not said by a function.
    let is_test = |file: &PathBuf| file.iter().any(|part| part == "tests");
    let is_store =
        |file: &&PathBuf| stores.iter().any(|folder| file.starts_with(folder)) && !is_test(file);
    let mut found = Vec::new();
    for file in files.iter().filter(is_store) {
        let text = fs::read_to_string(place::root().join(file)).unwrap();
        for (line, statement) in tidy::statements(&text) {
            found.push((format!("{}:{line}", file.display()), statement));
        }
    }
    found
}

/// What `store` alone says to one engine, on purpose: how a transaction begins, who waits for whom.
fn is_of_sqlite(statement: &str) -> bool {
    ["pragma", "begin immediate"]
        .iter()
        .any(|start| statement.trim_start().starts_with(start))
}

/// See [`is_of_sqlite`].
fn is_of_postgresql(statement: &str) -> bool {
    ["for update", "for no key update", "pg_", "set local"]
        .iter()
        .any(|part| statement.contains(part))
}

#[tokio::test]
async fn every_statement_is_understood_by_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("dialect.db").display());
    migrate(&url).await;
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let statements = statements();
    assert!(
        !statements.is_empty(),
        "no statement was found: the scan is broken"
    );
    for (place, statement) in statements
        .iter()
        .filter(|(_, statement)| !is_of_postgresql(statement))
    {
        let prepared = connection
            .prepare(AssertSqlSafe(statement.clone()).into_sql_str())
            .await;
        prepared
            .map(drop)
            .unwrap_or_else(|error| panic!("{place}: {error}\n{statement}"));
    }
}

#[tokio::test]
async fn every_statement_is_understood_by_postgresql() {
    let Some(database) = postgres::database("dialect").await else {
        return;
    };
    migrate(&database.url).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    for (place, statement) in statements()
        .iter()
        .filter(|(_, statement)| !is_of_sqlite(statement))
    {
        let prepared = connection
            .prepare(AssertSqlSafe(statement.clone()).into_sql_str())
            .await;
        prepared
            .map(drop)
            .unwrap_or_else(|error| panic!("{place}: {error}\n{statement}"));
    }
}
