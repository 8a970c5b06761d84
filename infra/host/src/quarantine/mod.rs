//! Messages that a function rejected or could not handle: kept in `{data}/host.db` until somebody replays or
//! deletes them. The MQTT trigger acknowledges a message only when it is on disk here (or handled).
//!
//! The same file holds the two things that the trigger must remember between starts: its client id and the filters
//! that it subscribed to.

mod routes;
mod store;
#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};
use bytes::Bytes;
use rusqlite::Connection;

use crate::mqtt_trigger::Invoke;

pub use routes::Request;

/// The most messages kept; then the oldest are dropped.
pub const ROWS_MAX: u32 = 100_000;

/// A message for the quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The component that did not take it.
    pub component: Arc<str>,
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Bytes,
    /// What the component said, or why it could not.
    pub reason: String,
    /// How often it was tried.
    pub tries: u32,
}

/// A message in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Ascending in order of arrival.
    pub id: i64,
    /// The component that did not take it.
    pub component: String,
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Why it is here.
    pub reason: String,
    /// How often it was tried.
    pub tries: u32,
    /// Epoch milliseconds.
    pub at: i64,
}

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages put in.
    pub put: AtomicU64,
    /// Messages dropped because there were too many.
    pub dropped: AtomicU64,
    /// Messages replayed with success.
    pub replayed: AtomicU64,
}

/// The quarantine.
pub struct Quarantine {
    connection: Arc<Mutex<Connection>>,
    rows_max: u32,
    counts: Counts,
    internal_token: String,
    /// Messages that are being replayed: a second replay of the same one waits.
    replaying: tokio::sync::Mutex<()>,
    invoke: Invoke,
}

impl Quarantine {
    /// Opens `{data}/host.db`. `invoke` replays; `internal_token` guards the routes.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(data: &Path, internal_token: String, invoke: Invoke) -> Result<Self> {
        Self::open_bounded(data, internal_token, invoke, ROWS_MAX)
    }

    fn open_bounded(
        data: &Path,
        internal_token: String,
        invoke: Invoke,
        rows_max: u32,
    ) -> Result<Self> {
        let path = data.join("host.db");
        let connection =
            store::open(&path).with_context(|| format!("opening {}", path.display()))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            rows_max,
            counts: Counts::default(),
            internal_token,
            replaying: tokio::sync::Mutex::default(),
            invoke,
        })
    }

    /// Numbers for metrics.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many messages are in quarantine.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn len(&self) -> Result<u32> {
        self.with(|connection| store::count(connection)).await
    }

    /// Keeps a message; it is on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn put(&self, rejected: Rejected) -> Result<()> {
        let rows_max = self.rows_max;
        let now = chrono::Utc::now().timestamp_millis();
        let dropped = self
            .with(move |connection| store::insert(connection, &rejected, now, rows_max))
            .await?;
        self.counts.put.fetch_add(1, Ordering::Relaxed);
        if dropped > 0 {
            tracing::error!(
                dropped,
                limit = rows_max,
                "the quarantine is full: the oldest messages are lost"
            );
            self.counts
                .dropped
                .fetch_add(dropped as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The client id that the trigger connects with: made once for this data folder.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub async fn client_id(&self) -> Result<String> {
        self.with(|connection| {
            if let Some(known) = store::remembered(connection, "mqtt_client_id")? {
                return Ok(known);
            }
            let made = format!("linli-host-{}", uuid::Uuid::now_v7().simple());
            store::remember(connection, "mqtt_client_id", &made)?;
            Ok(made)
        })
        .await
    }

    /// Remembers the filters of this run, and returns those of the last one.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub async fn remember_filters(&self, filters: &[String]) -> Result<Vec<String>> {
        let text = serde_json::to_string(filters)?;
        let known = self
            .with(move |connection| {
                let known = store::remembered(connection, "mqtt_filters")?;
                store::remember(connection, "mqtt_filters", &text)?;
                Ok(known)
            })
            .await?;
        known.map_or(Ok(Vec::new()), |text| {
            serde_json::from_str(&text).context("reading the last run's filters")
        })
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let connection = self.connection.clone();
        tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        })
        .await
        .context("using the host's file")?
        .context("using the host's file")
    }
}
