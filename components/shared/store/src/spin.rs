//! The engines of a function: Spin's SQLite and Spin's PostgreSQL. The only file that calls their SDK.
//!
//! Neither engine hands out a fresh state of its own accord, hence the first statements after opening.
//!
//! # SQLite
//! A statement that waits for nobody is executed synchronously: one call of the host, which answers with all rows,
//! where an asynchronous one is four (the call, two reads of its stream, one of its future), and everybody else waits
//! for the turn to write meanwhile. What may wait for others, `begin immediate` first of all, is executed
//! asynchronously: an instance may serve several requests, and one of them may hold what another waits for. For the
//! same reason nothing is awaited between a `begin` and its `commit` but statements.
//!
//! # PostgreSQL
//! Two rules hold for every statement: the rows are read to their end before the next statement, because the host
//! holds the connection while it streams them; and the finish result is awaited, because a refused statement shows
//! only there.

use std::cell::RefCell;
use std::rc::Rc;

use spin_sdk::pg::{self, DbValue, ParameterValue, PgError};
use spin_sdk::sqlite::wit::sqlite;
use spin_sdk::wit_bindgen::{StreamReader, StreamResult};

use crate::error::{sqlite_kind, sqlstate_kind};
use crate::{Error, ErrorKind, ROWS_MAX, Row, Value, sql::numbered};

/// The name of Spin's SQLite database.
const DATABASE: &str = "default";

/// How many rows are asked of the host at once.
const READ_ROWS: usize = 64;

/// Where connections come from. One of them is kept for the next statement of the same request.
#[derive(Clone)]
pub(crate) struct Engine {
    /// Empty for Spin's SQLite.
    postgres_url: Rc<str>,
    idle: Rc<RefCell<Option<Connection>>>,
}

enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(pg::Connection),
}

/// A connection inside a transaction.
pub(crate) struct Session {
    connection: Connection,
    idle: Rc<RefCell<Option<Connection>>>,
}

/// Whether a statement does nothing but read, as far as its words can tell: then it waits for nobody.
fn only_reads(sql: &str) -> bool {
    let writes = ["insert into ", "update ", "delete from "];
    !writes.iter().any(|word| sql.contains(word))
}

impl Engine {
    pub(crate) fn open(database_url: &str) -> anyhow::Result<Self> {
        let known = database_url.is_empty()
            || database_url.starts_with("postgres://")
            || database_url.starts_with("postgresql://");
        anyhow::ensure!(
            known,
            "the variable database_url is neither empty nor a postgres:// URL"
        );
        Ok(Self {
            postgres_url: database_url.into(),
            idle: Rc::default(),
        })
    }

    pub(crate) async fn rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let connection = self.connect().await?;
        let rows = if only_reads(sql) {
            connection.rows(sql, parameters).await?
        } else {
            connection.patient_rows(sql, parameters).await?
        };
        self.idle.replace(Some(connection));
        Ok(rows)
    }

    pub(crate) async fn begin(&self) -> Result<Session, Error> {
        let connection = self.connect().await?;
        let begin = match connection {
            Connection::Sqlite(_) => "begin immediate",
            Connection::Postgres(_) => "begin",
        };
        connection.turn(begin).await?;
        Ok(Session {
            connection,
            idle: Rc::clone(&self.idle),
        })
    }

    async fn connect(&self) -> Result<Connection, Error> {
        if let Some(connection) = self.idle.take() {
            return Ok(connection);
        }
        if self.postgres_url.is_empty() {
            let connection = sqlite::Connection::open_async(DATABASE.to_owned())
                .await
                .map_err(|error| Error::new(ErrorKind::Unavailable, "open", error))?;
            let connection = Connection::Sqlite(connection);
            // Asked before it is set: setting it, even to what it is, has SQLite plan every statement again that the
            // connection keeps, and a host hands on connections that keep all of a function's statements.
            let setting = connection.rows("pragma foreign_keys", &[]).await?;
            let is_on = |row: &Row| row.integer(0).is_ok_and(|value| value == 1);
            if !setting.first().is_some_and(is_on) {
                connection.execute("pragma foreign_keys = on", &[]).await?;
            }
            Ok(connection)
        } else {
            let connection = pg::Connection::open(self.postgres_url.as_ref())
                .await
                .map_err(|error| Error::new(ErrorKind::Unavailable, "open", error))?;
            let connection = Connection::Postgres(connection);
            // The pool may hand on a connection inside somebody else's transaction. A rollback ends it; the
            // server writes a warning for one outside of any, so there is always one to end. `begin` itself is
            // refused only inside a transaction that has already failed, and that is ended too.
            let begun = connection.execute("begin", &[]).await;
            let ended = connection.execute("rollback", &[]).await;
            ended.map_err(|ended| begun.err().unwrap_or(ended))?;
            Ok(connection)
        }
    }
}

impl Session {
    pub(crate) fn needs_row_lock(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    pub(crate) async fn rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        self.connection.rows(sql, parameters).await
    }

