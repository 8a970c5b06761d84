//! What went wrong, in the interface's words.

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::bindings::postgres::{DbError, Error, QueryError};

/// A statement has failed.
pub fn query(error: &sqlx::Error) -> Error {
    let Some(found) = error.as_database_error().and_then(|found| found.try_downcast_ref::<PgDatabaseError>()) else {
        return query_text(error.to_string());
    };
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text: describe(found),
        severity: format!("{:?}", found.severity()).to_uppercase(),
        code: found.code().to_owned(),
        message: found.message().to_owned(),
        detail: found.detail().map(str::to_owned),
        extras: extras(found),
    }))
}

/// A statement has failed for a reason that is not the server's.
pub fn query_text(reason: String) -> Error {
    Error::QueryFailed(QueryError::Text(reason))
}

/// An error as one line.
pub fn text(error: &sqlx::Error) -> String {
    match error.as_database_error().and_then(|found| found.try_downcast_ref::<PgDatabaseError>()) {
        Some(found) => describe(found),
        None => error.to_string(),
    }
}

fn describe(found: &PgDatabaseError) -> String {
    let detail = found.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{} {}: {}{detail}", format!("{:?}", found.severity()).to_uppercase(), found.code(), found.message())
}

fn extras(found: &PgDatabaseError) -> Vec<(String, String)> {
    let position = match found.position() {
        Some(PgErrorPosition::Original(position)) => Some(position.to_string()),
        Some(PgErrorPosition::Internal { position, .. }) => Some(position.to_string()),
        None => None,
    };
    let named = [
        ("column", found.column().map(str::to_owned)),
        ("constraint", found.constraint().map(str::to_owned)),
        ("routine", found.routine().map(str::to_owned)),
        ("hint", found.hint().map(str::to_owned)),
        ("table", found.table().map(str::to_owned)),
        ("datatype", found.data_type().map(str::to_owned)),
        ("schema", found.schema().map(str::to_owned)),
        ("file", found.file().map(str::to_owned)),
        ("line", found.line().map(|line| line.to_string())),
        ("where_", found.r#where().map(str::to_owned)),
        ("position", position),
    ];
    named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
