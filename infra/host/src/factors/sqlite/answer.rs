//! What a statement gives: its rows, all read at once, and the conversions between SQLite's values and the
//! interface's.

use rusqlite::{
    CachedStatement, ToSql, ffi,
    types::{ToSqlOutput, ValueRef},
};

use super::RESULT_BYTES_MAX;
use crate::bindings::sqlite::{Error, RowResult, Value};

/// What a statement has led to.
#[derive(Debug)]
pub struct Answer {
    /// The names of the columns; none when the statement could not be prepared.
    pub columns: Vec<String>,
    /// The rows read before the end.
    pub rows: Vec<RowResult>,
    /// How it ended.
    pub end: Result<(), Error>,
}

impl Answer {
    /// Nothing but an error.
    pub(super) fn failed(error: Error) -> Self {
        Self {
            columns: Vec::new(),
            rows: Vec::new(),
            end: Err(error),
        }
    }
}

/// A statement that has failed: what it gave until then, and SQLite's reason.
pub(super) struct Stopped {
    pub(super) answer: Answer,
    pub(super) cause: Option<ffi::Error>,
}

/// Runs a statement to its end, or to its first error.
pub(super) fn read(
    statement: &mut CachedStatement<'_>,
    parameters: &[Value],
) -> Result<Answer, Stopped> {
    let columns = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut answer = Answer {
        columns,
        rows: Vec::new(),
        end: Ok(()),
    };
    match read_rows(statement, parameters, &mut answer.rows) {
        Ok(()) => Ok(answer),
        Err((error, cause)) => {
            answer.end = Err(error);
            Err(Stopped { answer, cause })
        }
    }
}

fn read_rows(
    statement: &mut CachedStatement<'_>,
    parameters: &[Value],
    into: &mut Vec<RowResult>,
) -> Result<(), (Error, Option<ffi::Error>)> {
    let failed =
        |error: rusqlite::Error| (Error::Io(error.to_string()), error.sqlite_error().copied());
    let width = statement.column_count();
    let bound = rusqlite::params_from_iter(parameters.iter().map(Parameter));
    let mut rows = statement.query(bound).map_err(failed)?;
    let mut bytes = 0_usize;
    while let Some(row) = rows.next().map_err(failed)? {
        let mut values = Vec::with_capacity(width);
        for column in 0..width {
            let value =
                value(row.get_ref(column).map_err(failed)?).map_err(|error| (error, None))?;
            bytes += size(&value);
            values.push(value);
        }
        if bytes > RESULT_BYTES_MAX {
            let error = format!("query result exceeds limit of {RESULT_BYTES_MAX} bytes");
            return Err((Error::Io(error), None));
        }
        into.push(RowResult { values });
    }
    Ok(())
}

struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(value) => ValueRef::Blob(value),
            Value::Null => ValueRef::Null,
        }))
    }
}

fn value(found: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Blob(value) => Value::Blob(value.to_vec()),
        ValueRef::Text(value) => match std::str::from_utf8(value) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => {
                return Err(Error::Io(
                    "a text in the database is not UTF-8: cast it to a blob".to_owned(),
                ));
            }
        },
    })
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
}
