//! Durable transactions per second through the sqlite factor, by hand:
//! `cargo run --release -p linli-host --example sqlite_commits -- FOLDER`.
//! Each transaction is begin immediate, five selects, two inserts, commit. The same through SQLite itself with
//! `synchronous = full`, where every commit pays for its own sync, is measured beside it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use linli_host::{
    bindings::sqlite::Value,
    factors::sqlite::{Database, Factor, Session},
};

/// How long each row of the table is measured.
const MEASURED: Duration = Duration::from_secs(3);
const SCHEMA: [&str; 3] = [
    "create table door (id text primary key, tenant text not null, name text not null) without rowid",
    "create table opening (id text primary key, door text not null, at bigint not null) without rowid",
    "create table event (seq integer primary key, tenant text not null, data text not null)",
];
const SELECT: &str = "select id, tenant, name from door where id = $1";
const INSERT_OPENING: &str = "insert into opening (id, door, at) values ($1, $2, $3)";
const INSERT_EVENT: &str = "insert into event (tenant, data) values ($1, $2)";

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).context("name a folder on the disk to measure")?);
    std::fs::create_dir_all(&folder)?;
    println!("{:<28} {:>8} {:>10} {:>8} {:>9} {:>9}", "", "clients", "tx/s", "tx/sync", "p50 ms", "p99 ms");
    for clients in [1, 4, 16, 32, 64] {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(shared(&folder, clients))?;
    }
    for clients in [1, 32] {
        alone(&folder, clients)?;
    }
    Ok(())
}

async fn shared(folder: &Path, clients: usize) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let database = Factor::new(folder.path())?.database("default")?;
    let mut session = connect(&database).await?;
    for statement in SCHEMA {
        run(&mut session, statement, Vec::new()).await?;
    }
    for door in 0..1_000 {
        let values = vec![text(format!("door-{door}")), text("demo"), text("Gate")];
        run(&mut session, "insert into door (id, tenant, name) values ($1, $2, $3)", values).await?;
    }
    let (before, started) = (database.counters(), Instant::now());
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let database = Arc::clone(&database);
            tokio::spawn(async move {
                let mut took = Vec::new();
                for number in 0.. {
                    let began = Instant::now();
                    // A connection of its own for every transaction, as a request has.
                    transaction(&mut connect(&database).await?, client, number).await?;
                    took.push(began.elapsed());
                    if started.elapsed() > MEASURED {
                        break;
                    }
                }
                anyhow::Ok(took)
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await??);
    }
    let after = database.counters();
    let per_sync = (after.commits - before.commits) as f64 / (after.fsyncs - before.fsyncs).max(1) as f64;
    report("linli", clients, started.elapsed(), per_sync, took);
    Ok(())
}

async fn transaction(session: &mut Session, client: usize, number: usize) -> Result<()> {
    run(session, "begin immediate", Vec::new()).await?;
    for step in 0..5 {
        run(session, SELECT, vec![text(format!("door-{}", (number * 7 + step) % 1_000))]).await?;
    }
    let opening = vec![text(format!("{client}-{number}")), text("door-1"), Value::Integer(1)];
    run(session, INSERT_OPENING, opening).await?;
    run(session, INSERT_EVENT, vec![text("demo"), text("{\"kind\":\"door.requested\"}".repeat(8))]).await?;
    run(session, "commit", Vec::new()).await
}

async fn connect(database: &Arc<Database>) -> Result<Session> {
    database.connect().await.map_err(|error| anyhow::anyhow!("{error:?}"))
}

async fn run(session: &mut Session, statement: &str, parameters: Vec<Value>) -> Result<()> {
    let answer = session.execute(statement.to_owned(), parameters).await;
    answer.end.map_err(|error| anyhow::anyhow!("{statement}: {error:?}"))
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

/// A thread and a connection per client, `synchronous = full`.
fn alone(folder: &Path, clients: usize) -> Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let path = folder.path().join("alone.db");
    let connection = open(&path)?;
    connection.execute_batch(&SCHEMA.join(";"))?;
    let started = Instant::now();
    let threads: Vec<_> = (0..clients)
        .map(|client| {
            let path = path.clone();
            std::thread::spawn(move || {
                let connection = open(&path)?;
                let mut took = Vec::new();
                for number in 0.. {
                    let began = Instant::now();
                    connection.prepare_cached("begin immediate")?.execute([])?;
                    for step in 0..5 {
                        connection.prepare_cached(SELECT)?.exists([format!("door-{step}")])?;
                    }
                    let id = format!("{client}-{number}");
                    connection.prepare_cached(INSERT_OPENING)?.execute((id, "door-1", 1))?;
                    let data = "{\"kind\":\"door.requested\"}".repeat(8);
                    connection.prepare_cached(INSERT_EVENT)?.execute(("demo", data))?;
                    connection.prepare_cached("commit")?.execute([])?;
                    took.push(began.elapsed());
                    if started.elapsed() > MEASURED {
                        break;
                    }
                }
                anyhow::Ok(took)
            })
        })
        .collect();
    let mut took = Vec::new();
    for thread in threads {
        took.extend(thread.join().map_err(|_| anyhow::anyhow!("a thread has panicked"))??);
    }
    report("SQLite, synchronous = full", clients, started.elapsed(), 1.0, took);
    Ok(())
}

fn open(path: &Path) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

fn report(what: &str, clients: usize, elapsed: Duration, per_sync: f64, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |share: f64| took.get((took.len() as f64 * share) as usize).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    let per_second = took.len() as f64 / elapsed.as_secs_f64();
    println!("{what:<28} {clients:>8} {per_second:>10.0} {per_sync:>8.1} {:>9.2} {:>9.2}", at(0.5), at(0.99));
}