    pub(crate) async fn execute(&self, sql: &str, parameters: &[Value]) -> Result<(), Error> {
        self.connection.execute(sql, parameters).await
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self.connection.turn("commit").await {
            Ok(()) => {
                self.idle.replace(Some(self.connection));
                Ok(())
            }
            Err(commit) => {
                // A refused commit can leave the transaction open; its own error is the one that counts.
                if self.connection.execute("rollback", &[]).await.is_ok() {
                    self.idle.replace(Some(self.connection));
                }
                Err(commit)
            }
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), Error> {
        self.connection.execute("rollback", &[]).await?;
        self.idle.replace(Some(self.connection));
        Ok(())
    }
}

impl Connection {
    async fn rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(connection) => {
                let parameters: Vec<sqlite::Value> = parameters.iter().map(to_sqlite).collect();
                let result = connection
                    .execute(&numbered(sql), &parameters)
                    .map_err(|error| sqlite_error(sql, error))?;
                sqlite_rows(sql, result.rows)
            }
            Self::Postgres(connection) => {
                let parameters: Vec<ParameterValue> = parameters.iter().map(to_postgres).collect();
                let result = connection
                    .query(sql, parameters)
                    .await
                    .map_err(|error| postgres_error(sql, &error))?;
                let (_, stream, finish) = result.into_inner();
                let rows = drain(stream).await;
                finish
                    .await
                    .map_err(|error| postgres_error(sql, &pg::Error::PgError(error)))?;
                rows.into_iter()
                    .map(|values| row_of(sql, values, from_postgres))
                    .collect()
            }
        }
    }

    /// Begins or commits a transaction, which waits for others or for the disk.
    async fn turn(&self, sql: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.patient_rows(sql, &[]).await.map(|_| ()),
            Self::Postgres(_) => self.execute(sql, &[]).await,
        }
    }

    /// The rows of a statement that may have to wait for others.
    async fn patient_rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let Self::Sqlite(connection) = self else {
            return self.rows(sql, parameters).await;
        };
        let parameters = parameters.iter().map(to_sqlite).collect();
        let (_, stream, finish) = connection
            .execute_async(numbered(sql).into_owned(), parameters)
            .await
            .map_err(|error| sqlite_error(sql, error))?;
        let rows = drain(stream).await;
        finish.await.map_err(|error| sqlite_error(sql, error))?;
        sqlite_rows(sql, rows)
    }

    async fn execute(&self, sql: &str, parameters: &[Value]) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => self.rows(sql, parameters).await.map(|_| ()),
            Self::Postgres(connection) => {
                let parameters: Vec<ParameterValue> = parameters.iter().map(to_postgres).collect();
                connection
                    .execute(sql, parameters)
                    .await
                    .map(|_| ())
                    .map_err(|error| postgres_error(sql, &error))
            }
        }
    }
}

/// Reads the stream to its end, and keeps one row more than is allowed, so that too many are noticed.
async fn drain<Item>(mut stream: StreamReader<Item>) -> Vec<Item> {
    let mut rows = Vec::new();
    loop {
        let (status, read) = stream.read(Vec::with_capacity(READ_ROWS)).await;
        let room = (ROWS_MAX + 1).saturating_sub(rows.len());
        rows.extend(read.into_iter().take(room));
        if !matches!(status, StreamResult::Complete(_)) {
            return rows;
        }
    }
}

fn sqlite_rows(sql: &str, rows: Vec<sqlite::RowResult>) -> Result<Vec<Row>, Error> {
    rows.into_iter()
        .take(ROWS_MAX + 1)
        .map(|row| row_of(sql, row.values, from_sqlite))
        .collect()
}

fn row_of<Native>(
    sql: &str,
    values: Vec<Native>,
    convert: fn(Native) -> Result<Value, String>,
) -> Result<Row, Error> {
    let values: Result<Vec<Value>, String> = values.into_iter().map(convert).collect();
    values
        .map(Row::new)
        .map_err(|cause| Error::new(ErrorKind::Statement, sql, cause))
}

fn to_sqlite(value: &Value) -> sqlite::Value {
    match value {
        Value::Null => sqlite::Value::Null,
        Value::Integer(number) => sqlite::Value::Integer(*number),
        Value::Text(text) => sqlite::Value::Text(text.clone()),
        Value::Blob(bytes) => sqlite::Value::Blob(bytes.clone()),
    }
}

fn from_sqlite(value: sqlite::Value) -> Result<Value, String> {
    match value {
        sqlite::Value::Null => Ok(Value::Null),
        sqlite::Value::Integer(number) => Ok(Value::Integer(number)),
        sqlite::Value::Text(text) => Ok(Value::Text(text)),
        sqlite::Value::Blob(bytes) => Ok(Value::Blob(bytes)),
        sqlite::Value::Real(_) => {
            Err("a column is a real number; cast it to bigint or text".to_owned())
        }
    }
}

fn to_postgres(value: &Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Integer(number) => ParameterValue::Int64(*number),
        Value::Text(text) => ParameterValue::Str(text.clone()),
        Value::Blob(bytes) => ParameterValue::Binary(bytes.clone()),
    }
}

fn from_postgres(value: DbValue) -> Result<Value, String> {
    match value {
        DbValue::DbNull => Ok(Value::Null),
        DbValue::Boolean(truth) => Ok(Value::from(truth)),
        DbValue::Int16(number) => Ok(Value::Integer(i64::from(number))),
        DbValue::Int32(number) => Ok(Value::Integer(i64::from(number))),
        DbValue::Int64(number) => Ok(Value::Integer(number)),
        DbValue::Str(text) => Ok(Value::Text(text)),
        DbValue::Binary(bytes) => Ok(Value::Blob(bytes)),
        other => Err(format!(
            "a column is neither bigint, text nor bytea: {other:?}; cast it"
        )),
    }
}

fn sqlite_error(sql: &str, error: sqlite::Error) -> Error {
    match error {
        sqlite::Error::Io(message) => Error::new(sqlite_kind(&message), sql, message),
        other => Error::new(ErrorKind::Unavailable, sql, other),
    }
}

fn postgres_error(sql: &str, error: &pg::Error) -> Error {
    let kind = match error {
        pg::Error::PgError(PgError::QueryFailed(pg::QueryError::DbError(error))) => {
            sqlstate_kind(&error.code)
        }
        pg::Error::PgError(PgError::ConnectionFailed(_)) => ErrorKind::Unavailable,
        _ => ErrorKind::Statement,
    };
    Error::new(kind, sql, error)
}
