//! Gathers what the buses read into messages, puts them into the spool, and only then remembers on disk which freezes
//! are there: a freeze that was lost on the way is asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::NaiveDate;
use kernel::DeviceId;
use meter_protocols::dlt645::DataId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use wire::meter::{READINGS_MAX, Reading};

use crate::clock::Clock;
use crate::files;
use crate::names::Names;
use crate::spool::Spool;

/// The file in the data folder.
pub const FILE_NAME: &str = "freezes.json";
/// The most visits that wait to be told.
const WAITING_MAX: usize = 256;
/// A reading waits for others to go with it for so long.
const GATHER_MAX: Duration = Duration::from_secs(2);
/// The pause when the disk fails.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// The midnights of a meter whose freeze is there or will never be, by the day that they begin.
pub type Settled = BTreeMap<DeviceId, BTreeSet<NaiveDate>>;

/// What came of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visited {
    /// The meter.
    pub meter: DeviceId,
    /// What was read.
    pub reading: Option<Reading>,
    /// The midnight that is settled with it.
    pub settled: Option<NaiveDate>,
}

/// The settled midnights that an earlier run kept; none when they cannot be read, and then they are asked for again.
#[must_use]
pub fn kept(data: &Path) -> Settled {
    let path = data.join(FILE_NAME);
    let read = || -> Result<Settled> {
        let bytes = files::read(&path)?;
        let parsed = bytes
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose();
        Ok(parsed.context("reading the JSON")?.unwrap_or_default())
    };
    read().unwrap_or_else(|error| {
        tracing::error!(error = format!("{error:#}"), "the kept freezes are no good");
        Settled::new()
    })
}

/// Gathers and tells; [`Telling::run`] works until every bus is gone.
pub struct Telling {
    visits: mpsc::Receiver<Visited>,
    names: Names,
    spool: Spool,
    clock: Clock,
    path: PathBuf,
    settled: Settled,
}

impl Telling {
    /// Where the buses put what they read, and what tells it.
    #[must_use]
    pub fn new(
        names: Names,
        spool: Spool,
        clock: Clock,
        data: &Path,
        settled: Settled,
    ) -> (mpsc::Sender<Visited>, Self) {
        let (sender, visits) = mpsc::channel(WAITING_MAX);
        let telling = Self {
            visits,
            names,
            spool,
            clock,
            path: data.join(FILE_NAME),
            settled,
        };
        (sender, telling)
    }

    /// Tells what comes in.
    pub async fn run(mut self) {
        while let Some(first) = self.visits.recv().await {
            let deadline = Instant::now() + GATHER_MAX;
            let mut visits = vec![first];
            while visits.len() < READINGS_MAX {
                let Ok(Some(next)) = timeout_at(deadline, self.visits.recv()).await else {
                    break;
                };
                visits.push(next);
            }
            while let Err(error) = self.tell(&visits).await {
                tracing::error!(error = format!("{error:#}"), "readings cannot be kept yet");
                sleep(DISK_PAUSE).await;
            }
        }
    }

    async fn tell(&mut self, visits: &[Visited]) -> Result<()> {
        let readings = visits.iter().filter_map(|visited| visited.reading.clone());
        let readings: Vec<_> = readings.collect();
        if !readings.is_empty() {
            let message = self.names.readings(readings, self.clock.now())?;
            self.spool.say(message).await?;
        }
        let mut changed = false;
        for visited in visits {
            let Some(midnight) = visited.settled else {
                continue;
            };
            let days = self.settled.entry(visited.meter.clone()).or_default();
            changed |= days.insert(midnight);
            while days.len() > usize::from(DataId::FREEZE_DAYS_MAX) {
                days.pop_first();
            }
        }
        if changed {
            files::replace(&self.path, &serde_json::to_vec(&self.settled)?)?;
        }
        Ok(())
    }
}
