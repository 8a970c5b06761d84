//! Spin's `postgres` interface, without TLS: for a database on the same machine or a trusted network.
//!
//! What differs from Spin: a connection goes back to its pool rolled back and reset, and one whose statement was
//! cut off is closed; the columns of an answer are named even when it has no rows; addresses are resolved once,
//! checked, and exactly those connected to. All types of the interface are carried; a value of any other type
//! arrives as `unsupported`, under the type's name.

mod address;
mod decode;
mod encode;
mod error;
mod host;
mod pool;
mod session;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::sync::Mutex as AsyncMutex;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};

use super::Permissions;
use crate::{
    bindings::postgres::{self, Error},
    instance::State,
    outbound::AllowedHosts,
};

use self::pool::Pools;
pub use self::session::{Answer, Session};

/// How many connections one instance may hold open at a time.
pub const CONNECTIONS_PER_INSTANCE_MAX: usize = 256;
/// How many connections all guests together may hold open to one address.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 64;
/// How many addresses guests may use at a time.
pub const ADDRESSES_MAX: usize = 16;
/// The longest wait for a free connection, and for a new one.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// The size of all rows of one answer, in bytes.
pub const RESULT_BYTES_MAX: usize = 32 << 20;

/// The pools of the application.
pub struct Factor {
    pools: Arc<Pools>,
}

/// What one instance may use.
pub struct Instance {
    pools: Arc<Pools>,
    hosts: Arc<AllowedHosts>,
    open: ResourceTable,
    opened: usize,
}

/// A guest's connection. Several calls of one guest may use it at once: they happen one after another.
type Shared = Arc<AsyncMutex<Session>>;

/// A builder holds the address only: there is nothing else to set.
type Builder = String;

impl Factor {
    /// Opens nothing yet: connections are made when guests ask for them.
    ///
    /// # Errors
    /// None; every factor is made in the same way.
    pub fn new(_data: &Path) -> Result<Self> {
        Ok(Self {
            pools: Arc::default(),
        })
    }

    /// What an instance of a component with these permissions may use.
    #[must_use]
    pub fn instance(&self, permissions: &Permissions) -> Instance {
        Instance {
            pools: Arc::clone(&self.pools),
            hosts: Arc::clone(&permissions.hosts),
            open: ResourceTable::new(),
            opened: 0,
        }
    }
}

impl Instance {
    /// What opening a connection needs, apart from the store.
    fn opener(&self) -> (Arc<Pools>, Arc<AllowedHosts>) {
        (Arc::clone(&self.pools), Arc::clone(&self.hosts))
    }

    fn keep(&mut self, session: Session) -> Result<Resource<postgres::Connection>, Error> {
        if self.opened >= CONNECTIONS_PER_INSTANCE_MAX {
            return Err(Error::ConnectionFailed("too many connections".to_owned()));
        }
        let shared: Shared = Arc::new(AsyncMutex::new(session));
        let entry = self
            .open
            .push(shared)
            .map_err(|error| Error::Other(error.to_string()))?;
        self.opened += 1;
        Ok(Resource::new_own(entry.rep()))
    }

    fn find(&self, connection: &Resource<postgres::Connection>) -> Result<Shared, Error> {
        let entry = Resource::<Shared>::new_borrow(connection.rep());
        self.open
            .get(&entry)
            .cloned()
            .map_err(|_| Error::ConnectionFailed("no connection found".to_owned()))
    }

    fn close(&mut self, connection: &Resource<postgres::Connection>) -> wasmtime::Result<()> {
        self.open
            .delete(Resource::<Shared>::new_own(connection.rep()))?;
        self.opened -= 1;
        Ok(())
    }

    fn keep_builder(
        &mut self,
        address: Builder,
    ) -> wasmtime::Result<Resource<postgres::ConnectionBuilder>> {
        Ok(Resource::new_own(self.open.push(address)?.rep()))
    }

    fn builder(
        &self,
        builder: &Resource<postgres::ConnectionBuilder>,
    ) -> wasmtime::Result<Builder> {
        Ok(self
            .open
            .get(&Resource::<Builder>::new_borrow(builder.rep()))?
            .clone())
    }

    fn close_builder(
        &mut self,
        builder: &Resource<postgres::ConnectionBuilder>,
    ) -> wasmtime::Result<()> {
        self.open
            .delete(Resource::<Builder>::new_own(builder.rep()))?;
        Ok(())
    }
}

/// Adds the interface.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    postgres::add_to_linker::<_, HasSelf<Instance>>(linker, |state| &mut state.postgres)
}
