//! A guest's connection for as long as it holds it.

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Either, Executor, PgConnection, SqlSafeStr, Statement,
    postgres::{PgArguments, PgRow, PgStatement},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{RESULT_BYTES_MAX, decode, encode, error, pool::Pool};
use crate::bindings::postgres::{Column, DbValue, Error, ParameterValue};

/// What a query has led to.
#[derive(Debug)]
pub struct Answer {
    /// The columns, also when there are no rows.
    pub columns: Vec<Column>,
    /// The rows read before the end.
    pub rows: Vec<Vec<DbValue>>,
    /// How it ended.
    pub end: Result<(), Error>,
}

/// A guest's connection to a database.
pub struct Session {
    /// None only while it is being returned.
    held: Option<(PgConnection, OwnedSemaphorePermit)>,
    pool: Arc<Pool>,
    /// A statement was begun and not read to its end.
    cut_off: bool,
}

impl Session {
    pub(super) fn new(connection: PgConnection, pool: Arc<Pool>, slot: OwnedSemaphorePermit) -> Self {
        Self { held: Some((connection, slot)), pool, cut_off: false }
    }

    /// Runs a query and reads its rows. What goes wrong after it began stands in [`Answer::end`].
    ///
    /// # Errors
    /// When it cannot be prepared, or a parameter does not fit.
    pub async fn query(&mut self, statement: String, parameters: &[ParameterValue]) -> Result<Answer, Error> {
        let (prepared, arguments) = self.prepare(statement, parameters, Error::BadParameter).await?;
        let columns = prepared.columns().iter().map(decode::column).collect();
        let mut answer = Answer { columns, rows: Vec::new(), end: Ok(()) };
        let mut bytes = 0;
        answer.end = self
            .run(&prepared, arguments, |row| {
                let (values, size) = decode::row(&row).map_err(error::query_text)?;
                bytes += size;
                if bytes > RESULT_BYTES_MAX {
                    return Err(error::query_text(format!("query result exceeds limit of {RESULT_BYTES_MAX} bytes")));
                }
                answer.rows.push(values);
                Ok(())
            })
            .await
            .map(|_| ());
        Ok(answer)
    }

    /// Runs a command. Gives the number of rows it has affected.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub async fn execute(&mut self, statement: String, parameters: &[ParameterValue]) -> Result<u64, Error> {
        let (prepared, arguments) = self.prepare(statement, parameters, Error::ValueConversionFailed).await?;
        self.run(&prepared, arguments, |_| Ok(())).await
    }

    /// Lets the server say which types the parameters have, and checks that they are given so. The connection
    /// keeps the prepared statement.
    async fn prepare(
        &mut self,
        statement: String,
        parameters: &[ParameterValue],
        malformed: fn(String) -> Error,
    ) -> Result<(PgStatement, PgArguments), Error> {
        // The text is the guest's to answer for: it reaches what its own credentials reach.
        let sql = AssertSqlSafe(statement).into_sql_str();
        let Some((connection, _)) = &mut self.held else { return Err(gone()) };
        self.cut_off = true;
        let prepared = connection.prepare(sql).await;
        self.cut_off = false;
        let prepared = prepared.map_err(|failed| error::query(&failed))?;
        let arguments = encode::arguments(&prepared, parameters, malformed)?;
        Ok((prepared, arguments))
    }

    #[cfg(test)]
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Runs a prepared statement, and gives the number of rows it has affected.
    async fn run(
        &mut self,
        prepared: &PgStatement,
        arguments: PgArguments,
        mut each: impl FnMut(PgRow) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let Some((connection, _)) = &mut self.held else { return Err(gone()) };
        self.cut_off = true;
        let mut affected = 0;
        let mut results = connection.fetch_many(prepared.query_with(arguments));
        let ended = loop {
            match results.try_next().await {
                Ok(Some(Either::Left(done))) => affected += done.rows_affected(),
                // The rest of the rows is left unread: the connection will be closed, not drained.
                Ok(Some(Either::Right(row))) => each(row)?,
                Ok(None) => break Ok(affected),
                Err(failed) => break Err(error::query(&failed)),
            }
        };
        drop(results);
        self.cut_off = false;
        ended
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some((connection, slot)) = self.held.take() else { return };
        // Without a runtime (the process is ending) the connection is closed, as is one that was cut off.
        if let (false, Ok(runtime)) = (self.cut_off, tokio::runtime::Handle::try_current()) {
            let pool = Arc::clone(&self.pool);
            runtime.spawn(async move { pool.take_back(connection, slot).await });
        }
    }
}

fn gone() -> Error {
    Error::ConnectionFailed("no connection found".to_owned())
}
