//! The engines of tests and migrations: sqlx on SQLite and on PostgreSQL.
//!
//! PostgreSQL infers the type of every parameter here, as it does under Spin: a statement that Spin would refuse
//! (a BIGINT where the server wants an INT4) fails in a native test as well.

use std::cell::Cell;
use std::time::Duration;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::pool::PoolOptions;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgRow, PgTypeInfo};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column, Encode, PgPool, Postgres, Row as _, Sqlite, SqlitePool, Transaction,
    TypeInfo, ValueRef,
};
use tokio::sync::Mutex;

use crate::error::{sqlite_kind, sqlstate_kind};
use crate::{Error, ErrorKind, Row, Value, sql::numbered};

/// How long a writer waits for another on SQLite, as under Spin.
const BUSY_MS_MAX: u64 = 5_000;

/// The most connections to one database.
const CONNECTIONS_MAX: u32 = 16;

thread_local! {
    /// How many statements this thread has executed, without those that begin and end transactions.
    static EXECUTED: Cell<u64> = const { Cell::new(0) };
}

/// How many statements this thread has executed so far.
pub(crate) fn executed() -> u64 {
    EXECUTED.get()
}

/// Where connections come from.
#[derive(Clone)]
pub(crate) enum Engine {
    /// A file.
    Sqlite(SqlitePool),
    /// A server.
    Postgres(PgPool),
}

