//! Spin's `mqtt` interface: a guest opens a connection and publishes.
//!
//! A guest's connection is a name only. The real connections (`link`) are kept per address and credentials,
//! and are shared by all guests (`pool`): an instance that lives for one request would otherwise pay for a
//! handshake with every message.

mod link;
mod pool;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use wasmtime::component::{Accessor, HasSelf, Linker, Resource, ResourceTable};

use super::Permissions;
use crate::{
    bindings::mqtt::{self, Connection, Error, Qos},
    instance::State,
    outbound::{AllowedHosts, Refused},
};

pub use self::{
    link::{Counts, Failure},
    pool::{Address, Pool, Pools},
};

/// The longest wait for a publish, its acknowledgement included.
pub const PUBLISH_TIME_MAX: Duration = Duration::from_secs(5);
/// The largest payload in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// How many connections one instance may have open.
pub const CONNECTIONS_PER_INSTANCE_MAX: usize = 64;

/// What the whole application shares.
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

impl Factor {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// None; all factors are made in one way.
    pub fn new(_data: &Path) -> Result<Self> {
        Ok(Self {
            pools: Arc::new(Pools::default()),
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

    /// Numbers for metrics.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.pools.counts()
    }
}

impl Instance {
    fn keep(&mut self, pool: Arc<Pool>) -> Result<Resource<Connection>, Error> {
        if self.opened >= CONNECTIONS_PER_INSTANCE_MAX {
            return Err(Error::TooManyConnections);
        }
        let entry = self
            .open
            .push(pool)
            .map_err(|error| Error::Other(error.to_string()))?;
        self.opened += 1;
        Ok(Resource::new_own(entry.rep()))
    }

    fn find(&self, connection: &Resource<Connection>) -> Result<Arc<Pool>, Error> {
        let entry = Resource::<Arc<Pool>>::new_borrow(connection.rep());
        self.open
            .get(&entry)
            .cloned()
            .map_err(|_| Error::Other("the connection is closed".to_owned()))
    }
}

/// What `open` does: checks the address and the permission; the network is used by the first publish.
async fn connect(
    pools: &Pools,
    hosts: &AllowedHosts,
    address: &str,
    credentials: (String, String),
    keep_alive: Duration,
) -> Result<Arc<Pool>, Error> {
    let (host, port) = Address::parse(address).ok_or(Error::InvalidAddress)?;
    let refused = |refused: Refused| match refused {
        Refused::NotAllowed => Error::ConnectionFailed(format!(
            "mqtt://{host}:{port} is not in the allowed_outbound_hosts of this component"
        )),
        Refused::PrivateNetwork => Error::ConnectionFailed(format!(
            "{host} lies in a private network: name it in allowed_outbound_hosts"
        )),
        Refused::Unresolvable(reason) => Error::ConnectionFailed(format!("{host}: {reason}")),
    };
    let sockets = hosts.resolve("mqtt", &host, port).await.map_err(refused)?;
    let (username, password) = credentials;
    let address = Address {
        name: format!("{host}:{port}"),
        sockets,
        username,
        password,
        keep_alive,
    };
    pools.get(address).ok_or(Error::TooManyConnections)
}

impl mqtt::Host for Instance {}

impl mqtt::HostConnection for Instance {
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.open
            .delete(Resource::<Arc<Pool>>::new_own(connection.rep()))?;
        self.opened -= 1;
        Ok(())
    }
}

impl<T: Send> mqtt::HostConnectionWithStore<T> for HasSelf<Instance> {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
        username: String,
        password: String,
        keep_alive_interval_in_secs: u64,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let (pools, hosts) = accessor.with(|mut access| {
            let instance = access.get();
            (Arc::clone(&instance.pools), Arc::clone(&instance.hosts))
        });
        let keep_alive = Duration::from_secs(keep_alive_interval_in_secs);
        match connect(&pools, &hosts, &address, (username, password), keep_alive).await {
            Ok(pool) => Ok(accessor.with(|mut access| access.get().keep(pool))),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        topic: String,
        payload: Vec<u8>,
        qos: Qos,
    ) -> wasmtime::Result<Result<(), Error>> {
        let pool = match accessor.with(|mut access| access.get().find(&connection)) {
            Ok(pool) => pool,
            Err(error) => return Ok(Err(error)),
        };
        let qos = match qos {
            Qos::AtMostOnce => rumqttc::QoS::AtMostOnce,
            Qos::AtLeastOnce => rumqttc::QoS::AtLeastOnce,
            Qos::ExactlyOnce => rumqttc::QoS::ExactlyOnce,
        };
        Ok(pool
            .publish(topic, payload.into(), qos)
            .await
            .map_err(|failure| match failure {
                Failure::Connection(reason) => Error::ConnectionFailed(reason),
                other => Error::Other(other.to_string()),
            }))
    }
}

/// Adds the interface.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    mqtt::add_to_linker::<_, HasSelf<Instance>>(linker, |state| &mut state.mqtt)
}
