//! The cron trigger: a schedule of six fields, in UTC.
//!
//! It is a heartbeat: a tick that comes while the previous one runs is skipped, and so are those of the time in
//! which the host was down. Functions ask what is owed, not what time it is.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs the function of a component for the tick of this second; the inner error is the function's own.
pub type Invoke =
    Arc<dyn Fn(Arc<str>, DateTime<Utc>) -> Pending<Result<Result<(), String>>> + Send + Sync>;

/// A parsed schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
}

/// One trigger.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The component to run.
    pub component: Arc<str>,
    /// When.
    pub schedule: Schedule,
}

/// What time it is, and how to wait; replaceable in tests.
#[derive(Clone)]
pub struct Clock {
    /// The time now.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// Waits until a time.
    pub sleep_until: Arc<dyn Fn(DateTime<Utc>) -> Pending<()> + Send + Sync>,
}

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Ticks that succeeded.
    pub succeeded: AtomicU64,
    /// Ticks that failed.
    pub failed: AtomicU64,
    /// Ticks that fell into the run of an earlier one.
    pub skipped: AtomicU64,
}

impl Schedule {
    /// Parses `second minute hour day month weekday`.
    ///
    /// # Errors
    /// When it has not exactly six fields, or one of them is malformed.
    pub fn parse(expression: &str) -> Result<Self> {
        let fields = expression.split_whitespace().count();
        ensure!(
            fields == 6,
            "cron_expression {expression:?} has {fields} fields; it needs six: second minute hour day month weekday"
        );
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(expression)
            .with_context(|| format!("cron_expression {expression:?} is malformed"))?;
        Ok(Self { cron })
    }

    /// The first time after this one, or none.
    #[must_use]
    pub fn next_after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.cron.find_next_occurrence(&time, false).ok()
    }
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            now: Arc::new(Utc::now),
            sleep_until: Arc::new(|time| {
                Box::pin(async move {
                    // In short steps, because the machine's clock may be set meanwhile.
                    while let Ok(left) = (time - Utc::now()).to_std() {
                        tokio::time::sleep(left.min(Duration::from_secs(10))).await;
                    }
                })
            }),
        }
    }
}

/// Runs all triggers until `stop`; running ticks are finished.
pub async fn run(
    triggers: Vec<Trigger>,
    invoke: Invoke,
    clock: Clock,
    counts: Arc<Counts>,
    stop: CancellationToken,
) {
    let mut running = JoinSet::new();
    for trigger in triggers {
        running.spawn(run_one(
            trigger,
            invoke.clone(),
            clock.clone(),
            counts.clone(),
            stop.clone(),
        ));
    }
    while running.join_next().await.is_some() {}
}

async fn run_one(
    trigger: Trigger,
    invoke: Invoke,
    clock: Clock,
    counts: Arc<Counts>,
    stop: CancellationToken,
) {
    let component = trigger.component;
    let mut last = (clock.now)();
    while let Some(tick) = trigger.schedule.next_after(last) {
        tokio::select! {
            () = stop.cancelled() => return,
            () = (clock.sleep_until)(tick) => {}
        }
        let outcome = invoke(component.clone(), tick).await;
        let failure = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(reason),
            Err(error) => Some(format!("{error:#}")),
        };
        if let Some(reason) = failure {
            counts.failed.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%component, reason, "a tick failed; the next one continues");
        } else {
            counts.succeeded.fetch_add(1, Ordering::Relaxed);
        }
        if stop.is_cancelled() {
            return;
        }
        // A clock that was set back must not repeat the tick.
        last = (clock.now)().max(tick);
        count_skipped(&trigger.schedule, (tick, last), &counts);
    }
    tracing::warn!(%component, "this schedule has no further tick");
}

/// The most skipped ticks that are counted at once.
const SKIPPED_COUNTED_MAX: u64 = 1_000;

fn count_skipped(
    schedule: &Schedule,
    (mut from, until): (DateTime<Utc>, DateTime<Utc>),
    counts: &Counts,
) {
    for _ in 0..SKIPPED_COUNTED_MAX {
        match schedule.next_after(from) {
            Some(next) if next <= until => from = next,
            _ => return,
        }
        counts.skipped.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
