//! Migrations: what is applied, and what is refused.

use std::path::{Path, PathBuf};

use store::{Db, migrate};

use crate::support::{join, run};

const FIRST: &str = "20260101000000_first.sql";
const SECOND: &str = "20260102000000_second.sql";

/// The URLs of empty databases on each engine there is, with what keeps them alive.
async fn empty() -> Vec<(String, tempfile::TempDir, Option<store::testing::Database>)> {
    let folder = || tempfile::tempdir().unwrap();
    let file = folder();
    let mut all = vec![(
        format!("sqlite:{}", file.path().join("made.db").display()),
        file,
        None,
    )];
    if let Some(schema) = store::testing::postgres(&[]).await {
        all.push((schema.url.clone(), folder(), Some(schema)));
    }
    all
}

fn write(folder: &Path, file: &str, script: &str) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(file), script).unwrap();
    folder.to_owned()
}

/// Migrates the one folder and checks the end of what is said, or the files applied.
async fn check(url: &str, folder: &Path, expected: Result<&[&str], &str>) {
    let outcome = migrate(url, &[("try", folder.to_owned())]).await;
    match expected {
        Ok(files) => assert_eq!(
            outcome.unwrap(),
            files
                .iter()
                .map(|file| format!("try/{file}"))
                .collect::<Vec<_>>()
        ),
        Err(message) => {
            let error = format!("{:#}", outcome.unwrap_err());
            assert!(
                error.contains(message),
                "{error:?} does not say {message:?}"
            );
        }
    }
}

async fn count(url: &str, table: &str) -> Option<i64> {
    let rows = Db::open(url)
        .unwrap()
        .rows(&format!("select count(*) from {table}"), &[])
        .await;
    rows.ok().map(|rows| rows[0].integer(0).unwrap())
}

#[test]
fn each_file_is_applied_once_and_only_forward() {
    run(async {
        for (url, place, _schema) in empty().await {
            let folder = write(
                &place.path().join("m"),
                SECOND,
                "create table b (x bigint); insert into b (x) values (1);",
            );
            check(&url, &folder, Ok(&[SECOND])).await;
            check(&url, &folder, Ok(&[])).await;
            assert_eq!(count(&url, "b").await, Some(1));
            write(&folder, FIRST, "create table a (x bigint);");
            check(
                &url,
                &folder,
                Err("is older than 20260102000000_second.sql, which is already applied"),
            )
            .await;
            assert_eq!(count(&url, "a").await, None);
        }
    });
}

#[test]
fn an_edited_or_missing_file_is_refused() {
    run(async {
        for (url, place, _schema) in empty().await {
            let folder = write(&place.path().join("m"), FIRST, "create table a (x bigint);");
            check(&url, &folder, Ok(&[FIRST])).await;
            write(&folder, FIRST, "create table a (x bigint, y bigint);");
            check(
                &url,
                &folder,
                Err("try/20260101000000_first.sql was edited after it was applied"),
            )
            .await;
            std::fs::remove_file(folder.join(FIRST)).unwrap();
            check(
                &url,
                &folder,
                Err("try/20260101000000_first.sql was applied to this database and is missing"),
            )
            .await;
        }
    });
}

#[test]
fn a_failing_file_leaves_nothing_and_those_before_it_stay() {
    run(async {
        for (url, place, _schema) in empty().await {
            let folder = write(&place.path().join("m"), FIRST, "create table a (x bigint);");
            write(
                &folder,
                SECOND,
                "create table b (x bigint);\ncreate table b (x bigint);",
            );
            check(
                &url,
                &folder,
                Err("the migration try/20260102000000_second.sql was not applied"),
            )
            .await;
            assert_eq!(
                (count(&url, "a").await, count(&url, "b").await),
                (Some(0), None)
            );
            write(&folder, SECOND, "create table b (x bigint);");
            check(&url, &folder, Ok(&[SECOND])).await;
        }
    });
}

#[test]
fn a_misnamed_file_and_a_missing_folder_are_refused() {
    run(async {
        for (url, place, _schema) in empty().await {
            let folder = write(&place.path().join("m"), "first.sql", "select 1;");
            check(&url, &folder, Err("is not named YYYYMMDDhhmmss_name.sql")).await;
            check(&url, &place.path().join("nowhere"), Err("cannot be read")).await;
        }
    });
}

#[test]
fn folders_are_applied_in_the_order_of_time_over_all_of_them() {
    run(async {
        for (url, place, _schema) in empty().await {
            let late = write(
                &place.path().join("late"),
                SECOND,
                "insert into a (x) values (1);",
            );
            let early = write(
                &place.path().join("early"),
                FIRST,
                "create table a (x bigint);",
            );
            let applied = migrate(&url, &[("late", late), ("early", early)])
                .await
                .unwrap();
            assert_eq!(
                applied,
                [format!("early/{FIRST}"), format!("late/{SECOND}")]
            );
        }
    });
}

#[test]
fn migrators_at_the_same_time_apply_each_file_once() {
    run(async {
        for (url, place, _schema) in empty().await {
            let folder = write(&place.path().join("m"), FIRST, "create table a (x bigint);");
            write(&folder, SECOND, "insert into a (x) values (1);");
            let applied = join((0..6).map(|_| {
                let (url, folder) = (url.clone(), folder.clone());
                async move { migrate(&url, &[("try", folder)]).await.unwrap() }
            }))
            .await;
            assert_eq!(applied.concat().len(), 2);
            assert_eq!(count(&url, "a").await, Some(1));
        }
    });
}
