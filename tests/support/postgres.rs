//! A database on PostgreSQL for one test: on the server that `cargo xtask test` has started, or on one of its own.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use xtask::postgres::{Postgres, URL_VARIABLE};

/// An empty database; it goes with its server, or stays behind on a server that is thrown away anyway.
pub struct Database {
    /// `postgres://USER@127.0.0.1:PORT/NAME`.
    pub url: String,
    /// The server's port.
    pub port: String,
    _own: Option<Postgres>,
}

/// Makes an empty database, or says loudly that there is no PostgreSQL to make it on.
///
/// # Panics
/// When there is a server, and it refuses.
pub async fn database(name: &str) -> Option<Database> {
    let (base, own) = match std::env::var(URL_VARIABLE) {
        Ok(url) => (url, None),
        Err(_) => match Postgres::start() {
            Ok(server) => (server.url.clone(), Some(server)),
            Err(error) => {
                eprintln!("skipped: 1 test needs PostgreSQL: {error:#}");
                return None;
            }
        },
    };
    let name = format!("{name}_{}", std::process::id());
    let mut server = PgConnection::connect(&base)
        .await
        .unwrap_or_else(|error| panic!("{base}: {error}"));
    let made = server
        .execute(sqlx::raw_sql(AssertSqlSafe(format!(
            "create database {name}"
        ))))
        .await;
    made.unwrap_or_else(|error| panic!("{name}: {error}"));
    let (host, _) = base
        .rsplit_once('/')
        .unwrap_or_else(|| panic!("{base} names no database"));
    let (_, port) = host
        .rsplit_once(':')
        .unwrap_or_else(|| panic!("{base} names no port"));
    Some(Database {
        url: format!("{host}/{name}"),
        port: port.to_owned(),
        _own: own,
    })
}
