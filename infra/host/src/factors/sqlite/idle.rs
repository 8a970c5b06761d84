//! The connections of a database that nobody uses just now.
//!
//! The one that came back last goes out first: its caches are warm, and what a burst has left behind stays at the
//! bottom until it is closed. Each holds the whole schema and the statements it has prepared, half a megabyte to two.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{CONNECTIONS_IDLE_MAX, connection::Prepared};

/// A connection that was not used for so long is closed when another one comes back.
const UNUSED_MAX: Duration = Duration::from_secs(10);

/// Connections that wait for the next guest.
#[derive(Default)]
pub struct Idle {
    /// From the one unused for longest to the one that came back last.
    waiting: Mutex<Vec<Waiting>>,
}

struct Waiting {
    prepared: Prepared,
    since: Instant,
}

impl Idle {
    /// The connection that came back last.
    pub fn take(&self) -> Option<Prepared> {
        self.lock().pop().map(|waiting| waiting.prepared)
    }

    /// Keeps a connection for the next guest, and closes those that nobody needed for long.
    pub fn put(&self, prepared: Prepared) {
        let since = Instant::now();
        let mut waiting = self.lock();
        let unused = waiting
            .iter()
            .take_while(|waiting| since.duration_since(waiting.since) > UNUSED_MAX)
            .count();
        let closed: Vec<Waiting> = waiting.drain(..unused).collect();
        if waiting.len() < CONNECTIONS_IDLE_MAX {
            waiting.push(Waiting { prepared, since });
        }
        // Closing takes a while; others need not wait for it.
        drop(waiting);
        drop(closed);
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
