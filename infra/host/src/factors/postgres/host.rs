//! The functions that guests call. A statement that cannot be prepared fails at once; what goes wrong while it
//! runs stands in the future that ends the result, as on Spin.

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use super::{Instance, Session, Shared, pool::Pools};
use crate::{
    bindings::postgres::{
        Column, Connection, ConnectionBuilder, DbValue, Error, Host, HostConnection,
        HostConnectionBuilder, HostConnectionBuilderWithStore, HostConnectionWithStore,
        ParameterValue, RowSet,
    },
    outbound::AllowedHosts,
};

type Rows = StreamReader<Vec<DbValue>>;
type End = FutureReader<Result<(), Error>>;

impl Host for Instance {}

impl HostConnectionBuilder for Instance {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        self.keep_builder(address)
    }

    async fn set_ca_root(
        &mut self,
        _builder: Resource<ConnectionBuilder>,
        _certificate: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(Err(Error::Other(
            "this host speaks to PostgreSQL without TLS: remove the certificate, or run the function on Spin".to_owned(),
        )))
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let address = self.builder(&builder)?;
        self.open(address).await
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.close_builder(&builder)
    }
}

impl HostConnection for Instance {
    async fn open(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(match connect(self.opener(), &address).await {
            Ok(session) => self.keep(session),
            Err(error) => Err(error),
        })
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let shared = match self.find(&connection) {
            Ok(shared) => shared,
            Err(error) => return Ok(Err(error)),
        };
        let answer = shared.lock().await.query(statement, &parameters).await;
        Ok(answer.and_then(|answer| {
            answer.end.map(|()| RowSet {
                columns: answer.columns,
                rows: answer.rows,
            })
        }))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let shared = match self.find(&connection) {
            Ok(shared) => shared,
            Err(error) => return Ok(Err(error)),
        };
        let mut session = shared.lock().await;
        Ok(session.execute(statement, &parameters).await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(&connection)
    }
}

impl<T: Send> HostConnectionBuilderWithStore<T> for HasSelf<Instance> {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let address = accessor.with(|mut access| access.get().builder(&builder))?;
        Ok(open(accessor, &address).await)
    }
}

impl<T: Send> HostConnectionWithStore<T> for HasSelf<Instance> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(open(accessor, &address).await)
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<(Vec<Column>, Rows, End), Error>> {
        let shared = match find(accessor, &connection) {
            Ok(shared) => shared,
            Err(error) => return Ok(Err(error)),
        };
        let answer = match shared.lock().await.query(statement, &parameters).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, answer.rows)?;
            let end = FutureReader::new(
                &mut access,
                std::future::ready(Ok::<_, wasmtime::Error>(answer.end)),
            )?;
            Ok(Ok((answer.columns, rows, end)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let shared = match find(accessor, &connection) {
            Ok(shared) => shared,
            Err(error) => return Ok(Err(error)),
        };
        let mut session = shared.lock().await;
        Ok(session.execute(statement, &parameters).await)
    }
}

async fn connect(
    (pools, hosts): (Arc<Pools>, Arc<AllowedHosts>),
    address: &str,
) -> Result<Session, Error> {
    pools.connect(address, &hosts).await
}

async fn open<T: Send>(
    accessor: &Accessor<T, HasSelf<Instance>>,
    address: &str,
) -> Result<Resource<Connection>, Error> {
    let opener = accessor.with(|mut access| access.get().opener());
    let session = connect(opener, address).await?;
    accessor.with(|mut access| access.get().keep(session))
}

fn find<T>(
    accessor: &Accessor<T, HasSelf<Instance>>,
    connection: &Resource<Connection>,
) -> Result<Shared, Error> {
    accessor.with(|mut access| access.get().find(connection))
}
