//! The functions that guests call.
//!
//! The asynchronous `execute` answers as Spin's does: whatever is wrong with a statement stands in the future that
//! ends the result, never in the result itself; rows delivered before an error stay delivered. The rows are all
//! read before the answer is given, so that an answer which nobody reads holds neither a lock nor a connection.

use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use super::{Instance, Shared};
use crate::bindings::sqlite::{
    Connection, Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};

type Rows = StreamReader<RowResult>;
type End = FutureReader<Result<(), Error>>;

impl Host for Instance {}

impl HostConnection for Instance {
    async fn open(
        &mut self,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let database = match self.permitted(&database) {
            Ok(database) => database,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match database.connect().await {
            Ok(session) => self.keep(session),
            Err(error) => Err(error),
        })
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let shared = match self.find(&connection) {
            Ok(shared) => shared,
            Err(error) => return Ok(Err(error)),
        };
        let answer = shared.lock().await.execute(statement, parameters).await;
        Ok(answer.end.map(|()| QueryResult {
            columns: answer.columns,
            rows: answer.rows,
        }))
    }

    async fn last_insert_rowid(
        &mut self,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        Ok(self.find(&connection)?.lock().await.last_insert_rowid())
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.find(&connection)?.lock().await.changes())
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(&connection)
    }
}

impl<T: Send> HostConnectionWithStore<T> for HasSelf<Instance> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let database = match accessor.with(|mut access| access.get().permitted(&database)) {
            Ok(database) => database,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match database.connect().await {
            Ok(session) => accessor.with(|mut access| access.get().keep(session)),
            Err(error) => Err(error),
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<(Vec<String>, Rows, End), Error>> {
        let shared = match find(accessor, &connection) {
            Ok(shared) => shared,
            Err(error) => return Ok(Err(error)),
        };
        let answer = shared.lock().await.execute(statement, parameters).await;
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, answer.rows)?;
            let end = FutureReader::new(
                &mut access,
                std::future::ready(Ok::<_, wasmtime::Error>(answer.end)),
            )?;
            Ok(Ok((answer.columns, rows, end)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        Ok(find(accessor, &connection)?
            .lock()
            .await
            .last_insert_rowid())
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        Ok(find(accessor, &connection)?.lock().await.changes())
    }
}

fn find<T>(
    accessor: &Accessor<T, HasSelf<Instance>>,
    connection: &Resource<Connection>,
) -> Result<Shared, Error> {
    accessor.with(|mut access| access.get().find(connection))
}
