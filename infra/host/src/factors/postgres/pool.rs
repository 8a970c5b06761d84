//! The connections to each address, reused between guests.
//!
//! A connection is cleaned after a guest, not before the next one: rolled back, and everything set in its session
//! reset. One that a guest has left in the middle of a statement is closed instead; the server notices.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{ADDRESSES_MAX, CONNECT_TIME_MAX, CONNECTIONS_PER_ADDRESS_MAX, address, error, session::Session};
use crate::{bindings::postgres::Error, outbound::AllowedHosts};

/// After how long unused a connection is asked whether it still works.
const TRUST: Duration = Duration::from_secs(1);
/// The longest wait for the answer, and for the cleaning after a guest.
const CLEAN_TIME_MAX: Duration = Duration::from_secs(2);
/// How long an unused connection is kept.
const IDLE_TIME_MAX: Duration = Duration::from_secs(300);
/// Ends what a guest began, and undoes what it set. Prepared statements stay: they are the pool's.
const CLEAN: &str = "rollback; close all; set session authorization default; reset all; unlisten *; \
    select pg_advisory_unlock_all(); discard temp; discard sequences";

/// All pools of the application.
#[derive(Default)]
pub struct Pools {
    by_address: Mutex<BTreeMap<(String, SocketAddr), Arc<Pool>>>,
}

/// The connections to one address.
pub struct Pool {
    options: PgConnectOptions,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    since: Instant,
}

impl Pools {
    /// A connection to this address, if the component may connect there.
    ///
    /// # Errors
    /// `connection-failed` with the reason.
    pub async fn connect(&self, text: &str, hosts: &AllowedHosts) -> Result<Session, Error> {
        let address = address::parse(text).map_err(Error::ConnectionFailed)?;
        let (host, port) = (address.host, address.port);
        let found = hosts.resolve("postgres", &host, port).await.map_err(|refused| {
            Error::ConnectionFailed(format!("address postgres://{host}:{port} is not permitted: {refused}"))
        })?;
        let mut failed = Error::ConnectionFailed(format!("{host} has no address"));
        for socket in found {
            let pool = self.pool(text, socket, &address.options)?;
            match pool.connect().await {
                Ok(session) => return Ok(session),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn pool(&self, text: &str, socket: SocketAddr, options: &PgConnectOptions) -> Result<Arc<Pool>, Error> {
        let mut pools = lock(&self.by_address);
        let key = (text.to_owned(), socket);
        if let Some(pool) = pools.get(&key) {
            return Ok(Arc::clone(pool));
        }
        if pools.len() >= ADDRESSES_MAX {
            pools.retain(|_, pool| pool.slots.available_permits() < CONNECTIONS_PER_ADDRESS_MAX);
        }
        if pools.len() >= ADDRESSES_MAX {
            return Err(Error::ConnectionFailed(format!("more than {ADDRESSES_MAX} addresses are in use")));
        }
        let options = options
            .clone()
            .host(&socket.ip().to_string())
            .port(socket.port())
            .disable_statement_logging();
        let pool = Arc::new(Pool {
            options,
            slots: Arc::new(Semaphore::new(CONNECTIONS_PER_ADDRESS_MAX)),
            idle: Mutex::default(),
        });
        pools.insert(key, Arc::clone(&pool));
        Ok(pool)
    }
}

impl Pool {
    async fn connect(self: &Arc<Self>) -> Result<Session, Error> {
        let slots = Arc::clone(&self.slots);
        let slot = timeout(CONNECT_TIME_MAX, slots.acquire_owned())
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| Error::ConnectionFailed("too many connections".to_owned()))?;
        while let Some(mut idle) = self.take_idle() {
            let trusted = idle.since.elapsed() < TRUST
                || matches!(timeout(CLEAN_TIME_MAX, idle.connection.ping()).await, Ok(Ok(())));
            if trusted {
                return Ok(Session::new(idle.connection, Arc::clone(self), slot));
            }
        }
        match timeout(CONNECT_TIME_MAX, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => Ok(Session::new(connection, Arc::clone(self), slot)),
            Ok(Err(error)) => Err(Error::ConnectionFailed(error::text(&error))),
            Err(_) => Err(Error::ConnectionFailed(format!("no answer within {CONNECT_TIME_MAX:?}"))),
        }
    }

    fn take_idle(&self) -> Option<Idle> {
        let mut idle = lock(&self.idle);
        idle.retain(|one| one.since.elapsed() < IDLE_TIME_MAX);
        idle.pop()
    }

    /// Cleans a connection and keeps it for the next guest; the slot is free afterwards.
    pub(super) async fn take_back(&self, mut connection: PgConnection, slot: OwnedSemaphorePermit) {
        match timeout(CLEAN_TIME_MAX, sqlx::raw_sql(CLEAN).execute(&mut connection)).await {
            Ok(Ok(_)) => lock(&self.idle).push(Idle { connection, since: Instant::now() }),
            Ok(Err(error)) => tracing::debug!(%error, "a PostgreSQL connection is closed: it cannot be cleaned"),
            Err(_) => tracing::debug!("a PostgreSQL connection is closed: it is still busy"),
        }
        drop(slot);
    }

    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        lock(&self.idle).len()
    }

    #[cfg(test)]
    pub(super) fn slots_free(&self) -> usize {
        self.slots.available_permits()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
