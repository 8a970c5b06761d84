//! Migrations: files `YYYYMMDDhhmmss_name.sql`, forward only, each in one transaction, never edited afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use crate::engine::{Engine, Session};
use crate::sql::statements;
use crate::{Db, Error, RERUNS_MAX, Value};

/// The number of PostgreSQL's advisory lock that makes migrators wait for each other.
const ADVISORY_LOCK: i64 = 5_310_220_661;

/// The digits in front of a migration's name.
const VERSION_DIGITS: usize = 14;

/// Applies what is missing from each folder of `(name, folder)`, oldest file first over all folders, and makes a
/// missing SQLite file. Answers the files applied, as `name/file`. Several migrators may run at once.
///
/// # Errors
/// A file that was edited or removed after it had been applied, a new file older than an applied one of its
/// folder, a misnamed file, a statement that the database refuses: nothing of that file is applied then.
pub async fn migrate(
    database_url: &str,
    folders: &[(&str, PathBuf)],
) -> anyhow::Result<Vec<String>> {
    let engine = Engine::create(database_url)?;
    let applied = migrate_engine(&engine, folders).await;
    engine.close().await;
    applied
}

/// As [`migrate`], on an open database.
///
/// # Errors
/// As [`migrate`].
pub async fn migrate_database(db: &Db, folders: &[(&str, PathBuf)]) -> anyhow::Result<Vec<String>> {
    migrate_engine(db.engine(), folders).await
}

/// One file.
struct File {
    folder: String,
    name: String,
    hash: String,
    script: String,
}

async fn migrate_engine(
    engine: &Engine,
    folders: &[(&str, PathBuf)],
) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for (name, folder) in folders {
        files.extend(read_folder(name, folder)?);
    }
    let recorded = locked(engine, async |session| {
        session.execute(CREATE_TABLE, &[]).await?;
        recorded(session).await
    })
    .await
    .context("reading which migrations were applied")?;
    for (name, _) in folders {
        check_history(name, &files, &recorded)?;
    }
    files.retain(|file| !recorded.contains_key(&(file.folder.clone(), file.name.clone())));
    files.sort_by(|left, right| (&left.name, &left.folder).cmp(&(&right.name, &right.folder)));
    let mut applied = Vec::new();
    for file in &files {
        let label = format!("{}/{}", file.folder, file.name);
        let fresh = locked(engine, async |session| apply(session, file).await).await;
        if fresh.with_context(|| format!("the migration {label} was not applied"))? {
            applied.push(label);
        }
    }
    Ok(applied)
}

const CREATE_TABLE: &str = "create table if not exists migration (
    folder text not null,
    file text not null,
    hash text not null,
    applied_at bigint not null,
    primary key (folder, file)
)";

/// Runs `work` in a transaction that no other migrator shares.
async fn locked<T>(
    engine: &Engine,
    work: impl AsyncFn(&Session) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut reruns = 0;
    loop {
        let session = match engine.begin().await {
            Ok(session) => session,
            Err(error) if reruns < RERUNS_MAX && Error::is_busy(&error.clone().into()) => {
                reruns += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if session.needs_row_lock() {
            session
                .rows(
                    "select pg_advisory_xact_lock($1)::text",
                    &[ADVISORY_LOCK.into()],
                )
                .await?;
        }
        return match work(&session).await {
            Ok(value) => {
                session.commit().await?;
                Ok(value)
            }
            Err(error) => {
                session.rollback().await?;
                Err(error)
            }
        };
    }
}

/// The hashes of the applied files by folder and file.
async fn recorded(session: &Session) -> anyhow::Result<BTreeMap<(String, String), String>> {
    let rows = session
        .rows("select folder, file, hash from migration", &[])
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                (row.text(0)?.to_owned(), row.text(1)?.to_owned()),
                row.text(2)?.to_owned(),
            ))
        })
        .collect()
}

/// Applies one file, unless another migrator just did.
async fn apply(session: &Session, file: &File) -> anyhow::Result<bool> {
    let key: [Value; 2] = [(&file.folder).into(), (&file.name).into()];
    if !session
        .rows(
            "select hash from migration where folder = $1 and file = $2",
            &key,
        )
        .await?
        .is_empty()
    {
        return Ok(false);
    }
    for statement in statements(&file.script)? {
        session.execute(&statement, &[]).await?;
    }
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let insert = "insert into migration (folder, file, hash, applied_at) values ($1, $2, $3, $4)";
    session
        .execute(
            insert,
            &[
                (&file.folder).into(),
                (&file.name).into(),
                (&file.hash).into(),
                now.into(),
            ],
        )
        .await?;
    Ok(true)
}

/// Refuses a folder whose past is not what was applied.
fn check_history(
    folder: &str,
    files: &[File],
    recorded: &BTreeMap<(String, String), String>,
) -> anyhow::Result<()> {
    let mut newest = "";
    for ((_, name), hash) in recorded.iter().filter(|((of, _), _)| of == folder) {
        let file = files
            .iter()
            .find(|file| file.folder == folder && file.name == *name);
        let file = file.with_context(|| {
            format!("the migration {folder}/{name} was applied to this database and is missing from the folder: put it back")
        })?;
        ensure!(
            file.hash == *hash,
            "the migration {folder}/{name} was edited after it was applied: restore it, and write a new one instead"
        );
        newest = newest.max(name);
    }
    for file in files.iter().filter(|file| file.folder == folder) {
        let known = recorded.contains_key(&(folder.to_owned(), file.name.clone()));
        ensure!(
            known || file.name.as_str() > newest,
            "the migration {folder}/{} is older than {newest}, which is already applied: give it a newer time",
            file.name
        );
    }
    Ok(())
}

fn read_folder(folder: &str, path: &Path) -> anyhow::Result<Vec<File>> {
    let entries = std::fs::read_dir(path)
        .with_context(|| format!("the folder of migrations {} cannot be read", path.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        ensure!(
            is_migration_name(&name),
            "{} is not named YYYYMMDDhhmmss_name.sql",
            path.display()
        );
        let script = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let hash = Sha256::digest(&script)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        files.push(File {
            folder: folder.to_owned(),
            name,
            hash,
            script,
        });
    }
    Ok(files)
}

fn is_migration_name(name: &str) -> bool {
    let Some((version, rest)) = name.split_once('_') else {
        return false;
    };
    version.len() == VERSION_DIGITS
        && version.bytes().all(|byte| byte.is_ascii_digit())
        && rest.len() > ".sql".len()
}
