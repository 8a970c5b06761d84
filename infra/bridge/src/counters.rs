//! What the bridge counts about itself, for the log and for tests.

use std::sync::atomic::{AtomicU64, Ordering};

/// One number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that is counted since the process started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Command messages that were not the JSON their topic asks for.
    pub commands_malformed: Counter,
    /// Command messages on a topic of no configured door.
    pub commands_unknown: Counter,
    /// Command messages that the broker had retained.
    pub commands_retained: Counter,
    /// Deliveries of a command that was already known: they moved nothing.
    pub commands_repeated: Counter,
    /// Commands that were left alone because the spool has no room for their answer.
    pub commands_without_room: Counter,
    /// Occurrences that a full spool dropped.
    pub occurrences_dropped: Counter,
    /// Messages that were sent again because no receipt came.
    pub messages_resent: Counter,
    /// Messages whose receipt came.
    pub messages_receipted: Counter,
    /// Readings at doors that were decided and written down.
    pub readings_decided: Counter,
    /// Readings that were left alone because the spool has no room for the decision.
    pub readings_without_room: Counter,
    /// Visits to meters that brought a reading.
    pub meters_read: Counter,
    /// Questions to meters that were repeated within a visit.
    pub meters_asked_again: Counter,
    /// Visits to meters that brought no answer at all.
    pub meters_silent: Counter,
}

impl Counters {
    /// Name and value of each counter.
    #[must_use]
    pub fn list(&self) -> [(&'static str, u64); 13] {
        [
            ("commands_malformed", self.commands_malformed.get()),
            ("commands_unknown", self.commands_unknown.get()),
            ("commands_retained", self.commands_retained.get()),
            ("commands_repeated", self.commands_repeated.get()),
            ("commands_without_room", self.commands_without_room.get()),
            ("occurrences_dropped", self.occurrences_dropped.get()),
            ("messages_resent", self.messages_resent.get()),
            ("messages_receipted", self.messages_receipted.get()),
            ("readings_decided", self.readings_decided.get()),
            ("readings_without_room", self.readings_without_room.get()),
            ("meters_read", self.meters_read.get()),
            ("meters_asked_again", self.meters_asked_again.get()),
            ("meters_silent", self.meters_silent.get()),
        ]
    }
}