/// A connection inside a transaction. The lock is never contended: a transaction's statements follow one another.
pub(crate) enum Session {
    Sqlite(Mutex<Transaction<'static, Sqlite>>),
    Postgres(Mutex<Transaction<'static, Postgres>>),
}

impl Engine {
    pub(crate) fn open(database_url: &str) -> anyhow::Result<Self> {
        Self::connect(database_url, false)
    }

    /// As [`Engine::open`], and makes a missing SQLite file.
    pub(crate) fn create(database_url: &str) -> anyhow::Result<Self> {
        Self::connect(database_url, true)
    }

    fn connect(database_url: &str, create: bool) -> anyhow::Result<Self> {
        if let Some(path) = database_url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(create)
                .journal_mode(SqliteJournalMode::Wal)
                .busy_timeout(Duration::from_millis(BUSY_MS_MAX))
                .foreign_keys(true);
            // A database in memory belongs to its connection.
            let connections = if path == ":memory:" {
                1
            } else {
                CONNECTIONS_MAX
            };
            let pool = PoolOptions::new()
                .max_connections(connections)
                .connect_lazy_with(options);
            return Ok(Self::Sqlite(pool));
        }
        if database_url.starts_with("postgres://") || database_url.starts_with("postgresql://") {
            let pool = PoolOptions::new()
                .max_connections(CONNECTIONS_MAX)
                .connect_lazy_with(database_url.parse()?);
            return Ok(Self::Postgres(pool));
        }
        anyhow::bail!("a database URL starts with sqlite: or postgres://")
    }

    pub(crate) async fn rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(pool) => {
                let rows = sqlite_query(sql, parameters)
                    .fetch_all(pool)
                    .await
                    .map_err(|error| failure(sql, &error))?;
                rows.iter().map(|row| sqlite_row(sql, row)).collect()
            }
            Self::Postgres(pool) => {
                let rows = postgres_query(sql, parameters)
                    .fetch_all(pool)
                    .await
                    .map_err(|error| failure(sql, &error))?;
                rows.iter().map(|row| postgres_row(sql, row)).collect()
            }
        }
    }

    pub(crate) async fn begin(&self) -> Result<Session, Error> {
        match self {
            Self::Sqlite(pool) => {
                let begun = pool.begin_with("begin immediate").await;
                begun
                    .map(|begun| Session::Sqlite(Mutex::new(begun)))
                    .map_err(|error| failure("begin immediate", &error))
            }
            Self::Postgres(pool) => {
                let begun = pool.begin().await;
                begun
                    .map(|begun| Session::Postgres(Mutex::new(begun)))
                    .map_err(|error| failure("begin", &error))
            }
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Session {
    pub(crate) fn needs_row_lock(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(crate) async fn rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(begun) => {
                let rows = sqlite_query(sql, parameters)
                    .fetch_all(&mut **begun.lock().await)
                    .await;
                rows.map_err(|error| failure(sql, &error))?
                    .iter()
                    .map(|row| sqlite_row(sql, row))
                    .collect()
            }
            Self::Postgres(begun) => {
                let rows = postgres_query(sql, parameters)
                    .fetch_all(&mut **begun.lock().await)
                    .await;
                rows.map_err(|error| failure(sql, &error))?
                    .iter()
                    .map(|row| postgres_row(sql, row))
                    .collect()
            }
        }
    }

    pub(crate) async fn execute(&self, sql: &str, parameters: &[Value]) -> Result<(), Error> {
        self.rows(sql, parameters).await.map(|_| ())
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        let ended = match self {
            Self::Sqlite(begun) => begun.into_inner().commit().await,
            Self::Postgres(begun) => begun.into_inner().commit().await,
        };
        ended.map_err(|error| failure("commit", &error))
    }

    pub(crate) async fn rollback(self) -> Result<(), Error> {
        let ended = match self {
            Self::Sqlite(begun) => begun.into_inner().rollback().await,
            Self::Postgres(begun) => begun.into_inner().rollback().await,
        };
        ended.map_err(|error| failure("rollback", &error))
    }
}

type SqliteQuery = sqlx::query::Query<'static, Sqlite, <Sqlite as sqlx::Database>::Arguments>;
type PostgresQuery = sqlx::query::Query<'static, Postgres, <Postgres as sqlx::Database>::Arguments>;

fn sqlite_query(sql: &str, parameters: &[Value]) -> SqliteQuery {
    EXECUTED.set(EXECUTED.get() + 1);
    let query = sqlx::query(AssertSqlSafe(numbered(sql).into_owned()));
    parameters
        .iter()
        .fold(query, |query, parameter| match parameter {
            Value::Null => query.bind(None::<i64>),
            Value::Integer(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
            Value::Blob(bytes) => query.bind(bytes.clone()),
        })
}

fn postgres_query(sql: &str, parameters: &[Value]) -> PostgresQuery {
    EXECUTED.set(EXECUTED.get() + 1);
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    parameters
        .iter()
        .cloned()
        .fold(query, |query, parameter| query.bind(Inferred(parameter)))
}

/// A parameter whose type the server infers.
struct Inferred(Value);

impl sqlx::Type<Postgres> for Inferred {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Inferred {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match &self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => <i64 as Encode<'_, Postgres>>::encode_by_ref(number, buffer),
            Value::Text(text) => <String as Encode<'_, Postgres>>::encode_by_ref(text, buffer),
            Value::Blob(bytes) => <Vec<u8> as Encode<'_, Postgres>>::encode_by_ref(bytes, buffer),
        }
    }
}

fn sqlite_row(sql: &str, row: &SqliteRow) -> Result<Row, Error> {
    let values = (0..row.len()).map(|position| {
        let value = row.try_get_raw(position)?;
        let type_name = value.type_info().name().to_owned();
        match type_name.as_str() {
            _ if value.is_null() => Ok(Value::Null),
            "INTEGER" | "BOOLEAN" => row.try_get_unchecked(position).map(Value::Integer),
            "TEXT" => row.try_get_unchecked(position).map(Value::Text),
            "BLOB" => row.try_get_unchecked(position).map(Value::Blob),
            other => Err(undecodable(row.column(position).name(), other)),
        }
    });
    values
        .collect::<Result<_, _>>()
        .map(Row::new)
        .map_err(|error| failure(sql, &error))
}

fn postgres_row(sql: &str, row: &PgRow) -> Result<Row, Error> {
    let values = (0..row.len()).map(|position| {
        let value = row.try_get_raw(position)?;
        let type_name = value.type_info().name().to_owned();
        match type_name.as_str() {
            _ if value.is_null() => Ok(Value::Null),
            "INT8" => row.try_get(position).map(Value::Integer),
            "INT4" => row
                .try_get(position)
                .map(|number: i32| Value::Integer(i64::from(number))),
            "INT2" => row
                .try_get(position)
                .map(|number: i16| Value::Integer(i64::from(number))),
            "BOOL" => row.try_get(position).map(|truth: bool| Value::from(truth)),
            "TEXT" | "VARCHAR" | "CHAR" | "NAME" => row.try_get(position).map(Value::Text),
            "BYTEA" => row.try_get(position).map(Value::Blob),
            other => Err(undecodable(row.column(position).name(), other)),
        }
    });
    values
        .collect::<Result<_, _>>()
        .map(Row::new)
        .map_err(|error| failure(sql, &error))
}

fn undecodable(column: &str, type_name: &str) -> sqlx::Error {
    let cause = format!("it is {type_name}, neither bigint, text nor bytea: cast it");
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: cause.into(),
    }
}

fn failure(sql: &str, error: &sqlx::Error) -> Error {
    let kind = match error {
        sqlx::Error::Database(refused)
            if refused
                .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
                .is_some() =>
        {
            refused
                .code()
                .map_or(ErrorKind::Statement, |code| sqlstate_kind(&code))
        }
        sqlx::Error::Database(refused) => sqlite_kind(refused.message()),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Tls(_) => ErrorKind::Unavailable,
        _ => ErrorKind::Statement,
    };
    Error::new(kind, sql, error)
}
