//! The MQTT trigger: one client for all `[[trigger.mqtt]]` entries, which hands messages to functions and
//! acknowledges them only when each function has stored its message, or the quarantine has.
//!
//! Messages of a topic are handled in their order, those of other topics meanwhile. A function that fails is called
//! again with growing pauses; then, or when it rejects the message, the message goes to quarantine. A message may
//! be handed over twice (after a reconnection, for example): functions are idempotent by message id.

mod connection;
mod handling;
mod lanes;
#[cfg(test)]
mod tests;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use anyhow::Result;
use bytes::Bytes;
use rumqttc::QoS;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::quarantine::Quarantine;

/// The most messages that functions handle at the same time.
pub const IN_PROGRESS_MAX: usize = 64;
/// The most messages that wait in memory; a broker sends no more than it allows in flight.
pub const WAITING_MAX: usize = 10_000;
/// The largest payload in bytes; larger ones go to quarantine (cut off).
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// How often a message is tried before it goes to quarantine.
pub const TRIES_MAX: u32 = 6;
/// What a function's error text begins with when trying again is useless.
pub const REJECT_PREFIX: &str = "reject:";

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Hands a message (component, topic, payload) to a function. The inner error is the function's own answer, the
/// outer one means that it could not answer.
pub type Invoke =
    Arc<dyn Fn(Arc<str>, String, Bytes) -> Pending<Result<Result<(), String>>> + Send + Sync>;

/// One `[[trigger.mqtt]]` entry.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The component to run.
    pub component: Arc<str>,
    /// Topic filter, perhaps `$share/group/filter`.
    pub filter: String,
    /// Quality of service of the subscription.
    pub qos: QoS,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Empty for none.
    pub username: String,
    /// Sent only with a user name.
    pub password: String,
    /// Interval of pings.
    pub keep_alive: Duration,
    /// Pause before the second try of a message, doubling up to the second value.
    pub pauses: (Duration, Duration),
    /// Pause before the second connection attempt, doubling up to the second value.
    pub reconnects: (Duration, Duration),
}

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages received.
    pub received: AtomicU64,
    /// Messages acknowledged.
    pub acknowledged: AtomicU64,
    /// Calls of functions that were repeated.
    pub retried: AtomicU64,
    /// Messages put into quarantine.
    pub quarantined: AtomicU64,
    /// Connections lost or refused.
    pub disconnections: AtomicU64,
    /// Messages left to the broker because too many wait.
    pub overflowed: AtomicU64,
    /// Whether it is connected and subscribed.
    pub is_ready: AtomicBool,
}

/// The running trigger.
pub struct MqttTrigger {
    counts: Arc<Counts>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Settings {
    /// With the usual pauses.
    #[must_use]
    pub fn new(
        host: String,
        port: u16,
        username: String,
        password: String,
        keep_alive: Duration,
    ) -> Self {
        Self {
            host,
            port,
            username,
            password,
            keep_alive,
            pauses: (Duration::from_millis(100), Duration::from_secs(5)),
            reconnects: (Duration::from_millis(100), Duration::from_secs(10)),
        }
    }
}

impl MqttTrigger {
    /// Connects in the background, for as long as it takes, and never gives up.
    ///
    /// # Errors
    /// When the quarantine's file cannot be read.
    pub async fn start(
        settings: Settings,
        triggers: Vec<Trigger>,
        invoke: Invoke,
        quarantine: Arc<Quarantine>,
    ) -> Result<Self> {
        let counts = Arc::new(Counts::default());
        let stop = CancellationToken::new();
        let handling = handling::Handling {
            triggers: triggers.into(),
            invoke,
            quarantine,
            counts: counts.clone(),
            pauses: settings.pauses,
            slots: Arc::new(tokio::sync::Semaphore::new(IN_PROGRESS_MAX)),
        };
        let connection =
            connection::Connection::new(settings, Arc::new(handling), stop.clone()).await?;
        let task = tokio::spawn(connection.run());
        Ok(Self { counts, stop, task })
    }

    /// Numbers for metrics.
    #[must_use]
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Takes no more messages, finishes those that are being handled, acknowledges them and disconnects. What is
    /// not finished after this time stays with the broker.
    pub async fn stop(self, time_max: Duration) {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        if tokio::time::timeout(time_max, self.task).await.is_err() {
            tracing::warn!(
                "MQTT trigger: messages were still being handled; the broker sends them again"
            );
            abort.abort();
        }
    }
}
