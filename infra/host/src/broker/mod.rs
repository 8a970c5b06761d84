//! The embedded MQTT broker: rmqtt as a library, with sessions that survive the process.
//!
//! It knows nothing of doors or tenants. Who may connect, publish and subscribe is asked over HTTP (`access`); what
//! must survive is written by `journal` before it is acknowledged (`routing`, `hooks`, `retained`) and read again
//! at the next start (`restore`).

pub mod access;
mod handover;
mod hooks;
pub mod journal;
mod live;
mod messages;
mod restore;
pub mod retained;
mod routing;
mod store;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    net::SocketAddr,
    num::NonZeroU16,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use rmqtt::{context::ServerContext, hook::Register, net::Builder, server::MqttServer};
use tokio::task::JoinHandle;

use access::{Access, Questions};
use journal::{Durability, Journal};
use live::LiveSessions;

/// The largest MQTT packet, in bytes.
pub const PACKET_BYTES_MAX: u32 = 256 * 1024;
/// The most connections.
pub const CONNECTIONS_MAX: isize = 10_000;
/// The most connections that wait for the answer to their CONNECT.
pub const HANDSHAKES_MAX: usize = 1_000;
/// The most sessions, connected or away.
pub const SESSIONS_MAX: isize = 20_000;
/// The most messages that wait for one subscriber; then the oldest is dropped, logged and counted.
pub const QUEUE_MESSAGES_MAX: usize = 10_000;
/// The most unacknowledged messages on the way to one subscriber.
pub const IN_FLIGHT_MAX: NonZeroU16 = NonZeroU16::new(256).unwrap();
/// The most subscriptions of one session.
pub const SUBSCRIPTIONS_MAX: usize = 1_000;
/// The most levels of a topic.
pub const TOPIC_LEVELS_MAX: usize = 16;
/// The longest client id, in bytes.
pub const CLIENT_ID_BYTES_MAX: usize = 256;
/// How long a session lives without a connection.
pub const SESSION_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a message waits for a subscriber that is away.
pub const MESSAGE_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);
/// The longest time from a connection to the answer of its CONNECT.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// The longest wait for a client that does not read.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);

/// How to start a broker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its file, `{data}/broker.db`.
    pub file: PathBuf,
    /// When a message counts as stored.
    pub durability: Durability,
    /// Who answers its questions.
    pub questions: Questions,
}

/// A running broker.
pub struct Broker {
    address: SocketAddr,
    context: ServerContext,
    shelf: Arc<Shelf>,
    register: Box<dyn Register>,
    server: JoinHandle<()>,
}

/// What the broker's parts share.
struct Shelf {
    journal: Journal,
    live: LiveSessions,
    access: Access,
    counts: Counts,
}

/// Counted since the start.
#[derive(Debug, Default)]
struct Counts {
    messages_in: AtomicU64,
    messages_out: AtomicU64,
    messages_dropped: AtomicU64,
    drop_logged_at_s: AtomicI64,
}

/// Numbers for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Connections now.
    pub connections: u64,
    /// Sessions now, connected or away.
    pub sessions: u64,
    /// Messages published to the broker since its start.
    pub messages_in: u64,
    /// Messages sent to subscribers since its start.
    pub messages_out: u64,
    /// Messages dropped since its start: refused, expired, or a queue was full.
    pub messages_dropped: u64,
    /// Questions asked of the access service since the start.
    pub questions: u64,
    /// Questions without an answer since the start.
    pub questions_failed: u64,
}

impl Broker {
    /// Restores what is on disk and listens.
    ///
    /// # Errors
    /// When the address is in use, or the file cannot be used.
    pub async fn start(settings: Settings) -> Result<Self> {
        let listener = listener(settings.listen)
            .with_context(|| format!("the MQTT broker cannot listen on {}", settings.listen))?;
        let address = listener
            .local_addr()
            .context("asking for the broker's port")?;
        let (journal, snapshot) = Journal::open(&settings.file, settings.durability)?;
        let context = ServerContext::new()
            .busy_check_enable(false)
            .mqtt_max_sessions(SESSIONS_MAX)
            .task_exec_workers(64)
            .task_exec_queue_max(10_000)
            .build()
            .await;
        let shelf = Arc::new(Shelf {
            journal,
            live: LiveSessions::default(),
            access: Access::new(settings.questions),
            counts: Counts::default(),
        });
        let shared =
            routing::DurableShared::new(context.clone(), shelf.clone(), QUEUE_MESSAGES_MAX);
        *context.extends.shared_mut().await = Box::new(shared);
        let node = context.node.id();
        let retained = retained::Retained::restore(shelf.clone(), node, &snapshot.retained).await?;
        *context.extends.retain_mut().await = Box::new(retained);
        let server = MqttServer::new(context.clone())
            .listener_by_id(listener, messages::LISTENER)
            .build();
        let register = hooks::register(&context, &shelf).await;
        restore::restore(&context, &shelf, snapshot).await?;
        let server = tokio::spawn(async move {
            if let Err(error) = server.run().await {
                tracing::error!(%error, "the MQTT broker ended");
            }
        });
        Ok(Self {
            address,
            context,
            shelf,
            register,
            server,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Numbers for metrics.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.numbers()()
    }

    /// Reads the numbers, for as long as the reader is kept.
    pub fn numbers(&self) -> impl Fn() -> Statistics + Send + Sync + use<> {
        let (context, shelf) = (self.context.clone(), self.shelf.clone());
        move || {
            let counts = &shelf.counts;
            let (questions, questions_failed) = shelf.access.counts();
            let positive = |count: isize| u64::try_from(count).unwrap_or(0);
            Statistics {
                connections: positive(context.connections.count()),
                sessions: positive(context.sessions.count()),
                messages_in: counts.messages_in.load(Ordering::Relaxed),
                messages_out: counts.messages_out.load(Ordering::Relaxed),
                messages_dropped: counts.messages_dropped.load(Ordering::Relaxed),
                questions,
                questions_failed,
            }
        }
    }

    /// Accepts no more connections and writes what is on its way. Connected clients are cut off when the process
    /// ends; their sessions and last wills are on disk.
    pub async fn stop(self) {
        self.server.abort();
        self.register.stop().await;
        self.shelf.journal.stop().await;
    }
}

fn listener(address: SocketAddr) -> Result<rmqtt::net::Listener> {
    Builder::new()
        .name("mqtt")
        .laddr(address)
        .reuseaddr(Some(true))
        .nodelay(true)
        .allow_anonymous(false)
        .max_packet_size(PACKET_BYTES_MAX)
        .max_connections(HANDSHAKES_MAX)
        .max_handshaking_limit(HANDSHAKES_MAX)
        .max_mqueue_len(QUEUE_MESSAGES_MAX)
        .max_inflight(IN_FLIGHT_MAX)
        .max_subscriptions(SUBSCRIPTIONS_MAX)
        .max_topic_levels(TOPIC_LEVELS_MAX)
        .max_clientid_len(CLIENT_ID_BYTES_MAX)
        .handshake_timeout(HANDSHAKE_TIME_MAX)
        .send_timeout(SEND_TIME_MAX)
        .session_expiry_interval(SESSION_EXPIRY)
        .max_session_expiry_interval(SESSION_EXPIRY)
        .message_expiry_interval(MESSAGE_EXPIRY)
        // Sent again on a new connection only, as MQTT 5 demands.
        .message_retry_interval(Duration::ZERO)
        .bind()?
        .tcp()
}
