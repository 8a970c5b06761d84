//! Every statement of every `store.rs` is understood by both engines.

use std::{fs, path::PathBuf};

use linli_tests::place;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection,
};
use xtask::tidy;

/// The migrations of the shared store and of every function, in the order of their stamps.
fn migrations() -> Vec<(PathBuf, String)> {
    let mut folders = vec![place::root().join("components/shared/store/migrations")];
    for entry in fs::read_dir(place::root().join("functions")).unwrap() {
        folders.push(entry.unwrap().path().join("migrations"));
    }
    let mut files: Vec<PathBuf> = folders
        .iter()
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| {
            fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
        })
        .collect();
    files.sort_by_key(|file| file.file_name().map(std::ffi::OsStr::to_owned));
    files
        .into_iter()
        .map(|file| (file.clone(), fs::read_to_string(file).unwrap()))
        .collect()
}

/// The statements of every store, with where they stand.
fn statements() -> Vec<(String, String)> {
    let files = tidy::rust_files(&place::root()).unwrap();
    let is_store = |file: &&PathBuf| {
        file.starts_with("functions") || file.starts_with("components/shared/store/src")
    };
    let mut found = Vec::new();
    for file in files.iter().filter(is_store) {
        let text = fs::read_to_string(place::root().join(file)).unwrap();
        for (line, statement) in tidy::statements(&text) {
            found.push((format!("{}:{line}", file.display()), statement));
        }
    }
    found
}

/// Neither is a question to a table: engines differ here on purpose, and `store` alone writes them.
fn is_of_one_engine(statement: &str) -> bool {
    ["pragma", "begin", "set "]
        .iter()
        .any(|start| statement.trim_start().starts_with(start))
}

#[tokio::test]
async fn every_statement_is_understood_by_sqlite() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for (file, text) in migrations() {
        let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await;
        done.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let statements = statements();
    assert!(
        !statements.is_empty(),
        "no statement was found: the scan is broken"
    );
    for (place, statement) in statements
        .iter()
        .filter(|(_, statement)| !statement.contains("for update"))
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
    let Ok(url) = std::env::var(xtask::postgres::URL_VARIABLE) else {
        eprintln!(
            "skipped: 1 test needs {}: `cargo xtask test` sets it",
            xtask::postgres::URL_VARIABLE
        );
        return;
    };
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let schema = format!("dialect_{}", std::process::id());
    let own = format!("create schema {schema}; set search_path to {schema}");
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(own)))
        .await
        .unwrap();
    for (file, text) in migrations() {
        let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await;
        done.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    for (place, statement) in statements()
        .iter()
        .filter(|(_, statement)| !is_of_one_engine(statement))
    {
        let prepared = connection
            .prepare(AssertSqlSafe(statement.clone()).into_sql_str())
            .await;
        prepared
            .map(drop)
            .unwrap_or_else(|error| panic!("{place}: {error}\n{statement}"));
    }
}
