//! What goes wrong at the database, as far as anybody branches on it.

use std::fmt;

use kernel::Transient;

/// The families of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Another transaction was in the way; nothing was changed, trying again is right.
    Busy,
    /// The database could not be reached; trying again later is right.
    Unavailable,
    /// The statement was refused: wrong SQL, a violated constraint, a parameter of the wrong type.
    Statement,
    /// The result has more than [`crate::ROWS_MAX`] rows: the statement lacks a limit.
    TooManyRows,
}

/// A failure at the database. The text is for the log, never for the caller.
#[derive(Debug, Clone)]
pub struct Error {
    /// The family.
    pub kind: ErrorKind,
    /// The statement, without its parameters.
    pub sql: String,
    /// What the engine said.
    pub cause: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, sql: &str, cause: impl fmt::Display) -> Self {
        Self {
            kind,
            sql: sql.to_owned(),
            cause: cause.to_string(),
        }
    }

    /// Whether this failure, perhaps deep inside, says that trying again is right.
    #[must_use]
    pub fn is_transient(error: &anyhow::Error) -> bool {
        error.downcast_ref::<Self>().is_some_and(Self::passes)
    }

    /// Whether it is nobody's fault and passes by itself.
    fn passes(&self) -> bool {
        matches!(self.kind, ErrorKind::Busy | ErrorKind::Unavailable)
    }

    pub(crate) fn is_busy(error: &anyhow::Error) -> bool {
        error
            .downcast_ref::<Self>()
            .is_some_and(|error| error.kind == ErrorKind::Busy)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ErrorKind::Busy => "the database is busy",
            ErrorKind::Unavailable => "the database cannot be reached",
            ErrorKind::Statement => "the database refused a statement",
            ErrorKind::TooManyRows => "a result has too many rows",
        };
        write!(formatter, "{what}: {} (in: {})", self.cause, self.sql)
    }
}

impl std::error::Error for Error {
    /// [`Transient`] where trying again is right, so that the edge can say so without knowing databases.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.passes().then_some(&Transient)
    }
}

/// The SQLSTATEs after which PostgreSQL asks to try again: serialization failure, deadlock, lock not available.
pub(crate) fn sqlstate_kind(code: &str) -> ErrorKind {
    match code {
        "40001" | "40P01" | "55P03" => ErrorKind::Busy,
        // Connection exceptions, too many connections, shutdown, and a server that is still starting.
        "53300" | "57P01" | "57P02" | "57P03" => ErrorKind::Unavailable,
        other if other.starts_with("08") => ErrorKind::Unavailable,
        _ => ErrorKind::Statement,
    }
}

/// SQLite tells a busy database only by its words where the error passes through a host interface.
pub(crate) fn sqlite_kind(message: &str) -> ErrorKind {
    if message.contains("database is locked") || message.contains("database table is locked") {
        ErrorKind::Busy
    } else {
        ErrorKind::Statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn what_passes_by_itself_says_so_from_deep_inside() {
        for (kind, passes) in [
            (ErrorKind::Busy, true),
            (ErrorKind::Unavailable, true),
            (ErrorKind::Statement, false),
            (ErrorKind::TooManyRows, false),
        ] {
            let failed: anyhow::Result<()> =
                Err(Error::new(kind, "select 1", "no")).context("loading the door");
            let error = failed.unwrap_err();
            assert_eq!(Error::is_transient(&error), passes);
            assert_eq!(error.chain().any(|cause| cause.is::<Transient>()), passes);
        }
    }
}
