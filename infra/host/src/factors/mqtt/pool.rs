//! The shared connections: several per address and credentials, opened when first needed, closed when idle.
//!
//! Messages of one topic take the same connection, so they keep their order; different topics take different ones,
//! because a broker handles the messages of one connection one after another.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use rumqttc::QoS;
use tokio::sync::{mpsc, oneshot};

use super::{
    PAYLOAD_BYTES_MAX, PUBLISH_TIME_MAX,
    link::{self, Counts, Failure, Request},
};

/// Connections per address and credentials.
pub const LINKS_PER_POOL: usize = 16;
/// The most addresses and credentials.
pub const POOLS_MAX: usize = 64;
/// The most messages that wait for one connection.
const LINK_QUEUE_MAX: usize = 1024;
/// The longest topic in bytes.
const TOPIC_BYTES_MAX: usize = 1024;

/// Where and as whom to connect.
#[derive(Clone, Debug)]
pub struct Address {
    /// Host and port as the guest named them.
    pub name: String,
    /// The addresses that may be connected to.
    pub sockets: Vec<SocketAddr>,
    /// Empty for none.
    pub username: String,
    /// Sent only with a user name.
    pub password: String,
    /// Zero for the default.
    pub keep_alive: Duration,
}

/// All pools.
#[derive(Default)]
pub struct Pools {
    pools: Mutex<HashMap<(String, String, String), Arc<Pool>>>,
    counts: Arc<Counts>,
}

/// The connections to one address with the same credentials.
pub struct Pool {
    address: Mutex<Address>,
    links: Vec<Mutex<Option<mpsc::Sender<Request>>>>,
    counts: Arc<Counts>,
}

impl Address {
    /// Host and port of `mqtt://host[:port][?client_id=...]`. The client id is ignored: real connections are
    /// shared, and each needs its own.
    #[must_use]
    pub fn parse(address: &str) -> Option<(String, u16)> {
        let address: http::Uri = address.parse().ok()?;
        if address.scheme_str() != Some("mqtt") || !matches!(address.path(), "" | "/") {
            return None;
        }
        let authority = address.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => 1883,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        Some((authority.host().to_owned(), port))
    }
}

impl Pools {
    /// The pool of an address, or none when there are too many.
    pub fn get(&self, address: Address) -> Option<Arc<Pool>> {
        let key = (
            address.name.clone(),
            address.username.clone(),
            address.password.clone(),
        );
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&key) {
            *pool.address() = address;
            return Some(Arc::clone(pool));
        }
        if pools.len() >= POOLS_MAX {
            pools.retain(|_, pool| !pool.is_idle());
        }
        if pools.len() >= POOLS_MAX {
            return None;
        }
        let links = std::iter::repeat_with(Mutex::default)
            .take(LINKS_PER_POOL)
            .collect();
        let pool = Pool {
            address: Mutex::new(address),
            links,
            counts: Arc::clone(&self.counts),
        };
        let pool = Arc::new(pool);
        pools.insert(key, Arc::clone(&pool));
        Some(pool)
    }

    /// Numbers for metrics.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Pool {
    /// Publishes, and returns when the broker has acknowledged (QoS 0: when it is sent).
    ///
    /// # Errors
    /// When that does not happen within [`PUBLISH_TIME_MAX`]. The broker may have the message nevertheless.
    pub async fn publish(&self, topic: String, payload: Bytes, qos: QoS) -> Result<(), Failure> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Failure::Refused(format!(
                "the payload is larger than {PAYLOAD_BYTES_MAX} bytes"
            )));
        }
        if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX || topic.contains(['+', '#', '\0']) {
            return Err(Failure::Refused(format!(
                "{topic:?} is no topic to publish to"
            )));
        }
        let sent = tokio::time::timeout(PUBLISH_TIME_MAX, self.send(&topic, &payload, qos)).await;
        let result = sent.unwrap_or(Err(Failure::TimedOut));
        let counter = if result.is_ok() {
            &self.counts.published
        } else {
            &self.counts.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
        result
    }

    async fn send(&self, topic: &str, payload: &Bytes, qos: QoS) -> Result<(), Failure> {
        loop {
            let (done, reply) = oneshot::channel();
            let request = Request {
                topic: topic.to_owned(),
                payload: payload.clone(),
                qos,
                done,
            };
            if self.link(topic).send(request).await.is_err() {
                continue;
            }
            // No reply: the connection closed for idleness in this very moment, and has not sent it.
            if let Ok(result) = reply.await {
                return result;
            }
        }
    }

    fn link(&self, topic: &str) -> mpsc::Sender<Request> {
        let mut hasher = DefaultHasher::new();
        topic.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LINKS_PER_POOL as u64).unwrap_or(0);
        let mut link = self.links[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = link.as_ref().filter(|sender| !sender.is_closed()) {
            return sender.clone();
        }
        let (sender, requests) = mpsc::channel(LINK_QUEUE_MAX);
        let address = self.address().clone();
        tokio::spawn(link::run(address, requests, Arc::clone(&self.counts)));
        *link = Some(sender.clone());
        sender
    }

    fn address(&self) -> MutexGuard<'_, Address> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_idle(&self) -> bool {
        self.links.iter().all(|link| {
            let link = link.lock().unwrap_or_else(PoisonError::into_inner);
            link.as_ref().is_none_or(mpsc::Sender::is_closed)
        })
    }
}
