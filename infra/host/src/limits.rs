//! Every limit that the host puts on a function, with its default. `[application.tool.linli.limits]` in
//! `spin.toml` changes them; the keys are the names of the fields.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

/// The limits of one application; each holds for every component alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest request body, in bytes; above it the answer is 413.
    pub body_bytes: u64,
    /// The longest time from a request's arrival to the head of its answer, and again for the rest of the
    /// answer, in milliseconds; above it the answer is 504 and the instance is dropped. Messages and ticks have
    /// the same time.
    pub request_ms: u64,
    /// The most memory of one instance, in bytes.
    pub memory_bytes: u64,
    /// An instance whose memory has grown beyond this, in bytes, serves no further request: memory of a guest never
    /// shrinks, and one password that was checked would hold 20 MB.
    pub kept_bytes: u64,
    /// The most instances of one component that serve HTTP.
    pub instances: u64,
    /// The most instances of one component that handle messages and ticks.
    pub background_instances: u64,
    /// The most requests that wait for an instance of one component; above it the answer is 503.
    pub requests_waiting: u64,
    /// The most requests that one instance serves at the same time.
    pub requests_at_once: u64,
    /// After so many requests an instance is replaced.
    pub requests_per_instance: u64,
    /// An instance that had no request for so long is dropped, in milliseconds.
    pub idle_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            request_ms: 10_000,
            memory_bytes: 64 * 1024 * 1024,
            kept_bytes: 8 * 1024 * 1024,
            // Four a core of a small machine: more that take turns only push each other out of the caches, and each
            // holds a connection with the whole schema.
            instances: 8,
            background_instances: 8,
            requests_waiting: 512,
            requests_at_once: 1,
            requests_per_instance: 1_000,
            idle_ms: 10_000,
        }
    }
}

impl Limits {
    /// Every limit by its name, for reading and for documentation.
    pub fn fields(&mut self) -> [(&'static str, &mut u64); 10] {
        [
            ("body_bytes", &mut self.body_bytes),
            ("request_ms", &mut self.request_ms),
            ("memory_bytes", &mut self.memory_bytes),
            ("kept_bytes", &mut self.kept_bytes),
            ("instances", &mut self.instances),
            ("background_instances", &mut self.background_instances),
            ("requests_waiting", &mut self.requests_waiting),
            ("requests_at_once", &mut self.requests_at_once),
            ("requests_per_instance", &mut self.requests_per_instance),
            ("idle_ms", &mut self.idle_ms),
        ]
    }

    /// The time limit of a request, a message or a tick.
    #[must_use]
    pub fn request_time(&self) -> Duration {
        Duration::from_millis(self.request_ms)
    }

    /// What one store may take.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let limits = StoreLimitsBuilder::new()
            .memory_size(bytes(self.memory_bytes))
            .build();
        Allowance {
            limits,
            kept_bytes: bytes(self.kept_bytes),
            grown: Arc::default(),
        }
    }
}

/// What one store may take, and whether it has taken so much that it is not kept.
pub struct Allowance {
    limits: StoreLimits,
    kept_bytes: usize,
    grown: Arc<AtomicBool>,
}

impl Allowance {
    /// Turns true when a memory grows beyond what is kept.
    #[must_use]
    pub fn grown(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.grown)
    }
}

impl ResourceLimiter for Allowance {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = self.limits.memory_growing(current, desired, maximum)?;
        if allowed && desired > self.kept_bytes {
            self.grown.store(true, Ordering::Relaxed);
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.memory_grow_failed(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}
