//! What the host counts, in the text form of Prometheus at `/metrics`. Counters of a component are looked up
//! once; counting is a few atomic additions.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

/// Upper bounds of the duration histograms, in seconds.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
];

/// Everything the host counts.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    in_flight: IntGaugeVec,
    instances: IntGaugeVec,
    traps: IntCounterVec,
    timeouts: IntCounterVec,
    rejected: IntCounterVec,
    watched: Mutex<Vec<Watched>>,
}

/// A number that somebody else counts, copied whenever the values are asked for.
struct Watched {
    gauge: IntGauge,
    read: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// The counters of one component.
pub struct ComponentMetrics {
    /// Answered requests by the first digit of the status, from 1.
    classes: [IntCounter; 5],
    seconds: Histogram,
    /// Requests being served.
    pub in_flight: IntGauge,
    /// Instances alive.
    pub instances: IntGauge,
    /// Instances that trapped.
    pub traps: IntCounter,
    /// Requests, messages and ticks that ran into their time limit.
    pub timeouts: IntCounter,
    /// Requests refused because too many waited.
    pub rejected: IntCounter,
}

impl Metrics {
    /// All counters at zero.
    ///
    /// # Errors
    /// When two have the same name.
    pub fn new() -> Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            add(
                &registry,
                IntCounterVec::new(Opts::new(name, help), labels)?,
            )
        };
        let gauges = |name: &str, help: &str| {
            add(
                &registry,
                IntGaugeVec::new(Opts::new(name, help), &["component"])?,
            )
        };
        let seconds = HistogramOpts::new(
            "linli_request_seconds",
            "Time from a request's arrival to its answer.",
        );
        let seconds = HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["component"])?;
        Ok(Self {
            requests: counters(
                "linli_requests_total",
                "Requests answered.",
                &["component", "status"],
            )?,
            request_seconds: add(&registry, seconds)?,
            in_flight: gauges("linli_requests_in_flight", "Requests being served.")?,
            instances: gauges("linli_instances", "Instances alive.")?,
            traps: counters(
                "linli_traps_total",
                "Instances that trapped.",
                &["component"],
            )?,
            timeouts: counters(
                "linli_timeouts_total",
                "Calls that ran into their time limit.",
                &["component"],
            )?,
            rejected: counters(
                "linli_rejected_total",
                "Requests refused for overload.",
                &["component"],
            )?,
            watched: Mutex::default(),
            registry,
        })
    }

    /// The counters of one component.
    #[must_use]
    pub fn component(&self, name: &str) -> ComponentMetrics {
        let class = |class: &str| self.requests.with_label_values(&[name, class]);
        ComponentMetrics {
            classes: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(class),
            seconds: self.request_seconds.with_label_values(&[name]),
            in_flight: self.in_flight.with_label_values(&[name]),
            instances: self.instances.with_label_values(&[name]),
            traps: self.traps.with_label_values(&[name]),
            timeouts: self.timeouts.with_label_values(&[name]),
            rejected: self.rejected.with_label_values(&[name]),
        }
    }

    /// Shows a number that somebody else counts. A name that is shown already is not shown twice.
    pub fn watch(&self, name: &str, help: &str, read: impl Fn() -> u64 + Send + Sync + 'static) {
        let gauge = IntGauge::new(name, help).and_then(|gauge| {
            self.registry
                .register(Box::new(gauge.clone()))
                .map(|()| gauge)
        });
        match gauge {
            Ok(gauge) => self.watched().push(Watched {
                gauge,
                read: Box::new(read),
            }),
            Err(error) => tracing::error!(name, "this metric cannot be shown: {error}"),
        }
    }

    fn watched(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All values in the text form of Prometheus.
    ///
    /// # Errors
    /// When a value cannot be written as text.
    pub fn text(&self) -> Result<String> {
        for watched in self.watched().iter() {
            watched
                .gauge
                .set(i64::try_from((watched.read)()).unwrap_or(i64::MAX));
        }
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

impl ComponentMetrics {
    /// Counts an answer.
    pub fn answered(&self, status: http::StatusCode, time: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.classes.get(class) {
            counter.inc();
        }
        self.seconds.observe(time.as_secs_f64());
    }
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
